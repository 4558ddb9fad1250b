//! The Gemini dialect: `POST /v1beta/models/{model}:generateContent`, and
//! `:streamGenerateContent?alt=sse` for streams.
//! <https://ai.google.dev/api/generate-content>
//!
//! The path contains the model. A reply has one candidate. An error has Google's error body
//! `{"error": {"code", "message", "status", "details"?}}`.

mod calls;
mod config;
mod contents;
mod continuation;
mod error;
mod models;
mod reply;
mod schema;
mod signature;
mod stream;
mod thinking;
mod tools;
mod types;
mod validate;

use http::HeaderMap;
use serde_json::{Value, json};

use super::json::{array_field, str_field};
use crate::completion::{Completion, CompletionSpec, OutputKind};
use crate::dialects::dialect::{Dialect, ProviderRequest, Rejection};
use models::name_in_path;

/// The operation `generateContent` of the Gemini API.
pub(crate) struct Gemini;

impl Dialect for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn serves(&self, path: &str) -> bool {
        name_in_path(path).is_some()
    }

    fn recognizes(&self, headers: &HeaderMap) -> bool {
        headers.contains_key("x-goog-api-key")
    }

    fn body_limit(&self) -> usize {
        100 * 1024 * 1024
    }

    /// Gemini sends its response id only in the body, so this header is the simulator's own.
    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }

    fn model<'a>(&self, request: &ProviderRequest<'a>) -> Option<&'a str> {
        name_in_path(request.path)
    }

    fn prompt(&self, request: &ProviderRequest<'_>) -> String {
        let system = request.body.get("systemInstruction").map(content_text);
        let contents = array_field(request.body, "contents").iter().map(content_text);
        let texts = system.into_iter().chain(contents).filter(|text| !text.is_empty());
        texts.collect::<Vec<_>>().join("\n")
    }

    fn validate(&self, request: &ProviderRequest<'_>) -> Result<(), Rejection> {
        validate::validate(request)
    }

    fn error(&self, status: u16, message: &str) -> Value {
        error::error(status, message)
    }

    fn completion_spec(&self, request: &ProviderRequest<'_>) -> CompletionSpec {
        let config = request.body.get("generationConfig").unwrap_or(&Value::Null);
        let stop_sequences = array_field(config, "stopSequences").iter().filter_map(Value::as_str);
        CompletionSpec {
            model: name_in_path(request.path).unwrap_or_default().to_owned(),
            last_message: last_message(request.body),
            prompt: self.prompt(request),
            max_tokens: config.get("maxOutputTokens").and_then(Value::as_u64),
            stop_sequences: stop_sequences.map(str::to_owned).collect(),
            output: output_kind(request.body, config),
        }
    }

    fn reply(&self, request: &ProviderRequest<'_>, completion: &Completion, number: u64) -> Value {
        let model = name_in_path(request.path).unwrap_or_default();
        reply::build(model, request.body, completion, number)
    }

    fn is_streamed(&self, request: &ProviderRequest<'_>) -> bool {
        request.path.ends_with(models::STREAM)
    }

    fn stream(&self, _: &ProviderRequest<'_>, reply: &Value) -> Vec<Vec<u8>> {
        stream::events(reply)
    }
}

/// Returns the texts of a content's parts, joined with line breaks.
fn content_text(content: &Value) -> String {
    let texts = array_field(content, "parts").iter().filter_map(|part| str_field(part, "text"));
    texts.collect::<Vec<_>>().join("\n")
}

/// Returns the text of the last user content, or of the system instruction if no user content has
/// text.
fn last_message(body: &Value) -> String {
    let users = array_field(body, "contents").iter().rev();
    let mut texts =
        users.filter(|content| str_field(content, "role") != Some("model")).map(content_text);
    let system = || body.get("systemInstruction").map(content_text);
    texts.find(|text| !text.is_empty()).or_else(system).unwrap_or_default()
}

fn output_kind(body: &Value, config: &Value) -> OutputKind {
    if let Some(function) = forced_function(body) {
        let schema = ["parametersJsonSchema", "parameters"].iter().find_map(|it| function.get(*it));
        return OutputKind::Tool {
            name: str_field(function, "name").unwrap_or_default().to_owned(),
            schema: schema.cloned().unwrap_or_else(|| json!({})),
        };
    }
    match (config.get("responseJsonSchema"), str_field(config, "responseMimeType")) {
        (Some(schema), _) => OutputKind::Schema(schema.clone()),
        (None, Some("application/json")) => OutputKind::Json,
        _ => OutputKind::Text,
    }
}

/// Returns the function that the model must call, if the request forces a call.
fn forced_function(body: &Value) -> Option<&Value> {
    let calling = body.pointer("/toolConfig/functionCallingConfig")?;
    if str_field(calling, "mode") != Some("ANY") {
        return None;
    }
    let allowed = array_field(calling, "allowedFunctionNames");
    let mut functions = array_field(body, "tools")
        .iter()
        .flat_map(|tool| array_field(tool, "functionDeclarations"));
    functions.find(|function| {
        allowed.is_empty() || function.get("name").is_some_and(|name| allowed.contains(name))
    })
}
