//! Builds successful replies, which are `ChatCompletion` objects.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::{models, vendor};
use crate::completion::{Completion, Content, FinishReason};
use crate::dialects::dialect::ProviderRequest;
use crate::dialects::json::{field, str_field};

const THOUGHT: &str = "Simulated thinking.";

/// Builds the body of a successful reply.
pub(crate) fn build(request: &ProviderRequest<'_>, completion: &Completion, number: u64) -> Value {
    let body = request.body;
    let created = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let count = field(body, "n").and_then(Value::as_u64).unwrap_or(1);
    let choices: Vec<Value> =
        (0..count).map(|index| choice(request, completion, number, index)).collect();
    let usage = completion.usage.clone().unwrap_or_else(|| usage(completion, count));
    json!({
        "id": format!("chatcmpl-sim{number:06}"),
        "object": "chat.completion",
        "created": created,
        "model": str_field(body, "model").unwrap_or_default(),
        "choices": choices,
        "usage": usage,
        "service_tier": "default",
        "system_fingerprint": "fp_simulator",
    })
}

fn choice(
    request: &ProviderRequest<'_>,
    completion: &Completion,
    number: u64,
    index: u64,
) -> Value {
    let (content, refusal) = match &completion.content {
        Content::Text(text) => (json!(text), Value::Null),
        Content::Refusal(text) => (Value::Null, json!(text)),
        Content::ToolCalls { text, .. } if text.is_empty() => (Value::Null, Value::Null),
        Content::ToolCalls { text, .. } => (json!(text), Value::Null),
        Content::Empty => (json!(""), Value::Null),
    };
    let mut message = json!({
        "role": "assistant",
        "content": content,
        "refusal": refusal,
        "annotations": [],
    });
    if let (Content::ToolCalls { calls, .. }, Value::Object(message)) =
        (&completion.content, &mut message)
    {
        let calls = calls.iter().zip(index..).map(|(call, index)| {
            let id = format!("call_sim{number:06}_{index}");
            let function = json!({"name": call.name, "arguments": call.arguments});
            json!({"id": id, "type": "function", "function": function})
        });
        message.insert("tool_calls".to_owned(), calls.collect());
    }
    let body = request.body;
    let model = models::model(str_field(body, "model").unwrap_or_default());
    let is_off = body.pointer("/thinking/type").is_some_and(|kind| kind == "disabled");
    match (vendor::find(request.decoded), &mut message) {
        (Some(vendor), Value::Object(message)) => vendor.adapt_message(message, body),
        _ if model.needs_reasoning_turns && !is_off => {
            message["reasoning_content"] = json!(THOUGHT)
        }
        _ => {}
    }
    json!({
        "index": index,
        "message": message,
        "logprobs": null,
        "finish_reason": finish_reason(completion),
    })
}

fn finish_reason(completion: &Completion) -> &str {
    match (&completion.stop_reason, &completion.finish, &completion.content) {
        (Some(reason), _, _) => reason,
        (None, FinishReason::TokenLimit, _) => "length",
        (None, _, Content::ToolCalls { .. }) => "tool_calls",
        (None, _, _) => "stop",
    }
}

fn usage(completion: &Completion, count: u64) -> Value {
    let output = completion.output_tokens.saturating_mul(count);
    json!({
        "prompt_tokens": completion.input_tokens,
        "completion_tokens": output,
        "total_tokens": completion.input_tokens.saturating_add(output),
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}
