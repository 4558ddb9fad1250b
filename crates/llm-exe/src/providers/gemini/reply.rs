//! Parses the response bodies of the Gemini API.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::tools;
use crate::chat::{Chat, Reply, ReplyBuilder, ReplyEvent, ReportedCounts, StopReason, Usage};
use crate::error::{Error, ErrorKind};
use crate::providers::call_arguments::is_object;
use crate::providers::failure;
use crate::providers::lenient::{Lenient, count, incomplete, list_items, push_usage, text};
use crate::wire::WireReply;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GenerateContentResponse<'a> {
    #[serde(borrow)]
    candidates: Option<&'a RawValue>,
    #[serde(default)]
    prompt_feedback: Lenient<PromptFeedback>,
    #[serde(default)]
    usage_metadata: Lenient<WireUsage>,
    #[serde(default)]
    model_version: Lenient<String>,
    #[serde(default)]
    response_id: Lenient<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(default)]
    finish_reason: Lenient<String>,
    #[serde(default)]
    finish_message: Lenient<String>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    parts: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part<'a> {
    #[serde(default, deserialize_with = "text")]
    text: Lenient<String>,
    #[serde(default)]
    thought: Lenient<bool>,
    #[serde(borrow)]
    function_call: Option<FunctionCall<'a>>,
}

#[derive(Deserialize)]
struct FunctionCall<'a> {
    #[serde(default)]
    id: Lenient<String>,
    #[serde(default)]
    name: Lenient<String>,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptFeedback {
    block_reason: Option<String>,
    #[serde(default)]
    block_reason_message: Lenient<String>,
}

/// The token counts of a response. `prompt_token_count` includes cached tokens, but
/// `candidates_token_count` excludes thinking tokens.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireUsage {
    #[serde(default, deserialize_with = "count")]
    prompt_token_count: u64,
    #[serde(default, deserialize_with = "count")]
    cached_content_token_count: u64,
    #[serde(default, deserialize_with = "count")]
    tool_use_prompt_token_count: u64,
    #[serde(default, deserialize_with = "count")]
    candidates_token_count: u64,
    #[serde(default, deserialize_with = "count")]
    thoughts_token_count: u64,
}

impl WireUsage {
    fn into_usage(self) -> Usage {
        let thoughts = self.thoughts_token_count;
        let mut usage = Usage::from_reported(&ReportedCounts {
            prompt: self.prompt_token_count,
            completion: self.candidates_token_count.saturating_add(thoughts),
            cached: self.cached_content_token_count,
            reasoning: thoughts,
            ..ReportedCounts::default()
        });
        usage.input_tokens = usage.input_tokens.saturating_add(self.tool_use_prompt_token_count);
        usage.with_total()
    }
}

/// The name of the response body in errors.
const EXPECTED: &str = "a Gemini response";

/// Parses a successful response to the request for `chat`.
///
/// # Errors
/// `ProviderUnavailable` if the body is not valid, or if it contains neither a candidate nor a
/// reason why the prompt was blocked.
pub(super) fn read_reply(wire: &WireReply, chat: &Chat) -> Result<Reply, Error> {
    let response: GenerateContentResponse<'_> = serde_json::from_slice(&wire.body)
        .map_err(|error| failure::unreadable(EXPECTED, &error))?;
    let blocked = response
        .prompt_feedback
        .ok()
        .and_then(|feedback| Some((feedback.block_reason?, feedback.block_reason_message.ok())));
    let candidates = list_items(response.candidates).unwrap_or_default();
    // A request asks for one candidate.
    let candidate = candidates.first().map(|json| {
        serde_json::from_str::<Candidate<'_>>(json.get())
            .map_err(|_| incomplete(EXPECTED, "the candidate"))
    });
    let mut builder = ReplyBuilder::new(chat);
    builder.push_some(response.response_id.ok().map(ReplyEvent::Id))?;
    builder.push_some(response.model_version.ok().map(ReplyEvent::Model))?;
    let mut turn = None;
    let (reason, provider, details) = match (candidate.transpose()?, blocked) {
        (Some(Candidate { content, finish_reason, finish_message }), _) => {
            let can_replay = read_parts(&mut builder, content)?;
            turn = content.filter(|_| can_replay);
            let provider = finish_reason.ok();
            (read_stop_reason(provider.as_deref()), provider, finish_message.ok())
        }
        (None, Some((reason, message))) => (StopReason::ContentFilter, Some(reason), message),
        (None, None) => {
            let message = "the Gemini response has no candidates";
            return Err(Error::new(ErrorKind::ProviderUnavailable, message));
        }
    };
    builder.push(ReplyEvent::Stop { reason, provider })?;
    builder.push_some(details.map(ReplyEvent::StopDetails))?;
    push_usage(&mut builder, response.usage_metadata.map(WireUsage::into_usage))?;
    let mut reply = builder.finish();
    // Only conversations with tools need the turn again, so others do not pay for it.
    if !chat.tools.is_empty() {
        reply.raw = turn.and_then(|content| tools::raw_turn(content, chat, &reply));
    }
    Ok(reply)
}

/// Adds the parts of a candidate to the reply. Returns whether the API accepts all of them when
/// they are sent back.
fn read_parts(builder: &mut ReplyBuilder, content: Option<&RawValue>) -> Result<bool, Error> {
    let Some(content) = content else { return Ok(true) };
    let parts = serde_json::from_str::<Content<'_>>(content.get()).ok();
    let Some(parts) = parts.and_then(|content| list_items(content.parts)) else {
        builder.warn_skipped("unreadable content");
        return Ok(false);
    };
    let mut can_replay = true;
    for part in parts {
        match serde_json::from_str::<Part<'_>>(part.get()) {
            Ok(Part { function_call: Some(FunctionCall { id, name, args }), .. }) => {
                let arguments = args.map_or_else(|| "{}".to_owned(), |args| args.get().to_owned());
                let name = name.ok().unwrap_or_default();
                can_replay &= !name.is_empty() && args.is_none_or(is_object);
                builder.push_call(id.ok().unwrap_or_default(), name, arguments);
            }
            // The model's thoughts are not part of the reply.
            Ok(Part { thought: Lenient::Value(true), .. }) => {}
            Ok(Part { text: Lenient::Value(text), .. }) => builder.push(ReplyEvent::Text(text))?,
            Ok(Part { text: Lenient::Missing, .. }) => {}
            Ok(Part { text: Lenient::Unreadable, .. }) | Err(_) => {
                can_replay = false;
                builder.warn_skipped("an unreadable part");
            }
        }
    }
    Ok(can_replay)
}

fn read_stop_reason(reason: Option<&str>) -> StopReason {
    match reason {
        Some("STOP") => StopReason::Stop,
        Some("MAX_TOKENS") => StopReason::Length,
        // The reply reached the limit of one response, which is lower than `maxOutputTokens`.
        Some("CONTINUATION") => StopReason::Pause,
        Some("SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII") => {
            StopReason::ContentFilter
        }
        Some("IMAGE_SAFETY" | "IMAGE_PROHIBITED_CONTENT" | "IMAGE_RECITATION") => {
            StopReason::ContentFilter
        }
        Some("MODEL_ARMOR" | "ESCALATION" | "PUP_LIMITED_DISABLED") => StopReason::ContentFilter,
        // Such as LANGUAGE, OTHER, MALFORMED_RESPONSE, MALFORMED_FUNCTION_CALL,
        // UNEXPECTED_TOOL_CALL, TOO_MANY_TOOL_CALLS and MISSING_THOUGHT_SIGNATURE, with which the
        // reply has no usable text or call.
        _ => StopReason::Other,
    }
}
