//! Builds streams, which consist of `GenerateContentResponse` objects.

use serde_json::{Value, json};

use crate::dialects::json::{array_field, str_field};
use crate::dialects::stream::{data, pieces};

/// Returns the events that a reply is streamed as.
pub(super) fn events(reply: &Value) -> Vec<Vec<u8>> {
    let candidate = reply.pointer("/candidates/0").cloned().unwrap_or_default();
    let mut parts = Vec::new();
    for part in candidate.get("content").map(|it| array_field(it, "parts")).unwrap_or_default() {
        match str_field(part, "text") {
            Some(text) if !text.is_empty() => {
                let with_text = |piece: String| {
                    let mut part = part.clone();
                    part["text"] = json!(piece);
                    part
                };
                parts.extend(pieces(text).into_iter().map(with_text));
            }
            _ => parts.push(part.clone()),
        }
    }
    let chunk = |candidate: Value, is_last: bool| {
        let mut chunk = reply.clone();
        chunk["candidates"] = json!([candidate]);
        if !is_last && let Some(usage) = chunk["usageMetadata"].as_object_mut() {
            usage.retain(|name, _| name == "promptTokenCount");
        }
        data(&chunk)
    };
    let last = parts.pop();
    let content = |parts: Vec<Value>| json!({"role": "model", "parts": parts});
    let first = parts
        .into_iter()
        .map(|part| chunk(json!({"content": content(vec![part]), "index": 0}), false));
    let mut events: Vec<Vec<u8>> = first.collect();
    let mut end = candidate;
    if let Some(last) = last {
        end["content"] = content(vec![last]);
    }
    events.push(chunk(end, true));
    events
}
