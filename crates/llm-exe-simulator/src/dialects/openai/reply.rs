//! The shape of a chat completion.
//!
//! In: the request's body and the answer. Out: the `ChatCompletion` object.

use super::super::check::{field, text};
use crate::answer::{Answer, Content, Ended};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// The reply's body.
pub(crate) fn completion(body: &Value, answer: &Answer, number: u64) -> Value {
    let created = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let count = field(body, "n").and_then(Value::as_u64).unwrap_or(1);
    let choices: Vec<Value> = (0..count).map(|index| choice(answer, number, index)).collect();
    let usage = answer.usage.clone().unwrap_or_else(|| usage(answer, count));
    json!({
        "id": format!("chatcmpl-sim{number:06}"),
        "object": "chat.completion",
        "created": created,
        "model": text(body, "model").unwrap_or_default(),
        "choices": choices,
        "usage": usage,
        "service_tier": "default",
        "system_fingerprint": "fp_simulator",
    })
}

fn choice(answer: &Answer, number: u64, index: u64) -> Value {
    let (content, refusal) = match &answer.content {
        Content::Text(text) => (json!(text), Value::Null),
        Content::Refusal(text) => (Value::Null, json!(text)),
        Content::ToolCall { .. } => (Value::Null, Value::Null),
        Content::Empty => (json!(""), Value::Null),
    };
    let mut message = json!({
        "role": "assistant",
        "content": content,
        "refusal": refusal,
        "annotations": [],
    });
    if let (Content::ToolCall { name, arguments }, Value::Object(message)) =
        (&answer.content, &mut message)
    {
        let id = format!("call_sim{number:06}_{index}");
        let function = json!({"name": name, "arguments": arguments});
        let call = json!({"id": id, "type": "function", "function": function});
        message.insert("tool_calls".to_owned(), json!([call]));
    }
    json!({
        "index": index,
        "message": message,
        "logprobs": null,
        "finish_reason": finish_reason(answer),
    })
}

fn finish_reason(answer: &Answer) -> &str {
    match (&answer.stop_reason, &answer.ended, &answer.content) {
        (Some(reason), _, _) => reason,
        (None, Ended::AtLimit, _) => "length",
        (None, _, Content::ToolCall { .. }) => "tool_calls",
        (None, _, _) => "stop",
    }
}

fn usage(answer: &Answer, count: u64) -> Value {
    let output = answer.output_tokens.saturating_mul(count);
    json!({
        "prompt_tokens": answer.input_tokens,
        "completion_tokens": output,
        "total_tokens": answer.input_tokens.saturating_add(output),
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}
