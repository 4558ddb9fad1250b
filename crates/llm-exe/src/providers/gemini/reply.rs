//! Parses the response bodies of the Gemini API.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::{Reply, ReplyPart, StopReason, Usage};
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

/// Parses a successful response.
///
/// # Errors
/// `ProviderUnavailable` if the body is not valid, or if it contains neither a candidate nor a
/// reason why the prompt was blocked.
pub(super) fn read_reply(wire: &WireReply) -> Result<Reply, Error> {
    let response: GenerateContentResponse = serde_json::from_slice(&wire.body)
        .map_err(|error| failure::unreadable("a Gemini response", &error))?;
    let blocked = response.prompt_feedback.and_then(|feedback| feedback.block_reason);
    let candidate = response.candidates.into_iter().flatten().next();
    let (content, stop_reason, provider_stop_reason) = match (candidate, blocked) {
        (Some(candidate), _) => {
            let content = read_parts(candidate.content);
            let stop_reason = read_stop_reason(candidate.finish_reason.as_deref(), &content);
            (content, stop_reason, candidate.finish_reason)
        }
        (None, Some(reason)) => (Vec::new(), StopReason::ContentFilter, Some(reason)),
        (None, None) => {
            let message = "the Gemini response has no candidates";
            return Err(Error::new(ErrorKind::ProviderUnavailable, message));
        }
    };
    Ok(Reply {
        content,
        stop_reason,
        provider_stop_reason,
        usage: response.usage_metadata.map_or_else(Usage::default, WireUsage::into_usage),
        model: response.model_version,
        id: response.response_id,
    })
}

fn read_parts(content: Option<Content>) -> Vec<ReplyPart> {
    let mut parts = Vec::new();
    for part in content.and_then(|content| content.parts).unwrap_or_default() {
        match part {
            // The model's thoughts are not part of the reply.
            Part { thought: Some(true), .. } => {}
            Part { function_call: Some(FunctionCall { name, args }), .. } => {
                let arguments = args.map_or_else(|| "{}".to_owned(), |args| args.get().to_owned());
                parts.push(ReplyPart::ToolCall { name, arguments });
            }
            Part { text: Some(text), .. } => parts.push(ReplyPart::Text(text)),
            Part { .. } => {}
        }
    }
    parts
}

fn read_stop_reason(reason: Option<&str>, content: &[ReplyPart]) -> StopReason {
    let has_calls = content.iter().any(|part| matches!(part, ReplyPart::ToolCall { .. }));
    match reason {
        Some("STOP") if has_calls => StopReason::ToolCalls,
        Some("STOP") => StopReason::Stop,
        Some("MAX_TOKENS" | "CONTINUATION") => StopReason::Length,
        Some("SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII") => {
            StopReason::ContentFilter
        }
        Some("IMAGE_SAFETY" | "IMAGE_PROHIBITED_CONTENT" | "IMAGE_RECITATION") => {
            StopReason::ContentFilter
        }
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
