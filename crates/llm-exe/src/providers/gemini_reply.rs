//! What Gemini answers, and what its refusals mean.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Failure, failure};
use crate::chat::{Reply, ReplyPart, StopReason, Usage};
use crate::error::{Error, ErrorKind};
use crate::wire::WireReply;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
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

/// The API's own numbers: the prompt's hold what was cached, the candidates' hold no thoughts.
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
    fn buckets(self) -> Usage {
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
        .summed()
    }
}

/// Reads what was generated.
///
/// # Errors
/// `ProviderUnavailable` for a body that holds neither an answer nor the reason why there is none.
pub(crate) fn read(wire: &WireReply) -> Result<Reply, Error> {
    let answer: Answer = serde_json::from_slice(&wire.body)
        .map_err(|error| failure::unreadable("no generated content", &error))?;
    let blocked = answer.prompt_feedback.and_then(|feedback| feedback.block_reason);
    let candidate = answer.candidates.into_iter().flatten().next();
    let (content, stop_reason, word) = match (candidate, blocked) {
        (Some(candidate), _) => {
            let content = parts(candidate.content);
            let stop = stop_reason(candidate.finish_reason.as_deref(), &content);
            (content, stop, candidate.finish_reason)
        }
        (None, Some(reason)) => (Vec::new(), StopReason::ContentFilter, Some(reason)),
        (None, None) => {
            let text = "the answer holds no candidates";
            return Err(Error::new(ErrorKind::ProviderUnavailable, text));
        }
    };
    Ok(Reply {
        content,
        stop_reason,
        provider_stop_reason: word,
        usage: answer.usage_metadata.map_or_else(Usage::default, WireUsage::buckets),
        model: answer.model_version,
        id: answer.response_id,
    })
}

fn parts(content: Option<Content>) -> Vec<ReplyPart> {
    let mut read = Vec::new();
    for part in content.and_then(|content| content.parts).unwrap_or_default() {
        match part {
            // Thoughts are the model's own business.
            Part { thought: Some(true), .. } => {}
            Part { function_call: Some(FunctionCall { name, args }), .. } => {
                let arguments = args.map_or_else(|| "{}".to_owned(), |args| args.get().to_owned());
                read.push(ReplyPart::ToolCall { name, arguments });
            }
            Part { text: Some(text), .. } => read.push(ReplyPart::Text(text)),
            Part { .. } => {}
        }
    }
    read
}

fn stop_reason(word: Option<&str>, content: &[ReplyPart]) -> StopReason {
    let calls = content.iter().any(|part| matches!(part, ReplyPart::ToolCall { .. }));
    match word {
        Some("STOP") if calls => StopReason::ToolCalls,
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
struct Refusal {
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

/// Reads a refusal: a key that is not valid is a 400 here, and a day's quota a 429 like the
/// minute's.
pub(crate) fn failure(wire: &WireReply) -> Failure {
    let read = failure::read(wire);
    let details = serde_json::from_slice::<Refusal>(&wire.body).unwrap_or_default().error.details;
    let of_key = |detail: &Detail| {
        detail.reason.as_deref().is_some_and(|reason| reason.starts_with("API_KEY_"))
    };
    if wire.status == 400 && details.iter().any(of_key) {
        return Failure { kind: ErrorKind::ProviderAuthFailed, retry: false, ..read };
    }
    let of_day = |violation: &Violation| {
        violation.quota_id.as_deref().is_some_and(|quota| quota.contains("PerDay"))
    };
    let mut violations = details.iter().flat_map(|detail| &detail.violations);
    if wire.status == 429 && violations.any(of_day) {
        return Failure { retry: false, ..read };
    }
    read
}
