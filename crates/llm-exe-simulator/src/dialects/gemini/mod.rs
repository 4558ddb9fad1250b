//! The Gemini dialect: `POST /v1beta/models/{model}:generateContent`.
//! <https://ai.google.dev/api/generate-content>; types of npm `@google/genai` 2.32.
//!
//! In: a generateContent request, its model in the path. Out: a response with one candidate, or
//! Google's error body `{"error": {"code", "message", "status", "details"?}}`.

mod config;
mod contents;
mod models;
mod refuse;
mod reply;
mod schema;
mod thinking;

use super::check::{list, text};
use super::{Ask, Dialect, Refusal};
use crate::answer::{Answer, Wanted, Wish};
use http::HeaderMap;
use serde_json::{Value, json};

/// The dialect's row.
pub(crate) struct Gemini;

impl Dialect for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn serves(&self, path: &str) -> bool {
        name(path).is_some()
    }

    fn speaks(&self, headers: &HeaderMap) -> bool {
        headers.contains_key("x-goog-api-key")
    }

    fn body_limit(&self) -> usize {
        100 * 1024 * 1024
    }

    /// The service numbers its replies in their bodies only; this header is the simulator's own.
    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }

    fn model<'a>(&self, ask: &Ask<'a>) -> Option<&'a str> {
        name(ask.path)
    }

    fn prompt(&self, ask: &Ask<'_>) -> String {
        let system = ask.body.get("systemInstruction").map(content_text);
        let contents = list(ask.body, "contents").iter().map(content_text);
        let texts = system.into_iter().chain(contents).filter(|text| !text.is_empty());
        texts.collect::<Vec<_>>().join("\n")
    }

    fn refuse(&self, ask: &Ask<'_>) -> Result<(), Refusal> {
        refuse::refuse(ask)
    }

    fn error(&self, status: u16, message: &str) -> Value {
        refuse::error(status, message)
    }

    fn wish(&self, ask: &Ask<'_>) -> Wish {
        let config = ask.body.get("generationConfig").unwrap_or(&Value::Null);
        let stops = list(config, "stopSequences").iter().filter_map(Value::as_str);
        Wish {
            model: name(ask.path).unwrap_or_default().to_owned(),
            said: said(ask.body),
            prompt: self.prompt(ask),
            limit: config.get("maxOutputTokens").and_then(Value::as_u64),
            stops: stops.map(str::to_owned).collect(),
            wanted: wanted(ask.body, config),
        }
    }

    fn reply(&self, ask: &Ask<'_>, answer: &Answer, number: u64) -> Value {
        let model = name(ask.path).unwrap_or_default();
        reply::response(model, ask.body, answer, number)
    }
}

/// The model's name as it stands in a path that is served.
fn name(path: &str) -> Option<&str> {
    let resource = path.strip_prefix("/v1beta/")?.strip_suffix(":generateContent")?;
    let name = resource.strip_prefix("models/").or(resource.strip_prefix("tunedModels/"))?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

/// The text of a content's parts, one a line.
fn content_text(content: &Value) -> String {
    let texts = list(content, "parts").iter().filter_map(|part| text(part, "text"));
    texts.collect::<Vec<_>>().join("\n")
}

fn said(body: &Value) -> String {
    let users = list(body, "contents").iter().rev();
    let mut texts =
        users.filter(|content| text(content, "role") != Some("model")).map(content_text);
    let system = || body.get("systemInstruction").map(content_text);
    texts.find(|text| !text.is_empty()).or_else(system).unwrap_or_default()
}

fn wanted(body: &Value, config: &Value) -> Wanted {
    if let Some(function) = forced(body) {
        let schema = ["parametersJsonSchema", "parameters"].iter().find_map(|it| function.get(*it));
        return Wanted::Tool {
            name: text(function, "name").unwrap_or_default().to_owned(),
            schema: schema.cloned().unwrap_or_else(|| json!({})),
        };
    }
    match (config.get("responseJsonSchema"), text(config, "responseMimeType")) {
        (Some(schema), _) => Wanted::Schema(schema.clone()),
        (None, Some("application/json")) => Wanted::Json,
        _ => Wanted::Text,
    }
}

/// The function that must be called.
fn forced(body: &Value) -> Option<&Value> {
    let calling = body.pointer("/toolConfig/functionCallingConfig")?;
    if text(calling, "mode") != Some("ANY") {
        return None;
    }
    let allowed = list(calling, "allowedFunctionNames");
    let mut functions =
        list(body, "tools").iter().flat_map(|tool| list(tool, "functionDeclarations"));
    functions.find(|function| {
        allowed.is_empty() || function.get("name").is_some_and(|name| allowed.contains(name))
    })
}
