//! Builds successful replies, which are `ChatResponse` objects.

use serde_json::{Value, json};

use crate::completion::{Completion, Content, FinishReason};
use crate::dialects::json::{array_field, field, str_field};

const THOUGHT: &str = "Simulated thinking.";
/// A fixed creation time that makes replies reproducible.
const CREATED_AT: &str = "2026-01-01T00:00:00.000000Z";

/// Builds the body of a successful reply.
pub(crate) fn build(body: &Value, completion: &Completion) -> Value {
    let model = str_field(body, "model").unwrap_or_default();
    if array_field(body, "messages").is_empty() {
        return json!({
            "model": model,
            "created_at": CREATED_AT,
            "message": {"role": "assistant", "content": ""},
            "done_reason": "load",
            "done": true,
        });
    }
    let has_thinking = field(body, "think").is_some_and(|think| *think != false);
    let mut reply = json!({
        "model": model,
        "created_at": CREATED_AT,
        "message": message(completion, has_thinking),
        "done": true,
        "done_reason": done_reason(completion),
        "total_duration": 2_000_000,
        "load_duration": 500_000,
        "prompt_eval_count": completion.input_tokens,
        "prompt_eval_duration": 500_000,
        "eval_count": completion.output_tokens,
        "eval_duration": 1_000_000,
    });
    // Ollama reports token counts as fields of the reply itself, not in a usage object.
    if let (Some(reply), Some(Value::Object(usage))) = (reply.as_object_mut(), &completion.usage) {
        reply.extend(usage.clone());
    }
    reply
}

fn message(completion: &Completion, has_thinking: bool) -> Value {
    let content = match &completion.content {
        // Ollama has no separate field for a refusal.
        Content::Text(text) | Content::Refusal(text) | Content::ToolCalls { text, .. } => text,
        Content::Empty => "",
    };
    let mut message = json!({"role": "assistant", "content": content});
    if let Some(message) = message.as_object_mut() {
        if has_thinking {
            message.insert("thinking".to_owned(), json!(THOUGHT));
        }
        if let Content::ToolCalls { calls, .. } = &completion.content {
            let calls = calls
                .iter()
                .map(|call| json!({"function": {"name": call.name, "arguments": call.object()}}));
            message.insert("tool_calls".to_owned(), calls.collect());
        }
    }
    message
}

fn done_reason(completion: &Completion) -> &str {
    match (&completion.stop_reason, &completion.finish) {
        (Some(reason), _) => reason,
        (None, FinishReason::TokenLimit) => "length",
        (None, _) => "stop",
    }
}
