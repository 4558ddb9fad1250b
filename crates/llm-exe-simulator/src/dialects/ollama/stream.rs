//! Builds streams, in which each line is a `ChatResponse` object.

use serde_json::{Value, json};

use crate::dialects::json::{array_field, str_field};
use crate::dialects::stream::pieces;

/// Returns the lines that a reply is streamed as.
pub(super) fn events(reply: &Value) -> Vec<Vec<u8>> {
    let line = |line: &Value| format!("{line}\n").into_bytes();
    let message = reply.get("message").unwrap_or(&Value::Null);
    let with_message = |message: Value| {
        line(&json!({
            "model": reply["model"], "created_at": reply["created_at"], "message": message,
            "done": false,
        }))
    };
    let mut lines = Vec::new();
    for name in ["thinking", "content"] {
        for piece in pieces(str_field(message, name).unwrap_or_default()) {
            let mut delta = json!({"role": "assistant", "content": ""});
            delta[name] = json!(piece);
            lines.push(with_message(delta));
        }
    }
    for call in array_field(message, "tool_calls") {
        let message = json!({"role": "assistant", "content": "", "tool_calls": [call]});
        lines.push(with_message(message));
    }
    let mut end = reply.clone();
    end["message"] = json!({"role": "assistant", "content": ""});
    lines.push(line(&end));
    lines
}
