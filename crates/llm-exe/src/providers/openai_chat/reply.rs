//! Parses the response body of the chat completions API.

use serde::Deserialize;

use crate::chat::{Reply, ReplyPart, StopReason, Usage};
use crate::error::{Error, ErrorKind};
use crate::providers::failure;
use crate::wire::WireReply;

/// Parses a successful response. `excludes_reasoning` states whether the provider's
/// `completion_tokens` excludes reasoning tokens.
///
/// # Errors
/// `ProviderUnavailable` if the body is not a chat completion, or if the provider aborted the
/// reply.
pub(super) fn read_reply(wire: &WireReply, excludes_reasoning: bool) -> Result<Reply, Error> {
    let completion: Completion = serde_json::from_slice(&wire.body)
        .map_err(|error| failure::unreadable("a chat completion", &error))?;
    let Some(choice) = completion.choices.into_iter().next() else {
        let message = "the chat completion has no choices";
        return Err(Error::new(ErrorKind::ProviderUnavailable, message));
    };
    if choice.finish_reason.as_deref() == Some("insufficient_system_resource") {
        let message = "the provider aborted the reply because it ran out of resources";
        return Err(Error::new(ErrorKind::ProviderUnavailable, message));
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
            // OpenAI sends only `stop`. Compatible servers send the other values.
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
            .map_or_else(Usage::default, |usage| usage.into_usage(excludes_reasoning)),
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
    /// The number of tokens that were read from the cache, as DeepSeek reports it.
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
    /// Converts the token counts so that each token is counted once. `prompt_tokens` includes
    /// cached tokens, and `completion_tokens` includes reasoning tokens unless `excludes_reasoning`
    /// is set.
    fn into_usage(self, excludes_reasoning: bool) -> Usage {
        let prompt = self.prompt_tokens_details.unwrap_or_default();
        let cached = prompt.cached_tokens.or(self.prompt_cache_hit_tokens).unwrap_or(0);
        let written = prompt.cache_write_tokens.unwrap_or(0);
        let details = self.completion_tokens_details.unwrap_or_default();
        let reasoning = details.reasoning_tokens.unwrap_or(0);
        Usage {
            input_tokens: self.prompt_tokens.saturating_sub(cached + written),
            output_tokens: if excludes_reasoning {
                self.completion_tokens
            } else {
                self.completion_tokens.saturating_sub(reasoning)
            },
            cached_input_tokens: cached,
            cache_write_tokens: written,
            reasoning_tokens: reasoning,
            total_tokens: 0,
        }
        .with_total()
    }
}
