//! What Ollama refuses: models that aren't there, fields of the wrong type, and thinking where a
//! model has none. Fields that it doesn't know it passes over.
//!
//! In: a request. Out: nothing, or the refusal that the service would send.

use super::super::check::{field, kind, list, text};
use super::super::{Ask, Refusal};
use super::options;
use serde_json::{Value, json};

const ROLES: &[&str] = &["system", "user", "assistant", "tool"];
/// Families that don't think, by the beginnings of their names.
const DO_NOT_THINK: &[&str] = &[
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

/// Refuses what the service would refuse.
pub(crate) fn refuse(ask: &Ask<'_>) -> Result<(), Refusal> {
    let body = ask.body;
    if !ask.is_json {
        return Err(invalid("invalid character in request body"));
    }
    if !body.is_object() {
        return Err(type_of("ChatRequest", "api.ChatRequest", body));
    }
    let name = match field(body, "model") {
        Some(Value::String(name)) if !name.is_empty() => name,
        None | Some(Value::String(_)) => return Err(invalid("model is required")),
        Some(other) => return Err(type_of("ChatRequest.model", "string", other)),
    };
    messages(body)?;
    format(body)?;
    let thinking = think(body)?;
    options::refuse(body)?;
    match field(body, "stream") {
        Some(Value::Bool(false)) => {}
        None | Some(Value::Bool(true)) => {
            return Err(invalid("llm-exe-simulator does not imitate streaming: send stream false"));
        }
        Some(other) => return Err(type_of("ChatRequest.stream", "bool", other)),
    }
    if name.starts_with("missing-") {
        let body = json!({"error": format!("model '{name}' not found")});
        return Err(Refusal { status: 404, body });
    }
    let family = name.rsplit('/').next().unwrap_or(name);
    match thinking {
        Think::Level(level) if !family.starts_with("gpt-oss") => {
            Err(invalid(&format!("think value \"{level}\" is not supported for this model")))
        }
        Think::On if DO_NOT_THINK.iter().any(|known| family.starts_with(known)) => {
            Err(invalid(&format!("\"{name}\" does not support thinking")))
        }
        _ => Ok(()),
    }
}

fn messages(body: &Value) -> Result<(), Refusal> {
    match field(body, "messages") {
        // Without messages a model is only loaded.
        None | Some(Value::Array(_)) => {}
        Some(other) => return Err(type_of("ChatRequest.messages", "[]api.Message", other)),
    }
    for message in list(body, "messages") {
        if !message.is_object() {
            return Err(type_of("ChatRequest.messages", "api.Message", message));
        }
        let role = match field(message, "role") {
            None => "",
            Some(Value::String(role)) => role,
            Some(other) => return Err(type_of("ChatRequest.messages.role", "string", other)),
        };
        if !ROLES.contains(&role) {
            let known = ROLES.join(", ");
            return Err(invalid(&format!(
                "invalid role: \"{role}\", role must be one of [{known}]"
            )));
        }
        if let Some(other) = field(message, "content").filter(|content| !content.is_string()) {
            return Err(type_of("ChatRequest.messages.content", "string", other));
        }
        images(message)?;
    }
    Ok(())
}

fn images(message: &Value) -> Result<(), Refusal> {
    match field(message, "images") {
        None | Some(Value::Array(_)) => {}
        Some(other) => {
            return Err(type_of("ChatRequest.messages.images", "[]api.ImageData", other));
        }
    }
    for image in list(message, "images") {
        let Some(bytes) = image.as_str() else {
            return Err(type_of("ChatRequest.messages.images", "api.ImageData", image));
        };
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        let wrong = bytes.bytes().position(|byte| !known(byte));
        if let Some(at) = wrong.or((bytes.len() % 4 != 0).then_some(bytes.len())) {
            return Err(invalid(&format!("illegal base64 data at input byte {at}")));
        }
    }
    Ok(())
}

fn format(body: &Value) -> Result<(), Refusal> {
    match body.get("format") {
        None | Some(Value::Null | Value::Object(_)) => Ok(()),
        Some(Value::String(format)) if format == "json" || format.is_empty() => Ok(()),
        Some(other) => Err(invalid(&format!(
            "invalid format: {other}; expected \"json\" or a valid JSON Schema object"
        ))),
    }
}

/// What `think` asks for.
enum Think<'a> {
    NotAsked,
    On,
    Level(&'a str),
}

fn think(body: &Value) -> Result<Think<'_>, Refusal> {
    match field(body, "think") {
        None | Some(Value::Bool(false)) => Ok(Think::NotAsked),
        Some(Value::Bool(true)) => Ok(Think::On),
        Some(Value::String(_)) => match text(body, "think") {
            Some(level @ ("low" | "medium" | "high")) => Ok(Think::Level(level)),
            other => Err(invalid(&format!(
                "invalid think value: \"{}\" (must be \"high\", \"medium\", \"low\", true, or \
                 false)",
                other.unwrap_or_default()
            ))),
        },
        Some(_) => {
            Err(invalid("think must be a boolean or string (\"high\", \"medium\", \"low\")"))
        }
    }
}

/// A 400.
pub(super) fn invalid(message: &str) -> Refusal {
    Refusal { status: 400, body: json!({"error": message}) }
}

/// A 400 about a value of the wrong type, in the words of Go's reader of JSON.
fn type_of(path: &str, expected: &str, got: &Value) -> Refusal {
    let got = kind(got);
    invalid(&format!("json: cannot unmarshal {got} into Go struct field {path} of type {expected}"))
}
