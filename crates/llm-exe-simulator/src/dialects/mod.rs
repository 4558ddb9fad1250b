//! The providers' wire formats. Each dialect has a folder here and an entry in `DIALECTS`.

mod alias;
mod anthropic;
mod bedrock;
mod dialect;
mod gemini;
mod json;
mod ollama;
mod openai;
mod responses;
pub(crate) mod stream;

use http::HeaderMap;

pub(crate) use dialect::{Dialect, ProviderRequest, Rejection};
pub(crate) use json::type_name;
pub(crate) use openai::vendor_path_segment;

static DIALECTS: &[&dyn Dialect] = &[
    &openai::OpenAi,
    &responses::Responses,
    &anthropic::Anthropic,
    &gemini::Gemini,
    &ollama::Ollama,
    &bedrock::BedrockAnthropic,
    &bedrock::Converse,
];

/// Returns the dialect that serves a path.
pub(crate) fn by_path(path: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.serves(path))
}

/// Returns the dialect with this name.
pub(crate) fn by_name(name: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.name() == name)
}

/// Returns the names of all dialects.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    DIALECTS.iter().map(|dialect| dialect.name())
}

/// Returns the first dialect that recognizes the headers, or OpenAI's if none does.
pub(crate) fn by_headers(headers: &HeaderMap) -> &'static dyn Dialect {
    let recognized = DIALECTS.iter().copied().find(|dialect| dialect.recognizes(headers));
    recognized.unwrap_or(&openai::OpenAi)
}
