//! The journal of all calls, in the order in which the simulator decided the responses.
//!
//! The journal never contains API keys. The value of a header or query parameter that may contain a
//! key is replaced by `[present]`.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderMap;
use serde::Serialize;
use serde_json::Value;

const SECRET_HEADERS: &[&str] = &[
    "api-key",
    "authorization",
    "cookie",
    "proxy-authorization",
    "x-amz-security-token",
    "x-api-key",
    "x-goog-api-key",
];
const SECRET_QUERIES: &[&str] = &["key", "token", "signature", "secret", "credential"];
const PRESENT: &str = "[present]";

/// A callback that runs once per call, after the simulator has decided the response. It can be used
/// to write an access log, for example.
pub type Observer = Arc<dyn Fn(&Call) + Send + Sync>;

/// A recorded call and its outcome.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// The position of the call in the journal, starting at 1.
    pub sequence: u64,
    /// The dialect's name (`openai`, `gemini`, …), or `None` if no dialect serves the path.
    pub dialect: Option<String>,
    /// The HTTP method in upper case.
    pub method: String,
    /// The path and the query. A query value that may contain a key is replaced by `[present]`.
    pub path: String,
    /// The headers by lowercase name. A value that may contain a key is replaced by `[present]`.
    pub headers: BTreeMap<String, String>,
    /// The body as JSON, as a string if it isn't JSON, or null if it is empty.
    pub body: Value,
    /// Milliseconds from the start of the simulator until the response was decided.
    pub at: u64,
    /// The number of the TCP connection, starting at 1.
    pub connection: u64,
    /// How the simulator handled the call.
    pub answered: CallOutcome,
}

impl Call {
    /// Returns the value of a header, given its lowercase name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// The outcome of a call: a status, a fault, or both. For example, a delayed response has both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CallOutcome {
    /// The HTTP status, if one was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The name of the scripted fault (`hang`, `dropEarly`, …).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

impl std::fmt::Display for CallOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.status, &self.fault) {
            (Some(status), Some(fault)) => write!(f, "{status} {fault}"),
            (Some(status), None) => write!(f, "{status}"),
            (None, Some(fault)) => f.write_str(fault),
            (None, None) => f.write_str("nothing"),
        }
    }
}

/// Converts headers for [`Call::headers`] and redacts values that may contain a key.
pub(crate) fn headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut redacted: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let is_secret = SECRET_HEADERS.contains(&name.as_str()) && !value.is_empty();
        let text = if is_secret {
            PRESENT.to_owned()
        } else {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        redacted
            .entry(name.as_str().to_owned())
            .and_modify(|values| {
                values.push_str(", ");
                values.push_str(&text);
            })
            .or_insert(text);
    }
    redacted
}

/// Converts a URI for [`Call::path`] and redacts query values that may contain a key.
pub(crate) fn path(uri: &http::Uri) -> String {
    let Some(query) = uri.query() else {
        return uri.path().to_owned();
    };
    let pairs: Vec<String> = query.split('&').map(redact_pair).collect();
    format!("{}?{}", uri.path(), pairs.join("&"))
}

fn redact_pair(pair: &str) -> String {
    let name = pair.split('=').next().unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    if SECRET_QUERIES.iter().any(|word| lower.contains(word)) {
        format!("{name}={PRESENT}")
    } else {
        pair.to_owned()
    }
}

/// Converts a request body for [`Call::body`].
pub(crate) fn body(raw: &[u8], json: Option<&Value>) -> Value {
    match json {
        Some(value) => value.clone(),
        None if raw.is_empty() => Value::Null,
        None => Value::String(String::from_utf8_lossy(raw).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_redacted() {
        let mut map = HeaderMap::new();
        map.insert("authorization", http::HeaderValue::from_static("Bearer k"));
        map.insert("accept", http::HeaderValue::from_static("*/*"));
        let redacted = headers(&map);
        assert_eq!(redacted.get("authorization").unwrap(), PRESENT);
        assert_eq!(redacted.get("accept").unwrap(), "*/*");
        let uri: http::Uri = "/a?key=k&alt=json".parse().unwrap();
        assert_eq!(path(&uri), "/a?key=[present]&alt=json");
    }
}
