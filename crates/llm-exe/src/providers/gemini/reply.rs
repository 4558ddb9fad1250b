//! Parses the response bodies of the Gemini API.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::tools;
use crate::chat::{Chat, Reply, ReplyBuilder, ReplyEvent, StopReason, Usage};
use crate::error::{Error, ErrorKind};
use crate::providers::failure::{self, Failure};
use crate::wire::WireReply;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GenerateContentResponse {
    candidates: Option<Vec<Candidate>>,
    prompt_feedback: Option<PromptFeedback>,
    usage_metadata: Option<WireUsage>,
    model_version: Option<String>,
    response_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Option<Content>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    parts: Option<Vec<Part>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    text: Option<String>,
    thought: Option<bool>,
    function_call: Option<FunctionCall>,
}

#[derive(Deserialize)]
struct FunctionCall {
    id: Option<String>,
    name: String,
    args: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptFeedback {
    block_reason: Option<String>,
}

/// The token counts of a response. `prompt_token_count` includes cached tokens, but
/// `candidates_token_count` excludes thinking tokens.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct WireUsage {
    prompt_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
    tool_use_prompt_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
}

impl WireUsage {
    fn into_usage(self) -> Usage {
        let cached = self.cached_content_token_count.unwrap_or(0);
        let prompt = self.prompt_token_count.unwrap_or(0).saturating_sub(cached);
        Usage {
            input_tokens: prompt.saturating_add(self.tool_use_prompt_token_count.unwrap_or(0)),
            output_tokens: self.candidates_token_count.unwrap_or(0),
            cached_input_tokens: cached,
            cache_write_tokens: 0,
            reasoning_tokens: self.thoughts_token_count.unwrap_or(0),
            total_tokens: 0,
        }
        .with_total()
    }
}

/// Parses a successful response to the request for `chat`.
///
/// # Errors
/// `ProviderUnavailable` if the body is not valid, or if it contains neither a candidate nor a
/// reason why the prompt was blocked.
pub(super) fn read_reply(wire: &WireReply, chat: &Chat) -> Result<Reply, Error> {
    let response: GenerateContentResponse = serde_json::from_slice(&wire.body)
        .map_err(|error| failure::unreadable("a Gemini response", &error))?;
    let blocked = response.prompt_feedback.and_then(|feedback| feedback.block_reason);
    let candidate = response.candidates.into_iter().flatten().next();
    let mut builder = ReplyBuilder::new(chat);
    builder.push_some(response.response_id.map(ReplyEvent::Id))?;
    builder.push_some(response.model_version.map(ReplyEvent::Model))?;
    let (reason, provider) = match (candidate, blocked) {
        (Some(candidate), _) => {
            read_parts(&mut builder, candidate.content)?;
            (read_stop_reason(candidate.finish_reason.as_deref()), candidate.finish_reason)
        }
        (None, Some(reason)) => (StopReason::ContentFilter, Some(reason)),
        (None, None) => {
            let message = "the Gemini response has no candidates";
            return Err(Error::new(ErrorKind::ProviderUnavailable, message));
        }
    };
    builder.push(ReplyEvent::Stop { reason, provider })?;
    let usage = response.usage_metadata.map(WireUsage::into_usage);
    builder.push_some(usage.map(ReplyEvent::Usage))?;
    let mut reply = builder.finish();
    // Only conversations with tools need the turn again, so others do not pay for it.
    if !chat.tools.is_empty() {
        reply.raw = tools::raw_turn(&wire.body, chat, &reply);
    }
    Ok(reply)
}

fn read_parts(builder: &mut ReplyBuilder, content: Option<Content>) -> Result<(), Error> {
    for part in content.and_then(|content| content.parts).unwrap_or_default() {
        match part {
            Part { function_call: Some(FunctionCall { id, name, args }), .. } => {
                let arguments = args.map_or_else(|| "{}".to_owned(), |args| args.get().to_owned());
                builder.push_call(id.unwrap_or_default(), name, arguments);
            }
            // The model's thoughts are not part of the reply.
            Part { thought: Some(true), .. } => {}
            Part { text: Some(text), .. } => builder.push(ReplyEvent::Text(text))?,
            Part { .. } => {}
        }
    }
    Ok(())
}

fn read_stop_reason(reason: Option<&str>) -> StopReason {
    match reason {
        Some("STOP") => StopReason::Stop,
        Some("MAX_TOKENS" | "CONTINUATION") => StopReason::Length,
        Some("SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII") => {
            StopReason::ContentFilter
        }
        Some("IMAGE_SAFETY" | "IMAGE_PROHIBITED_CONTENT" | "IMAGE_RECITATION") => {
            StopReason::ContentFilter
        }
        // This includes MALFORMED_FUNCTION_CALL, UNEXPECTED_TOOL_CALL, TOO_MANY_TOOL_CALLS and
        // MISSING_THOUGHT_SIGNATURE, with which the reply has no usable call.
        _ => StopReason::Other,
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorResponse {
    error: Status,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    details: Vec<Detail>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Detail {
    reason: Option<String>,
    violations: Vec<Violation>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Violation {
    quota_id: Option<String>,
}

/// Parses an error response. Gemini returns status 400 for an invalid API key, and status 429 for
/// both the per-minute quota and the daily quota. Only the per-minute quota is worth a retry.
pub(super) fn read_failure(wire: &WireReply) -> Failure {
    let failure = failure::read_failure(wire);
    let response = serde_json::from_slice::<ErrorResponse>(&wire.body).unwrap_or_default();
    let details = response.error.details;
    let concerns_key = |detail: &Detail| {
        detail.reason.as_deref().is_some_and(|reason| reason.starts_with("API_KEY_"))
    };
    if wire.status == 400 && details.iter().any(concerns_key) {
        return Failure { kind: ErrorKind::ProviderAuthFailed, retry: false, ..failure };
    }
    let is_daily = |violation: &Violation| {
        violation.quota_id.as_deref().is_some_and(|quota| quota.contains("PerDay"))
    };
    let mut violations = details.iter().flat_map(|detail| &detail.violations);
    if wire.status == 429 && violations.any(is_daily) {
        return Failure { retry: false, ..failure };
    }
    failure
}
