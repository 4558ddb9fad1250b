//! What Anthropic refuses in `tools` and `tool_choice`.
//!
//! In: the request's body and what its model takes. Out: nothing, or the refusal.

use super::super::Refusal;
use super::super::check::{field, is_name, list, text};
use super::models::Model;
use super::refuse::{extra, invalid, required, tag};
use super::schema;
use serde_json::Value;

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

/// Refuses what the service would refuse in `tools` and `tool_choice`.
pub(crate) fn refuse(body: &Value, model: Model) -> Result<(), Refusal> {
    match field(body, "tools") {
        None => {}
        Some(Value::Array(tools)) => {
            for (index, tool) in tools.iter().enumerate() {
                self::tool(tool, &format!("tools.{index}"))?;
            }
            let names: Vec<&str> = tools.iter().filter_map(|tool| text(tool, "name")).collect();
            let twice =
                |(index, name): &(usize, &&str)| names.iter().take(*index).any(|n| n == *name);
            if names.iter().enumerate().any(|named| twice(&named)) {
                return Err(invalid("tools: Tool names must be unique."));
            }
        }
        Some(_) => return Err(invalid("tools: Input should be a valid list")),
    }
    choice(body, model)
}

fn tool(tool: &Value, path: &str) -> Result<(), Refusal> {
    if !tool.is_object() {
        return Err(invalid(&format!("{path}: Input should be an object")));
    }
    match text(tool, "type") {
        None | Some("custom") => {}
        // The service's own tools, of which only the versions are known to it.
        Some(kind) if kind.contains("_20") => return Ok(()),
        Some(kind) => {
            return Err(invalid(&format!("{path}: Input tag '{kind}' is not a known tool type")));
        }
    }
    let path = format!("{path}.custom");
    extra(tool, FIELDS, &path)?;
    match field(tool, "name") {
        None => return Err(required(&format!("{path}.name"))),
        Some(Value::String(name)) if is_name(name, 128) => {}
        Some(_) => {
            let pattern = "^[a-zA-Z0-9_-]{1,128}$";
            let message = format!("{path}.name: String should match pattern '{pattern}'");
            return Err(invalid(&message));
        }
    }
    let path = format!("{path}.input_schema");
    let Some(input) = field(tool, "input_schema") else {
        return Err(required(&path));
    };
    match text(input, "type") {
        Some("object") => {}
        Some(_) => return Err(invalid(&format!("{path}.type: Input should be 'object'"))),
        None => return Err(required(&format!("{path}.type"))),
    }
    match field(tool, "strict").is_some_and(|strict| *strict == true) {
        true => schema::refuse(input).map_err(|reason| invalid(&format!("{path}: {reason}"))),
        false => Ok(()),
    }
}

fn choice(body: &Value, model: Model) -> Result<(), Refusal> {
    let Some(choice) = field(body, "tool_choice") else {
        return Ok(());
    };
    let kind = tag(choice, &["auto", "any", "tool", "none"], "tool_choice")?;
    let path = format!("tool_choice.{kind}");
    let known: &[&str] = match kind {
        "tool" => &["type", "name", "disable_parallel_tool_use"],
        "none" => &["type"],
        _ => &["type", "disable_parallel_tool_use"],
    };
    extra(choice, known, &path)?;
    let tools = list(body, "tools");
    if tools.is_empty() && kind != "none" {
        return Err(invalid(
            "tool_choice: tool_choice may only be specified while providing tools",
        ));
    }
    if kind == "tool" {
        let Some(name) = text(choice, "name") else {
            return Err(required(&format!("{path}.name")));
        };
        if !tools.iter().any(|tool| text(tool, "name") == Some(name)) {
            return Err(invalid(&format!("Tool '{name}' not found in provided tools")));
        }
    }
    match matches!(kind, "any" | "tool") && model.refuses_force() {
        true => {
            Err(invalid("tool_choice: type \"tool\" and \"any\" are not supported for this model."))
        }
        false => Ok(()),
    }
}
