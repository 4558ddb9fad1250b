//! Validates the `toolConfig` of a Converse request.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html>

use serde_json::Value;

use super::members::member;
use super::models::{BedrockModel, Maker};
use super::{extraneous_key, unsupported_field, validation_error};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, str_field, unknown_key};

/// Rejects a `toolConfig` that the real service would reject.
pub(super) fn validate(body: &Value, model: BedrockModel<'_>) -> Result<(), Rejection> {
    let Some(config) = field(body, "toolConfig") else {
        return Ok(());
    };
    if model.rejects_tools() {
        return Err(validation_error("This model doesn't support tool use."));
    }
    let mut names = Vec::new();
    for (index, tool) in array_field(config, "tools").iter().enumerate() {
        let Some(spec) = field(tool, "toolSpec") else { continue };
        let path = format!("toolConfig.tools.{index}");
        validate_schema(spec, &path, model)?;
        let name = str_field(spec, "name").unwrap_or_default();
        if names.contains(&name) {
            return Err(validation_error(&format!("The tool name {name} is not unique: {path}")));
        }
        names.push(name);
    }
    match field(config, "toolChoice") {
        Some(choice) => validate_tool_choice(choice, &names, model),
        None => Ok(()),
    }
}

fn validate_schema(spec: &Value, path: &str, model: BedrockModel<'_>) -> Result<(), Rejection> {
    let schema = spec.pointer("/inputSchema/json").unwrap_or(&Value::Null);
    if str_field(schema, "type") != Some("object") {
        let rule = "The value at inputSchema.json.type must be one of the following: object.";
        return Err(validation_error(&format!("{path}.toolSpec: {rule}")));
    }
    if model.maker == Maker::Nova
        && let Some(key) = unknown_key(schema, &["type", "properties", "required"])
    {
        return Err(extraneous_key("/toolConfig/tools/0/toolSpec/inputSchema/json", key));
    }
    Ok(())
}

fn validate_tool_choice(
    choice: &Value,
    names: &[&str],
    model: BedrockModel<'_>,
) -> Result<(), Rejection> {
    match member(choice) {
        "any" if model.rejects_any_tool() => Err(unsupported_field("toolConfig.toolChoice.any")),
        "tool" if model.rejects_specific_tool() => {
            Err(unsupported_field("toolConfig.toolChoice.tool"))
        }
        "tool" => match choice.pointer("/tool/name").and_then(Value::as_str) {
            Some(name) if names.contains(&name) => Ok(()),
            name => Err(validation_error(&format!(
                "The tool {} in toolConfig.toolChoice.tool is not in toolConfig.tools.",
                name.unwrap_or_default()
            ))),
        },
        _ => Ok(()),
    }
}

/// Returns the name and schema of the tool that the model must call, if the request forces a call.
pub(super) fn forced_tool(body: &Value) -> Option<(&str, &Value)> {
    let choice = body.pointer("/toolConfig/toolChoice")?;
    let mut specs =
        array_field(body.get("toolConfig")?, "tools").iter().filter_map(|it| it.get("toolSpec"));
    let spec = match choice.pointer("/tool/name") {
        Some(name) => specs.find(|spec| spec.get("name") == Some(name)),
        None if choice.get("any").is_some() => specs.next(),
        None => None,
    }?;
    Some((str_field(spec, "name")?, spec.pointer("/inputSchema/json")?))
}
