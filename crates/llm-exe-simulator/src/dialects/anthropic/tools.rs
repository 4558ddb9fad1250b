//! Validates the `tools` and the `tool_choice` of an Anthropic request.

use serde_json::Value;

use super::error::invalid_request;
use super::models::Model;
use super::{schema, tool_schema};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, is_name, str_field};

/// Rejects the values of `tools` and `tool_choice` that the real service rejects.
pub(crate) fn validate(body: &Value, model: Model) -> Result<(), Rejection> {
    let tools = array_field(body, "tools");
    for (index, tool) in tools.iter().enumerate() {
        if let Some(schema) = field(tool, "input_schema") {
            validate_tool(tool, schema, &format!("tools.{index}.custom"))?;
        }
    }
    let names: Vec<&str> = tools.iter().filter_map(|tool| str_field(tool, "name")).collect();
    let is_repeated = |(index, name): (usize, &&str)| names[..index].contains(name);
    if names.iter().enumerate().any(is_repeated) {
        return Err(invalid_request("tools: Tool names must be unique."));
    }
    validate_tool_choice(body, model)
}

fn validate_tool(tool: &Value, schema: &Value, path: &str) -> Result<(), Rejection> {
    if !str_field(tool, "name").is_some_and(|name| is_name(name, 128)) {
        let pattern = "^[a-zA-Z0-9_-]{1,128}$";
        let message = format!("{path}.name: String should match pattern '{pattern}'");
        return Err(invalid_request(&message));
    }
    let path = format!("{path}.input_schema");
    tool_schema::validate(schema, &path).map_err(|message| invalid_request(&message))?;
    if field(tool, "strict").is_some_and(|strict| *strict == true) {
        schema::validate(schema).map_err(|reason| invalid_request(&format!("{path}: {reason}")))
    } else {
        Ok(())
    }
}

fn validate_tool_choice(body: &Value, model: Model) -> Result<(), Rejection> {
    let choice = body.get("tool_choice").unwrap_or(&Value::Null);
    let Some(kind) = str_field(choice, "type") else {
        return Ok(());
    };
    let tools = array_field(body, "tools");
    if tools.is_empty() && kind != "none" {
        return Err(invalid_request(
            "tool_choice: tool_choice may only be specified while providing tools",
        ));
    }
    if let Some(name) = str_field(choice, "name")
        && !tools.iter().any(|tool| str_field(tool, "name") == Some(name))
    {
        return Err(invalid_request(&format!("Tool '{name}' not found in provided tools")));
    }
    if matches!(kind, "any" | "tool") && model.rejects_forced_tool() {
        Err(invalid_request(
            "tool_choice: type \"tool\" and \"any\" are not supported for this model.",
        ))
    } else {
        Ok(())
    }
}
