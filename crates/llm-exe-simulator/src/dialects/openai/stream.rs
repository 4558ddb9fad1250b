//! Builds streams, which consist of `ChatCompletionChunk` objects.

use serde_json::{Map, Value, json};

use crate::dialects::json::{array_field, field};
use crate::dialects::stream::{data, pieces};

/// Returns the events that a reply is streamed as. `always_has_usage` is set for services that send
/// token counts without being asked for them.
pub(super) fn events(request: &Value, reply: &Value, always_has_usage: bool) -> Vec<Vec<u8>> {
    let mut events = Vec::new();
    let mut chunk = |choices: Value, usage: &Value| {
        let mut chunk = reply.clone();
        chunk["object"] = json!("chat.completion.chunk");
        chunk["choices"] = choices;
        chunk["usage"] = usage.clone();
        if request.pointer("/stream_options/include_obfuscation") != Some(&json!(false)) {
            chunk["obfuscation"] = json!("x7Fq2");
        }
        events.push(data(&chunk));
    };
    for choice in array_field(reply, "choices") {
        let index = choice.get("index").cloned().unwrap_or_default();
        let mut delta = |delta: Value, finish_reason: &Value, usage: &Value| {
            let choice = json!({
                "index": index, "delta": delta, "logprobs": null, "finish_reason": finish_reason,
            });
            chunk(json!([choice]), usage);
        };
        let message = choice.get("message").and_then(Value::as_object);
        for piece in message.map(deltas).unwrap_or_default() {
            delta(piece, &Value::Null, &Value::Null);
        }
        let reason = choice.get("finish_reason").unwrap_or(&Value::Null);
        let usage = reply.get("usage").filter(|_| always_has_usage).unwrap_or(&Value::Null);
        delta(json!({}), reason, usage);
    }
    let includes_usage = request.pointer("/stream_options/include_usage") == Some(&json!(true));
    if let Some(usage) = field(reply, "usage").filter(|_| includes_usage) {
        chunk(json!([]), usage);
    }
    events.push(b"data: [DONE]\n\n".to_vec());
    events
}

/// Returns the deltas of a message.
fn deltas(message: &Map<String, Value>) -> Vec<Value> {
    let mut deltas = vec![json!({"role": "assistant", "content": "", "refusal": null})];
    for (name, value) in message {
        match (&**name, value) {
            ("role" | "annotations", _) | (_, Value::Null) => {}
            (name, Value::String(text)) => {
                deltas.extend(pieces(text).into_iter().map(|piece| json!({ name: piece })));
            }
            ("content", Value::Array(parts)) => {
                for part in parts {
                    match part.get("text").and_then(Value::as_str) {
                        Some(text) => {
                            let texts = pieces(text).into_iter();
                            deltas.extend(texts.map(|piece| json!({ "content": piece })));
                        }
                        None => deltas.push(json!({ "content": [part] })),
                    }
                }
            }
            ("tool_calls", Value::Array(calls)) => {
                for (index, call) in calls.iter().enumerate() {
                    deltas.extend(call_deltas(index, call));
                }
            }
            (name, value) => deltas.push(json!({ name: value })),
        }
    }
    deltas
}

fn call_deltas(index: usize, call: &Value) -> Vec<Value> {
    let mut first = call.clone();
    first["index"] = json!(index);
    let arguments = call.pointer("/function/arguments").and_then(Value::as_str);
    first["function"]["arguments"] = json!("");
    let mut deltas = vec![json!({ "tool_calls": [first] })];
    for piece in pieces(arguments.unwrap_or_default()) {
        let call = json!({"index": index, "function": {"arguments": piece}});
        deltas.push(json!({ "tool_calls": [call] }));
    }
    deltas
}
