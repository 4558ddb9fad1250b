//! The shape of Converse's reply.
//!
//! In: the request's body and the answer. Out: a `ConverseResponse`.

use crate::answer::{Answer, Content, Ended};
use serde_json::{Value, json};

/// The reply's body.
pub(super) fn message(body: &Value, answer: &Answer, number: u64) -> Value {
    let mut content = Vec::new();
    let thinking = body.pointer("/additionalModelRequestFields/thinking/type");
    if thinking.is_some_and(|kind| kind != "disabled") {
        let thought = json!({"text": "Simulated thinking.", "signature": "c2ltdWxhdGVk"});
        content.push(json!({"reasoningContent": {"reasoningText": thought}}));
    }
    match &answer.content {
        Content::Text(text) if text.is_empty() => {}
        Content::Text(text) | Content::Refusal(text) => content.push(json!({"text": text})),
        Content::ToolCall { name, arguments } => {
            // A call that was cut off has no input that could be read.
            let input: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
            let id = format!("tooluse_sim{number:06}");
            content.push(json!({"toolUse": {"toolUseId": id, "name": name, "input": input}}));
        }
        Content::Empty => {}
    }
    json!({
        "metrics": {"latencyMs": 1},
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": stop(answer),
        "usage": answer.usage.clone().unwrap_or_else(|| usage(answer)),
    })
}

/// Converse has no word for a model that declines; what stops an answer is a filter.
fn stop(answer: &Answer) -> &str {
    match (&answer.stop_reason, &answer.ended, &answer.content) {
        (Some(reason), _, _) => reason,
        (None, Ended::AtLimit, _) => "max_tokens",
        (None, Ended::AtStop(_), _) => "stop_sequence",
        (None, _, Content::ToolCall { .. }) => "tool_use",
        (None, _, Content::Refusal(_)) => "content_filtered",
        (None, _, _) => "end_turn",
    }
}

fn usage(answer: &Answer) -> Value {
    json!({
        "inputTokens": answer.input_tokens,
        "outputTokens": answer.output_tokens,
        "totalTokens": answer.input_tokens.saturating_add(answer.output_tokens),
        "cacheReadInputTokens": 0,
        "cacheWriteInputTokens": 0,
    })
}
