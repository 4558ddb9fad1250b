//! Builds streams of both operations, which consist of frames.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::dialects::anthropic::stream as anthropic;
use crate::dialects::json::{array_field, str_field};
use crate::dialects::stream::{frame, pieces};

/// Returns the frames that a message is streamed as by InvokeModelWithResponseStream.
pub(super) fn invoke_events(message: &Value) -> Vec<Vec<u8>> {
    let mut events = anthropic::events(message);
    if let Some(last) = events.last_mut() {
        last["amazon-bedrock-invocationMetrics"] = json!({
            "inputTokenCount": message["usage"]["input_tokens"],
            "outputTokenCount": message["usage"]["output_tokens"],
            "invocationLatency": 2, "firstByteLatency": 1,
        });
    }
    let encode = |event: &Value| json!({"bytes": STANDARD.encode(event.to_string())});
    events.iter().map(|event| frame("chunk", &encode(event))).collect()
}

/// Returns the frames that a reply is streamed as by ConverseStream.
pub(super) fn converse_events(reply: &Value) -> Vec<Vec<u8>> {
    let message = reply.pointer("/output/message").unwrap_or(&Value::Null);
    let mut frames = vec![frame("messageStart", &json!({"role": "assistant"}))];
    for (index, block) in array_field(message, "content").iter().enumerate() {
        let mut add = |kind: &str, name: &str, value: Value| {
            frames.push(frame(kind, &json!({"contentBlockIndex": index, name: value})));
        };
        let (start, deltas) = split_block(block);
        if let Some(start) = start {
            add("contentBlockStart", "start", start);
        }
        for delta in deltas {
            add("contentBlockDelta", "delta", delta);
        }
        frames.push(frame("contentBlockStop", &json!({ "contentBlockIndex": index })));
    }
    frames.push(frame("messageStop", &json!({"stopReason": reply["stopReason"]})));
    let metadata = json!({"usage": reply["usage"], "metrics": reply["metrics"]});
    frames.push(frame("metadata", &metadata));
    frames
}

/// Returns the start of a block, if it has one, and its deltas.
fn split_block(block: &Value) -> (Option<Value>, Vec<Value>) {
    if let Some(tool_use) = block.get("toolUse") {
        let start = json!({"toolUse": {
            "toolUseId": tool_use["toolUseId"], "name": tool_use["name"],
        }});
        let input = tool_use["input"].to_string();
        let input = if input == "{}" { vec![String::new()] } else { pieces(&input) };
        let delta = |piece| json!({"toolUse": {"input": piece}});
        return (Some(start), input.into_iter().map(delta).collect());
    }
    let reasoning = block.pointer("/reasoningContent/reasoningText");
    if let Some(reasoning) = reasoning {
        let text = str_field(reasoning, "text").unwrap_or_default();
        let mut texts = pieces(text);
        if texts.is_empty() {
            texts.push(String::new());
        }
        let delta = |piece| json!({"reasoningContent": {"text": piece}});
        let mut deltas: Vec<Value> = texts.into_iter().map(delta).collect();
        deltas.push(json!({"reasoningContent": {"signature": reasoning["signature"]}}));
        return (None, deltas);
    }
    let text = str_field(block, "text").unwrap_or_default();
    (None, pieces(text).into_iter().map(|piece| json!({ "text": piece })).collect())
}
