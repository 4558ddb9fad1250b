//! Validates the fields `tools` and `toolConfig` of a Gemini request.

use serde_json::Value;

use super::error::{invalid_request, reject_unknown_fields, rule_violation, wrong_type};
use super::models::Model;
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, str_field};

/// The fields of `Tool` that the Gemini API supports.
const FIELDS: &[&str] = &[
    "codeExecution",
    "computerUse",
    "fileSearch",
    "functionDeclarations",
    "googleMaps",
    "googleSearch",
    "googleSearchRetrieval",
    "mcpServers",
    "urlContext",
];
const DECLARATION: &[&str] = &[
    "behavior",
    "description",
    "name",
    "parameters",
    "parametersJsonSchema",
    "response",
    "responseJsonSchema",
];
const MODES: &[&str] = &["AUTO", "ANY", "NONE", "VALIDATED", "MODE_UNSPECIFIED"];
const MAX_NAME: usize = 128;

/// Rejects the values of `tools` and `toolConfig` that the real service would reject.
pub(crate) fn validate(body: &Value, model: Model) -> Result<(), Rejection> {
    match field(body, "tools") {
        None | Some(Value::Array(_)) => {}
        Some(other) => return Err(wrong_type("tools", "type.googleapis.com/Tool", other)),
    }
    let mut names = Vec::new();
    for (index, tool) in array_field(body, "tools").iter().enumerate() {
        let path = format!("tools[{index}]");
        if !tool.is_object() {
            return Err(wrong_type(&path, "type.googleapis.com/Tool", tool));
        }
        reject_unknown_fields(tool, FIELDS, &path)?;
        let path = format!("{path}.function_declarations");
        let kind = "type.googleapis.com/FunctionDeclaration";
        match field(tool, "functionDeclarations") {
            None | Some(Value::Array(_)) => {}
            Some(other) => return Err(wrong_type(&path, kind, other)),
        }
        let declarations = array_field(tool, "functionDeclarations").iter().enumerate();
        for (index, declaration) in declarations {
            let path = format!("{path}[{index}]");
            if !declaration.is_object() {
                return Err(wrong_type(&path, kind, declaration));
            }
            let name = validate_declaration(declaration, &path)?;
            if names.contains(&name) {
                let message = format!("Duplicate function declaration found: {name}");
                return Err(invalid_request(&message));
            }
            names.push(name);
        }
    }
    if !names.is_empty() && !model.tools {
        return Err(invalid_request("Function calling is not enabled for this model."));
    }
    validate_json_mode(body, model, !names.is_empty())?;
    validate_choice(body, &names)
}

/// Checks a declaration and returns its name.
fn validate_declaration<'a>(declaration: &'a Value, path: &str) -> Result<&'a str, Rejection> {
    reject_unknown_fields(declaration, DECLARATION, path)?;
    let name = match field(declaration, "name") {
        Some(Value::String(name)) if is_function_name(name) => name,
        None | Some(Value::String(_)) => {
            let rule = "Invalid function name. Must start with a letter or an underscore. Must be \
                        alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or \
                        dashes (-), with a maximum length of 128.";
            return Err(rule_violation(&format!("{path}.name"), rule));
        }
        Some(other) => return Err(wrong_type(&format!("{path}.name"), "TYPE_STRING", other)),
    };
    if let Some(other) = field(declaration, "description").filter(|text| !text.is_string()) {
        return Err(wrong_type(&format!("{path}.description"), "TYPE_STRING", other));
    }
    match (field(declaration, "parameters"), field(declaration, "parametersJsonSchema")) {
        (Some(_), Some(_)) => {
            let rule = "only one of parameters and parameters_json_schema can be set.";
            Err(rule_violation(path, rule))
        }
        (None, Some(schema)) if str_field(schema, "type") != Some("object") => {
            let path = format!("{path}.parameters_json_schema");
            Err(rule_violation(&path, "the schema must describe an object."))
        }
        (Some(schema), None) if !schema.is_object() => {
            let path = format!("{path}.parameters");
            Err(wrong_type(&path, "type.googleapis.com/Schema", schema))
        }
        _ => Ok(name),
    }
}

fn is_function_name(name: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    name.len() <= MAX_NAME
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(is_known)
}

fn validate_json_mode(body: &Value, model: Model, has_functions: bool) -> Result<(), Rejection> {
    let mime_type = body.pointer("/generationConfig/responseMimeType").and_then(Value::as_str);
    if has_functions && mime_type == Some("application/json") && !model.json_with_tools {
        return Err(invalid_request(
            "Function calling with a response mime type: 'application/json' is unsupported",
        ));
    }
    Ok(())
}

fn validate_choice(body: &Value, names: &[&str]) -> Result<(), Rejection> {
    let Some(config) = field(body, "toolConfig") else {
        return Ok(());
    };
    if !config.is_object() {
        return Err(wrong_type("tool_config", "type.googleapis.com/ToolConfig", config));
    }
    let known = &["functionCallingConfig", "retrievalConfig", "includeServerSideToolInvocations"];
    reject_unknown_fields(config, known, "tool_config")?;
    let Some(calling) = field(config, "functionCallingConfig") else {
        return Ok(());
    };
    let path = "tool_config.function_calling_config";
    if !calling.is_object() {
        return Err(wrong_type(path, "type.googleapis.com/FunctionCallingConfig", calling));
    }
    reject_unknown_fields(calling, &["mode", "allowedFunctionNames"], path)?;
    let mode = match field(calling, "mode") {
        None => "",
        Some(Value::String(mode)) if MODES.contains(&mode.as_str()) => mode,
        Some(other) => {
            let kind = "type.googleapis.com/google.ai.generativelanguage.v1beta.\
                        FunctionCallingConfig.Mode";
            return Err(wrong_type(&format!("{path}.mode"), kind, other));
        }
    };
    if matches!(mode, "ANY" | "VALIDATED") && names.is_empty() {
        return Err(invalid_request(
            "Function calling config is set without function_declarations.",
        ));
    }
    let path = format!("{path}.allowed_function_names");
    let allowed = match field(calling, "allowedFunctionNames") {
        None => return Ok(()),
        Some(Value::Array(allowed)) => allowed,
        Some(other) => return Err(wrong_type(&path, "TYPE_STRING", other)),
    };
    if !allowed.is_empty() && !matches!(mode, "ANY" | "VALIDATED") {
        let rule = "only set when function calling mode is ANY or VALIDATED.";
        return Err(rule_violation(&path, rule));
    }
    for name in allowed {
        if !name.as_str().is_some_and(|name| names.contains(&name)) {
            let rule = format!("{name} is not a function_declaration.");
            return Err(rule_violation(&path, &rule));
        }
    }
    Ok(())
}
