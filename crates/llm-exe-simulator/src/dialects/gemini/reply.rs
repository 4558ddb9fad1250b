//! Builds successful replies, which are `GenerateContentResponse` objects.

use serde_json::{Value, json};

use super::continuation;
use super::signature::sign;
use crate::completion::{Completion, Content, FinishReason, count_tokens};

const THOUGHT: &str = "Simulated thinking.";
/// Builds the body of a successful reply.
pub(crate) fn build(model: &str, body: &Value, completion: &Completion, number: u64) -> Value {
    let thinking = body.pointer("/generationConfig/thinkingConfig");
    let option = |name: &str| thinking.and_then(|thinking| thinking.get(name));
    let is_enabled = option("thinkingLevel").is_some()
        || option("thinkingBudget").is_some_and(|budget| budget.as_i64() != Some(0));
    let thought_tokens = if is_enabled { count_tokens(THOUGHT) } else { 0 };
    let mut parts = Vec::new();
    if is_enabled && option("includeThoughts").is_some_and(|include| *include == true) {
        parts.push(json!({"text": THOUGHT, "thought": true}));
    }
    match &completion.content {
        Content::Text(text) => parts.push(json!({"text": text})),
        Content::ToolCalls { text, calls } => {
            if !text.is_empty() {
                parts.push(json!({"text": text}));
            }
            for (index, call) in calls.iter().enumerate() {
                let id = format!("call_sim{number:06}_{index}");
                let call = json!({"id": id, "name": call.name, "args": call.object()});
                let mut part = json!({"functionCall": call});
                // Of parallel calls, only the first one is signed.
                if index == 0 {
                    part["thoughtSignature"] = json!(sign(&call));
                }
                parts.push(part);
            }
        }
        Content::Refusal(_) | Content::Empty => {}
    }
    let mut candidate = json!({"content": {"role": "model"}, "index": 0});
    if let Some(candidate) = candidate.as_object_mut() {
        if let Some(content) = candidate.get_mut("content").and_then(Value::as_object_mut)
            && !parts.is_empty()
        {
            content.insert("parts".to_owned(), json!(parts));
        }
        candidate.insert("finishReason".to_owned(), json!(finish_reason(completion)));
        if let Content::Refusal(text) = &completion.content {
            candidate.insert("finishMessage".to_owned(), json!(text));
        }
    }
    continuation::add_token(body, &mut candidate);
    let usage = completion.usage.clone().unwrap_or_else(|| usage(completion, thought_tokens));
    json!({
        "candidates": [candidate],
        "usageMetadata": usage,
        "modelVersion": model,
        "responseId": format!("sim{number:06}"),
    })
}

fn finish_reason(completion: &Completion) -> &str {
    match (&completion.stop_reason, &completion.finish, &completion.content) {
        (Some(reason), _, _) => reason,
        (None, FinishReason::TokenLimit, _) => "MAX_TOKENS",
        (None, _, Content::Refusal(_)) => "SAFETY",
        (None, _, _) => "STOP",
    }
}

fn usage(completion: &Completion, thought_tokens: u64) -> Value {
    let (input, output) = (completion.input_tokens, completion.output_tokens);
    let total = input.saturating_add(output).saturating_add(thought_tokens);
    let mut usage = json!({
        "promptTokenCount": input,
        "candidatesTokenCount": output,
        "totalTokenCount": total,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": input}],
    });
    if let (Some(usage), true) = (usage.as_object_mut(), thought_tokens > 0) {
        usage.insert("thoughtsTokenCount".to_owned(), json!(thought_tokens));
    }
    usage
}
