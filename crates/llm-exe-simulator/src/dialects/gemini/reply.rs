//! The shape of a generateContent response.
//!
//! In: the model, the request's body and the answer. Out: the `GenerateContentResponse` object.

use crate::answer::{Answer, Content, Ended, tokens};
use serde_json::{Value, json};

const THOUGHT: &str = "Simulated thinking.";
/// "simulated thinking" in base64: opaque to clients.
const SIGNATURE: &str = "c2ltdWxhdGVkIHRoaW5raW5n";

/// The reply's body.
pub(crate) fn response(model: &str, body: &Value, answer: &Answer, number: u64) -> Value {
    let thinking = body.pointer("/generationConfig/thinkingConfig");
    let asked = |name: &str| thinking.and_then(|thinking| thinking.get(name));
    let thinks = asked("thinkingLevel").is_some()
        || asked("thinkingBudget").is_some_and(|budget| budget.as_i64() != Some(0));
    let thoughts = if thinks { tokens(THOUGHT) } else { 0 };
    let mut parts = Vec::new();
    if thinks && asked("includeThoughts").is_some_and(|shown| *shown == true) {
        parts.push(json!({"text": THOUGHT, "thought": true}));
    }
    match &answer.content {
        Content::Text(text) => parts.push(json!({"text": text})),
        Content::ToolCall { name, arguments } => {
            // A call that was cut off has no arguments that could be read.
            let args: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
            let call = json!({"id": format!("call_sim{number:06}"), "name": name, "args": args});
            parts.push(json!({"functionCall": call, "thoughtSignature": SIGNATURE}));
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
        candidate.insert("finishReason".to_owned(), json!(finish_reason(answer)));
        if let Content::Refusal(text) = &answer.content {
            candidate.insert("finishMessage".to_owned(), json!(text));
        }
    }
    let usage = answer.usage.clone().unwrap_or_else(|| usage(answer, thoughts));
    json!({
        "candidates": [candidate],
        "usageMetadata": usage,
        "modelVersion": model,
        "responseId": format!("sim{number:06}"),
    })
}

fn finish_reason(answer: &Answer) -> &str {
    match (&answer.stop_reason, &answer.ended, &answer.content) {
        (Some(reason), _, _) => reason,
        (None, Ended::AtLimit, _) => "MAX_TOKENS",
        (None, _, Content::Refusal(_)) => "SAFETY",
        (None, _, _) => "STOP",
    }
}

fn usage(answer: &Answer, thoughts: u64) -> Value {
    let (input, output) = (answer.input_tokens, answer.output_tokens);
    let total = input.saturating_add(output).saturating_add(thoughts);
    let mut usage = json!({
        "promptTokenCount": input,
        "candidatesTokenCount": output,
        "totalTokenCount": total,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": input}],
    });
    if let (Some(usage), true) = (usage.as_object_mut(), thoughts > 0) {
        usage.insert("thoughtsTokenCount".to_owned(), json!(thoughts));
    }
    usage
}
