//! Data types for HTTP requests to providers and for the responses.
//!
//! A [`WireRequest`] contains the name of the API key that it needs, but not the key itself. The
//! transport adds the key just before it sends the request.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::error::{Error, ErrorKind};
use crate::gzip::{self, GzipError};
use crate::ports::KeyName;

/// Maximum size of a provider's response body in bytes. That of a streamed response is the body
/// that its events are joined to.
pub const MAX_REPLY_BYTES: usize = 8 * 1024 * 1024;

/// The initial capacity for the bytes of a body. Few bodies of short prompts are larger.
const MIN_BODY_CAPACITY: usize = 1_024;

/// The product token of this crate in the `user-agent` header.
const PRODUCT: &str = concat!("llm-exe/", env!("CARGO_PKG_VERSION"));

/// The value of the `user-agent` header in all requests. It is `llm-exe/VERSION`, optionally after
/// the name and version of the program, as in `my-app/1.0 llm-exe/0.1.0`.
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
#[non_exhaustive]
pub enum Auth {
    /// The request is sent without authentication.
    None,
    /// The API key is sent as `authorization: Bearer KEY`.
    Bearer(KeyName),
    /// The API key is sent in a provider-specific header.
    Header(Cow<'static, str>, KeyName),
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
#[non_exhaustive]
pub struct WireRequest {
    /// The full URL.
    pub url: String,
    /// The headers, except for authentication headers and `content-type: application/json`. Names
    /// are in lower case.
    pub headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// The JSON body.
    pub body: Body,
    /// How the request is authenticated.
    pub auth: Auth,
}

impl WireRequest {
    /// Creates a request without additional headers. A dialect usually starts with
    /// [`Endpoint::post`](crate::providers::Endpoint::post) instead.
    pub fn new(url: impl Into<String>, body: impl Into<Body>, auth: Auth) -> Self {
        WireRequest { url: url.into(), headers: Vec::new(), body: body.into(), auth }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends the API key in this header, such as `x-api-key`, instead of in `authorization`. Does
    /// nothing if the request needs no key.
    #[must_use]
    pub fn with_key_header(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.auth = match self.auth {
            Auth::Bearer(key) | Auth::Header(_, key) => Auth::Header(name.into(), key),
            other => other,
        };
        self
    }

    /// Returns the request as JSON for a dry run, without authentication headers.
    pub fn to_json(&self) -> Value {
        let mut headers = Map::new();
        headers.insert("content-type".to_owned(), json!("application/json"));
        for (name, value) in &self.headers {
            headers.insert(name.clone().into_owned(), json!(value));
        }
        let body = self.body.to_value();
        json!({ "method": "POST", "url": self.url, "headers": headers, "body": body })
    }
}

/// The JSON body of a request, or an object in it. One of its fields may contain raw JSON, which is
/// sent byte for byte.
///
/// ```
/// use llm_exe::wire::Body;
/// use serde_json::json;
///
/// #[derive(serde::Serialize)]
/// struct Completion<'a> {
///     prompt: &'a str,
/// }
///
/// let body = Body::from(json!({ "prompt": "Hi" }));
/// assert_eq!(body, Body::from_serialize(Completion { prompt: "Hi" })?);
/// # Ok::<(), llm_exe::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    fields: Map<String, Value>,
    /// The name and the value of the field that may contain raw JSON.
    raw_field: Option<(&'static str, Box<BodyItem>)>,
    /// The whole body, if it is not an object.
    other: Option<Value>,
}

/// A value in a [`Body`] that may contain raw JSON.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum BodyItem {
    /// A value that is serialized with the body.
    Value(Value),
    /// JSON that is sent byte for byte.
    Raw(Box<RawValue>),
    /// A message with the fields `role` and `content`, without the cost of an object.
    TextMessage {
        /// The role, as the API spells it.
        role: &'static str,
        /// The text of the message.
        content: String,
    },
    /// A list.
    List(Vec<BodyItem>),
    /// An object.
    Object(Body),
}

impl Body {
    /// Creates a body without raw JSON.
    pub fn new(fields: Map<String, Value>) -> Self {
        Body { fields, raw_field: None, other: None }
    }

    /// Creates a body from any value that can be serialized, such as a struct.
    ///
    /// # Errors
    /// `Internal` if the value can't be serialized, or contains a float that JSON can't represent.
    pub fn from_serialize(value: impl Serialize) -> Result<Self, Error> {
        crate::json::to_value(&value).map(Body::from).map_err(|error| {
            Error::new(
                ErrorKind::Internal,
                format!("the request body can't be serialized: {error}"),
            )
        })
    }

    /// Creates a body whose field `name` contains `item`. The field keeps its place in `fields`,
    /// where its value is ignored. If it is not there, it becomes the last field.
    pub fn with_field(mut fields: Map<String, Value>, name: &'static str, item: BodyItem) -> Self {
        fields.entry(name).or_insert(Value::Null);
        Body { fields, raw_field: Some((name, Box::new(item))), other: None }
    }

    /// Creates a body whose field `list` contains `items`. The field keeps its place in `fields`,
    /// where its value is ignored. If it is not there, it becomes the last field.
    pub fn with_list(fields: Map<String, Value>, list: &'static str, items: Vec<BodyItem>) -> Self {
        Body::with_field(fields, list, BodyItem::List(items))
    }

    /// Adds a field at the end of an object.
    pub(crate) fn push(&mut self, name: &str, value: Value) {
        self.fields.insert(name.to_owned(), value);
    }

    /// Returns the bytes to send and to sign.
    ///
    /// # Errors
    /// Fails if serde_json cannot serialize a value, which does not happen with the values that it
    /// creates.
    pub fn to_bytes(&self) -> Result<Bytes, serde_json::Error> {
        let mut bytes = Vec::with_capacity(MIN_BODY_CAPACITY);
        serde_json::to_writer(&mut bytes, self)?;
        Ok(Bytes::from(bytes))
    }

    /// Returns the body as a value, which may contain raw JSON in another spelling.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl From<Map<String, Value>> for Body {
    fn from(fields: Map<String, Value>) -> Self {
        Body::new(fields)
    }
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        match value {
            Value::Object(fields) => Body::new(fields),
            other => Body { other: Some(other), ..Body::new(Map::new()) },
        }
    }
}

impl BodyItem {
    /// Creates an object whose field `name` contains `item`. `fields` must be an object, in which
    /// the field keeps its place.
    pub(crate) fn object(fields: Value, name: &'static str, item: BodyItem) -> Self {
        match fields {
            Value::Object(fields) => BodyItem::Object(Body::with_field(fields, name, item)),
            other => BodyItem::Value(other),
        }
    }
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(value) = &self.other {
            return value.serialize(serializer);
        }
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (name, value) in &self.fields {
            match &self.raw_field {
                Some((raw_name, item)) if name == raw_name => map.serialize_entry(name, item)?,
                _ => map.serialize_entry(name, value)?,
            }
        }
        map.end()
    }
}

