//! The Ollama dialect: `POST /api/chat`.
//! <https://docs.ollama.com/api/chat>; types of npm `ollama` 0.6.
//!
//! In: a chat request that asks for no stream. Out: a chat response, or Ollama's error body
//! `{"error": "text"}`. No key is asked for.

mod options;
mod refuse;
mod reply;

use super::check::{list, text};
use super::{Ask, Dialect, Refusal};
use crate::answer::{Answer, Wanted, Wish};
use http::HeaderMap;
use serde_json::{Value, json};

/// The dialect's row.
pub(crate) struct Ollama;

impl Dialect for Ollama {
    fn name(&self) -> &'static str {
        "ollama"
    }

    fn serves(&self, path: &str) -> bool {
        path == "/api/chat"
    }

    /// No header tells Ollama's clients from others.
    fn speaks(&self, _: &HeaderMap) -> bool {
        false
    }

    /// Ollama has no limit of its own.
    fn body_limit(&self) -> usize {
        100 * 1024 * 1024
    }

    /// Ollama does not number its replies; this header is the simulator's own.
    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }

    fn model<'a>(&self, ask: &Ask<'a>) -> Option<&'a str> {
        text(ask.body, "model")
    }

    fn prompt(&self, ask: &Ask<'_>) -> String {
        let texts = list(ask.body, "messages").iter().filter_map(|one| text(one, "content"));
        texts.collect::<Vec<_>>().join("\n")
    }

    fn refuse(&self, ask: &Ask<'_>) -> Result<(), Refusal> {
        refuse::refuse(ask)
    }

    fn error(&self, _: u16, message: &str) -> Value {
        json!({"error": message})
    }

    fn wish(&self, ask: &Ask<'_>) -> Wish {
        let options = ask.body.get("options").unwrap_or(&Value::Null);
        let stops = list(options, "stop").iter().filter_map(Value::as_str);
        Wish {
            model: text(ask.body, "model").unwrap_or_default().to_owned(),
            said: said(ask.body),
            prompt: self.prompt(ask),
            // -1 and -2 are as much as the context holds.
            limit: options.get("num_predict").and_then(Value::as_u64),
            stops: stops.map(str::to_owned).collect(),
            wanted: match ask.body.get("format") {
                Some(schema @ Value::Object(_)) => Wanted::Schema(schema.clone()),
                Some(Value::String(format)) if format == "json" => Wanted::Json,
                _ => Wanted::Text,
            },
        }
    }

    fn reply(&self, ask: &Ask<'_>, answer: &Answer, _: u64) -> Value {
        reply::response(ask.body, answer)
    }
}

fn said(body: &Value) -> String {
    let last = |role: &str| {
        let messages = list(body, "messages").iter().rev();
        let mut texts = messages
            .filter(|message| text(message, "role") == Some(role))
            .filter_map(|message| text(message, "content"));
        texts.find(|text| !text.is_empty()).map(str::to_owned)
    };
    last("user").or_else(|| last("system")).unwrap_or_default()
}
