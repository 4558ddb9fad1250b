//! OpenAI's Responses API: `POST /v1/responses`, also for models of xAI, at Azure
//! `POST /azure/v1/responses`, and at Amazon Bedrock `POST /openai/v1/responses`.
//! <https://platform.openai.com/docs/api-reference/responses>
//!
//! A reply is a response with output items. Errors have the same form as those of chat completions.

mod input;
mod reasoning;
mod reply;
mod stream;
mod validate;

use http::HeaderMap;
use serde_json::{Value, json};

use self::validate::{AZURE_PATH, BEDROCK_PATH};
use super::openai::OpenAi;
use crate::completion::{Completion, CompletionSpec, OutputKind};
use crate::dialects::dialect::{Dialect, ProviderRequest, Rejection};
use crate::dialects::json::{array_field, content_text, field, forced_tool, str_field};
use crate::dialects::stream::typed;

/// OpenAI's Responses API.
pub(crate) struct Responses;

impl Dialect for Responses {
    fn name(&self) -> &'static str {
        "openai-responses"
    }

    fn serves(&self, path: &str) -> bool {
        matches!(path, "/v1/responses" | AZURE_PATH | BEDROCK_PATH)
    }

    fn recognizes(&self, _headers: &HeaderMap) -> bool {
        false
    }

    fn body_limit(&self) -> usize {
        OpenAi.body_limit()
    }

    fn request_id_header(&self) -> &'static str {
        OpenAi.request_id_header()
    }

    fn model<'a>(&self, request: &ProviderRequest<'a>) -> Option<&'a str> {
        str_field(request.body, "model")
    }

    fn prompt(&self, request: &ProviderRequest<'_>) -> String {
        let text =
            |item: &Value| ["content", "output"].map(|name| item.get(name).map(content_text));
        let texts = array_field(request.body, "input").iter().flat_map(text).flatten();
        texts.collect::<Vec<_>>().join("\n")
    }

    fn validate(&self, request: &ProviderRequest<'_>) -> Result<(), Rejection> {
        validate::validate(request)
    }

    fn error(&self, status: u16, message: &str) -> Value {
        OpenAi.error(status, message)
    }

    fn completion_spec(&self, request: &ProviderRequest<'_>) -> CompletionSpec {
        let body = request.body;
        CompletionSpec {
            model: str_field(body, "model").unwrap_or_default().to_owned(),
            last_message: last_message(body),
            prompt: self.prompt(request),
            max_tokens: field(body, "max_output_tokens").and_then(Value::as_u64),
            stop_sequences: Vec::new(),
            output: output_kind(body),
        }
    }

    fn reply(&self, request: &ProviderRequest<'_>, completion: &Completion, number: u64) -> Value {
        reply::build(request, completion, number)
    }

    fn stream(&self, _: &ProviderRequest<'_>, reply: &Value) -> Vec<Vec<u8>> {
        stream::events(reply)
    }

    fn stream_error(&self, message: &str) -> Vec<u8> {
        typed(&json!({
            "type": "error", "sequence_number": 9, "code": "server_error", "message": message,
            "param": null,
        }))
    }
}

/// Returns the text of the last user message, or of the last system message if no user message has
/// text.
fn last_message(body: &Value) -> String {
    if let Some(Value::String(text)) = body.get("input") {
        return text.clone();
    }
    let last = |roles: &[&str]| {
        let items = array_field(body, "input").iter().rev();
        items
            .filter(|item| str_field(item, "role").is_some_and(|role| roles.contains(&role)))
            .map(|item| item.get("content").map(content_text).unwrap_or_default())
            .find(|text| !text.is_empty())
    };
    last(&["user"]).or_else(|| last(&["system", "developer"])).unwrap_or_default()
}

fn output_kind(body: &Value) -> OutputKind {
    if let Some(tool) = forced_tool(body, "/name") {
        return OutputKind::Tool {
            name: str_field(tool, "name").unwrap_or_default().to_owned(),
            schema: field(tool, "parameters").cloned().unwrap_or_else(|| json!({})),
        };
    }
    let format = body.pointer("/text/format").unwrap_or(&Value::Null);
    match str_field(format, "type") {
        Some("json_object") => OutputKind::Json,
        Some("json_schema") => {
            OutputKind::Schema(format.get("schema").cloned().unwrap_or(Value::Null))
        }
        _ => OutputKind::Text,
    }
}