impl Serialize for BodyItem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            BodyItem::Value(value) => value.serialize(serializer),
            BodyItem::Raw(raw) => raw.serialize(serializer),
            BodyItem::TextMessage { role, content } => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("role", role)?;
                map.serialize_entry("content", content)?;
                map.end()
            }
            BodyItem::List(items) => items.serialize(serializer),
            BodyItem::Object(body) => body.serialize(serializer),
        }
    }
}

impl PartialEq for BodyItem {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (BodyItem::Value(value), BodyItem::Value(other)) => value == other,
            (BodyItem::Raw(raw), BodyItem::Raw(other)) => raw.get() == other.get(),
            (
                BodyItem::TextMessage { role, content },
                BodyItem::TextMessage { role: other_role, content: other },
            ) => role == other_role && content == other,
            (BodyItem::List(items), BodyItem::List(other)) => items == other,
            (BodyItem::Object(body), BodyItem::Object(other)) => body == other,
            _ => false,
        }
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

    /// Returns whether the body is compressed with gzip. No request asks for a compressed response,
    /// but some gateways compress their responses anyway.
    pub(crate) fn is_gzip(&self) -> bool {
        self.header("content-encoding").is_some_and(gzip::is_gzip_encoding)
    }

    /// Replaces a body in gzip with the decoded body, which may have at most `max_bytes` bytes. A
    /// body that is not valid gzip stays as it is, and so does its header.
    pub(crate) fn decode_gzip(mut self, max_bytes: usize) -> Result<WireReply, GzipError> {
        match gzip::decode(&self.body, max_bytes) {
            Ok(decoded) => {
                self.body = decoded.into();
                self.headers.remove(http::header::CONTENT_ENCODING);
                self.headers.remove(http::header::CONTENT_LENGTH);
                Ok(self)
            }
            // Some servers set the header without compressing the body, which may be empty.
            Err(GzipError::Invalid) => Ok(self),
            Err(GzipError::TooLarge) => Err(GzipError::TooLarge),
        }
    }

    /// Decodes a body as [`WireReply::decode_gzip`] does. A body that is too large becomes empty in
    /// an error response, because the status is enough to classify it.
    pub(crate) fn decode_response(self, max_bytes: usize) -> Result<WireReply, GzipError> {
        if (200..300).contains(&self.status) {
            return self.decode_gzip(max_bytes);
        }
        let without_body = WireReply { body: Bytes::new(), ..self.clone() };
        Ok(self.decode_gzip(max_bytes).unwrap_or(without_body))
    }

    /// Describes the encoding of the body, if it has one that could not be decoded.
    pub(crate) fn encoding_problem(&self) -> Option<String> {
        let encoding = self.header("content-encoding")?.trim();
        let is_encoded = !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity");
        is_encoded.then(|| {
            let encoding = crate::error::shorten(encoding, 40);
            let problem = if self.is_gzip() { "could not be decoded" } else { "is not supported" };
            format!("the body is encoded with {encoding}, which {problem}")
        })
    }

    /// Parses the body as JSON.
    ///
    /// # Errors
    /// `ProviderUnavailable` if the body is not valid JSON or does not have the form of `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| unreadable("the expected JSON", &error))
    }

    /// Returns the string at a JSON pointer in the body, such as `/choices/0/text`. A pointer
    /// begins with a slash.
    ///
    /// # Errors
    /// `ProviderUnavailable` if the body is not valid JSON or has no string there.
    pub fn text_at(&self, pointer: &str) -> Result<String, Error> {
        let body: Value = self.json()?;
        let text = body.pointer(pointer).and_then(Value::as_str);
        text.map(str::to_owned).ok_or_else(|| {
            let message = format!("the response body has no string at {pointer}");
            Error::new(ErrorKind::ProviderUnavailable, message)
        })
    }
}

