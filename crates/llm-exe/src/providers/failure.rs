//! Classifies error responses from providers.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::error_body::{ErrorBody, is_reported};
use crate::error::ErrorKind;
use crate::wire::WireReply;
use crate::word_list::{contains_phrase, contains_word};

pub(crate) use crate::wire::unreadable;

/// A parsed error response.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The error kind to report to the caller.
    pub kind: ErrorKind,
    /// The provider's full error message, which may still contain API keys. Empty if the response
    /// contains no message.
    pub message: String,
    /// Whether the transport may send the same request again.
    pub retry: bool,
    /// The wait before the next attempt that the response body requests. The headers
    /// `retry-after-ms` and `retry-after` take precedence.
    pub wait: Option<Duration>,
}

impl Failure {
    /// Creates a failure that is retried if another attempt may succeed after this kind of error.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Failure { kind, message: message.into(), retry: kind.retryable(), wait: None }
    }

    /// Sets whether the transport may send the same request again.
    #[must_use]
    pub fn with_retry(self, retry: bool) -> Self {
        Failure { retry, ..self }
    }
}

/// Parses an error response in the formats of the providers. The status determines the error kind,
/// unless the body reports an exhausted quota, an invalid API key or forbidden content.
pub(crate) fn read_failure(wire: &WireReply) -> Failure {
    let body = ErrorBody::parse(&wire.body);
    let message = body.message().unwrap_or_else(|| body_text(wire));
    let (kind, retry) = if is_about_content(wire.status, &body, &message) {
        (ErrorKind::OutputRefused, false)
    } else if is_quota_exhausted(wire.status, &body, &message) {
        (ErrorKind::ProviderRateLimited, false)
    } else if wire.status == 400 && is_about_key(&body, &message) {
        (ErrorKind::ProviderAuthFailed, false)
    } else {
        classify_status(wire.status)
    };
    let wait = if retry { body.retry_delay() } else { None };
    Failure { kind, message, retry, wait }
}

/// An error that a provider reports in a successful response.
pub(crate) struct ReportedError {
    /// The error response that the provider should have sent.
    pub(crate) response: WireReply,
    /// The code in the body that is used as the status of `response`.
    pub(crate) code: Option<u16>,
    /// Whether the response contains a choice, so that a part of a reply may be billed.
    pub(crate) may_be_billed: bool,
    /// What the failed response of a Responses API states about the request.
    pub(crate) failed_response: Option<FailedResponse>,
}

/// Why a Responses API created no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailedResponse {
    /// The same request may succeed later.
    Transient,
    /// The API does not accept the request.
    Rejected,
    Other,
}

impl FailedResponse {
    /// Reads the code of the error in a response whose `status` is `failed`. Source: the type
    /// `ResponseError` of the npm package `openai` 7.57.
    fn read(body: &ErrorBody) -> Option<FailedResponse> {
        if body.root_text("status") != Some("failed") {
            return None;
        }
        let is_rejected = |code: &str| contains_phrase(code, "image|invalid_|data_residency");
        Some(if body.has_code(|code| matches!(code, "server_error" | "rate_limit_exceeded")) {
            FailedResponse::Transient
        } else if body.has_code(is_rejected) {
            FailedResponse::Rejected
        } else {
            FailedResponse::Other
        })
    }
}

/// Returns the error in the body of a successful response, if there is one. Routers report errors
/// of the provider behind them in this way.
pub(crate) fn reported_error(wire: &WireReply) -> Option<ReportedError> {
    let body = ErrorBody::parse(&wire.body);
    let (body, may_be_billed, bytes) = if body.has_error() {
        let may_be_billed = body.first_choice().is_some();
        (body, may_be_billed, wire.body.clone())
    } else if body.is_bare_error() || wire.header("x-amzn-errortype").is_some() {
        (body, false, wire.body.clone())
    } else {
        let choice = body.first_choice()?;
        let reason = choice.get("finish_reason").and_then(Value::as_str);
        let error = choice.get("error").filter(|error| is_reported(error));
        if error.is_none() && !is_aborted(reason) {
            return None;
        }
        let body = error.map(|error| json!({ "error": error })).unwrap_or_default();
        let bytes = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        (ErrorBody::from(body), true, bytes)
    };
    let code = body.numeric_code().filter(|code| (400..600).contains(code));
    let failed_response = FailedResponse::read(&body);
    let status = match failed_response {
        Some(FailedResponse::Rejected) => 400,
        _ => code.unwrap_or_else(|| status_without_code(&body)),
    };
    let response = WireReply { status, headers: wire.headers.clone(), body: bytes };
    Some(ReportedError { response, code, may_be_billed, failed_response })
}

/// Returns the status for an error without a numeric code.
fn status_without_code(body: &ErrorBody) -> u16 {
    let is_limit = |code: &str| code.contains("rate_limit") || code.contains("quota");
    let message = body.message().unwrap_or_default();
    if is_quota_exhausted(400, body, &message) || is_about_content(400, body, &message) {
        400
    } else if body.has_code(is_limit) {
        429
    } else {
        500
    }
}

