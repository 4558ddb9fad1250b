//! Parses the response body of the chat completions API.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::quirks::{OpenAiChat, Service};
use super::{bedrock, tools};
use crate::chat::{Chat, Reply, ReplyBuilder, ReplyEvent, ReportedCounts, StopReason, Usage};
use crate::error::{Error, ErrorKind};
use crate::providers::content_parts::read_content;
use crate::providers::error_body::is_reported;
use crate::providers::failure::{self, is_aborted};
use crate::providers::function_calls::{FunctionCall, read_calls};
use crate::providers::lenient::{
    Lenient, count, incomplete, list_items, optional_count, push_usage,
};
use crate::wire::WireReply;

/// The name of the response body in errors.
const EXPECTED: &str = "a chat completion";

/// Returns why the model stopped. The names are those of OpenAI and of the servers that imitate its
/// API. Their case is ignored, because gateways of other APIs pass on reasons such as `STOP` and
/// `MAX_TOKENS`.
fn stop_reason(finish_reason: Option<&str>) -> StopReason {
    let Some(reason) = finish_reason else { return StopReason::Other };
    // Some servers send the token at which the model stopped, such as `<|eot_id|>`.
    if reason.starts_with('<') && reason.ends_with('>') {
        return StopReason::Stop;
    }
    // The usual reason needs no copy.
    if reason == "stop" {
        return StopReason::Stop;
    }
    match reason.to_ascii_lowercase().as_str() {
        "stop" | "complete" | "completed" | "end_turn" | "eos" | "eos_token" | "stop_sequence" => {
            StopReason::Stop
        }
        "length"
        | "max_tokens"
        | "max_output_tokens"
        | "model_length"
        | "model_context_window_exceeded" => StopReason::Length,
        "tool_calls" | "function_call" | "tool_call" | "tool_use" => StopReason::ToolCalls,
        "refusal" => StopReason::Refusal,
        "content_filter"
        | "content_filtered"
        | "blocklist"
        | "guardrail_intervened"
        | "prohibited_content"
        | "recitation"
        | "safety"
        | "sensitive"
        | "spii" => StopReason::ContentFilter,
        _ => StopReason::Other,
    }
}

/// Parses a successful response to the request for `chat`.
///
/// # Errors
/// `ProviderUnavailable` if the body is not a chat completion, or if the provider aborted the
/// reply.
pub(super) fn read_reply(api: &OpenAiChat, wire: &WireReply, chat: &Chat) -> Result<Reply, Error> {
    // Reading a str checks the encoding once instead of once per string.
    if chat.tools.is_empty()
        && let Ok(body) = str::from_utf8(&wire.body)
        && let Ok(completion) = serde_json::from_str::<TextCompletion>(body)
        && completion.error.is_none()
        && let Ok([choice]) = <[TextChoice; 1]>::try_from(completion.choices)
        && choice.error.is_none()
        && choice.message.tool_calls.is_none()
        && !is_aborted(choice.finish_reason.as_deref())
    {
        let TextCompletion { id, model, usage, .. } = completion;
        let TextMessage { content, refusal, .. } = choice.message;
        let mut builder = ReplyBuilder::new(chat);
        builder.push_some(id.map(ReplyEvent::Id))?;
        builder.push_some(model.map(ReplyEvent::Model))?;
        builder.push_some(content.map(|text| ReplyEvent::Text(visible_text(api, chat, text))))?;
        builder.push_some(refusal.map(ReplyEvent::Refusal))?;
        let usage = usage.map_or(Lenient::Missing, Lenient::Value);
        push_end(&mut builder, api, choice.finish_reason, usage)?;
        return Ok(builder.finish());
    }
    read_part_by_part(api, wire, chat)
}

