//! Validates the fields `tools` and `toolConfig` of a Gemini request.

use serde_json::Value;

use super::error::{invalid_request, rule_violation};
use super::models::Model;
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, str_field};

const MAX_NAME: usize = 128;

/// Rejects the values of `tools` and `toolConfig` that the real service would reject.
pub(crate) fn validate(body: &Value, model: Model) -> Result<(), Rejection> {
    let mut names = Vec::new();
    for (index, tool) in array_field(body, "tools").iter().enumerate() {
        let declarations = array_field(tool, "functionDeclarations").iter();
        for (at, declaration) in declarations.enumerate() {
            let path = format!("tools[{index}].function_declarations[{at}]");
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
    let name = str_field(declaration, "name").unwrap_or_default();
    if !is_function_name(name) {
        let rule = "Invalid function name. Must start with a letter or an underscore. Must be \
                    alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or \
                    dashes (-), with a maximum length of 128.";
        return Err(rule_violation(&format!("{path}.name"), rule));
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
    let calling = body.pointer("/toolConfig/functionCallingConfig").unwrap_or(&Value::Null);
    let mode = str_field(calling, "mode").unwrap_or_default();
    if matches!(mode, "ANY" | "VALIDATED") && names.is_empty() {
        return Err(invalid_request(
            "Function calling config is set without function_declarations.",
        ));
    }
    let path = "tool_config.function_calling_config.allowed_function_names";
    let allowed = array_field(calling, "allowedFunctionNames");
    if !allowed.is_empty() && !matches!(mode, "ANY" | "VALIDATED") {
        let rule = "only set when function calling mode is ANY or VALIDATED.";
        return Err(rule_violation(path, rule));
    }
    for name in allowed {
        if !name.as_str().is_some_and(|name| names.contains(&name)) {
            let rule = format!("{name} is not a function_declaration.");
            return Err(rule_violation(path, &rule));
        }
    }
    Ok(())
}
