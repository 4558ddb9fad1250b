//! What a chat completion answers, whoever imitates OpenAI.

use serde::Deserialize;

use super::failure;
use crate::chat::{Reply, ReplyPart, StopReason, Usage};
use crate::error::{Error, ErrorKind};
use crate::wire::WireReply;

/// Reads a chat completion. With `reasoning_beside`, `completion_tokens` leaves reasoning out.
///
/// # Errors
/// `ProviderUnavailable` for a body that is no completion, or one that the provider broke off.
pub(crate) fn read(wire: &WireReply, reasoning_beside: bool) -> Result<Reply, Error> {
    let completion: Completion = serde_json::from_slice(&wire.body)
        .map_err(|error| failure::unreadable("no chat completion", &error))?;
    let Some(choice) = completion.choices.into_iter().next() else {
        let text = "the answer holds no choices";
        return Err(Error::new(ErrorKind::ProviderUnavailable, text));
    };
    if choice.finish_reason.as_deref() == Some("insufficient_system_resource") {
        let text = "the provider ran out of resources and broke the reply off";
        return Err(Error::new(ErrorKind::ProviderUnavailable, text));
    }
    let mut content = Vec::new();
    content.extend(choice.message.content.filter(|text| !text.is_empty()).map(ReplyPart::Text));
    content.extend(choice.message.refusal.map(ReplyPart::Refusal));
    for call in choice.message.tool_calls.unwrap_or_default() {
        let Function { name, arguments } = call.function;
        content.push(ReplyPart::ToolCall { name, arguments });
    }
    let refused = content.iter().any(|part| matches!(part, ReplyPart::Refusal(_)));
    Ok(Reply {
        stop_reason: match choice.finish_reason.as_deref() {
            _ if refused => StopReason::Refusal,
            // The others are words of servers that imitate OpenAI.
            Some("stop" | "eos" | "eos_token" | "stop_sequence" | "end_turn") => StopReason::Stop,
            Some("length") => StopReason::Length,
            Some("tool_calls" | "function_call") => StopReason::ToolCalls,
            Some("content_filter") => StopReason::ContentFilter,
            _ => StopReason::Other,
        },
        provider_stop_reason: choice.finish_reason,
        content,
        usage: completion
            .usage
            .map_or_else(Usage::default, |usage| usage.buckets(reasoning_beside)),
        model: completion.model,
        id: completion.id,
    })
}

#[derive(Deserialize)]
struct Completion {
    id: Option<String>,
    model: Option<String>,
    choices: Vec<Choice>,
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct Choice {
    message: WireMessage,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct WireMessage {
    content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<WireToolCall>>,
}

#[derive(Deserialize)]
struct WireToolCall {
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    arguments: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
    /// DeepSeek's word for what was read from its cache.
    prompt_cache_hit_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

impl WireUsage {
    /// Cached tokens are counted in `prompt_tokens`, and reasoning in `completion_tokens` but for
    /// xAI, which counts it beside.
    fn buckets(self, reasoning_beside: bool) -> Usage {
        let prompt = self.prompt_tokens_details.unwrap_or_default();
        let cached = prompt.cached_tokens.or(self.prompt_cache_hit_tokens).unwrap_or(0);
        let written = prompt.cache_write_tokens.unwrap_or(0);
        let details = self.completion_tokens_details.unwrap_or_default();
        let reasoning = details.reasoning_tokens.unwrap_or(0);
        Usage {
            input_tokens: self.prompt_tokens.saturating_sub(cached + written),
            output_tokens: match reasoning_beside {
                true => self.completion_tokens,
                false => self.completion_tokens.saturating_sub(reasoning),
            },
            cached_input_tokens: cached,
            cache_write_tokens: written,
            reasoning_tokens: reasoning,
            total_tokens: 0,
        }
        .summed()
    }
}
