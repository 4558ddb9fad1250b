//! The shape of a message.
//!
//! In: the request's body and the answer. Out: the `Message` object.

use super::super::check::{field, text};
use crate::answer::{Answer, Content, Ended, tokens};
use serde_json::{Value, json};

const THOUGHT: &str = "Simulated thinking.";
/// "simulated thinking" in base64: opaque to clients, who must send it back as it came.
const SIGNATURE: &str = "c2ltdWxhdGVkIHRoaW5raW5n";

/// The reply's body.
pub(crate) fn message(body: &Value, answer: &Answer, number: u64) -> Value {
    let thought = thought(body);
    let thinking_tokens = thought.as_deref().map_or(0, tokens);
    let mut content = Vec::new();
    if let Some(thought) = thought {
        let block = json!({"type": "thinking", "thinking": thought, "signature": SIGNATURE});
        content.push(block);
    }
    match &answer.content {
        Content::Text(text) if text.is_empty() => {}
        Content::Text(text) | Content::Refusal(text) => {
            content.push(json!({"type": "text", "text": text, "citations": null}));
        }
        Content::ToolCall { name, arguments } => {
            // A call that was cut off has no input that could be read.
            let input: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
            let id = format!("toolu_sim{number:06}");
            let caller = json!({"type": "direct"});
            content.push(json!({
                "type": "tool_use", "id": id, "name": name, "input": input, "caller": caller,
            }));
        }
        Content::Empty => {}
    }
    let (stop_reason, stop_sequence) = stop(answer);
    let usage = answer.usage.clone().unwrap_or_else(|| usage(answer, thinking_tokens));
    json!({
        "id": format!("msg_sim{number:06}"),
        "type": "message",
        "role": "assistant",
        "model": text(body, "model").unwrap_or_default(),
        "content": content,
        "container": null,
        "diagnostics": null,
        "stop_details": stop_details(answer),
        "stop_reason": stop_reason,
        "stop_sequence": stop_sequence,
        "usage": usage,
    })
}

/// The thinking that goes before the answer, where the request asks for some.
fn thought(body: &Value) -> Option<String> {
    let thinking = field(body, "thinking")?;
    let thinks = matches!(text(thinking, "type"), Some("enabled" | "adaptive"));
    let shown = text(thinking, "display") != Some("omitted");
    thinks.then(|| if shown { THOUGHT.to_owned() } else { String::new() })
}

fn stop(answer: &Answer) -> (&str, Option<&str>) {
    match (&answer.stop_reason, &answer.ended, &answer.content) {
        (Some(reason), _, _) => (reason, None),
        (None, Ended::AtLimit, _) => ("max_tokens", None),
        (None, Ended::AtStop(sequence), _) => ("stop_sequence", Some(sequence)),
        (None, _, Content::ToolCall { .. }) => ("tool_use", None),
        (None, _, Content::Refusal(_)) => ("refusal", None),
        (None, _, _) => ("end_turn", None),
    }
}

fn stop_details(answer: &Answer) -> Value {
    match &answer.content {
        Content::Refusal(text) => {
            json!({"type": "refusal", "category": null, "explanation": text})
        }
        _ => Value::Null,
    }
}

fn usage(answer: &Answer, thinking_tokens: u64) -> Value {
    json!({
        "input_tokens": answer.input_tokens,
        "output_tokens": answer.output_tokens.saturating_add(thinking_tokens),
        "output_tokens_details": {"thinking_tokens": thinking_tokens},
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "inference_geo": null,
        "server_tool_use": null,
        "service_tier": "standard",
        "speed": null,
    })
}
