//! The journal: one entry a call, in the order in which they were answered.
//!
//! In: what arrived and what was decided. Out: `Call`, which tests read and the control endpoint
//! serves as JSON. Keys never get here: a header or query value that may hold one is replaced by
//! `[present]` before it is stored.

use http::HeaderMap;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

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

/// One call as it arrived, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// The call's place in the journal; the first is 1.
    pub sequence: u64,
    /// The dialect's name (`openai`, `converse`), or `None` when no dialect serves the path.
    pub dialect: Option<String>,
    /// The HTTP method, in capitals.
    pub method: String,
    /// Path and query; query values that may hold a key are `[present]`.
    pub path: String,
    /// Headers by lowercase name; those that may hold a key are `[present]`.
    pub headers: BTreeMap<String, String>,
    /// The body as JSON, or as a string when it isn't JSON, or null when there was none.
    pub body: Value,
    /// Milliseconds from the simulator's start until the call was decided.
    pub at: u64,
    /// The number of the TCP connection that carried the call; the first is 1.
    pub connection: u64,
    /// What the caller got.
    pub answered: Answered,
}

impl Call {
    /// The value of a header, by its lowercase name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What the caller got: a status, a fault, or both (a slow answer has both).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// The HTTP status, when one was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The scripted fault's name as scripts write it (`hang`, `dropEarly`, …).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

impl std::fmt::Display for Answered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.status, &self.fault) {
            (Some(status), Some(fault)) => write!(f, "{status} {fault}"),
            (Some(status), None) => write!(f, "{status}"),
            (None, Some(fault)) => f.write_str(fault),
            (None, None) => f.write_str("nothing"),
        }
    }
}

/// The headers as the journal may hold them.
pub(crate) fn headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let secret = SECRET_HEADERS.contains(&name.as_str()) && !value.is_empty();
        let text = match secret {
            true => PRESENT.to_owned(),
            false => String::from_utf8_lossy(value.as_bytes()).into_owned(),
        };
        kept.entry(name.as_str().to_owned())
            .and_modify(|before| {
                before.push_str(", ");
                before.push_str(&text);
            })
            .or_insert(text);
    }
    kept
}

/// Path and query as the journal may hold them.
pub(crate) fn path(uri: &http::Uri) -> String {
    let Some(query) = uri.query() else {
        return uri.path().to_owned();
    };
    let pairs: Vec<String> = query.split('&').map(pair).collect();
    format!("{}?{}", uri.path(), pairs.join("&"))
}

fn pair(pair: &str) -> String {
    let name = pair.split('=').next().unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    match SECRET_QUERIES.iter().any(|word| lower.contains(word)) {
        true => format!("{name}={PRESENT}"),
        false => pair.to_owned(),
    }
}

/// The body as the journal holds it.
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
    fn keys_are_replaced() {
        let mut map = HeaderMap::new();
        map.insert("authorization", http::HeaderValue::from_static("Bearer k"));
        map.insert("accept", http::HeaderValue::from_static("*/*"));
        let kept = headers(&map);
        assert_eq!(kept.get("authorization").unwrap(), PRESENT);
        assert_eq!(kept.get("accept").unwrap(), "*/*");
        let uri: http::Uri = "/a?key=k&alt=json".parse().unwrap();
        assert_eq!(path(&uri), "/a?key=[present]&alt=json");
    }
}
