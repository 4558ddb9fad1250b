//! Validates the `tools` and the `tool_choice` of an Anthropic request.

use serde_json::Value;

use super::error::{invalid_request, missing_field, reject_unknown_fields, type_tag};
use super::models::Model;
use super::{schema, tool_schema};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, is_name, str_field};

const FIELDS: &[&str] = &[
    "allowed_callers",
    "cache_control",
    "defer_loading",
    "description",
    "eager_input_streaming",
    "input_examples",
    "input_schema",
    "name",
    "strict",
    "type",
];

/// Rejects the values of `tools` and `tool_choice` that the real service rejects.
pub(crate) fn validate(body: &Value, model: Model) -> Result<(), Rejection> {
    match field(body, "tools") {
        None => {}
        Some(Value::Array(tools)) => {
            for (index, tool) in tools.iter().enumerate() {
                validate_tool(tool, &format!("tools.{index}"))?;
            }
            let names: Vec<&str> =
                tools.iter().filter_map(|tool| str_field(tool, "name")).collect();
            let is_repeated = |(index, name): (usize, &&str)| names[..index].contains(name);
            if names.iter().enumerate().any(is_repeated) {
                return Err(invalid_request("tools: Tool names must be unique."));
            }
        }
        Some(_) => return Err(invalid_request("tools: Input should be a valid list")),
    }
    validate_tool_choice(body, model)
}

fn validate_tool(tool: &Value, path: &str) -> Result<(), Rejection> {
    if !tool.is_object() {
        return Err(invalid_request(&format!("{path}: Input should be an object")));
    }
    match str_field(tool, "type") {
        None | Some("custom") => {}
        // Anthropic's own tools have types that contain a date, such as `bash_20250124`.
        Some(kind) if kind.contains("_20") => return Ok(()),
        Some(kind) => {
            return Err(invalid_request(&format!(
                "{path}: Input tag '{kind}' is not a known tool type"
            )));
        }
    }
    let path = format!("{path}.custom");
    reject_unknown_fields(tool, FIELDS, &path)?;
    match field(tool, "name") {
        None => return Err(missing_field(&format!("{path}.name"))),
        Some(Value::String(name)) if is_name(name, 128) => {}
        Some(_) => {
            let pattern = "^[a-zA-Z0-9_-]{1,128}$";
            let message = format!("{path}.name: String should match pattern '{pattern}'");
            return Err(invalid_request(&message));
        }
    }
    let path = format!("{path}.input_schema");
    let Some(input) = field(tool, "input_schema") else {
        return Err(missing_field(&path));
    };
    match str_field(input, "type") {
        Some("object") => {}
        Some(_) => return Err(invalid_request(&format!("{path}.type: Input should be 'object'"))),
        None => return Err(missing_field(&format!("{path}.type"))),
    }
    tool_schema::validate(input, &path).map_err(|message| invalid_request(&message))?;
    if field(tool, "strict").is_some_and(|strict| *strict == true) {
        schema::validate(input).map_err(|reason| invalid_request(&format!("{path}: {reason}")))
    } else {
        Ok(())
    }
}

fn validate_tool_choice(body: &Value, model: Model) -> Result<(), Rejection> {
    let Some(choice) = field(body, "tool_choice") else {
        return Ok(());
    };
    let kind = type_tag(choice, &["auto", "any", "tool", "none"], "tool_choice")?;
    let path = format!("tool_choice.{kind}");
    let known: &[&str] = match kind {
        "tool" => &["type", "name", "disable_parallel_tool_use"],
        "none" => &["type"],
        _ => &["type", "disable_parallel_tool_use"],
    };
    reject_unknown_fields(choice, known, &path)?;
    let tools = array_field(body, "tools");
    if tools.is_empty() && kind != "none" {
        return Err(invalid_request(
            "tool_choice: tool_choice may only be specified while providing tools",
        ));
    }
    if kind == "tool" {
        let Some(name) = str_field(choice, "name") else {
            return Err(missing_field(&format!("{path}.name")));
        };
        if !tools.iter().any(|tool| str_field(tool, "name") == Some(name)) {
            return Err(invalid_request(&format!("Tool '{name}' not found in provided tools")));
        }
    }
    if matches!(kind, "any" | "tool") && model.rejects_forced_tool() {
        Err(invalid_request(
            "tool_choice: type \"tool\" and \"any\" are not supported for this model.",
        ))
    } else {
        Ok(())
    }
}
