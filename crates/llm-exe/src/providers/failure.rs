//! Parses error responses from providers.
//!
//! Most providers send `{"error": {"message", "type", "code"}}`. Some send only a message, as a
//! string in `error`, `message` or `detail`. The text of any other body is the message, except for
//! HTML pages, which gateways send.

use serde::Deserialize;
use serde_json::Value;

use crate::error::ErrorKind;
use crate::wire::WireReply;

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
    let message = error.message.unwrap_or_else(|| body_text(&wire.body));
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

/// Returns the text of a body that has no known error message. Returns an empty string if it is an
/// HTML page, or has no words, such as `{}`.
fn body_text(body: &[u8]) -> String {
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    let has_words = text.contains(char::is_alphanumeric) && !text.starts_with('<');
    if has_words { text.to_owned() } else { String::new() }
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
            (
                r#"{"errors": [{"reason": "bad prompt"}]}"#,
                r#"{"errors": [{"reason": "bad prompt"}]}"#,
            ),
            (" upstream connect error\n", "upstream connect error"),
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
