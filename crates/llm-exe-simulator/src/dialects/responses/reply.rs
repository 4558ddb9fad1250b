//! Builds successful replies, which are `Response` objects.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::reasoning::{encrypted_content, is_xai, item_id, reasoning_id, reasons};
use crate::completion::{Completion, Content, ContentCall, FinishReason};
use crate::dialects::dialect::ProviderRequest;
use crate::dialects::json::{array_field, field, str_field};

const THOUGHT: &str = "Simulated thinking.";
/// The number of reasoning tokens of a reply after reasoning.
const REASONING_TOKENS: u64 = 64;

/// Builds the body of a successful reply.
pub(super) fn build(request: &ProviderRequest<'_>, completion: &Completion, number: u64) -> Value {
    let body = request.body;
    let created = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let incomplete = incomplete_reason(completion);
    let status = if incomplete.is_some() { "incomplete" } else { "completed" };
    let usage = completion.usage.clone().unwrap_or_else(|| usage(body, completion));
    json!({
        "id": format!("resp_sim{number:06}"),
        "object": "response",
        "created_at": created,
        "completed_at": created,
        "status": status,
        "background": false,
        "error": null,
        "incomplete_details": incomplete.map(|reason| json!({"reason": reason})),
        "instructions": null,
        "metadata": {},
        "model": str_field(body, "model").unwrap_or_default(),
        "output": output(body, completion, number, status),
        "parallel_tool_calls": field(body, "parallel_tool_calls").is_none_or(|it| *it == true),
        "previous_response_id": null,
        "reasoning": {
            "effort": body.pointer("/reasoning/effort").cloned().unwrap_or(Value::Null),
            "summary": null,
        },
        "service_tier": "default",
        "store": field(body, "store").is_none_or(|store| *store == true),
        "usage": usage,
    })
}

/// Returns why the reply is incomplete. A scripted stop reason other than `completed` is a reason.
fn incomplete_reason(completion: &Completion) -> Option<&str> {
    match (&completion.stop_reason, &completion.finish) {
        (Some(reason), _) => Some(reason.as_str()).filter(|reason| *reason != "completed"),
        (None, FinishReason::TokenLimit) => Some("max_output_tokens"),
        (None, _) => None,
    }
}

fn output(body: &Value, completion: &Completion, number: u64, status: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let wants_encrypted =
        array_field(body, "include").iter().any(|item| item == "reasoning.encrypted_content");
    if reasons(body) {
        let id = reasoning_id(number);
        let encrypted = wants_encrypted.then(|| encrypted_content(body, &id));
        let mut item = json!({
            "id": id, "type": "reasoning",
            "summary": [{"type": "summary_text", "text": THOUGHT}],
        });
        if let Some(encrypted) = encrypted {
            item["encrypted_content"] = json!(encrypted);
        }
        if is_xai(str_field(body, "model").unwrap_or_default()) {
            item["status"] = json!("completed");
        }
        items.push(item);
    }
    let text = |text: &str| {
        let (kind, none) = ("output_text", Vec::<Value>::new());
        json!({"type": kind, "text": text, "annotations": none, "logprobs": none})
    };
    let part = match &completion.content {
        Content::Text(content) => Some(text(content)),
        Content::ToolCalls { text: content, .. } if !content.is_empty() => Some(text(content)),
        Content::Refusal(text) => Some(json!({"type": "refusal", "refusal": text})),
        Content::ToolCalls { .. } | Content::Empty => None,
    };
    let calls: &[ContentCall] = match &completion.content {
        Content::ToolCalls { calls, .. } => calls,
        _ => &[],
    };
    if let Some(part) = part {
        let mut message = json!({
            "id": item_id("msg", number, reasons(body)), "type": "message", "status": status,
            "role": "assistant", "content": [part],
        });
        if reasons(body) {
            let phase = if calls.is_empty() { "final_answer" } else { "commentary" };
            message["phase"] = json!(phase);
        }
        items.push(message);
    }
    items.extend(calls.iter().enumerate().map(|(index, call)| {
        json!({
            "id": format!("{}_{index}", item_id("fc", number, reasons(body))),
            "type": "function_call", "status": status,
            "call_id": format!("call_sim{number:06}_{index}"), "name": call.name,
            "arguments": call.arguments,
        })
    }));
    items
}

fn usage(body: &Value, completion: &Completion) -> Value {
    let reasoning = if reasons(body) { REASONING_TOKENS } else { 0 };
    let output = completion.output_tokens.saturating_add(reasoning);
    json!({
        "input_tokens": completion.input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": completion.input_tokens.saturating_add(output),
    })
}
