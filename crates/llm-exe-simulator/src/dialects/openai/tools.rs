//! Validates the `tools` and the `tool_choice` of an OpenAI request.

use serde_json::Value;

use super::error::{empty_array, invalid_parameter, rejection};
use super::{pattern, strict};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, has_type, is_name, str_field};

const MAX_TOOLS: usize = 128;
const MAX_NAME: usize = 64;

/// Rejects the values of `tools` and `tool_choice` that the real service rejects.
pub(crate) fn validate(body: &Value) -> Result<(), Rejection> {
    let tools = array_field(body, "tools");
    if field(body, "tools").is_some() && tools.is_empty() {
        return Err(empty_array("tools"));
    }
    if tools.len() > MAX_TOOLS {
        let message = format!(
            "Invalid 'tools': array too long. Expected an array with maximum length {MAX_TOOLS}, \
             but got an array with length {} instead.",
            tools.len()
        );
        return Err(invalid_parameter(&message, "tools", "array_above_max_length"));
    }
    for (index, tool) in tools.iter().enumerate() {
        if let Some(function) = field(tool, "function") {
            validate_function(function, &format!("tools[{index}].function"))?;
        }
    }
    validate_tool_choice(body)
}

/// The documentation of the type `FunctionDefinition` says which names are allowed.
fn validate_function(function: &Value, path: &str) -> Result<(), Rejection> {
    let param = format!("{path}.name");
    let name = str_field(function, "name").unwrap_or_default();
    if name.len() > MAX_NAME {
        let message = format!(
            "Invalid '{param}': string too long. Expected a string with maximum length {MAX_NAME}, \
             but got a string with length {} instead.",
            name.len()
        );
        return Err(invalid_parameter(&message, &param, "string_above_max_length"));
    }
    if !is_name(name, MAX_NAME) {
        let message = format!(
            "Invalid '{param}': string does not match pattern. Expected a string that matches the \
             pattern '^[a-zA-Z0-9_-]+$'."
        );
        return Err(invalid_parameter(&message, &param, "invalid_value"));
    }
    validate_parameters(function, name, path)
}

fn validate_parameters(function: &Value, name: &str, path: &str) -> Result<(), Rejection> {
    let param = format!("{path}.parameters");
    let strict = field(function, "strict").is_some_and(|strict| *strict == true);
    let Some(parameters) = field(function, "parameters") else {
        return Ok(());
    };
    if strict && pattern::any_unsupported(parameters) {
        let code = Some("invalid_function_parameters");
        return Err(rejection(400, pattern::ERROR, Some(&param), code));
    }
    let empty = parameters.as_object().is_some_and(serde_json::Map::is_empty) && !strict;
    let reason = if !empty && !has_type(parameters, "object") {
        Some(strict::is_not_object(parameters))
    } else if strict {
        strict::validate(parameters).err()
    } else {
        None
    };
    match reason {
        None => Ok(()),
        Some(reason) => {
            let message = format!("Invalid schema for function '{name}': {reason}");
            Err(rejection(400, &message, Some(&param), Some("invalid_function_parameters")))
        }
    }
}

fn validate_tool_choice(body: &Value) -> Result<(), Rejection> {
    let tools = array_field(body, "tools");
    let is_set = |name: &&&str| field(body, name).is_some();
    if tools.is_empty()
        && let Some(name) = ["tool_choice", "parallel_tool_calls"].iter().find(is_set)
        && body.get("tool_choice") != Some(&Value::from("none"))
    {
        let message = format!(
            "Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified."
        );
        return Err(rejection(400, &message, Some(name), None));
    }
    let name = body.pointer("/tool_choice/function/name").and_then(Value::as_str);
    let Some(name) = name else { return Ok(()) };
    let has_name = |tool: &Value| tool.pointer("/function/name").is_some_and(|it| it == name);
    if tools.iter().any(has_name) {
        Ok(())
    } else {
        let message = format!("Tool choice '{name}' not found in 'tools' parameter.");
        Err(rejection(400, &message, Some("tool_choice"), None))
    }
}
