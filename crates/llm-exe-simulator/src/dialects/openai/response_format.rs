//! What OpenAI refuses in `response_format`.
//! <https://platform.openai.com/docs/guides/structured-outputs>
//!
//! In: the request's body and what its model offers. Out: nothing, or the refusal.

use super::super::Refusal;
use super::super::check::{content_text, field, is_name, list, text, unknown_key};
use super::models::Model;
use super::refuse::{invalid, missing, refusal, unsupported_value, wrong_type};
use super::{pattern, strict};
use serde_json::Value;

const TYPES: &[&str] = &["json_object", "json_schema", "text"];

/// Refuses what the service would refuse in `response_format`.
pub(crate) fn refuse(body: &Value, model: Model) -> Result<(), Refusal> {
    let Some(format) = field(body, "response_format") else {
        return Ok(());
    };
    if !format.is_object() {
        return Err(wrong_type("response_format", "an object", format));
    }
    let kind = match field(format, "type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(other) => return Err(wrong_type("response_format.type", "a string", other)),
        None => return Err(missing("response_format.type")),
    };
    let known: &[&str] = match kind {
        "json_schema" => &["type", "json_schema"],
        _ => &["type"],
    };
    if !TYPES.contains(&kind) {
        return Err(unsupported_value("response_format.type", kind, TYPES));
    }
    unknown(format, known, "response_format")?;
    match kind {
        "json_object" => names_json(body),
        "json_schema" if !model.json_schema => {
            let message = "Invalid parameter: 'response_format' of type 'json_schema' is not \
                           supported with this model.";
            Err(refusal(400, message, Some("response_format"), None))
        }
        "json_schema" => json_schema(format),
        _ => Ok(()),
    }
}

fn unknown(value: &Value, known: &[&str], path: &str) -> Result<(), Refusal> {
    match unknown_key(value, known) {
        Some(unknown) => {
            let param = format!("{path}.{unknown}");
            Err(invalid(&format!("Unknown parameter: '{param}'."), &param, "unknown_parameter"))
        }
        None => Ok(()),
    }
}

fn names_json(body: &Value) -> Result<(), Refusal> {
    let names = |message: &Value| {
        let text = message.get("content").map(content_text).unwrap_or_default();
        text.to_lowercase().contains("json")
    };
    match list(body, "messages").iter().any(names) {
        true => Ok(()),
        false => {
            let message = "'messages' must contain the word 'json' in some form, to use \
                           'response_format' of type 'json_object'.";
            Err(refusal(400, message, Some("messages"), None))
        }
    }
}

fn json_schema(format: &Value) -> Result<(), Refusal> {
    let path = "response_format.json_schema";
    let described = match field(format, "json_schema") {
        Some(described) if described.is_object() => described,
        Some(other) => return Err(wrong_type(path, "an object", other)),
        None => return Err(missing(path)),
    };
    unknown(described, &["name", "description", "schema", "strict"], path)?;
    let param = format!("{path}.name");
    let name = match field(described, "name") {
        Some(Value::String(name)) if is_name(name, 64) => name,
        Some(Value::String(name)) => {
            let message = match name.len() > 64 {
                true => format!(
                    "Invalid '{param}': string too long. Expected a string with maximum length 64, \
                     but got a string with length {} instead.",
                    name.len()
                ),
                false => format!(
                    "Invalid '{param}': string does not match pattern. Expected a string that \
                     matches the pattern '^[a-zA-Z0-9_-]+$'."
                ),
            };
            return Err(invalid(&message, &param, "invalid_value"));
        }
        Some(other) => return Err(wrong_type(&param, "a string", other)),
        None => return Err(missing(&param)),
    };
    let strict = match field(described, "strict") {
        None => false,
        Some(Value::Bool(strict)) => *strict,
        Some(other) => return Err(wrong_type(&format!("{path}.strict"), "a boolean", other)),
    };
    let schema = match field(described, "schema") {
        Some(schema) if schema.is_object() => schema,
        Some(other) => return Err(wrong_type(&format!("{path}.schema"), "an object", other)),
        None => return Err(missing(&format!("{path}.schema"))),
    };
    // The service refuses these patterns without `strict`, too.
    if pattern::any_unsupported(schema) {
        return Err(refusal(400, pattern::REFUSAL, Some("response_format"), None));
    }
    let reason = match text(schema, "type") {
        Some("object") if strict => strict::refuse(schema).err(),
        Some("object") => None,
        _ => Some(strict::not_an_object(schema)),
    };
    match reason {
        None => Ok(()),
        Some(reason) => {
            let message = format!("Invalid schema for response_format '{name}': {reason}");
            Err(refusal(400, &message, Some("response_format"), None))
        }
    }
}
