//! Validates the tools and the tool calls of an Ollama request. Ollama does not check whether calls
//! and results belong together.

use serde_json::Value;

use super::error::{bad_request, wrong_type};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field};

/// Name prefixes of model families whose templates have no tools.
const WITHOUT_TOOLS: &[&str] =
    &["codellama", "deepseek-r1", "gemma2", "gemma3", "llama2", "llava", "phi3"];

/// Rejects `tools` that the real service would reject.
pub(super) fn validate(body: &Value, model: &str) -> Result<(), Rejection> {
    let path = "ChatRequest.tools";
    match field(body, "tools") {
        None | Some(Value::Array(_)) => {}
        Some(other) => return Err(wrong_type(path, "api.Tools", other)),
    }
    let tools = array_field(body, "tools");
    for tool in tools {
        expect_object(tool, path, "api.Tool")?;
        expect_string(tool, "type", path)?;
        let path = format!("{path}.function");
        if let Some(function) = field(tool, "function") {
            expect_object(function, &path, "api.ToolFunction")?;
            expect_string(function, "name", &path)?;
            expect_string(function, "description", &path)?;
            if let Some(parameters) = field(function, "parameters") {
                let path = format!("{path}.parameters");
                expect_object(parameters, &path, "api.ToolFunctionParameters")?;
                expect_string(parameters, "type", &path)?;
            }
        }
    }
    let family = model.rsplit('/').next().unwrap_or(model);
    if !tools.is_empty() && WITHOUT_TOOLS.iter().any(|prefix| family.starts_with(prefix)) {
        let message = format!("registry.ollama.ai/library/{model} does not support tools");
        return Err(bad_request(&message));
    }
    Ok(())
}

/// Checks the fields of a message that concern tools.
pub(super) fn validate_message(message: &Value) -> Result<(), Rejection> {
    let path = "ChatRequest.messages";
    for name in ["thinking", "tool_name", "tool_call_id"] {
        expect_string(message, name, path)?;
    }
    let path = format!("{path}.tool_calls");
    match field(message, "tool_calls") {
        None | Some(Value::Array(_)) => {}
        Some(other) => return Err(wrong_type(&path, "[]api.ToolCall", other)),
    }
    for call in array_field(message, "tool_calls") {
        expect_object(call, &path, "api.ToolCall")?;
        expect_string(call, "id", &path)?;
        let path = format!("{path}.function");
        let Some(function) = field(call, "function") else { continue };
        expect_object(function, &path, "api.ToolCallFunction")?;
        expect_string(function, "name", &path)?;
        if let Some(index) = field(function, "index").filter(|index| !index.is_i64()) {
            return Err(wrong_type(&format!("{path}.index"), "int", index));
        }
        if let Some(arguments) = field(function, "arguments") {
            let path = format!("{path}.arguments");
            expect_object(arguments, &path, "api.ToolCallFunctionArguments")?;
        }
    }
    Ok(())
}

fn expect_object(value: &Value, path: &str, expected: &str) -> Result<(), Rejection> {
    if value.is_object() { Ok(()) } else { Err(wrong_type(path, expected, value)) }
}

fn expect_string(value: &Value, name: &str, path: &str) -> Result<(), Rejection> {
    match field(value, name) {
        Some(other) if !other.is_string() => {
            Err(wrong_type(&format!("{path}.{name}"), "string", other))
        }
        _ => Ok(()),
    }
}
