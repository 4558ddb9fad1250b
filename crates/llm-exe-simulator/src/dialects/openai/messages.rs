//! Validates the `messages` of an OpenAI request: the order of their roles, their contents, and
//! whether each tool call has a tool message.

use serde_json::Value;

use super::error::{empty_array, invalid_parameter, missing_parameter, rejection};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, str_field};

/// Maximum length of the id of a tool call.
const MAX_ID: usize = 40;

/// Rejects `messages` that the real service would reject.
pub(crate) fn validate(body: &Value) -> Result<(), Rejection> {
    let messages = array_field(body, "messages");
    if messages.is_empty() {
        return Err(empty_array("messages"));
    }
    for (index, message) in messages.iter().enumerate() {
        validate_message(message, &format!("messages[{index}]"))?;
    }
    validate_tool_messages(messages)
}

/// Rejects neighbouring messages of the user, and a conversation that ends with a system message,
/// as Mistral's API does.
pub(crate) fn validate_roles(body: &Value) -> Result<(), Rejection> {
    let messages = array_field(body, "messages");
    let roles: Vec<&str> =
        messages.iter().filter_map(|message| str_field(message, "role")).collect();
    if roles.windows(2).any(|pair| pair == ["user", "user"]) {
        let message = "Conversation roles must alternate user/assistant/user/assistant/...";
        return Err(rejection(400, message, None, Some("invalid_request_message_order")));
    }
    match roles.last() {
        Some(role @ (&"system" | &"developer")) => {
            let message = format!(
                "Expected last role User or Tool (or Assistant with prefix True) for serving but \
                 got {role}"
            );
            Err(rejection(400, &message, None, Some("invalid_request_message_order")))
        }
        _ => Ok(()),
    }
}

/// Rejects assistant messages without reasoning in a conversation with tools.
/// <https://api-docs.deepseek.com/guides/thinking_mode>
pub(crate) fn validate_reasoning(body: &Value) -> Result<(), Rejection> {
    if array_field(body, "tools").is_empty() {
        return Ok(());
    }
    for (index, message) in array_field(body, "messages").iter().enumerate() {
        let is_turn = str_field(message, "role") == Some("assistant");
        if is_turn && str_field(message, "reasoning_content").is_none() {
            let message = format!(
                "Missing `reasoning_content` field in the assistant message at message index \
                 {index}."
            );
            return Err(rejection(400, &message, None, Some("invalid_request_error")));
        }
    }
    Ok(())
}

fn validate_message(message: &Value, path: &str) -> Result<(), Rejection> {
    validate_content(message, &format!("{path}.content"))?;
    let calls = array_field(message, "tool_calls");
    let path = format!("{path}.tool_calls");
    if message.get("tool_calls").is_some() && calls.is_empty() {
        return Err(empty_array(&path));
    }
    let mut calls = calls.iter().enumerate();
    calls.try_for_each(|(index, call)| validate_id(call, &format!("{path}[{index}].id")))
}

/// Rejects content that is empty. An assistant message may have something else instead, as the
/// documentation of its type says.
fn validate_content(message: &Value, path: &str) -> Result<(), Rejection> {
    match message.get("content") {
        Some(Value::Array(parts)) if parts.is_empty() => Err(empty_array(path)),
        Some(Value::Array(parts)) => {
            let mut images = parts.iter().enumerate().filter_map(|(index, part)| {
                Some((str_field(part.get("image_url")?, "url")?, index))
            });
            images.try_for_each(|(url, index)| {
                validate_image_url(url, &format!("{path}[{index}].image_url.url"))
            })
        }
        None | Some(Value::Null) => {
            let alternatives = ["tool_calls", "function_call", "refusal", "audio"];
            let is_optional = str_field(message, "role") == Some("function")
                || alternatives.iter().any(|name| field(message, name).is_some());
            if is_optional { Ok(()) } else { Err(missing_parameter(path)) }
        }
        Some(_) => Ok(()),
    }
}

/// <https://platform.openai.com/docs/guides/images-vision>
fn validate_image_url(url: &str, param: &str) -> Result<(), Rejection> {
    let prefixes = ["https://", "http://", "data:image/"];
    if prefixes.iter().any(|prefix| url.starts_with(prefix)) {
        return Ok(());
    }
    let message = format!("Invalid '{param}'. Expected a valid URL, but got another value.");
    Err(invalid_parameter(&message, param, "invalid_image_url"))
}

fn validate_id(call: &Value, param: &str) -> Result<(), Rejection> {
    let length = str_field(call, "id").unwrap_or_default().chars().count();
    if length <= MAX_ID {
        return Ok(());
    }
    let message = format!(
        "Invalid '{param}': string too long. Expected a string with maximum length {MAX_ID}, but \
         got a string with length {length} instead."
    );
    Err(invalid_parameter(&message, param, "string_above_max_length"))
}

/// Checks that each tool call is followed by its tool message, and that each tool message follows
/// its tool call.
fn validate_tool_messages(messages: &[Value]) -> Result<(), Rejection> {
    let mut open_calls: Vec<&str> = Vec::new();
    let mut follows_calls = false;
    for (index, message) in messages.iter().enumerate() {
        let path = format!("messages[{index}]");
        if str_field(message, "role") == Some("tool") {
            let id = str_field(message, "tool_call_id").unwrap_or_default();
            match open_calls.iter().position(|call_id| *call_id == id) {
                Some(at) => drop(open_calls.remove(at)),
                None if follows_calls => {
                    let message = format!(
                        "Invalid parameter: 'tool_call_id' of '{id}' not found \
                                           in 'tool_calls' of previous message."
                    );
                    return Err(invalid_parameter(
                        &message,
                        &format!("{path}.tool_call_id"),
                        "invalid_value",
                    ));
                }
                None => {
                    let message = "Invalid parameter: messages with role 'tool' must be a \
                                   response to a preceeding message with 'tool_calls'.";
                    return Err(invalid_parameter(
                        message,
                        &format!("{path}.role"),
                        "invalid_value",
                    ));
                }
            }
            continue;
        }
        reject_open_calls(&open_calls, &path)?;
        let calls = array_field(message, "tool_calls").iter();
        open_calls = calls.filter_map(|call| str_field(call, "id")).collect();
        follows_calls = !open_calls.is_empty();
    }
    reject_open_calls(&open_calls, "messages")
}

fn reject_open_calls(open_calls: &[&str], path: &str) -> Result<(), Rejection> {
    if open_calls.is_empty() {
        return Ok(());
    }
    let message = format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to \
         each 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
        open_calls.join(", ")
    );
    Err(invalid_parameter(&message, path, "invalid_value"))
}
