//! What a provider's refusal means. The bodies of the dialects here agree so far that one reader
//! does: `{"error": {"message", "type", "code"}}`, or the message alone as `error`, `message` or
//! `detail`.

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::wire::WireReply;

/// A status other than 2xx, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it is to our callers.
    pub kind: ErrorKind,
    /// The provider's own message, whole and unscrubbed; empty where it gave none.
    pub message: String,
    /// Whether the same request may be sent again by us.
    pub retry: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    error: Option<Told>,
    message: Option<Value>,
    detail: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Detail(Detail),
    Text(String),
}

impl Body {
    fn detail(self) -> Detail {
        match self.error {
            Some(Told::Detail(detail)) => detail,
            Some(Told::Text(text)) => Detail { message: Some(text), ..Detail::default() },
            None => {
                let text = [self.message, self.detail]
                    .into_iter()
                    .flatten()
                    .find_map(|told| told.as_str().map(str::to_owned));
                Detail { message: text, ..Detail::default() }
            }
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Detail {
    message: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<Value>,
}

/// Reads a refusal by its status, and by the codes that say that the quota is used up.
pub(crate) fn read(wire: &WireReply) -> Failure {
    let detail = serde_json::from_slice::<Body>(&wire.body).unwrap_or_default().detail();
    let message = detail.message.unwrap_or_default();
    let code = detail.code.as_ref().and_then(Value::as_str).unwrap_or_default();
    let words = [detail.kind.as_deref().unwrap_or_default(), code];
    if is_quota(wire.status, &words, &message) {
        return Failure { kind: ErrorKind::ProviderRateLimited, message, retry: false };
    }
    let (kind, retry) = match wire.status {
        // xAI's way to say it.
        400 if message.starts_with("Incorrect API key") => (ErrorKind::ProviderAuthFailed, false),
        status => by_status(status),
    };
    Failure { kind, message, retry }
}

/// What a status means where nothing else tells.
pub(crate) fn by_status(status: u16) -> (ErrorKind, bool) {
    match status {
        401 | 403 => (ErrorKind::ProviderAuthFailed, false),
        429 => (ErrorKind::ProviderRateLimited, true),
        408 | 409 | 500 | 502 | 503 | 504 | 529 => (ErrorKind::ProviderUnavailable, true),
        500.. => (ErrorKind::ProviderUnavailable, false),
        _ => (ErrorKind::ProviderRejected, false),
    }
}

/// Money, not speed: no wait of ours helps.
fn is_quota(status: u16, words: &[&str], message: &str) -> bool {
    let told = |names: &[&str]| words.iter().any(|word| names.contains(word));
    match status {
        429 => {
            told(&["insufficient_quota", "billing_hard_limit_reached", "billing_not_active"])
                || message.contains("used all available credits")
        }
        402 => true,
        400 | 403 => {
            told(&["billing_error"])
                || message.contains("credit balance is too low")
                || message.contains("used all available credits")
        }
        _ => false,
    }
}

/// A 200 whose body is not what the dialect answers. The reader's own words may quote the body,
/// so only the place is told.
pub(crate) fn unreadable(expected: &str, error: &serde_json::Error) -> Error {
    let (line, column) = (error.line(), error.column());
    let text = format!("the answer is {expected} (unreadable at line {line}, column {column})");
    Error::new(ErrorKind::ProviderUnavailable, text)
}