/// Whether more bytes of a stream are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamState {
    /// The reply is not complete, or only the end of the stream shows that it is.
    Open,
    /// The reply is complete, but its token counts may follow. The transport waits briefly for
    /// them.
    Ending,
    /// The reply is complete. The rest of the stream contains nothing of it.
    Complete,
}

/// Creates the error for a successful response whose body cannot be parsed. It
/// contains only the position and the name of a missing field, because the rest of serde's message
/// may quote the body.
pub(crate) fn unreadable(expected: &str, error: &serde_json::Error) -> Error {
    let (line, column) = (error.line(), error.column());
    let text = crate::json::strip_position(error);
    let reason = if text.starts_with("missing field `") { &text } else { "parse error" };
    let message =
        format!("the response body is not {expected} ({reason} at line {line}, column {column})");
    Error::new(ErrorKind::ProviderUnavailable, message)
}

/// Creates the error for a response body that is larger than [`MAX_REPLY_BYTES`].
pub(crate) fn too_large() -> Error {
    let mebibytes = MAX_REPLY_BYTES / 1024 / 1024;
    let message = format!("the response body is larger than the maximum of {mebibytes} MiB");
    Error::new(ErrorKind::ProviderUnavailable, message)
}

/// The longest wait that a provider can request. A longer one is shortened, so that times that are
/// computed from it do not overflow.
const MAX_WAIT_SECONDS: f64 = 86_400_000.0;

