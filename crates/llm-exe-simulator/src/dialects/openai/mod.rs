//! The OpenAI dialect: `POST /v1/chat/completions`. With the rules of another provider:
//! `POST /PROVIDER/v1/chat/completions`.
//! <https://platform.openai.com/docs/api-reference/chat>
//!
//! A reply is a chat completion. An error has OpenAI's error body
//! `{"error": {"message", "type", "param", "code"}}`.

pub(super) mod error;
mod messages;
pub(super) mod models;
mod parameters;
pub(super) mod pattern;
mod reply;
mod response_format;
mod stream;
pub(super) mod strict;
mod tools;
pub(super) mod types;
mod validate;
mod vendor;

use http::HeaderMap;
use serde_json::{Value, json};

use crate::completion::{Completion, CompletionSpec, OutputKind};
use crate::dialects::dialect::{Dialect, ProviderRequest, Rejection};
use crate::dialects::json::{array_field, content_text, field, forced_tool, str_field};

pub(crate) use vendor::path_segment as vendor_path_segment;

/// The path of a tool's name, in a tool and in a choice.
const FUNCTION_NAME: &str = "/function/name";

/// OpenAI's Chat Completions API.
pub(crate) struct OpenAi;

impl Dialect for OpenAi {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn serves(&self, path: &str) -> bool {
        vendor::serves(path)
    }

    fn recognizes(&self, headers: &HeaderMap) -> bool {
        headers.contains_key(http::header::AUTHORIZATION) || headers.contains_key("api-key")
    }

    fn body_limit(&self) -> usize {
        50 * 1024 * 1024
    }

    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }

    fn model<'a>(&self, request: &ProviderRequest<'a>) -> Option<&'a str> {
        str_field(request.body, "model")
    }

    fn prompt(&self, request: &ProviderRequest<'_>) -> String {
        let content = |message: &Value| message.get("content").map(content_text);
        let texts = array_field(request.body, "messages").iter().filter_map(content);
        texts.collect::<Vec<_>>().join("\n")
    }

    fn validate(&self, request: &ProviderRequest<'_>) -> Result<(), Rejection> {
        validate::validate(request)
    }

    fn error(&self, status: u16, message: &str) -> Value {
        let (kind, code) = match status {
            401 => ("invalid_request_error", Some("invalid_api_key")),
            403 => ("invalid_request_error", Some("unsupported_country_region_territory")),
            404 => ("invalid_request_error", Some("unknown_url")),
            405 => ("invalid_request_error", Some("method_not_supported")),
            429 => ("requests", Some("rate_limit_exceeded")),
            500.. => ("server_error", None),
            _ => ("invalid_request_error", None),
        };
        json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
    }

    fn completion_spec(&self, request: &ProviderRequest<'_>) -> CompletionSpec {
        let body = request.body;
        let max_tokens = field(body, "max_completion_tokens").or_else(|| field(body, "max_tokens"));
        let stop_sequences = match body.get("stop") {
            Some(Value::String(stop)) => vec![stop.clone()],
            _ => array_field(body, "stop")
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        };
        CompletionSpec {
            model: str_field(body, "model").unwrap_or_default().to_owned(),
            last_message: last_message(body),
            prompt: self.prompt(request),
            max_tokens: max_tokens.and_then(Value::as_u64),
            stop_sequences,
            output: match vendor::find(request.decoded) {
                Some(vendor)
                    if vendor.is_open_weight(body)
                        && forced_tool(body, FUNCTION_NAME).is_none() =>
                {
                    OutputKind::Text
                }
                _ => output_kind(body),
            },
        }
    }

    fn reject_completion(
        &self,
        request: &ProviderRequest<'_>,
        completion: &Completion,
    ) -> Option<Rejection> {
        vendor::find(request.decoded)?.reject_completion(&output_kind(request.body), completion)
    }

    fn reply(&self, request: &ProviderRequest<'_>, completion: &Completion, number: u64) -> Value {
        reply::build(request, completion, number)
    }

    fn stream(&self, request: &ProviderRequest<'_>, reply: &Value) -> Vec<Vec<u8>> {
        let vendor = vendor::find(request.decoded);
        let always_has_usage = vendor.is_some_and(|vendor| vendor.always_streams_usage());
        stream::events(request.body, reply, always_has_usage)
    }
}

/// Returns the text of the last user message, or of the last system message if no user message has
/// text.
fn last_message(body: &Value) -> String {
    let last = |roles: &[&str]| {
        array_field(body, "messages")
            .iter()
            .rev()
            .filter(|message| str_field(message, "role").is_some_and(|role| roles.contains(&role)))
            .map(|message| message.get("content").map(content_text).unwrap_or_default())
            .find(|text| !text.is_empty())
    };
    last(&["user"]).or_else(|| last(&["system", "developer"])).unwrap_or_default()
}

fn output_kind(body: &Value) -> OutputKind {
    if let Some(tool) = forced_tool(body, FUNCTION_NAME) {
        let function = tool.get("function").unwrap_or(&Value::Null);
        return OutputKind::Tool {
            name: str_field(function, "name").unwrap_or_default().to_owned(),
            schema: field(function, "parameters").cloned().unwrap_or_else(|| json!({})),
        };
    }
    let format = body.get("response_format").unwrap_or(&Value::Null);
    match str_field(format, "type") {
        Some("json_object") => OutputKind::Json,
        Some("json_schema") => OutputKind::Schema(
            format.pointer("/json_schema/schema").cloned().unwrap_or(Value::Null),
        ),
        _ => OutputKind::Text,
    }
}
