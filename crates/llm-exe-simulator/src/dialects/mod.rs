//! The dialects: a file or folder each, and a row each in the table below.
//!
//! In: a request. Out: what it asks for, why the service would refuse it, and the reply in the
//! dialect's shape.

mod anthropic;
mod bedrock;
mod check;
mod gemini;
mod ollama;
mod openai;

use crate::answer::{Answer, Wish};
pub(crate) use check::decoded;
use http::HeaderMap;
use serde_json::Value;

static DIALECTS: &[&dyn Dialect] = &[
    &openai::OpenAi,
    &anthropic::Anthropic,
    &gemini::Gemini,
    &ollama::Ollama,
    &bedrock::BedrockAnthropic,
    &bedrock::Converse,
];

/// A provider's wire format, as the service's side of it sees it.
pub(crate) trait Dialect: Sync {
    /// The name by which scripts and the journal call it.
    fn name(&self) -> &'static str;

    /// Whether a path is this dialect's.
    fn serves(&self, path: &str) -> bool;

    /// Whether a request to an unknown path was likely meant for this dialect.
    fn speaks(&self, headers: &HeaderMap) -> bool;

    /// The largest body that is read, in bytes.
    fn body_limit(&self) -> usize;

    /// The header in which the service numbers its replies.
    fn request_id_header(&self) -> &'static str;

    /// The model that is asked for.
    fn model<'a>(&self, ask: &Ask<'a>) -> Option<&'a str>;

    /// All of the prompt's text; of a body that makes no sense, what can be found.
    fn prompt(&self, ask: &Ask<'_>) -> String;

    /// Refuses what the service would refuse.
    fn refuse(&self, ask: &Ask<'_>) -> Result<(), Refusal>;

    /// The service's error body for a status.
    fn error(&self, status: u16, message: &str) -> Value;

    /// The headers that go with a body, beside the one that numbers it.
    fn headers(&self, status: u16, body: &Value) -> Vec<(&'static str, String)> {
        let _ = (status, body);
        Vec::new()
    }

    /// What a request that wasn't refused asks for.
    fn wish(&self, ask: &Ask<'_>) -> Wish;

    /// The service's reply; `number` makes its id.
    fn reply(&self, ask: &Ask<'_>, answer: &Answer, number: u64) -> Value;
}

/// A request, as a dialect reads it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    /// The path as it came, percent-encoded.
    pub(crate) path: &'a str,
    /// The path, decoded; some dialects have the model in it.
    pub(crate) decoded: &'a str,
    /// The headers.
    pub(crate) headers: &'a HeaderMap,
    /// The body; null when it isn't JSON.
    pub(crate) body: &'a Value,
    /// The body's bytes.
    pub(crate) raw: &'a [u8],
    /// Whether the body is JSON.
    pub(crate) is_json: bool,
}

impl Ask<'_> {
    /// A header's value, if it is text, without the space around it.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }
}

/// Why the service refuses: its status and its body.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body, in the provider's shape.
    pub(crate) body: Value,
}

/// The dialect that serves a path.
pub(crate) fn by_path(path: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.serves(path))
}

/// The dialect of this name.
pub(crate) fn by_name(name: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.name() == name)
}

/// The dialect that the headers speak of; the first of the table when they speak of none.
pub(crate) fn by_headers(headers: &HeaderMap) -> &'static dyn Dialect {
    DIALECTS.iter().copied().find(|dialect| dialect.speaks(headers)).unwrap_or(&openai::OpenAi)
}
