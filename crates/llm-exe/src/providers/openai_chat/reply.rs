//! Parses the response body of the chat completions API.

use serde::Deserialize;

use super::quirks::OpenAiChat;
use crate::chat::{Chat, Reply, ReplyBuilder, ReplyEvent, StopReason, Usage};
use crate::error::{Error, ErrorKind};
use crate::providers::failure;
use crate::wire::WireReply;

/// Parses a successful response to the request for `chat`.
///
/// # Errors
/// `ProviderUnavailable` if the body is not a chat completion, or if the provider aborted the
/// reply.
pub(super) fn read_reply(api: &OpenAiChat, wire: &WireReply, chat: &Chat) -> Result<Reply, Error> {
    let completion: Completion = serde_json::from_slice(&wire.body)
        .map_err(|error| failure::unreadable("a chat completion", &error))?;
    let Some(choice) = completion.choices.into_iter().next() else {
        let message = "the chat completion has no choices";
        return Err(Error::new(ErrorKind::ProviderUnavailable, message));
    };
    let Choice { message, finish_reason } = choice;
    if finish_reason.as_deref() == Some("insufficient_system_resource") {
        let message = "the provider aborted the reply because it ran out of resources";
        return Err(Error::new(ErrorKind::ProviderUnavailable, message));
    }
    let mut builder = ReplyBuilder::new(chat);
    builder.push_some(completion.id.map(ReplyEvent::Id))?;
    builder.push_some(completion.model.map(ReplyEvent::Model))?;
    builder.push_some(message.content.map(ReplyEvent::Text))?;
    builder.push_some(message.refusal.map(ReplyEvent::Refusal))?;
    for call in message.tool_calls.unwrap_or_default() {
        let Function { name, arguments } = call.function;
        builder.push_call(call.id.unwrap_or_default(), name, arguments);
    }
    let reason = match finish_reason.as_deref() {
        // OpenAI sends only `stop`. Compatible servers send the other values.
        Some("stop" | "eos" | "eos_token" | "stop_sequence" | "end_turn") => StopReason::Stop,
        Some("length") => StopReason::Length,
        Some("tool_calls" | "function_call") => StopReason::ToolCalls,
        Some("content_filter") => StopReason::ContentFilter,
        _ => StopReason::Other,
    };
    builder.push(ReplyEvent::Stop { reason, provider: finish_reason })?;
    let excludes_reasoning = api.completion_excludes_reasoning;
    let usage = completion.usage.map(|usage| usage.into_usage(excludes_reasoning));
    builder.push_some(usage.map(ReplyEvent::Usage))?;
    Ok(builder.finish())
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
    id: Option<String>,
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
