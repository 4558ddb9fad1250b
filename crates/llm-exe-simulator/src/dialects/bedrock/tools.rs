//! Validates the `toolConfig` of a Converse request.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html>

use serde_json::Value;

use super::members::{union_member, unknown_field};
use super::models::{BedrockModel, Maker};
use super::{
    constraint_violation, extraneous_key, missing_member, unsupported_field, validation_error,
};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, is_name, str_field, unknown_key};

/// Rejects a `toolConfig` that the real service would reject.
pub(super) fn validate(body: &Value, model: BedrockModel<'_>) -> Result<(), Rejection> {
    let Some(config) = field(body, "toolConfig") else {
        return Ok(());
    };
    if let Some(unknown) = unknown_key(config, &["tools", "toolChoice"]) {
        return Err(unknown_field("toolConfig", unknown));
    }
    if model.rejects_tools() {
        return Err(validation_error("This model doesn't support tool use."));
    }
    let tools = array_field(config, "tools");
    if tools.is_empty() {
        let rule = "Member must have length greater than or equal to 1";
        return Err(constraint_violation("[]", "toolConfig.tools", rule));
    }
    let mut names = Vec::new();
    for (index, tool) in tools.iter().enumerate() {
        let path = format!("toolConfig.tools.{index}");
        if union_member(tool, &["toolSpec", "systemTool", "cachePoint"], &path)? != "toolSpec" {
            continue;
        }
        let name = validate_tool_spec(tool.get("toolSpec").unwrap_or(&Value::Null), &path, model)?;
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

fn validate_tool_spec<'a>(
    spec: &'a Value,
    path: &str,
    model: BedrockModel<'_>,
) -> Result<&'a str, Rejection> {
    let path = format!("{path}.toolSpec");
    if let Some(unknown) = unknown_key(spec, &["name", "description", "inputSchema", "strict"]) {
        return Err(unknown_field(&path, unknown));
    }
    let Some(name) = str_field(spec, "name") else {
        return Err(missing_member(&format!("{path}.name")));
    };
    if !is_name(name, 64) {
        let rule = "Member must satisfy regular expression pattern: [a-zA-Z0-9_-]{1,64}";
        return Err(constraint_violation(name, &format!("{path}.name"), rule));
    }
    if str_field(spec, "description") == Some("") {
        let rule = "Member must have length greater than or equal to 1";
        return Err(constraint_violation("", &format!("{path}.description"), rule));
    }
    let Some(schema) = spec.pointer("/inputSchema/json") else {
        return Err(missing_member(&format!("{path}.inputSchema")));
    };
    if str_field(schema, "type") != Some("object") {
        let rule = "The value at inputSchema.json.type must be one of the following: object.";
        return Err(validation_error(&format!("{path}: {rule}")));
    }
    if model.maker == Maker::Nova
        && let Some(key) = unknown_key(schema, &["type", "properties", "required"])
    {
        return Err(extraneous_key("/toolConfig/tools/0/toolSpec/inputSchema/json", key));
    }
    Ok(name)
}

fn validate_tool_choice(
    choice: &Value,
    names: &[&str],
    model: BedrockModel<'_>,
) -> Result<(), Rejection> {
    match union_member(choice, &["auto", "any", "tool"], "toolConfig.toolChoice")? {
        "any" if model.rejects_any_tool() => Err(unsupported_field("toolConfig.toolChoice.any")),
        "tool" if model.rejects_specific_tool() => {
            Err(unsupported_field("toolConfig.toolChoice.tool"))
        }
        "tool" => match choice.pointer("/tool/name").and_then(Value::as_str) {
            Some(name) if names.contains(&name) => Ok(()),
            Some(name) => Err(validation_error(&format!(
                "The tool {name} in toolConfig.toolChoice.tool is not in toolConfig.tools."
            ))),
            None => Err(missing_member("toolConfig.toolChoice.tool.name")),
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
