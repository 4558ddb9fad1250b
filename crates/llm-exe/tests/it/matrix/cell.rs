//! Computes what is sent for a feature: builds the request as a run does, without sending it.

use std::sync::Arc;
use std::time::Duration;

use llm_exe::{Deadline, Endpoints, Error, Rules, Runner};
use serde_json::{Value, json};

use super::rows::Row;
use crate::common::NoKeys;

/// A feature of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Feature {
    Text,
    Schema,
    Tools,
    ToolsAndSchema,
    Effort,
    Image,
}

/// The features in the order of the columns, with their names.
pub(super) const FEATURES: &[(Feature, &str)] = &[
    (Feature::Text, "text"),
    (Feature::Schema, "schema"),
    (Feature::Tools, "tools"),
    (Feature::ToolsAndSchema, "tools and schema"),
    (Feature::Effort, "effort"),
    (Feature::Image, "image"),
];

/// A red square.
const IMAGE: &str = concat!(
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAT0lEQVR42u3PQQkAAA",
    "gEsEty/aMYywi+hcEKLNO+FgEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQGByw",
    "LKp0DxvxLbjwAAAABJRU5ErkJggg==",
);

/// The name of the tool in the requests.
pub(super) const TOOL: &str = "get_rate";

/// What happens to a request with a feature.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cell {
    /// The request is sent.
    Sent {
        /// The name of the API.
        api: &'static str,
        /// How the schema is sent, if the request has one.
        method: Option<&'static str>,
        /// The warnings about what is dropped or changed.
        warnings: Vec<String>,
    },
    /// The request is rejected before a call, for this reason.
    Rejected(String),
}

impl Feature {
    pub(super) fn has_schema(self) -> bool {
        matches!(self, Feature::Schema | Feature::ToolsAndSchema)
    }

    pub(super) fn has_tools(self) -> bool {
        matches!(self, Feature::Tools | Feature::ToolsAndSchema)
    }

    /// Maximum number of output tokens. The reply to a schema or a call of a tool must not be cut
    /// off, also if the model reasons first.
    pub(super) fn max_tokens(self) -> u64 {
        if matches!(self, Feature::Text | Feature::Image) { 64 } else { 2048 }
    }

    fn prompt(self) -> &'static str {
        match self {
            Feature::Text | Feature::Effort => "Reply with the word ok.",
            Feature::Schema => {
                "Which currency does Japan use? Reply with its code of three letters."
            }
            Feature::Tools | Feature::ToolsAndSchema => {
                "What is the rate of JPY today? Call the tool get_rate to find it."
            }
            Feature::Image => "Which color does the image have? Reply with one word.",
        }
    }

    /// Returns the schema of the result, or of the arguments of the tool.
    pub(super) fn schema() -> Value {
        json!({
            "type": "object",
            "properties": { "currency": { "type": "string" } },
            "required": ["currency"],
            "additionalProperties": false,
        })
    }

    /// Returns the request for a model in the JSON format that callers send.
    pub(super) fn request(self, row: &Row) -> Value {
        let mut options = json!({ "maxTokens": self.max_tokens() });
        if self == Feature::Effort {
            options["effort"] = json!("low");
        }
        let mut message = json!(self.prompt());
        if self == Feature::Image {
            let image = json!({ "type": "image_url", "image_url": { "url": IMAGE } });
            let text = json!({ "type": "text", "text": self.prompt() });
            message = json!([{ "role": "user", "content": [text, image] }]);
        }
        let mut request = json!({
            "provider": row.provider.name, "model": row.model, "message": message,
            "options": options,
        });
        if self.has_schema() {
            request["output"] = json!("json");
            request["outputOptions"] = json!({ "repairs": 0 });
            request["schema"] = Feature::schema();
        }
        if self.has_tools() {
            request["tools"] = json!([{
                "name": TOOL, "description": "Returns the rate of a currency to the euro.",
                "parameters": Feature::schema(),
            }]);
        }
        request
    }
}

/// Returns what happens to the request for a feature.
pub(super) async fn compute(endpoints: &Endpoints, row: &Row, feature: Feature) -> Cell {
    match build(endpoints, row, feature).await {
        Ok((wire, warnings)) => {
            let api = api(wire["url"].as_str().unwrap());
            let method = feature.has_schema().then(|| schema_method(&wire["body"]));
            let warnings = warnings.iter().map(|text| generic(text, row)).collect();
            Cell::Sent { api, method, warnings }
        }
        Err(error) => Cell::Rejected(generic(error.message(), row)),
    }
}

/// Builds the request to the provider. Returns it as JSON with the warnings.
async fn build(
    endpoints: &Endpoints,
    row: &Row,
    feature: Feature,
) -> Result<(Value, Vec<String>), Error> {
    let runner = Runner::new(endpoints.clone(), Arc::new(NoKeys), Rules::default());
    let deadline = Deadline::after(Duration::from_secs(5));
    let run = runner.dry_run(deadline, feature.request(row)).await;
    Ok((run.outcome?, run.report.warnings))
}

/// Replaces the name of the model in a message.
fn generic(text: &str, row: &Row) -> String {
    let text = text.replace(&format!("the model {}", row.model), "the model");
    let text = text.replace(&format!(", got \"{}\"", row.model), "");
    text.replace(&format!(" for {}", row.model), "").replace(&row.model, "the model")
}

/// Returns the name of the API that serves a URL.
fn api(url: &str) -> &'static str {
    const APIS: &[(&str, &str)] = &[
        ("/chat/completions", "Chat Completions"),
        ("/responses", "Responses"),
        ("/v1/messages", "Messages"),
        ("/converse", "Converse"),
        ("/invoke", "InvokeModel"),
        (":generateContent", "generateContent"),
        ("/api/chat", "Ollama chat"),
    ];
    let known = APIS.iter().find(|(end, _)| url.ends_with(end));
    known.unwrap_or_else(|| panic!("{url}: add the API to APIS")).1
}

/// Returns how a request body asks for a reply that matches the schema.
fn schema_method(body: &Value) -> &'static str {
    let at = |pointer: &str| body.pointer(pointer).filter(|value| !value.is_null());
    let format = at("/response_format").or_else(|| at("/text/format"));
    let format_type = format.and_then(|format| format["type"].as_str());
    let strict =
        format.map(|format| format.pointer("/json_schema/strict").or(format.get("strict")));
    let schemas = [
        "/output_config/format/schema",
        "/outputConfig/textFormat",
        "/generationConfig/responseJsonSchema",
        "/format/properties",
    ];
    let forced = ["/tool_choice/name", "/toolConfig/toolChoice/tool"];
    match format_type {
        Some("json_schema") if strict == Some(Some(&json!(true))) => "strict",
        Some("json_schema") => "schema",
        Some("json_object") => "JSON mode",
        _ if schemas.iter().any(|pointer| at(pointer).is_some()) => "schema",
        _ if forced.iter().any(|pointer| at(pointer).is_some()) => "forced tool",
        _ if at("/format") == Some(&json!("json")) => "JSON mode",
        _ if at("/generationConfig/responseMimeType").is_some() => "JSON mode",
        _ => "prompt",
    }
}
