//! The Anthropic dialect: `POST /v1/messages`.
//! <https://platform.claude.com/docs/en/api/messages>
//!
//! A reply is a message object. An error has Anthropic's error body
//! `{"type": "error", "error": {"type", "message"}, "request_id"}`.

pub(super) mod error;
mod messages;
pub(super) mod models;
mod output;
pub(super) mod reply;
pub(super) mod schema;
pub(super) mod signature;
pub(super) mod stream;
mod thinking;
mod tool_schema;
mod tool_turns;
mod tools;
pub(super) mod types;
pub(super) mod validate;

use http::HeaderMap;
use serde_json::{Value, json};

use crate::completion::{Completion, CompletionSpec, OutputKind};
use crate::dialects::dialect::{Dialect, ProviderRequest, Rejection};
use crate::dialects::json::{array_field, content_text, field, str_field};
use crate::dialects::stream::typed;

/// Anthropic's Messages API.
pub(crate) struct Anthropic;

impl Dialect for Anthropic {
    fn name(&self) -> &'static str {
        "anthropic"
    }

    fn serves(&self, path: &str) -> bool {
        path == "/v1/messages"
    }

    fn recognizes(&self, headers: &HeaderMap) -> bool {
        headers.contains_key("x-api-key") || headers.contains_key("anthropic-version")
    }

    fn body_limit(&self) -> usize {
        32 * 1024 * 1024
    }

    fn request_id_header(&self) -> &'static str {
        "request-id"
    }

    fn model<'a>(&self, request: &ProviderRequest<'a>) -> Option<&'a str> {
        str_field(request.body, "model")
    }

    fn prompt(&self, request: &ProviderRequest<'_>) -> String {
        let content = |message: &Value| message.get("content").map(content_text);
        let system = request.body.get("system").map(content_text);
        let messages = array_field(request.body, "messages").iter().filter_map(content);
        system.into_iter().chain(messages).collect::<Vec<_>>().join("\n")
    }

    fn validate(&self, request: &ProviderRequest<'_>) -> Result<(), Rejection> {
        validate::validate(request)
    }

    fn error(&self, status: u16, message: &str) -> Value {
        error::error(status, message)
    }

    fn completion_spec(&self, request: &ProviderRequest<'_>) -> CompletionSpec {
        let body = request.body;
        let stop_sequences = array_field(body, "stop_sequences").iter().filter_map(Value::as_str);
        CompletionSpec {
            model: str_field(body, "model").unwrap_or_default().to_owned(),
            last_message: last_message(body),
            prompt: self.prompt(request),
            max_tokens: body.get("max_tokens").and_then(Value::as_u64),
            stop_sequences: stop_sequences.map(str::to_owned).collect(),
            output: output_kind(body),
        }
    }

    fn reply(&self, request: &ProviderRequest<'_>, completion: &Completion, number: u64) -> Value {
        let model = models::model(str_field(request.body, "model").unwrap_or_default());
        reply::build(request.body, model, completion, number)
    }

    fn stream(&self, _: &ProviderRequest<'_>, reply: &Value) -> Vec<Vec<u8>> {
        stream::events(reply).iter().map(typed).collect()
    }

    fn stream_error(&self, message: &str) -> Vec<u8> {
        typed(&self.error(529, message))
    }
}

/// Returns the text of the last user message, or of the system prompt if no user message has text.
fn last_message(body: &Value) -> String {
    let message_text = |message: &Value| match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        content => {
            let blocks = content.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let texts = blocks.iter().filter_map(|block| str_field(block, "text"));
            texts.collect::<Vec<_>>().join("\n")
        }
    };
    let users = array_field(body, "messages").iter().rev();
    let mut texts =
        users.filter(|message| str_field(message, "role") == Some("user")).map(message_text);
    texts
        .find(|text| !text.is_empty())
        .or_else(|| body.get("system").map(content_text))
        .unwrap_or_default()
}

fn output_kind(body: &Value) -> OutputKind {
    if let Some(tool) = forced_tool(body) {
        return OutputKind::Tool {
            name: str_field(tool, "name").unwrap_or_default().to_owned(),
            schema: field(tool, "input_schema").cloned().unwrap_or_else(|| json!({})),
        };
    }
    match body.pointer("/output_config/format/schema") {
        Some(schema) => OutputKind::Schema(schema.clone()),
        None => OutputKind::Text,
    }
}

fn forced_tool(body: &Value) -> Option<&Value> {
    let tools = array_field(body, "tools");
    let choice = body.get("tool_choice")?;
    match str_field(choice, "type")? {
        "any" => tools.first(),
        "tool" => {
            let name = choice.get("name")?;
            tools.iter().find(|tool| tool.get("name") == Some(name))
        }
        _ => None,
    }
}
