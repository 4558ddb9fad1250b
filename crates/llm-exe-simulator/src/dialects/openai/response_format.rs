//! Validates the `response_format` of an OpenAI request.
//! <https://platform.openai.com/docs/guides/structured-outputs>

use serde_json::Value;

use super::error::{invalid_parameter, missing_parameter, rejection};
use super::models::Model;
use super::{pattern, strict};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, content_text, field, is_name, str_field};

const MAX_NAME: usize = 64;

/// Rejects a `response_format` that the real service would reject.
pub(crate) fn validate(body: &Value, model: Model) -> Result<(), Rejection> {
    let format = body.get("response_format").unwrap_or(&Value::Null);
    match str_field(format, "type") {
        Some("json_object") => validate_json_mention(body),
        Some("json_schema") if !model.json_schema => {
            let message = "Invalid parameter: 'response_format' of type 'json_schema' is not \
                           supported with this model.";
            Err(rejection(400, message, Some("response_format"), None))
        }
        Some("json_schema") => {
            validate_json_schema(format.get("json_schema").unwrap_or(&Value::Null))
        }
        _ => Ok(()),
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

fn validate_json_schema(json_schema: &Value) -> Result<(), Rejection> {
    let path = "response_format.json_schema";
    let name = str_field(json_schema, "name").unwrap_or_default();
    if !is_name(name, MAX_NAME) {
        return Err(invalid_name(name, &format!("{path}.name")));
    }
    let strict = field(json_schema, "strict").is_some_and(|strict| *strict == true);
    // The type says that the schema is optional.
    let Some(schema) = field(json_schema, "schema") else {
        return Err(missing_parameter(&format!("{path}.schema")));
    };
    // The service rejects these patterns even without `strict`.
    if pattern::any_unsupported(schema) {
        return Err(rejection(400, pattern::ERROR, Some("response_format"), None));
    }
    let reason = match str_field(schema, "type") {
        Some("object") if strict => strict::validate(schema).err(),
        Some("object") => None,
        _ => Some(strict::is_not_object(schema)),
    };
    match reason {
        None => Ok(()),
        Some(reason) => {
            let message = format!("Invalid schema for response_format '{name}': {reason}");
            Err(rejection(400, &message, Some("response_format"), None))
        }
    }
}

/// The documentation of the type `ResponseFormatJSONSchema` says which names are allowed.
fn invalid_name(name: &str, param: &str) -> Rejection {
    let message = if name.len() > MAX_NAME {
        format!(
            "Invalid '{param}': string too long. Expected a string with maximum length {MAX_NAME}, \
             but got a string with length {} instead.",
            name.len()
        )
    } else {
        format!(
            "Invalid '{param}': string does not match pattern. Expected a string that matches the \
             pattern '^[a-zA-Z0-9_-]+$'."
        )
    };
    invalid_parameter(&message, param, "invalid_value")
}
