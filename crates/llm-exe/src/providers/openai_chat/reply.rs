//! Parses the response body of the chat completions API.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::quirks::OpenAiChat;
use super::{models, tools};
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
    let mut calls_can_return = true;
    for call in message.tool_calls.unwrap_or_default() {
        let Function { name, arguments } = call.function;
        let (arguments, is_text) = read_arguments(arguments.as_deref());
        let keeps_id = builder.push_call(call.id.unwrap_or_default(), name, arguments);
        calls_can_return &= keeps_id && is_text;
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
    let mut reply = builder.finish();
    // Only conversations with tools need the turn again, so others do not pay for it.
    if !chat.tools.is_empty() {
        let model = models::find_model(api.models, &chat.model);
        reply.raw = raw_message(&wire.body)
            .and_then(|message| tools::raw_turn(message, &reply, chat, model, calls_can_return));
    }
    Ok(reply)
}

/// Returns the arguments of a call, and whether they are a text that servers accept when it comes
/// back. Some servers send an object, an empty text or nothing.
fn read_arguments(json: Option<&RawValue>) -> (String, bool) {
    let Some(json) = json else { return (String::new(), false) };
    match serde_json::from_str::<String>(json.get()) {
        Ok(text) => {
            let has_text = !text.trim().is_empty();
            (text, has_text)
        }
        Err(_) => (json.get().to_owned(), false),
    }
}

/// Returns the message of the first choice as it was received.
fn raw_message(body: &[u8]) -> Option<&RawValue> {
    let completion: RawCompletion<'_> = serde_json::from_slice(body).ok()?;
    completion.choices.into_iter().next().map(|choice| choice.message)
}

#[derive(Deserialize)]
struct RawCompletion<'a> {
    #[serde(borrow)]
    choices: Vec<RawChoice<'a>>,
}

#[derive(Deserialize)]
struct RawChoice<'a> {
    #[serde(borrow)]
    message: &'a RawValue,
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
    /// A string with JSON. Some servers send an object or nothing.
    arguments: Option<Box<RawValue>>,
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
