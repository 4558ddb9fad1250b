//! Builds successful replies, which are `ConverseResponse` objects.

use serde_json::{Value, json};

use super::claude_body;
use super::models::BedrockModel;
use crate::completion::{Completion, Content, FinishReason};
use crate::dialects::anthropic::reply::thought;
use crate::dialects::anthropic::signature::sign;

/// Builds the body of a successful reply.
pub(super) fn build(
    body: &Value,
    model: BedrockModel<'_>,
    completion: &Completion,
    number: u64,
) -> Value {
    let mut content = Vec::new();
    let converted = claude_body::convert(body);
    if let Some(text) = model.claude().and_then(|model| thought(&converted, model)) {
        let thought = json!({"text": text, "signature": sign(&text, &converted)});
        content.push(json!({"reasoningContent": {"reasoningText": thought}}));
    }
    match &completion.content {
        Content::Text(text) if text.is_empty() => {}
        Content::Text(text) | Content::Refusal(text) => content.push(json!({"text": text})),
        Content::ToolCalls { text, calls } => {
            if !text.is_empty() {
                content.push(json!({"text": text}));
            }
            content.extend(calls.iter().enumerate().map(|(index, call)| {
                let id = format!("tooluse_sim{number:06}_{index}");
                json!({"toolUse": {"toolUseId": id, "name": call.name, "input": call.object()}})
            }));
        }
        Content::Empty => {}
    }
    json!({
        "metrics": {"latencyMs": 1},
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": stop_reason(completion),
        "usage": completion.usage.clone().unwrap_or_else(|| usage(completion)),
    })
}

/// Returns the stop reason. Converse does not define one for a refusal by the model, so a refusal
/// is reported as filtered content.
fn stop_reason(completion: &Completion) -> &str {
    match (&completion.stop_reason, &completion.finish, &completion.content) {
        (Some(reason), _, _) => reason,
        (None, FinishReason::TokenLimit, _) => "max_tokens",
        (None, FinishReason::StopSequence(_), _) => "stop_sequence",
        (None, _, Content::ToolCalls { .. }) => "tool_use",
        (None, _, Content::Refusal(_)) => "content_filtered",
        (None, _, _) => "end_turn",
    }
}

fn usage(completion: &Completion) -> Value {
    json!({
        "inputTokens": completion.input_tokens,
        "outputTokens": completion.output_tokens,
        "totalTokens": completion.input_tokens.saturating_add(completion.output_tokens),
        "cacheReadInputTokens": 0,
        "cacheWriteInputTokens": 0,
    })
}
