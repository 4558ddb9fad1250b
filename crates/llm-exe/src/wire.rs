//! Data types for HTTP requests to providers and for the responses.
//!
//! A [`WireRequest`] contains the name of the API key that it needs, but not the key itself. The
//! transport adds the key just before it sends the request.

use bytes::Bytes;
use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::ports::KeyName;

/// The product token of this crate in the `user-agent` header.
const PRODUCT: &str = concat!("llm-exe/", env!("CARGO_PKG_VERSION"));

/// The value of the `user-agent` header in all requests. It is `llm-exe/VERSION`, which the name
/// and version of a program can precede, as in `my-app/1.0 llm-exe/0.1.0`.
/// <https://www.rfc-editor.org/rfc/rfc9110#field.user-agent>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAgent(HeaderValue);

/// The name or the version of a program can't be part of a `user-agent` header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a name and a version of ASCII letters, digits and !#$%&'*+-.^_`|~, got {}",
    crate::json::quoted(.0)
)]
pub struct InvalidUserAgent(String);

impl UserAgent {
    /// Creates the user agent of a program. The program comes first, because RFC 9110 lists
    /// products in decreasing order of their significance.
    ///
    /// # Errors
    /// [`InvalidUserAgent`] if the name or the version is not a token of RFC 9110.
    pub fn for_program(name: &str, version: &str) -> Result<Self, InvalidUserAgent> {
        for token in [name, version] {
            let is_token_char =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            if token.is_empty() || !token.bytes().all(is_token_char) {
                return Err(InvalidUserAgent(token.to_owned()));
            }
        }
        let value = HeaderValue::try_from(format!("{name}/{version} {PRODUCT}"));
        value.map(UserAgent).map_err(|_| InvalidUserAgent(name.to_owned()))
    }

    /// Returns the value of the header.
    pub fn header_value(&self) -> &HeaderValue {
        &self.0
    }
}

impl Default for UserAgent {
    fn default() -> Self {
        UserAgent(HeaderValue::from_static(PRODUCT))
    }
}

/// The characters to percent-encode, which are all but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes a name, including slashes and colons, as a single path segment.
pub(crate) fn path_segment(name: &str) -> String {
    utf8_percent_encode(name, RESERVED).to_string()
}

/// How a request is authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// The request is sent without authentication.
    None,
    /// The API key is sent as `authorization: Bearer KEY`.
    Bearer(KeyName),
    /// The API key is sent in a provider-specific header.
    Header(&'static str, KeyName),
    /// The request is signed with AWS Signature Version 4, again for each attempt.
    SigV4 {
        /// The service name in the signature, such as `bedrock`.
        service: &'static str,
        /// The AWS region in the signature.
        region: String,
    },
}

impl Auth {
    /// Returns the name of the API key that the request needs, if any.
    pub fn key(&self) -> Option<&KeyName> {
        match self {
            Auth::None | Auth::SigV4 { .. } => None,
            Auth::Bearer(key) | Auth::Header(_, key) => Some(key),
        }
    }
}

/// A POST request to a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct WireRequest {
    /// The full URL.
    pub url: String,
    /// The headers, except for authentication headers and `content-type: application/json`.
    pub headers: Vec<(&'static str, &'static str)>,
    /// The JSON body.
    pub body: Value,
    /// How the request is authenticated.
    pub auth: Auth,
}

impl WireRequest {
    /// Returns the request as JSON for a dry run, without authentication headers.
    pub fn to_json(&self) -> Value {
        let mut headers = Map::new();
        headers.insert("content-type".to_owned(), json!("application/json"));
        for (name, value) in &self.headers {
            headers.insert((*name).to_owned(), json!(value));
        }
        json!({ "method": "POST", "url": self.url, "headers": headers, "body": self.body })
    }
}

/// A provider's HTTP response, which may have any status.
#[derive(Debug, Clone)]
pub struct WireReply {
    /// The HTTP status.
    pub status: u16,
    /// The response headers.
    pub headers: http::HeaderMap,
    /// The complete response body.
    pub body: Bytes,
}

impl WireReply {
    /// Returns the value of a header, or `None` if the header is missing or not ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::{UserAgent, path_segment};

    #[test]
    fn the_program_comes_first_in_the_user_agent() {
        let text = |agent: UserAgent| agent.header_value().to_str().unwrap().to_owned();
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(text(UserAgent::default()), format!("llm-exe/{version}"));
        let agent = UserAgent::for_program("my-app", "1.0+b2").unwrap();
        assert_eq!(text(agent), format!("my-app/1.0+b2 llm-exe/{version}"));
        for (name, program_version) in [("", "1"), ("a b", "1"), ("a", "1\n"), ("a/b", "1")] {
            let error = UserAgent::for_program(name, program_version).unwrap_err().to_string();
            assert!(error.starts_with("expected a name and a version of ASCII"), "{error}");
        }
    }

    #[test]
    fn path_segment_encodes_all_but_unreserved_characters() {
        assert_eq!(path_segment("gemini-2.5-pro_x~"), "gemini-2.5-pro_x~");
        assert_eq!(path_segment("a/b:c?d e"), "a%2Fb%3Ac%3Fd%20e");
        assert_eq!(path_segment("é"), "%C3%A9");
    }
}