/// Returns whether the provider aborted the reply, so that its text is not usable. DeepSeek sends
/// the first of these reasons; gateways and Zhipu AI send the others.
pub(super) fn is_aborted(finish_reason: Option<&str>) -> bool {
    finish_reason.is_some_and(|reason| {
        reason.eq_ignore_ascii_case("insufficient_system_resource")
            || reason.eq_ignore_ascii_case("error")
            || reason.eq_ignore_ascii_case("network_error")
    })
}

/// Returns the text of a body that has no known error message. Returns an empty string if it is an
/// HTML page, or has no words, such as `{}`.
fn body_text(wire: &WireReply) -> String {
    if let Some(problem) = wire.encoding_problem() {
        return problem;
    }
    let text = String::from_utf8_lossy(&wire.body);
    let text = text.trim();
    let is_binary = text.contains(|c: char| c.is_control() && !c.is_whitespace());
    let has_words = text.contains(char::is_alphanumeric) && !text.starts_with('<');
    if has_words && !is_binary { text.to_owned() } else { String::new() }
}

/// Returns the error kind for an HTTP status, and whether the request may be retried.
pub(crate) fn classify_status(status: u16) -> (ErrorKind, bool) {
    match status {
        401 | 403 => (ErrorKind::ProviderAuthFailed, false),
        429 => (ErrorKind::ProviderRateLimited, true),
        408 | 409 | 500 | 502 | 503 | 504 | 529 => (ErrorKind::ProviderUnavailable, true),
        // Cloudflare could not connect to the provider. After its statuses 520 and 524 the request
        // may have been billed.
        521..=523 | 525 => (ErrorKind::ProviderUnavailable, true),
        500.. => (ErrorKind::ProviderUnavailable, false),
        _ => (ErrorKind::ProviderRejected, false),
    }
}

/// Parts of the codes that report used-up credit, in lower case. Examples of codes: OpenAI's
/// `project_spend_limit_exceeded`, Google's `BILLING_DISABLED`, Moonshot's
/// `exceeded_current_quota_error`.
const QUOTA_CODES: &str = "arrearage|billing_|credit_balance|exceeded_current_quota|\
    insufficient_balance|insufficient_quota|spend_limit|usage_limit";

/// Texts in messages about used-up credit.
const QUOTA_MESSAGES: &str = concat!(
    // Gateways that pass on only the text of OpenAI's error
    "insufficient_quota|",
    // Anthropic
    "credit balance is too low|API usage limits|",
    // xAI
    "used all available credits|have any credits or licenses|",
    // Google
    "prepayment credits are depleted|spending cap|",
    // OpenRouter
    "Key limit exceeded",
);

/// Returns whether the account has used up its credit or quota, which means that a retry cannot
/// succeed.
fn is_quota_exhausted(status: u16, body: &ErrorBody, message: &str) -> bool {
    match status {
        402 => true,
        400 | 403 | 429 => {
            body.has_code(|code| contains_phrase(code, QUOTA_CODES))
                || contains_phrase(message, QUOTA_MESSAGES)
                || body.is_long_term_quota()
        }
        _ => false,
    }
}

/// The codes that report forbidden content, in lower case.
const CONTENT_CODES: &str = concat!(
    // OpenAI
    "invalid_prompt bio_policy cyber_policy content_policy_violation ",
    "misalignment_policy_violation image_content_policy_violation ",
    // Azure, Moonshot
    "content_filter responsibleaipolicyviolation ",
    // Alibaba
    "data_inspection_failed",
);

/// Texts in messages about forbidden content.
const CONTENT_MESSAGES: &str = concat!(
    // Anthropic
    "blocked by content filtering policy|",
    // xAI
    "Content violates usage guidelines|",
    // DeepSeek
    "Content Exists Risk|",
    // OpenRouter
    "requires moderation",
);

/// Returns whether the provider rejects the content of the prompt or of the reply.
fn is_about_content(status: u16, body: &ErrorBody, message: &str) -> bool {
    matches!(status, 400 | 403 | 422)
        && (body.has_code(|code| contains_word(CONTENT_CODES, code))
            || contains_phrase(message, CONTENT_MESSAGES)
            || body.has_moderation_reasons())
}

/// Returns whether status 400 is about the API key or its account.
fn is_about_key(body: &ErrorBody, message: &str) -> bool {
    // xAI
    message.starts_with("Incorrect API key")
        // Google's reasons, such as `API_KEY_INVALID`, and a code of OpenAI's API
        || body.has_code(|code| code.starts_with("api_key_") || code == "invalid_api_key")
        // Anthropic
        || body.has_code(|code| code == "organization_on_hold")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;

    use super::read_failure;
    use crate::error::ErrorKind;
    use crate::wire::WireReply;

    #[test]
    fn text_of_an_unknown_body_is_the_message() {
        for (body, expected) in [
            (r#"{"error": {"message": "no"}, "code": 7}"#, "no"),
            (r#"{"problems": ["bad prompt"]}"#, r#"{"problems": ["bad prompt"]}"#),
            (" upstream connect error\n", "upstream connect error"),
            ("PK\u{3}\u{4} binary", ""),
            ("<html>502</html>", ""),
            ("{}", ""),
            ("", ""),
        ] {
            let body = Bytes::from(body);
            let wire = WireReply { status: 422, headers: HeaderMap::new(), body };
            let failure = read_failure(&wire);
            assert_eq!((failure.kind, &*failure.message), (ErrorKind::ProviderRejected, expected));
        }
    }
}
