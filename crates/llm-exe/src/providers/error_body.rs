//! Reads the JSON bodies of error responses.
//!
//! Most providers send `{"error": {"message", "type", "code"}}`. Others send a list of such
//! objects, only a text in `error`, `message` or `detail`, the errors of FastAPI, or the problem
//! details of RFC 9457. Google's `details` and OpenRouter's `metadata` contain further information.

use std::time::Duration;

use serde_json::Value;

use crate::json;
use crate::wire::parse_seconds;

/// Maximum size of a body that is parsed, in bytes. Error bodies are small.
const MAX_BYTES: usize = 256 * 1024;

/// The fields that can contain the message of an error, in order of preference.
const TEXT_FIELDS: &[&str] = &[
    "message",
    "Message",
    "msg",
    "detail",
    "error",
    "errors",
    "error_description",
    "error_message",
    "description",
    "title",
    "reason",
];

/// The fields that can contain a code of an error.
const CODE_FIELDS: &[&str] = &["code", "type", "status", "error_code", "reason"];

/// A parsed body, which is null if it is not JSON.
pub(super) struct ErrorBody {
    root: Value,
}

impl ErrorBody {
    pub(super) fn parse(body: &[u8]) -> Self {
        let root = if body.len() <= MAX_BYTES { json::parse_lossy(body) } else { None };
        // Google sends a list from its streaming and its OpenAI-compatible endpoints.
        let root = match root {
            Some(Value::Array(items)) => items.into_iter().next(),
            root => root,
        };
        ErrorBody { root: root.unwrap_or_default() }
    }

    /// Returns whether the body has an error in its field `error`.
    pub(super) fn has_error(&self) -> bool {
        self.root.get("error").is_some_and(is_reported)
    }

    /// Returns whether the body is an error without the field `error`: a text in `message`, or
    /// FastAPI's `detail`. No reply of a provider has such a field at the root.
    pub(super) fn is_bare_error(&self) -> bool {
        let is_text = |field: &str| self.root.get(field).is_some_and(Value::is_string);
        let has_detail = self.root.get("detail").is_some_and(is_reported);
        let has_reply = ["choices", "content", "candidates", "output"]
            .iter()
            .any(|field| self.root.get(field).is_some());
        (is_text("message") || is_text("Message") || has_detail) && !has_reply
    }

    /// Returns the text in a field of the root.
    pub(super) fn root_text(&self, field: &str) -> Option<&str> {
        self.root.get(field)?.as_str()
    }

    /// Returns the text in a field of the error.
    pub(super) fn error_text(&self, field: &str) -> Option<&str> {
        self.error().get(field)?.as_str()
    }

    /// Returns the first choice of a chat completion.
    pub(super) fn first_choice(&self) -> Option<&Value> {
        self.root.get("choices")?.get(0)
    }

    /// Returns the number in the field `code`, which may be a string.
    pub(super) fn numeric_code(&self) -> Option<u16> {
        [self.error(), &self.root].into_iter().find_map(|place| match place.get("code")? {
            Value::Number(code) => u16::try_from(code.as_u64()?).ok(),
            Value::String(code) => code.parse().ok(),
            _ => None,
        })
    }

    /// Returns the object that describes the error.
    fn error(&self) -> &Value {
        self.root.get("error").filter(|error| error.is_object()).unwrap_or(&self.root)
    }

    /// Returns the error message. The response of a router can also contain the message of the
    /// provider behind it, which is then appended.
    pub(super) fn message(&self) -> Option<String> {
        if !self.root.is_object() {
            return None;
        }
        let message = find_text(self.error()).or_else(|| find_text(&self.root));
        let raw = self.error().pointer("/metadata/raw").and_then(find_raw_text);
        match (message, raw) {
            (Some(message), Some(raw)) if message != raw => Some(format!("{message}: {raw}")),
            (message, raw) => message.or(raw),
        }
    }

    /// Returns whether a code of the error satisfies a condition. Codes are in lower case.
    pub(super) fn has_code(&self, condition: impl Fn(&str) -> bool) -> bool {
        let error = self.error();
        let places = [
            Some(error),
            Some(&self.root),
            error.get("innererror"),
            error.get("details").filter(|details| details.is_object()),
        ];
        let places = places.into_iter().flatten().chain(self.details());
        let mut codes = places.flat_map(|place| {
            CODE_FIELDS.iter().filter_map(|field| place.get(field).and_then(Value::as_str))
        });
        codes.any(|code| condition(&code.to_ascii_lowercase()))
    }

    /// Returns whether Google reports a quota that does not reset within minutes: a quota per day,
    /// or a quota of zero.
    pub(super) fn is_long_term_quota(&self) -> bool {
        let violations = self.details().filter_map(|detail| detail.get("violations")?.as_array());
        violations.flatten().any(|violation| {
            let text = |field: &str| violation.get(field).and_then(Value::as_str);
            text("quotaId").is_some_and(|id| id.contains("PerDay"))
                || text("quotaValue") == Some("0")
        })
    }

    /// Returns whether OpenRouter's moderation rejected the prompt.
    pub(super) fn has_moderation_reasons(&self) -> bool {
        let reasons = self.error().pointer("/metadata/reasons").and_then(Value::as_array);
        reasons.is_some_and(|reasons| !reasons.is_empty())
    }

