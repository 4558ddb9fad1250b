//! The shape of a chat response.
//!
//! In: the request's body and the answer. Out: the `ChatResponse` object.

use super::super::check::{field, list, text};
use crate::answer::{Answer, Content, Ended};
use serde_json::{Value, json};

const THOUGHT: &str = "Simulated thinking.";
/// The simulator has no calendar.
const CREATED_AT: &str = "2026-01-01T00:00:00.000000Z";

/// The reply's body.
pub(crate) fn response(body: &Value, answer: &Answer) -> Value {
    let model = text(body, "model").unwrap_or_default();
    if list(body, "messages").is_empty() {
        return json!({
            "model": model,
            "created_at": CREATED_AT,
            "message": {"role": "assistant", "content": ""},
            "done_reason": "load",
            "done": true,
        });
    }
    let thinks = field(body, "think").is_some_and(|think| *think != false);
    let mut reply = json!({
        "model": model,
        "created_at": CREATED_AT,
        "message": message(answer, thinks),
        "done": true,
        "done_reason": done_reason(answer),
        "total_duration": 2_000_000,
        "load_duration": 500_000,
        "prompt_eval_count": answer.input_tokens,
        "prompt_eval_duration": 500_000,
        "eval_count": answer.output_tokens,
        "eval_duration": 1_000_000,
    });
    // A script's usage stands where Ollama has its counts: among the reply's own fields.
    if let (Some(reply), Some(Value::Object(usage))) = (reply.as_object_mut(), &answer.usage) {
        reply.extend(usage.clone());
    }
    reply
}

fn message(answer: &Answer, thinks: bool) -> Value {
    let content = match &answer.content {
        // A refusal is a text like any other.
        Content::Text(text) | Content::Refusal(text) => text.as_str(),
        Content::ToolCall { .. } | Content::Empty => "",
    };
    let mut message = json!({"role": "assistant", "content": content});
    if let Some(message) = message.as_object_mut() {
        if thinks {
            message.insert("thinking".to_owned(), json!(THOUGHT));
        }
        if let Content::ToolCall { name, arguments } = &answer.content {
            // A call that was cut off has no arguments that could be read.
            let arguments: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
            let function = json!({"name": name, "arguments": arguments});
            message.insert("tool_calls".to_owned(), json!([{"function": function}]));
        }
    }
    message
}

fn done_reason(answer: &Answer) -> &str {
    match (&answer.stop_reason, &answer.ended) {
        (Some(reason), _) => reason,
        (None, Ended::AtLimit) => "length",
        (None, _) => "stop",
    }
}
