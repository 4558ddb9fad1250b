//! The Ollama dialect: `POST /api/chat`.
//! <https://docs.ollama.com/api/chat>
//!
//! The types are those of the npm package `ollama` 0.6.
//!
//! No API key is required. A reply is a chat response. An
//! error has Ollama's error body `{"error": "text"}`.

mod error;
mod options;
mod reply;
mod stream;
mod tools;
mod types;
mod validate;

use http::HeaderMap;
use serde_json::{Value, json};

use crate::completion::{Completion, CompletionSpec, OutputKind};
use crate::dialects::dialect::{Dialect, ProviderRequest, Rejection};
use crate::dialects::json::{array_field, str_field};

/// Ollama's chat API.
pub(crate) struct Ollama;

impl Dialect for Ollama {
    fn name(&self) -> &'static str {
        "ollama"
    }

    fn serves(&self, path: &str) -> bool {
        path == "/api/chat"
    }

    /// Requests from Ollama's clients do not have a distinctive header.
    fn recognizes(&self, _: &HeaderMap) -> bool {
        false
    }

    /// Ollama itself does not limit the body size.
    fn body_limit(&self) -> usize {
        100 * 1024 * 1024
    }

    /// Ollama has no request ids, so this header is the simulator's own.
    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }

    fn model<'a>(&self, request: &ProviderRequest<'a>) -> Option<&'a str> {
        str_field(request.body, "model")
    }

    fn prompt(&self, request: &ProviderRequest<'_>) -> String {
        let messages = array_field(request.body, "messages").iter();
        let texts = messages.filter_map(|message| str_field(message, "content"));
        texts.collect::<Vec<_>>().join("\n")
    }

    fn validate(&self, request: &ProviderRequest<'_>) -> Result<(), Rejection> {
        validate::validate(request)
    }

    fn error(&self, _: u16, message: &str) -> Value {
        json!({"error": message})
    }

    fn completion_spec(&self, request: &ProviderRequest<'_>) -> CompletionSpec {
        let options = request.body.get("options").unwrap_or(&Value::Null);
        let stop_sequences = array_field(options, "stop").iter().filter_map(Value::as_str);
        CompletionSpec {
            model: str_field(request.body, "model").unwrap_or_default().to_owned(),
            last_message: last_message(request.body),
            prompt: self.prompt(request),
            // The values -1 and -2 mean that only the context window limits the reply.
            max_tokens: options.get("num_predict").and_then(Value::as_u64),
            stop_sequences: stop_sequences.map(str::to_owned).collect(),
            output: match request.body.get("format") {
                Some(schema @ Value::Object(_)) => OutputKind::Schema(schema.clone()),
                Some(Value::String(format)) if format == "json" => OutputKind::Json,
                _ => OutputKind::Text,
            },
        }
    }

    fn reply(&self, request: &ProviderRequest<'_>, completion: &Completion, _: u64) -> Value {
        reply::build(request.body, completion)
    }

    /// Ollama streams by default.
    fn is_streamed(&self, request: &ProviderRequest<'_>) -> bool {
        request.body.get("stream").is_none_or(|stream| *stream != false)
    }

    fn stream(&self, _: &ProviderRequest<'_>, reply: &Value) -> Vec<Vec<u8>> {
        stream::events(reply)
    }

    fn stream_type(&self) -> &'static str {
        "application/x-ndjson"
    }

    fn stream_error(&self, message: &str) -> Vec<u8> {
        format!("{}\n", self.error(500, message)).into_bytes()
    }
}

/// Returns the text of the last user message, or of the last system message if no user message has
/// text.
fn last_message(body: &Value) -> String {
    let last = |role: &str| {
        let messages = array_field(body, "messages").iter().rev();
        let mut texts = messages
            .filter(|message| str_field(message, "role") == Some(role))
            .filter_map(|message| str_field(message, "content"));
        texts.find(|text| !text.is_empty()).map(str::to_owned)
    };
    last("user").or_else(|| last("system")).unwrap_or_default()
}
