//! Validates the `response_format` of an OpenAI request.
//! <https://platform.openai.com/docs/guides/structured-outputs>

use serde_json::Value;

use super::error::{
    invalid_parameter, missing_parameter, rejection, unsupported_value, wrong_type,
};
use super::models::Model;
use super::{pattern, strict};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, content_text, field, is_name, str_field, unknown_key};

const TYPES: &[&str] = &["json_object", "json_schema", "text"];

/// Rejects a `response_format` that the real service would reject.
pub(crate) fn validate(body: &Value, model: Model) -> Result<(), Rejection> {
    let Some(format) = field(body, "response_format") else {
        return Ok(());
    };
    if !format.is_object() {
        return Err(wrong_type("response_format", "an object", format));
    }
    let kind = match field(format, "type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(other) => return Err(wrong_type("response_format.type", "a string", other)),
        None => return Err(missing_parameter("response_format.type")),
    };
    let known: &[&str] = match kind {
        "json_schema" => &["type", "json_schema"],
        _ => &["type"],
    };
    if !TYPES.contains(&kind) {
        return Err(unsupported_value("response_format.type", kind, TYPES));
    }
    reject_unknown_fields(format, known, "response_format")?;
    match kind {
        "json_object" => validate_json_mention(body),
        "json_schema" if !model.json_schema => {
            let message = "Invalid parameter: 'response_format' of type 'json_schema' is not \
                           supported with this model.";
            Err(rejection(400, message, Some("response_format"), None))
        }
        "json_schema" => validate_json_schema(format),
        _ => Ok(()),
    }
}

fn reject_unknown_fields(value: &Value, known: &[&str], path: &str) -> Result<(), Rejection> {
    match unknown_key(value, known) {
        Some(unknown) => {
            let param = format!("{path}.{unknown}");
            Err(invalid_parameter(
                &format!("Unknown parameter: '{param}'."),
                &param,
                "unknown_parameter",
            ))
        }
        None => Ok(()),
    }
}

/// Checks that a message contains the word "JSON", which the service requires for `json_object`.
fn validate_json_mention(body: &Value) -> Result<(), Rejection> {
    let mentions_json = |message: &Value| {
        let text = message.get("content").map(content_text).unwrap_or_default();
        text.to_lowercase().contains("json")
    };
    if array_field(body, "messages").iter().any(mentions_json) {
        Ok(())
    } else {
        let message = "'messages' must contain the word 'json' in some form, to use \
                           'response_format' of type 'json_object'.";
        Err(rejection(400, message, Some("messages"), None))
    }
}

fn validate_json_schema(format: &Value) -> Result<(), Rejection> {
    let path = "response_format.json_schema";
    let json_schema = match field(format, "json_schema") {
        Some(json_schema) if json_schema.is_object() => json_schema,
        Some(other) => return Err(wrong_type(path, "an object", other)),
        None => return Err(missing_parameter(path)),
    };
    reject_unknown_fields(json_schema, &["name", "description", "schema", "strict"], path)?;
    let param = format!("{path}.name");
    let name = match field(json_schema, "name") {
        Some(Value::String(name)) if is_name(name, 64) => name,
        Some(Value::String(name)) => {
            let message = if name.len() > 64 {
                format!(
                    "Invalid '{param}': string too long. Expected a string with maximum length 64, \
                     but got a string with length {} instead.",
                    name.len()
                )
            } else {
                format!(
                    "Invalid '{param}': string does not match pattern. Expected a string that \
                     matches the pattern '^[a-zA-Z0-9_-]+$'."
                )
            };
            return Err(invalid_parameter(&message, &param, "invalid_value"));
        }
        Some(other) => return Err(wrong_type(&param, "a string", other)),
        None => return Err(missing_parameter(&param)),
    };
    let strict = match field(json_schema, "strict") {
        None => false,
        Some(Value::Bool(strict)) => *strict,
        Some(other) => return Err(wrong_type(&format!("{path}.strict"), "a boolean", other)),
    };
    let schema = match field(json_schema, "schema") {
        Some(schema) if schema.is_object() => schema,
        Some(other) => return Err(wrong_type(&format!("{path}.schema"), "an object", other)),
        None => return Err(missing_parameter(&format!("{path}.schema"))),
    };
    // The service rejects these patterns even without `strict`.
    if pattern::any_unsupported(schema) {
        return Err(rejection(400, pattern::ERROR, Some("response_format"), None));
    }
    let reason = match str_field(schema, "type") {
        Some("object") if strict => strict::validate(schema).err(),
        Some("object") => None,
        _ => Some(strict::not_an_object(schema)),
    };
    match reason {
        None => Ok(()),
        Some(reason) => {
            let message = format!("Invalid schema for response_format '{name}': {reason}");
            Err(rejection(400, &message, Some("response_format"), None))
        }
    }
}
