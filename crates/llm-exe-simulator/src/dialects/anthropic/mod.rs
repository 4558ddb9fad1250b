//! The Anthropic dialect: `POST /v1/messages`.
//! <https://platform.claude.com/docs/en/api/messages>
//!
//! In: a messages request. Out: a message, or Anthropic's error body
//! `{"type": "error", "error": {"type", "message"}, "request_id"}`.

mod messages;
pub(super) mod models;
mod output;
pub(super) mod refuse;
pub(super) mod reply;
pub(super) mod schema;
mod thinking;
mod tools;

use super::check::{content_text, field, list, text};
use super::{Ask, Dialect, Refusal};
use crate::answer::{Answer, Wanted, Wish};
use http::HeaderMap;
use serde_json::{Value, json};

/// The dialect's row.
pub(crate) struct Anthropic;

impl Dialect for Anthropic {
    fn name(&self) -> &'static str {
        "anthropic"
    }

    fn serves(&self, path: &str) -> bool {
        path == "/v1/messages"
    }

    fn speaks(&self, headers: &HeaderMap) -> bool {
        headers.contains_key("x-api-key") || headers.contains_key("anthropic-version")
    }

    fn body_limit(&self) -> usize {
        32 * 1024 * 1024
    }

    fn request_id_header(&self) -> &'static str {
        "request-id"
    }

    fn model<'a>(&self, ask: &Ask<'a>) -> Option<&'a str> {
        text(ask.body, "model")
    }

    fn prompt(&self, ask: &Ask<'_>) -> String {
        let content = |message: &Value| message.get("content").map(content_text);
        let system = ask.body.get("system").map(content_text);
        let messages = list(ask.body, "messages").iter().filter_map(content);
        system.into_iter().chain(messages).collect::<Vec<_>>().join("\n")
    }

    fn refuse(&self, ask: &Ask<'_>) -> Result<(), Refusal> {
        refuse::refuse(ask)
    }

    fn error(&self, status: u16, message: &str) -> Value {
        refuse::error(status, message)
    }

    fn wish(&self, ask: &Ask<'_>) -> Wish {
        let body = ask.body;
        let stops = list(body, "stop_sequences").iter().filter_map(Value::as_str);
        Wish {
            model: text(body, "model").unwrap_or_default().to_owned(),
            said: said(body),
            prompt: self.prompt(ask),
            limit: body.get("max_tokens").and_then(Value::as_u64),
            stops: stops.map(str::to_owned).collect(),
            wanted: wanted(body),
        }
    }

    fn reply(&self, ask: &Ask<'_>, answer: &Answer, number: u64) -> Value {
        reply::message(ask.body, answer, number)
    }
}

fn said(body: &Value) -> String {
    let own_text = |message: &Value| match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        content => {
            let blocks = content.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let texts = blocks.iter().filter_map(|block| text(block, "text"));
            texts.collect::<Vec<_>>().join("\n")
        }
    };
    let users = list(body, "messages").iter().rev();
    let mut texts = users.filter(|message| text(message, "role") == Some("user")).map(own_text);
    texts
        .find(|text| !text.is_empty())
        .or_else(|| body.get("system").map(content_text))
        .unwrap_or_default()
}

fn wanted(body: &Value) -> Wanted {
    if let Some(tool) = forced_tool(body) {
        return Wanted::Tool {
            name: text(tool, "name").unwrap_or_default().to_owned(),
            schema: field(tool, "input_schema").cloned().unwrap_or_else(|| json!({})),
        };
    }
    match body.pointer("/output_config/format/schema") {
        Some(schema) => Wanted::Schema(schema.clone()),
        None => Wanted::Text,
    }
}

fn forced_tool(body: &Value) -> Option<&Value> {
    let tools = list(body, "tools");
    let choice = body.get("tool_choice")?;
    match text(choice, "type")? {
        "any" => tools.first(),
        "tool" => {
            let name = choice.get("name")?;
            tools.iter().find(|tool| tool.get("name") == Some(name))
        }
        _ => None,
    }
}