/// Parses a reply with tool calls, or with parts that may be unreadable.
fn read_part_by_part(api: &OpenAiChat, wire: &WireReply, chat: &Chat) -> Result<Reply, Error> {
    let completion: Completion<'_> = serde_json::from_slice(&wire.body)
        .map_err(|error| failure::unreadable(EXPECTED, &error))?;
    let choices = list_items(Some(completion.choices))
        .ok_or_else(|| incomplete(EXPECTED, "the list of choices"))?;
    if has_error(completion.error) {
        return Err(Error::new(ErrorKind::ProviderUnavailable, REPORTED_ERROR));
    }
    let Some(choice) = choices.first() else {
        let message = "the chat completion has no choices";
        return Err(Error::new(ErrorKind::ProviderUnavailable, message));
    };
    let Choice { message: raw_message, finish_reason, error } =
        serde_json::from_str(choice.get()).map_err(|_| incomplete(EXPECTED, "the choice"))?;
    if has_error(error) {
        return Err(Error::new(ErrorKind::ProviderUnavailable, REPORTED_ERROR));
    }
    let provider = finish_reason.ok();
    if is_aborted(provider.as_deref()) {
        let message = "the provider aborted the reply";
        return Err(Error::new(ErrorKind::ProviderUnavailable, message));
    }
    let message: WireMessage<'_> = serde_json::from_str(raw_message.map_or("{}", RawValue::get))
        .map_err(|_| incomplete(EXPECTED, "the message"))?;
    let mut builder = ReplyBuilder::new(chat);
    builder.push_some(completion.id.ok().map(ReplyEvent::Id))?;
    builder.push_some(completion.model.ok().map(ReplyEvent::Model))?;
    // The model must not receive its reasoning as a part of the text.
    let visible = |text| visible_text(api, chat, text);
    let can_replay_content = read_content(&mut builder, message.content, visible)?;
    builder.push_some(message.refusal.ok().map(ReplyEvent::Refusal))?;
    let can_replay_calls = read_calls(&mut builder, message.tool_calls, push_call);
    push_end(&mut builder, api, provider, completion.usage)?;
    let mut reply = builder.finish();
    // Only conversations with tools need the turn again, so others do not pay for it.
    if !chat.tools.is_empty() {
        reply.raw = raw_message
            .filter(|_| can_replay_content)
            .and_then(|message| tools::raw_turn(api, message, &reply, chat, can_replay_calls));
    }
    Ok(reply)
}

/// Returns the token counts of a response whose reply is not usable.
pub(super) fn read_usage(api: &OpenAiChat, wire: &WireReply) -> Usage {
    #[derive(Deserialize)]
    struct Counts {
        #[serde(default)]
        usage: Lenient<WireUsage>,
    }
    let counts = str::from_utf8(&wire.body).ok().map(serde_json::from_str::<Counts>);
    let usage = counts.and_then(|counts| counts.ok()?.usage.ok());
    usage.map(|usage| usage.into_usage(api.completion_excludes_reasoning)).unwrap_or_default()
}

/// The error message for a response that reports an error. The caller adds the message of the
/// provider.
const REPORTED_ERROR: &str = "the response contains an error";

fn has_error(error: Option<&RawValue>) -> bool {
    let error = error.and_then(|error| serde_json::from_str(error.get()).ok());
    error.is_some_and(|error| is_reported(&error))
}

/// Adds what follows the message: why the model stopped, and the token counts.
fn push_end(
    builder: &mut ReplyBuilder,
    api: &OpenAiChat,
    provider: Option<String>,
    usage: Lenient<WireUsage>,
) -> Result<(), Error> {
    let reason = stop_reason(provider.as_deref());
    builder.push(ReplyEvent::Stop { reason, provider })?;
    let excludes_reasoning = api.completion_excludes_reasoning;
    push_usage(builder, usage.map(|usage| usage.into_usage(excludes_reasoning)))
}

/// Returns the text of a message without the reasoning of an open-weight model on Bedrock.
fn visible_text(api: &OpenAiChat, chat: &Chat, text: String) -> String {
    if api.service != Service::Bedrock || !bedrock::may_be_open_weight(&chat.model) {
        return text;
    }
    match bedrock::without_reasoning(&text) {
        visible if visible.len() < text.len() => visible.to_owned(),
        _ => text,
    }
}

/// Adds a tool call to the reply. Returns whether servers accept it as it was received.
fn push_call(builder: &mut ReplyBuilder, call: FunctionCall<'_>) -> bool {
    let (arguments, is_text) = read_arguments(call.arguments);
    builder.push_call(call.id, call.name, arguments) && is_text
}

/// Returns the arguments of a call, and whether they are a text that servers accept when it is
/// sent back. Some servers send an object, an empty text or nothing.
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

