//! Parses error responses from providers.
//!
//! Most providers send `{"error": {"message", "type", "code"}}`. Some send only a message, as a
//! string in `error`, `message` or `detail`.

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::wire::WireReply;

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
}

impl Failure {
    /// Creates a failure that is retried if another attempt may succeed after this kind of error.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Failure { kind, message: message.into(), retry: kind.retryable() }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    error: Option<ErrorField>,
    message: Option<Value>,
    detail: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ErrorField {
    Object(ErrorObject),
    Text(String),
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorObject {
    message: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<Value>,
}

impl Body {
    fn into_error(self) -> ErrorObject {
        match self.error {
            Some(ErrorField::Object(error)) => error,
            Some(ErrorField::Text(text)) => {
                ErrorObject { message: Some(text), ..ErrorObject::default() }
            }
            None => {
                let message = [self.message, self.detail]
                    .into_iter()
                    .flatten()
                    .find_map(|value| value.as_str().map(str::to_owned));
                ErrorObject { message, ..ErrorObject::default() }
            }
        }
    }
}

/// Parses an error response in the format that most providers share. The status determines the
/// error kind, unless the body reports an exhausted quota or an invalid API key.
pub(crate) fn read_failure(wire: &WireReply) -> Failure {
    let error = serde_json::from_slice::<Body>(&wire.body).unwrap_or_default().into_error();
    let message = error.message.unwrap_or_default();
    let code = error.code.as_ref().and_then(Value::as_str).unwrap_or_default();
    let codes = [error.kind.as_deref().unwrap_or_default(), code];
    if is_quota_exhausted(wire.status, &codes, &message) {
        return Failure { kind: ErrorKind::ProviderRateLimited, message, retry: false };
    }
    let (kind, retry) = match wire.status {
        // xAI returns status 400 instead of 401 for an invalid API key.
        400 if message.starts_with("Incorrect API key") => (ErrorKind::ProviderAuthFailed, false),
        status => classify_status(status),
    };
    Failure { kind, message, retry }
}

/// Returns the error kind for an HTTP status, and whether the request may be retried.
pub(crate) fn classify_status(status: u16) -> (ErrorKind, bool) {
    match status {
        401 | 403 => (ErrorKind::ProviderAuthFailed, false),
        429 => (ErrorKind::ProviderRateLimited, true),
        408 | 409 | 500 | 502 | 503 | 504 | 529 => (ErrorKind::ProviderUnavailable, true),
        500.. => (ErrorKind::ProviderUnavailable, false),
        _ => (ErrorKind::ProviderRejected, false),
    }
}

/// Returns whether the account has used up its credit or quota, which means that a retry cannot
/// succeed.
fn is_quota_exhausted(status: u16, codes: &[&str], message: &str) -> bool {
    let has_code = |known: &[&str]| codes.iter().any(|code| known.contains(code));
    match status {
        429 => {
            has_code(&["insufficient_quota", "billing_hard_limit_reached", "billing_not_active"])
                || message.contains("used all available credits")
        }
        402 => true,
        400 | 403 => {
            has_code(&["billing_error"])
                || message.contains("credit balance is too low")
                || message.contains("used all available credits")
        }
        _ => false,
    }
}

/// Creates the error for a successful response whose body cannot be parsed. It contains the
/// position of `error` but not its message, which may quote the body.
pub(crate) fn unreadable(expected: &str, error: &serde_json::Error) -> Error {
    let (line, column) = (error.line(), error.column());
    let message = format!(
        "the response body is not {expected} (parse error at line {line}, column {column})"
    );
    Error::new(ErrorKind::ProviderUnavailable, message)
}
