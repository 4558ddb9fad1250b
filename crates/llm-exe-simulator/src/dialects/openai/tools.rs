//! Validates the `tools` and the `tool_choice` of an OpenAI request.

use serde_json::Value;

use super::error::{
    empty_array, invalid_parameter, missing_parameter, rejection, unsupported_value, wrong_type,
};
use super::{pattern, strict};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, has_type, is_name, str_field, unknown_key};

const MAX_TOOLS: usize = 128;
const CHOICES: &[&str] = &["none", "auto", "required"];

/// Rejects the values of `tools` and `tool_choice` that the real service rejects.
pub(crate) fn validate(body: &Value) -> Result<(), Rejection> {
    match field(body, "tools") {
        None => {}
        Some(Value::Array(tools)) if tools.is_empty() => return Err(empty_array("tools")),
        Some(Value::Array(tools)) if tools.len() > MAX_TOOLS => {
            let message = format!(
                "Invalid 'tools': array too long. Expected an array with maximum length \
                 {MAX_TOOLS}, but got an array with length {} instead.",
                tools.len()
            );
            return Err(invalid_parameter(&message, "tools", "array_above_max_length"));
        }
        Some(Value::Array(tools)) => {
            for (index, tool) in tools.iter().enumerate() {
                validate_tool(tool, &format!("tools[{index}]"))?;
            }
        }
        Some(other) => return Err(wrong_type("tools", "an array of objects", other)),
    }
    validate_tool_choice(body)
}

fn validate_tool(tool: &Value, path: &str) -> Result<(), Rejection> {
    if !tool.is_object() {
        return Err(wrong_type(path, "an object", tool));
    }
    match str_field(tool, "type") {
        Some("function") => {}
        Some("custom") => return Ok(()),
        Some(other) => {
            let supported = &["function", "custom"];
            return Err(unsupported_value(&format!("{path}.type"), other, supported));
        }
        None => return Err(missing_parameter(&format!("{path}.type"))),
    }
    let path = format!("{path}.function");
    let function = match field(tool, "function") {
        Some(function) if function.is_object() => function,
        Some(other) => return Err(wrong_type(&path, "an object", other)),
        None => return Err(missing_parameter(&path)),
    };
    if let Some(unknown) = unknown_key(function, &["name", "description", "parameters", "strict"]) {
        let param = format!("{path}.{unknown}");
        let message = format!("Unknown parameter: '{param}'.");
        return Err(invalid_parameter(&message, &param, "unknown_parameter"));
    }
    let name = parse_name(function, &path)?;
    validate_parameters(function, name, &path)
}

fn parse_name<'a>(function: &'a Value, path: &str) -> Result<&'a str, Rejection> {
    let param = format!("{path}.name");
    match field(function, "name") {
        Some(Value::String(name)) if is_name(name, 64) => Ok(name),
        Some(Value::String(name)) if name.len() > 64 => {
            let message = format!(
                "Invalid '{param}': string too long. Expected a string with maximum length 64, \
                 but got a string with length {} instead.",
                name.len()
            );
            Err(invalid_parameter(&message, &param, "string_above_max_length"))
        }
        Some(Value::String(_)) => {
            let message = format!(
                "Invalid '{param}': string does not match pattern. Expected a string that matches \
                 the pattern '^[a-zA-Z0-9_-]+$'."
            );
            Err(invalid_parameter(&message, &param, "invalid_value"))
        }
        Some(other) => Err(wrong_type(&param, "a string", other)),
        None => Err(missing_parameter(&param)),
    }
}

fn validate_parameters(function: &Value, name: &str, path: &str) -> Result<(), Rejection> {
    let param = format!("{path}.parameters");
    let strict = field(function, "strict").is_some_and(|strict| *strict == true);
    let Some(parameters) = field(function, "parameters") else {
        return Ok(());
    };
    if !parameters.is_object() {
        return Err(wrong_type(&param, "an object", parameters));
    }
    if strict && pattern::any_unsupported(parameters) {
        let code = Some("invalid_function_parameters");
        return Err(rejection(400, pattern::ERROR, Some(&param), code));
    }
    let empty = parameters.as_object().is_some_and(serde_json::Map::is_empty) && !strict;
    let reason = if !empty && !has_type(parameters, "object") {
        Some(strict::not_an_object(parameters))
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
    let choice = match field(body, "tool_choice") {
        None => return Ok(()),
        Some(Value::String(choice)) if CHOICES.contains(&choice.as_str()) => return Ok(()),
        Some(Value::String(choice)) => {
            return Err(unsupported_value("tool_choice", choice, CHOICES));
        }
        Some(choice) if !choice.is_object() => {
            return Err(wrong_type("tool_choice", "one of a string or an object", choice));
        }
        Some(choice) => choice,
    };
    match str_field(choice, "type") {
        Some("function") => {}
        Some("custom" | "allowed_tools") => return Ok(()),
        Some(other) => {
            let supported = &["function", "allowed_tools", "custom"];
            return Err(unsupported_value("tool_choice.type", other, supported));
        }
        None => return Err(missing_parameter("tool_choice.type")),
    }
    let Some(name) = choice.pointer("/function/name").and_then(Value::as_str) else {
        return Err(missing_parameter("tool_choice.function.name"));
    };
    let has_name = |tool: &Value| tool.pointer("/function/name").is_some_and(|it| it == name);
    if tools.iter().any(has_name) {
        Ok(())
    } else {
        let message = format!("Tool choice '{name}' not found in 'tools' parameter.");
        Err(rejection(400, &message, Some("tool_choice"), None))
    }
}
