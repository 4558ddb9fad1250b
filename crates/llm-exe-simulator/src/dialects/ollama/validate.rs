//! Validates an Ollama request: whether the model exists, whether it supports thinking, and the
//! types of the fields. Ollama ignores unknown fields.

use serde_json::{Value, json};

use super::error::{bad_request, wrong_type};
use super::{options, tools};
use crate::dialects::dialect::{ProviderRequest, Rejection};
use crate::dialects::json::{array_field, field, str_field};

const ROLES: &[&str] = &["system", "user", "assistant", "tool"];
/// Name prefixes of model families that do not support thinking.
const WITHOUT_THINKING: &[&str] = &[
    "codellama",
    "gemma2",
    "gemma3",
    "llama2",
    "llama3",
    "llava",
    "mistral",
    "mixtral",
    "phi3",
    "qwen2",
    "qwen3-coder",
];

/// Rejects a request that the real service would reject.
pub(crate) fn validate(request: &ProviderRequest<'_>) -> Result<(), Rejection> {
    let body = request.body;
    if !request.is_json {
        return Err(bad_request("invalid character in request body"));
    }
    if !body.is_object() {
        return Err(wrong_type("ChatRequest", "api.ChatRequest", body));
    }
    let name = match field(body, "model") {
        Some(Value::String(name)) if !name.is_empty() => name,
        None | Some(Value::String(_)) => return Err(bad_request("model is required")),
        Some(other) => return Err(wrong_type("ChatRequest.model", "string", other)),
    };
    validate_messages(body)?;
    validate_format(body)?;
    let think = parse_think(body)?;
    options::validate(body)?;
    match field(body, "stream") {
        Some(Value::Bool(false)) => {}
        None | Some(Value::Bool(true)) => {
            return Err(bad_request(
                "llm-exe-simulator does not support streaming: send \"stream\": false",
            ));
        }
        Some(other) => return Err(wrong_type("ChatRequest.stream", "bool", other)),
    }
    if name.starts_with("missing-") {
        let body = json!({"error": format!("model '{name}' not found")});
        return Err(Rejection::new(404, body));
    }
    tools::validate(body, name)?;
    let family = name.rsplit('/').next().unwrap_or(name);
    match think {
        Think::Level(level) if !family.starts_with("gpt-oss") => {
            Err(bad_request(&format!("think value \"{level}\" is not supported for this model")))
        }
        Think::On if WITHOUT_THINKING.iter().any(|prefix| family.starts_with(prefix)) => {
            Err(bad_request(&format!("\"{name}\" does not support thinking")))
        }
        _ => Ok(()),
    }
}

fn validate_messages(body: &Value) -> Result<(), Rejection> {
    match field(body, "messages") {
        // If the request has no messages, Ollama only loads the model.
        None | Some(Value::Array(_)) => {}
        Some(other) => return Err(wrong_type("ChatRequest.messages", "[]api.Message", other)),
    }
    for message in array_field(body, "messages") {
        if !message.is_object() {
            return Err(wrong_type("ChatRequest.messages", "api.Message", message));
        }
        let role = match field(message, "role") {
            None => "",
            Some(Value::String(role)) => role,
            Some(other) => return Err(wrong_type("ChatRequest.messages.role", "string", other)),
        };
        if !ROLES.contains(&role) {
            let known = ROLES.join(", ");
            return Err(bad_request(&format!(
                "invalid role: \"{role}\", role must be one of [{known}]"
            )));
        }
        if let Some(other) = field(message, "content").filter(|content| !content.is_string()) {
            return Err(wrong_type("ChatRequest.messages.content", "string", other));
        }
        validate_images(message)?;
        tools::validate_message(message)?;
    }
    Ok(())
}

fn validate_images(message: &Value) -> Result<(), Rejection> {
    match field(message, "images") {
        None | Some(Value::Array(_)) => {}
        Some(other) => {
            return Err(wrong_type("ChatRequest.messages.images", "[]api.ImageData", other));
        }
    }
    for image in array_field(message, "images") {
        let Some(bytes) = image.as_str() else {
            return Err(wrong_type("ChatRequest.messages.images", "api.ImageData", image));
        };
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        let invalid = bytes.bytes().position(|byte| !is_base64(byte));
        if let Some(at) = invalid.or((bytes.len() % 4 != 0).then_some(bytes.len())) {
            return Err(bad_request(&format!("illegal base64 data at input byte {at}")));
        }
    }
    Ok(())
}

fn validate_format(body: &Value) -> Result<(), Rejection> {
    match body.get("format") {
        None | Some(Value::Null | Value::Object(_)) => Ok(()),
        Some(Value::String(format)) if format == "json" || format.is_empty() => Ok(()),
        Some(other) => Err(bad_request(&format!(
            "invalid format: {other}; expected \"json\" or a valid JSON Schema object"
        ))),
    }
}

/// The parsed value of `think`.
enum Think<'a> {
    Off,
    On,
    Level(&'a str),
}

fn parse_think(body: &Value) -> Result<Think<'_>, Rejection> {
    match field(body, "think") {
        None | Some(Value::Bool(false)) => Ok(Think::Off),
        Some(Value::Bool(true)) => Ok(Think::On),
        Some(Value::String(_)) => match str_field(body, "think") {
            Some(level @ ("low" | "medium" | "high")) => Ok(Think::Level(level)),
            other => Err(bad_request(&format!(
                "invalid think value: \"{}\" (must be \"high\", \"medium\", \"low\", true, or \
                 false)",
                other.unwrap_or_default()
            ))),
        },
        Some(_) => {
            Err(bad_request("think must be a boolean or string (\"high\", \"medium\", \"low\")"))
        }
    }
}
