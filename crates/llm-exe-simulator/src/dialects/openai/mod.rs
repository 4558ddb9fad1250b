//! The OpenAI dialect: `POST /v1/chat/completions`.
//! <https://platform.openai.com/docs/api-reference/chat>
//!
//! In: a chat completion request. Out: a chat completion, or OpenAI's error body
//! `{"error": {"message", "type", "param", "code"}}`.

mod messages;
mod models;
mod parameters;
mod pattern;
mod refuse;
mod reply;
mod response_format;
mod strict;
mod tools;

use super::check::{content_text, field, list, text};
use super::{Ask, Dialect, Refusal};
use crate::answer::{Answer, Wanted, Wish};
use http::HeaderMap;
use serde_json::{Value, json};

/// The dialect's row.
pub(crate) struct OpenAi;

impl Dialect for OpenAi {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn serves(&self, path: &str) -> bool {
        path == "/v1/chat/completions"
    }

    fn speaks(&self, headers: &HeaderMap) -> bool {
        headers.contains_key(http::header::AUTHORIZATION)
    }

    fn body_limit(&self) -> usize {
        50 * 1024 * 1024
    }

    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }

    fn model<'a>(&self, ask: &Ask<'a>) -> Option<&'a str> {
        text(ask.body, "model")
    }

    fn prompt(&self, ask: &Ask<'_>) -> String {
        let content = |message: &Value| message.get("content").map(content_text);
        let texts = list(ask.body, "messages").iter().filter_map(content);
        texts.collect::<Vec<_>>().join("\n")
    }

    fn refuse(&self, ask: &Ask<'_>) -> Result<(), Refusal> {
        refuse::refuse(ask)
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

    fn wish(&self, ask: &Ask<'_>) -> Wish {
        let body = ask.body;
        let limit = field(body, "max_completion_tokens").or_else(|| field(body, "max_tokens"));
        let stops = match body.get("stop") {
            Some(Value::String(stop)) => vec![stop.clone()],
            _ => list(body, "stop").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        };
        Wish {
            model: text(body, "model").unwrap_or_default().to_owned(),
            said: said(body),
            prompt: self.prompt(ask),
            limit: limit.and_then(Value::as_u64),
            stops,
            wanted: wanted(body),
        }
    }

    fn reply(&self, ask: &Ask<'_>, answer: &Answer, number: u64) -> Value {
        reply::completion(ask.body, answer, number)
    }
}

fn said(body: &Value) -> String {
    let last = |roles: &[&str]| {
        list(body, "messages")
            .iter()
            .rev()
            .filter(|message| text(message, "role").is_some_and(|role| roles.contains(&role)))
            .map(|message| message.get("content").map(content_text).unwrap_or_default())
            .find(|text| !text.is_empty())
    };
    last(&["user"]).or_else(|| last(&["system", "developer"])).unwrap_or_default()
}

fn wanted(body: &Value) -> Wanted {
    if let Some(tool) = forced_tool(body) {
        let function = tool.get("function").unwrap_or(&Value::Null);
        return Wanted::Tool {
            name: text(function, "name").unwrap_or_default().to_owned(),
            schema: field(function, "parameters").cloned().unwrap_or_else(|| json!({})),
        };
    }
    let format = body.get("response_format").unwrap_or(&Value::Null);
    match text(format, "type") {
        Some("json_object") => Wanted::Json,
        Some("json_schema") => {
            Wanted::Schema(format.pointer("/json_schema/schema").cloned().unwrap_or(Value::Null))
        }
        _ => Wanted::Text,
    }
}

fn forced_tool(body: &Value) -> Option<&Value> {
    let tools = list(body, "tools");
    let choice = body.get("tool_choice")?;
    if choice == "required" {
        return tools.first();
    }
    let name = choice.pointer("/function/name")?;
    tools.iter().find(|tool| tool.pointer("/function/name") == Some(name))
}
