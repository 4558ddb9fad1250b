//! Validates an Ollama request: first its types, then what they do not express, such as whether
//! the model exists and whether it supports thinking.

use serde_json::{Value, json};

use super::error::{bad_request, wrong_type};
use super::{options, tools, types};
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
    types::validate(body)?;
    let Some(name) = str_field(body, "model").filter(|name| !name.is_empty()) else {
        return Err(bad_request("model is required"));
    };
    validate_messages(body)?;
    validate_format(body)?;
    options::validate(body)?;
    if name.starts_with("missing-") {
        let body = json!({"error": format!("model '{name}' not found")});
        return Err(Rejection::new(404, body));
    }
    tools::validate(body, name)?;
    let family = name.rsplit('/').next().unwrap_or(name);
    match field(body, "think") {
        Some(Value::String(level)) if !family.starts_with("gpt-oss") => {
            Err(bad_request(&format!("think value \"{level}\" is not supported for this model")))
        }
        Some(Value::Bool(true))
            if WITHOUT_THINKING.iter().any(|prefix| family.starts_with(prefix)) =>
        {
            Err(bad_request(&format!("\"{name}\" does not support thinking")))
        }
        _ => Ok(()),
    }
}

fn validate_messages(body: &Value) -> Result<(), Rejection> {
    for message in array_field(body, "messages") {
        let role = str_field(message, "role").unwrap_or_default();
        if !ROLES.contains(&role) {
            let known = ROLES.join(", ");
            return Err(bad_request(&format!(
                "invalid role: \"{role}\", role must be one of [{known}]"
            )));
        }
        let mut images = array_field(message, "images").iter().filter_map(Value::as_str);
        images.try_for_each(validate_image)?;
    }
    Ok(())
}

fn validate_image(bytes: &str) -> Result<(), Rejection> {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let invalid = bytes.bytes().position(|byte| !is_base64(byte));
    match invalid.or((!bytes.len().is_multiple_of(4)).then_some(bytes.len())) {
        Some(at) => Err(bad_request(&format!("illegal base64 data at input byte {at}"))),
        None => Ok(()),
    }
}

fn validate_format(body: &Value) -> Result<(), Rejection> {
    match body.get("format") {
        Some(Value::String(name)) if name != "json" && !name.is_empty() => {
            Err(types::invalid_format(&name.as_str().into()))
        }
        _ => Ok(()),
    }
}