/// Parses the number of seconds that a provider asks to wait. Negative numbers are rejected.
pub(crate) fn parse_seconds(text: &str) -> Option<Duration> {
    let text = text.trim();
    // Rust also parses "inf" and "nan".
    let seconds: f64 =
        text.starts_with(|c: char| c.is_ascii_digit()).then_some(text)?.parse().ok()?;
    Some(Duration::from_secs_f64(seconds.min(MAX_WAIT_SECONDS)))
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;
    use serde_json::{Map, Value, json};

    use super::{Body, BodyItem, UserAgent, path_segment};

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn raw_items_are_sent_byte_for_byte() {
        let raw = r#"{ "b":1.0,"a" : 1e2, "text":"caf\u00e9 \/" }"#;
        let items = vec![
            BodyItem::Value(json!({"role": "user", "content": "é/"})),
            BodyItem::Raw(RawValue::from_string(raw.to_owned()).unwrap()),
            BodyItem::TextMessage { role: "user", content: "\"".to_owned() },
        ];
        let fields = map(json!({"model": "m", "messages": null, "stream": false}));
        let body = Body::with_list(fields, "messages", items);
        let first = r#"{"role":"user","content":"é/"}"#;
        let text = r#"{"role":"user","content":"\""}"#;
        let expected =
            format!(r#"{{"model":"m","messages":[{first},{raw},{text}],"stream":false}}"#);
        assert_eq!(body.to_bytes().unwrap(), expected.as_bytes());
        let value = body.to_value();
        assert_eq!(value["messages"][1]["text"], "café /");
        assert_eq!(value.as_object().unwrap().keys().nth(1).unwrap(), "messages");
    }

    #[test]
    fn raw_fields_of_nested_objects_keep_their_place_and_bytes() {
        let raw = BodyItem::Raw(RawValue::from_string("{ \"n\" : 1e2 }".to_owned()).unwrap());
        let call = BodyItem::object(json!({"id": "a", "input": null, "name": "f"}), "input", raw);
        let message = BodyItem::object(
            json!({"role": "assistant"}),
            "content",
            BodyItem::List(vec![BodyItem::Value(json!({"text": "t"})), call]),
        );
        let body = Body::with_list(Map::new(), "messages", vec![message]);
        let call = r#"{"id":"a","input":{ "n" : 1e2 },"name":"f"}"#;
        let expected =
            format!(r#"{{"messages":[{{"role":"assistant","content":[{{"text":"t"}},{call}]}}]}}"#);
        assert_eq!(body.to_bytes().unwrap(), expected.as_bytes());
        assert_eq!(body, body.clone());
        assert_ne!(body, Body::with_list(Map::new(), "messages", Vec::new()));
    }

    #[test]
    fn plain_bodies_are_serialized_as_values_are() {
        let value = json!({"model": "m", "messages": [{"role": "user"}], "n": 1.0});
        let body = Body::new(map(value.clone()));
        assert_eq!(body.to_bytes().unwrap(), value.to_string().as_bytes());
        let mut fields = map(value.clone());
        fields.shift_remove("messages");
        let items = vec![BodyItem::Value(json!({"role": "user"}))];
        let body = Body::with_list(fields, "messages", items);
        let expected = r#"{"model":"m","n":1.0,"messages":[{"role":"user"}]}"#;
        assert_eq!(body.to_bytes().unwrap(), expected.as_bytes());
        assert_eq!(body.to_value(), value);
    }

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
