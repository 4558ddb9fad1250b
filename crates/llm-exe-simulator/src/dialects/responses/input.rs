//! Validates the conversation in a request to the Responses API.

use std::collections::HashSet;

use serde_json::Value;

use super::reasoning::{is_genuine, validate_required};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, str_field};
use crate::dialects::openai::error::{
    empty_array, invalid_parameter, missing_parameter, rejection, unsupported_value,
};

const INPUT_PARTS: &[&str] = &["input_text", "input_image", "input_file"];
const OUTPUT_PARTS: &[&str] = &["output_text", "refusal"];
/// Maximum length of the id that pairs a call with its result (decolua/9router#393).
const MAX_CALL_ID: usize = 64;

/// Rejects items that the real service would reject.
pub(super) fn validate(body: &Value) -> Result<(), Rejection> {
    let items = match field(body, "input") {
        None => return Err(missing_parameter("input")),
        Some(Value::String(_)) => return Ok(()),
        Some(Value::Array(items)) if items.is_empty() => return Err(empty_array("input")),
        Some(Value::Array(items)) => items,
        Some(_) => return Ok(()),
    };
    for (index, item) in items.iter().enumerate() {
        validate_item(body, item, index)?;
        validate_required(items.get(..index).unwrap_or_default(), item)?;
        let is_last_of_turn =
            items.get(index + 1).is_none_or(|next| str_field(next, "role") == Some("user"));
        if str_field(item, "type") == Some("reasoning") && is_last_of_turn {
            let id = str_field(item, "id").unwrap_or_default();
            let message = format!(
                "Item '{id}' of type 'reasoning' was provided without its required following item."
            );
            return Err(rejection(400, &message, Some("input"), None));
        }
    }
    validate_pairs(items)
}

fn validate_item(body: &Value, item: &Value, index: usize) -> Result<(), Rejection> {
    let path = format!("input[{index}]");
    match str_field(item, "type") {
        None | Some("message") => validate_message(item, &path),
        Some("function_call") => {
            for name in ["call_id", "name", "arguments"] {
                require_text(item, &path, name)?;
            }
            validate_call_id(item, &path)
        }
        Some("function_call_output") => {
            require_text(item, &path, "call_id")?;
            validate_call_id(item, &path)
        }
        Some("reasoning") => validate_reasoning(body, item),
        Some(_) => Ok(()),
    }
}

fn validate_message(item: &Value, path: &str) -> Result<(), Rejection> {
    let role = str_field(item, "role").unwrap_or_default();
    // The type of a message has the same parts for every role.
    let known = if role == "assistant" { OUTPUT_PARTS } else { INPUT_PARTS };
    for (index, part) in array_field(item, "content").iter().enumerate() {
        let kind = str_field(part, "type").unwrap_or_default();
        let param = format!("{path}.content[{index}]");
        if !known.contains(&kind) {
            return Err(unsupported_value(&format!("{param}.type"), kind, known));
        }
    }
    Ok(())
}

fn require_text(item: &Value, path: &str, name: &str) -> Result<(), Rejection> {
    let param = format!("{path}.{name}");
    match field(item, name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(()),
        Some(Value::String(_)) => {
            let message = format!("Invalid '{param}': empty string. Expected a string.");
            Err(invalid_parameter(&message, &param, "empty_string"))
        }
        _ => Ok(()),
    }
}

fn validate_call_id(item: &Value, path: &str) -> Result<(), Rejection> {
    let length = str_field(item, "call_id").unwrap_or_default().len();
    if length <= MAX_CALL_ID {
        return Ok(());
    }
    let param = format!("{path}.call_id");
    let message = format!(
        "Invalid '{param}': string too long. Expected a string with maximum length {MAX_CALL_ID}, \
         but got a string with length {length} instead."
    );
    Err(invalid_parameter(&message, &param, "string_above_max_length"))
}

/// Rejects reasoning that the server does not have (continuedev/continue#10643).
fn validate_reasoning(body: &Value, item: &Value) -> Result<(), Rejection> {
    let id = str_field(item, "id").unwrap_or_default();
    if field(item, "encrypted_content").is_none() {
        if body.get("store").is_none_or(|store| *store == true) {
            return Ok(());
        }
        let message = format!(
            "Item with id '{id}' not found. Items are not persisted when `store` is set to false. \
             Try again with `store` set to true, or remove this item from your input."
        );
        return Err(rejection(404, &message, Some("input"), None));
    }
    if is_genuine(body, item) {
        return Ok(());
    }
    let message = format!("The encrypted content for item {id} could not be verified.");
    Err(rejection(400, &message, None, Some("invalid_encrypted_content")))
}

/// Rejects calls without a result and results without a call (cloudflare/agents#477,
/// continuedev/continue#10092).
fn validate_pairs(items: &[Value]) -> Result<(), Rejection> {
    let mut open: HashSet<&str> = HashSet::new();
    for item in items {
        let id = str_field(item, "call_id").unwrap_or_default();
        match str_field(item, "type") {
            Some("function_call") => {
                open.insert(id);
            }
            Some("function_call_output") if !open.remove(id) => {
                let message =
                    format!("No tool call found for function call output with call_id {id}.");
                return Err(rejection(400, &message, Some("input"), None));
            }
            _ => {}
        }
    }
    let mut calls = items.iter().filter(|item| str_field(item, "type") == Some("function_call"));
    let unanswered =
        calls.find_map(|item| str_field(item, "call_id").filter(|id| open.contains(id)));
    match unanswered {
        Some(id) => {
            let message = format!("No tool output found for function call {id}.");
            Err(rejection(400, &message, Some("input"), None))
        }
        None => Ok(()),
    }
}