/// A completion in the documented form, with one choice and without tool calls. It is read in one
/// pass. All other completions are read as a [`Completion`], whose text is scanned several times.
#[derive(Deserialize)]
struct TextCompletion {
    id: Option<String>,
    model: Option<String>,
    choices: Vec<TextChoice>,
    usage: Option<WireUsage>,
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct TextChoice {
    message: TextMessage,
    finish_reason: Option<String>,
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct TextMessage {
    content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Completion<'a> {
    #[serde(default)]
    id: Lenient<String>,
    #[serde(default)]
    model: Lenient<String>,
    #[serde(borrow)]
    choices: &'a RawValue,
    #[serde(default)]
    usage: Lenient<WireUsage>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    /// Missing if a content filter stopped the reply.
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(default)]
    finish_reason: Lenient<String>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireMessage<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(default)]
    refusal: Lenient<String>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireUsage {
    #[serde(default, deserialize_with = "optional_count")]
    prompt_tokens: Option<u64>,
    #[serde(default, deserialize_with = "optional_count")]
    completion_tokens: Option<u64>,
    #[serde(default, deserialize_with = "optional_count")]
    total_tokens: Option<u64>,
    /// The number of tokens that were read from the cache, as DeepSeek reports it.
    #[serde(default, deserialize_with = "count")]
    prompt_cache_hit_tokens: u64,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
struct PromptDetails {
    #[serde(deserialize_with = "optional_count")]
    cached_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    cache_write_tokens: u64,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
struct CompletionDetails {
    #[serde(deserialize_with = "count")]
    reasoning_tokens: u64,
}

impl WireUsage {
    /// Converts the token counts so that each token is counted once. `prompt_tokens` includes
    /// cached tokens. `completion_tokens` includes reasoning tokens if `total_tokens` shows it, or,
    /// without a total, if `excludes_reasoning` is not set.
    fn into_usage(self, excludes_reasoning: bool) -> Usage {
        let prompt_details = self.prompt_tokens_details.unwrap_or_default();
        let reasoning = self.completion_tokens_details.unwrap_or_default().reasoning_tokens;
        let prompt = self.prompt_tokens.unwrap_or(0);
        let completion = self.completion_tokens.unwrap_or(0);
        let total = match (self.prompt_tokens, self.completion_tokens, self.total_tokens) {
            (Some(_), Some(_), Some(total)) => Some(total),
            _ if excludes_reasoning => {
                Some(prompt.saturating_add(completion).saturating_add(reasoning))
            }
            _ => None,
        };
        Usage::from_reported(&ReportedCounts {
            prompt,
            completion,
            cached: prompt_details.cached_tokens.unwrap_or(self.prompt_cache_hit_tokens),
            cache_write: prompt_details.cache_write_tokens,
            reasoning,
            total,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{read_part_by_part, read_reply};
    use crate::chat::Chat;
    use crate::providers::openai_chat::quirks::OPENAI;
    use crate::wire::WireReply;

    #[test]
    fn one_pass_and_part_by_part_read_the_same_reply() {
        let chat = Chat::new("m", Vec::new());
        for (body, text) in [
            (r#"{"choices":[{"message":{"content":"a"}}]}"#, Some("a")),
            (
                r#"{"id":"i","model":"m","choices":[{"message":{"content":"a\n","refusal":null,
                "tool_calls":null},"finish_reason":"length"}],"usage":{"prompt_tokens":5,
                "completion_tokens":7.0,"prompt_tokens_details":{"cached_tokens":2}}}"#,
                Some("a\n"),
            ),
            (r#"{"choices":[{"message":{"content":"","refusal":"no"}}]}"#, Some("")),
            (r#"{"id":1,"choices":[{"message":{"content":"a"}}],"usage":[]}"#, Some("a")),
            (r#"{"choices":[{"message":{"content":"a"}},{"message":{"content":"b"}}]}"#, Some("a")),
            (r#"{"choices":[{"message":{"content":"a","tool_calls":[{}]}}]}"#, Some("a")),
            (r#"{"choices":[{"message":{"content":"\ud800","refusal":5}}]}"#, Some("\u{fffd}")),
            (r#"{"choices":[{"message":null,"finish_reason":"content_filter"}]}"#, Some("")),
            (
                r#"{"choices":[{"message":{"content":"a"},
                "finish_reason":"insufficient_system_resource"}]}"#,
                None,
            ),
            (r#"{"choices":[]}"#, None),
            (r#"{"choices":[{"message":{"content":"a"}}"#, None),
        ] {
            let wire =
                WireReply { status: 200, headers: http::HeaderMap::new(), body: body.into() };
            let reply = read_reply(&OPENAI, &wire, &chat);
            let expected = read_part_by_part(&OPENAI, &wire, &chat);
            assert_eq!(format!("{reply:?}"), format!("{expected:?}"), "{body}");
            assert_eq!(reply.ok().map(|reply| reply.text()).as_deref(), text, "{body}");
        }
    }
}
