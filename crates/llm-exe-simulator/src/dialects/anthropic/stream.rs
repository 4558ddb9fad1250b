//! Builds streams, which consist of `RawMessageStreamEvent` objects.

use serde_json::{Value, json};

use crate::dialects::json::{array_field, str_field};
use crate::dialects::stream::pieces;

/// Returns the events that a message is streamed as.
pub(crate) fn events(message: &Value) -> Vec<Value> {
    let mut start = message.clone();
    for name in ["stop_reason", "stop_sequence", "stop_details"] {
        start[name] = Value::Null;
    }
    start["content"] = json!([]);
    start["usage"]["output_tokens"] = json!(1);
    if let Some(usage) = start.get_mut("usage").and_then(Value::as_object_mut) {
        usage.remove("output_tokens_details");
    }
    let mut events =
        vec![json!({"type": "message_start", "message": start}), json!({"type": "ping"})];
    for (index, block) in array_field(message, "content").iter().enumerate() {
        let (start, deltas) = split_block(block);
        events.push(json!({"type": "content_block_start", "index": index, "content_block": start}));
        events.extend(
            deltas.into_iter().map(
                |delta| json!({"type": "content_block_delta", "index": index, "delta": delta}),
            ),
        );
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    let part = |name: &str| message.get(name).cloned().unwrap_or_default();
    events.push(json!({
        "type": "message_delta",
        "delta": {
            "stop_reason": part("stop_reason"), "stop_sequence": part("stop_sequence"),
            "stop_details": part("stop_details"), "container": part("container"),
        },
        "usage": part("usage"),
    }));
    events.push(json!({"type": "message_stop"}));
    events
}

/// Returns the start of a block, and its deltas.
fn split_block(block: &Value) -> (Value, Vec<Value>) {
    let text_deltas = |name: &str, kind: &str| -> Vec<Value> {
        let text = str_field(block, name).unwrap_or_default();
        pieces(text).into_iter().map(|piece| json!({"type": kind, name: piece})).collect()
    };
    let mut start = block.clone();
    let deltas = match str_field(block, "type") {
        Some("text") => {
            start["text"] = json!("");
            text_deltas("text", "text_delta")
        }
        Some("thinking") => {
            start["thinking"] = json!("");
            start["signature"] = json!("");
            let mut deltas = text_deltas("thinking", "thinking_delta");
            let signature = block.get("signature").cloned().unwrap_or_default();
            deltas.push(json!({"type": "signature_delta", "signature": signature}));
            deltas
        }
        Some("tool_use") => {
            start["input"] = json!({});
            let input = block.get("input").map(Value::to_string).unwrap_or_default();
            // The input of a tool without arguments is an empty text.
            let input = if input == "{}" { vec![String::new()] } else { pieces(&input) };
            let delta = |piece| json!({"type": "input_json_delta", "partial_json": piece});
            input.into_iter().map(delta).collect()
        }
        _ => Vec::new(),
    };
    (start, deltas)
}
