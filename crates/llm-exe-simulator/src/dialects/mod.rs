//! The providers' wire formats: one folder per dialect and one row each in `DIALECTS`.

mod anthropic;
mod bedrock;
mod dialect;
mod gemini;
mod json;
mod ollama;
mod openai;

use http::HeaderMap;

pub(crate) use dialect::{Dialect, ProviderRequest, Rejection};

static DIALECTS: &[&dyn Dialect] = &[
    &openai::OpenAi,
    &anthropic::Anthropic,
    &gemini::Gemini,
    &ollama::Ollama,
    &bedrock::BedrockAnthropic,
    &bedrock::Converse,
];

/// The dialect that serves a path.
pub(crate) fn by_path(path: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.serves(path))
}

/// The dialect with this name.
pub(crate) fn by_name(name: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.name() == name)
}

/// The names of all dialects.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    DIALECTS.iter().map(|dialect| dialect.name())
}

/// The dialect that the headers point to, or OpenAI's if they point to none.
pub(crate) fn by_headers(headers: &HeaderMap) -> &'static dyn Dialect {
    let recognized = DIALECTS.iter().copied().find(|dialect| dialect.recognizes(headers));
    recognized.unwrap_or(&openai::OpenAi)
}
