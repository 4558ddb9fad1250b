//! Builds successful replies, which are `Message` objects.

use serde_json::{Value, json};

use super::models::Model;
use super::signature::sign;
use crate::completion::{Completion, Content, FinishReason, count_tokens};
use crate::dialects::json::{field, str_field};

const THOUGHT: &str = "Simulated thinking.";

/// Builds the body of a successful reply.
pub(crate) fn build(body: &Value, model: Model, completion: &Completion, number: u64) -> Value {
    let thought = thought(body, model);
    let thinking_tokens = thought.as_deref().map_or(0, count_tokens);
    let mut content = Vec::new();
    if let Some(thought) = thought {
        let signature = sign(&thought, body);
        let block = json!({"type": "thinking", "thinking": thought, "signature": signature});
        content.push(block);
    }
    match &completion.content {
        Content::Text(text) if text.is_empty() => {}
        Content::Text(text) | Content::Refusal(text) => {
            content.push(json!({"type": "text", "text": text, "citations": null}));
        }
        Content::ToolCalls { text, calls } => {
            if !text.is_empty() {
                content.push(json!({"type": "text", "text": text, "citations": null}));
            }
            content.extend(calls.iter().enumerate().map(|(index, call)| {
                let id = format!("toolu_sim{number:06}_{index}");
                let caller = json!({"type": "direct"});
                json!({
                    "type": "tool_use", "id": id, "name": call.name, "input": call.object(),
                    "caller": caller,
                })
            }));
        }
        Content::Empty => {}
    }
    let (stop_reason, stop_sequence) = stop_reason(completion);
    let usage = completion.usage.clone().unwrap_or_else(|| usage(completion, thinking_tokens));
    json!({
        "id": format!("msg_sim{number:06}"),
        "type": "message",
        "role": "assistant",
        "model": str_field(body, "model").unwrap_or_default(),
        "content": content,
        "container": null,
        "diagnostics": null,
        "stop_details": stop_details(completion),
        "stop_reason": stop_reason,
        "stop_sequence": stop_sequence,
        "usage": usage,
    })
}

/// Returns the text of the thinking block if the model thinks.
pub(crate) fn thought(body: &Value, model: Model) -> Option<String> {
    let choice = field(body, "tool_choice").and_then(|choice| str_field(choice, "type"));
    let is_forced = matches!(choice, Some("any" | "tool"));
    let thinking = field(body, "thinking");
    let is_enabled = match thinking.and_then(|thinking| str_field(thinking, "type")) {
        Some(kind) => matches!(kind, "enabled" | "adaptive" | "between_tools"),
        None => model.thinks_by_default() && !is_forced,
    };
    let display = thinking.and_then(|thinking| str_field(thinking, "display"));
    is_enabled.then(|| if display == Some("omitted") { String::new() } else { THOUGHT.to_owned() })
}

fn stop_reason(completion: &Completion) -> (&str, Option<&str>) {
    match (&completion.stop_reason, &completion.finish, &completion.content) {
        (Some(reason), _, _) => (reason, None),
        (None, FinishReason::TokenLimit, _) => ("max_tokens", None),
        (None, FinishReason::StopSequence(sequence), _) => ("stop_sequence", Some(sequence)),
        (None, _, Content::ToolCalls { .. }) => ("tool_use", None),
        (None, _, Content::Refusal(_)) => ("refusal", None),
        (None, _, _) => ("end_turn", None),
    }
}

fn stop_details(completion: &Completion) -> Value {
    match &completion.content {
        Content::Refusal(text) => {
            json!({"type": "refusal", "category": null, "explanation": text})
        }
        _ => Value::Null,
    }
}

fn usage(completion: &Completion, thinking_tokens: u64) -> Value {
    json!({
        "input_tokens": completion.input_tokens,
        "output_tokens": completion.output_tokens.saturating_add(thinking_tokens),
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