    /// Returns the wait that Google's `RetryInfo` requests.
    pub(super) fn retry_delay(&self) -> Option<Duration> {
        let delay = self.details().find_map(|detail| detail.get("retryDelay")?.as_str())?;
        // A protobuf duration: seconds with up to nine decimals.
        parse_seconds(delay.strip_suffix('s')?)
    }

    fn details(&self) -> impl Iterator<Item = &Value> {
        self.error().get("details").and_then(Value::as_array).into_iter().flatten()
    }
}

impl From<Value> for ErrorBody {
    fn from(root: Value) -> Self {
        ErrorBody { root }
    }
}

/// Returns whether the field `error` contains an error. Some servers send an empty value with every
/// reply.
pub(super) fn is_reported(error: &Value) -> bool {
    match error {
        Value::String(text) => !text.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Returns the first text in a string, a list or an object that describes an error.
fn find_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Array(items) => items.iter().find_map(find_text),
        Value::Object(fields) => {
            let text = TEXT_FIELDS.iter().find_map(|field| find_text(fields.get(*field)?))?;
            // FastAPI names the invalid field.
            let path: Vec<&str> = match fields.get("loc") {
                Some(Value::Array(path)) => path.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            };
            Some(if path.is_empty() { text } else { format!("{}: {text}", path.join(".")) })
        }
        _ => None,
    }
}

/// Returns the message in the response of the provider behind a router, which is JSON or plain
/// text.
fn find_raw_text(raw: &Value) -> Option<String> {
    let parsed = raw.as_str().map(|text| ErrorBody::parse(text.as_bytes()));
    let message = parsed.and_then(|body| {
        let message = find_text(body.error());
        message.or_else(|| find_text(&body.root))
    });
    message.or_else(|| find_text(raw))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::ErrorBody;

    fn parse(body: &Value) -> ErrorBody {
        ErrorBody::parse(body.to_string().as_bytes())
    }

    #[test]
    fn message_is_found_in_all_shapes() {
        for (body, expected) in [
            (json!({"error": {"message": "no", "type": "t"}, "message": "other"}), Some("no")),
            (json!({"error": "no"}), Some("no")),
            (json!({"error": "Unauthorized", "message": "no key"}), Some("no key")),
            (json!({"error": "Bad Request", "message": ["a", "b"]}), Some("a")),
            (json!([{"error": {"code": 400, "message": "no"}}]), Some("no")),
            (json!({"detail": "no"}), Some("no")),
            (json!({"detail": {"error": {"message": "no"}}}), Some("no")),
            (
                json!({"detail": [{"loc": ["body", "messages", 0], "msg": "field required"}]}),
                Some("body.messages: field required"),
            ),
            (
                json!({"type": "about:blank", "title": "Bad", "detail": "too large"}),
                Some("too large"),
            ),
            (json!({"title": "Bad", "status": 400}), Some("Bad")),
            (json!({"errors": [{"reason": "bad prompt"}]}), Some("bad prompt")),
            (json!({"error": {"message": {"text": 1}}, "detail": "no"}), Some("no")),
            (
                json!({"error": {"message": "Provider returned error",
                    "metadata": {"raw": "busy"}}}),
                Some("Provider returned error: busy"),
            ),
            (
                json!({"error": {"message": "Provider returned error",
                    "metadata": {"raw": r#"{"error":{"message":"busy"}}"#}}}),
                Some("Provider returned error: busy"),
            ),
            (json!({"error": {"type": "overloaded_error"}}), None),
            (json!({"error": {"message": " "}}), None),
            (json!({}), None),
            (json!([]), None),
            (json!("text"), None),
        ] {
            assert_eq!(parse(&body).message().as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn message_in_another_encoding_is_readable() {
        let body = ErrorBody::parse(b"{\"error\":\"caf\xe9 closed\"}");
        assert_eq!(body.message().as_deref(), Some("caf\u{fffd} closed"));
    }

    #[test]
    fn half_of_a_surrogate_pair_does_not_hide_the_code() {
        let body = ErrorBody::parse(br#"{"error":{"message":"\ud83d x","code":"Quota"}}"#);
        assert_eq!(body.message().as_deref(), Some("\u{fffd} x"));
        assert!(body.has_code(|code| code == "quota"));
    }

    #[test]
    fn large_bodies_are_not_parsed() {
        let body = json!({"error": "x".repeat(300 * 1024)});
        assert_eq!(parse(&body).message(), None);
    }

    #[test]
    fn retry_delay_is_read_with_its_decimals() {
        for (delay, expected) in [
            ("38s", Some(38_000)),
            ("45.837906927s", Some(45_837)),
            ("0s", Some(0)),
            ("-1s", None),
            ("1e300s", Some(86_400_000_000)),
            ("99999999999999999999s", Some(86_400_000_000)),
            ("38", None),
            ("soon", None),
        ] {
            let body = json!({"error": {"details": [{"reason": "x"}, {"retryDelay": delay}]}});
            let expected = expected.map(Duration::from_millis);
            let delay = parse(&body).retry_delay();
            assert_eq!(delay.map(|delay| delay.as_millis()), expected.map(|wait| wait.as_millis()));
        }
    }
}
