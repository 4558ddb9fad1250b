//! The journal: one entry per call, in the order of the responses.
//!
//! The journal contains no keys: the value of a header or query parameter that may contain one is
//! replaced by `[present]` before it is stored.

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

/// A callback for every call when its response is decided, for example for an access log.
pub type Observer = Arc<dyn Fn(&Call) + Send + Sync>;

/// A call and its outcome.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// The position of the call in the journal, beginning with 1.
    pub sequence: u64,
    /// The dialect's name (`openai`, `gemini`, …), or `None` if no dialect serves the path.
    pub dialect: Option<String>,
    /// The HTTP method in upper case.
    pub method: String,
    /// The path and the query. Query values that may contain a key are `[present]`.
    pub path: String,
    /// The headers by lowercase name. Values that may contain a key are `[present]`.
    pub headers: BTreeMap<String, String>,
    /// The body as JSON, as a string if it isn't JSON, or null if it is empty.
    pub body: Value,
    /// Milliseconds from the start of the simulator until the response was decided.
    pub at: u64,
    /// The number of the TCP connection, beginning with 1.
    pub connection: u64,
    /// The outcome of the call.
    pub answered: CallOutcome,
}

impl Call {
    /// The value of a header, by its lowercase name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// The outcome of a call: a status, a fault, or both (as for a slow response).
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

/// The headers without keys.
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

/// The path and the query without keys.
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

/// The body for [`Call::body`].
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
