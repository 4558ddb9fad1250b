//! What Converse refuses in `toolConfig`.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html>
//!
//! In: the request's body and what its model takes. Out: nothing, or the refusal.

use super::super::Refusal;
use super::super::check::{field, is_name, list, text, unknown_key};
use super::messages::{member, unknown_field};
use super::models::{Maker, Served};
use super::{constraint, extraneous, invalid, required, unsupported};
use serde_json::Value;

/// Refuses what the service would refuse in `toolConfig`.
pub(super) fn refuse(body: &Value, model: Served<'_>) -> Result<(), Refusal> {
    let Some(config) = field(body, "toolConfig") else {
        return Ok(());
    };
    if let Some(unknown) = unknown_key(config, &["tools", "toolChoice"]) {
        return Err(unknown_field("toolConfig", unknown));
    }
    let tools = list(config, "tools");
    if tools.is_empty() {
        let rule = "Member must have length greater than or equal to 1";
        return Err(constraint("[]", "toolConfig.tools", rule));
    }
    let mut names = Vec::new();
    for (index, tool) in tools.iter().enumerate() {
        let path = format!("toolConfig.tools.{index}");
        if member(tool, &["toolSpec", "systemTool", "cachePoint"], &path)? != "toolSpec" {
            continue;
        }
        let name = spec(tool.get("toolSpec").unwrap_or(&Value::Null), &path, model)?;
        if names.contains(&name) {
            return Err(invalid(&format!("The tool name {name} is not unique: {path}")));
        }
        names.push(name);
    }
    match field(config, "toolChoice") {
        Some(choice) => self::choice(choice, &names, model),
        None => Ok(()),
    }
}

fn spec<'a>(spec: &'a Value, path: &str, model: Served<'_>) -> Result<&'a str, Refusal> {
    let path = format!("{path}.toolSpec");
    if let Some(unknown) = unknown_key(spec, &["name", "description", "inputSchema", "strict"]) {
        return Err(unknown_field(&path, unknown));
    }
    let Some(name) = text(spec, "name") else {
        return Err(required(&format!("{path}.name")));
    };
    if !is_name(name, 64) {
        let rule = "Member must satisfy regular expression pattern: [a-zA-Z0-9_-]{1,64}";
        return Err(constraint(name, &format!("{path}.name"), rule));
    }
    if text(spec, "description") == Some("") {
        let rule = "Member must have length greater than or equal to 1";
        return Err(constraint("", &format!("{path}.description"), rule));
    }
    let Some(schema) = spec.pointer("/inputSchema/json") else {
        return Err(required(&format!("{path}.inputSchema")));
    };
    if text(schema, "type") != Some("object") {
        let told = "The value at inputSchema.json.type must be one of the following: object.";
        return Err(invalid(&format!("{path}: {told}")));
    }
    let plain = ["type", "properties", "required"];
    if model.maker == Maker::Nova
        && let Some(key) = unknown_key(schema, &plain)
    {
        return Err(extraneous("/toolConfig/tools/0/toolSpec/inputSchema/json", key));
    }
    Ok(name)
}

fn choice(choice: &Value, names: &[&str], model: Served<'_>) -> Result<(), Refusal> {
    match member(choice, &["auto", "any", "tool"], "toolConfig.toolChoice")? {
        "any" if model.refuses_any() => Err(unsupported("toolConfig.toolChoice.any")),
        "tool" if model.refuses_tool() => Err(unsupported("toolConfig.toolChoice.tool")),
        "tool" => match choice.pointer("/tool/name").and_then(Value::as_str) {
            Some(name) if names.contains(&name) => Ok(()),
            Some(name) => Err(invalid(&format!(
                "The tool {name} in toolConfig.toolChoice.tool is not in toolConfig.tools."
            ))),
            None => Err(required("toolConfig.toolChoice.tool.name")),
        },
        _ => Ok(()),
    }
}

/// The name and the schema of the tool that must be called.
pub(super) fn forced(body: &Value) -> Option<(&str, &Value)> {
    let choice = body.pointer("/toolConfig/toolChoice")?;
    let mut specs =
        list(body.get("toolConfig")?, "tools").iter().filter_map(|it| it.get("toolSpec"));
    let spec = match choice.pointer("/tool/name") {
        Some(name) => specs.find(|spec| spec.get("name") == Some(name)),
        None if choice.get("any").is_some() => specs.next(),
        None => None,
    }?;
    Some((text(spec, "name")?, spec.pointer("/inputSchema/json")?))
}
