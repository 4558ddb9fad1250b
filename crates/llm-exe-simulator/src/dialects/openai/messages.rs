//! Validates the `messages` of an OpenAI request: their roles, their contents, and whether each
//! tool call has a tool message.

use serde_json::Value;

use super::error::{
    empty_array, invalid_parameter, missing_parameter, rejection, unsupported_value, wrong_type,
};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, str_field};

const ROLES: &[&str] = &["system", "assistant", "user", "function", "tool", "developer"];

/// Maximum length of the id of a tool call.
const MAX_ID: usize = 40;

/// Rejects `messages` that the real service would reject.
pub(crate) fn validate(body: &Value) -> Result<(), Rejection> {
    let messages = match body.get("messages") {
        Some(Value::Array(messages)) => messages,
        Some(other) => return Err(wrong_type("messages", "an array of objects", other)),
        None => return Err(missing_parameter("messages")),
    };
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
    if !message.is_object() {
        return Err(wrong_type(path, "an object", message));
    }
    let role = match field(message, "role") {
        Some(Value::String(role)) => role.as_str(),
        Some(other) => return Err(wrong_type(&format!("{path}.role"), "a string", other)),
        None => return Err(missing_parameter(&format!("{path}.role"))),
    };
    if !ROLES.contains(&role) {
        return Err(unsupported_value(&format!("{path}.role"), role, ROLES));
    }
    if role == "tool" && str_field(message, "tool_call_id").is_none() {
        return Err(missing_parameter(&format!("{path}.tool_call_id")));
    }
    if role == "function" && str_field(message, "name").is_none() {
        return Err(missing_parameter(&format!("{path}.name")));
    }
    if role == "assistant" && field(message, "tool_calls").is_some() {
        validate_tool_calls(message, &format!("{path}.tool_calls"))?;
    }
    validate_content(message, role, &format!("{path}.content"))
}

fn validate_content(message: &Value, role: &str, path: &str) -> Result<(), Rejection> {
    let alternatives = ["tool_calls", "function_call", "refusal", "audio"];
    let is_optional = role == "function"
        || role == "assistant" && alternatives.iter().any(|name| field(message, name).is_some());
    match message.get("content") {
        None | Some(Value::Null) if is_optional => Ok(()),
        None => Err(missing_parameter(path)),
        Some(Value::String(_)) => Ok(()),
        Some(Value::Array(parts)) if parts.is_empty() => Err(empty_array(path)),
        Some(Value::Array(parts)) => {
            let mut parts = parts.iter().enumerate();
            parts.try_for_each(|(index, part)| {
                validate_part(part, role, &format!("{path}[{index}]"))
            })
        }
        Some(other) => Err(wrong_type(path, "one of a string or array of objects", other)),
    }
}

fn validate_part(part: &Value, role: &str, path: &str) -> Result<(), Rejection> {
    let supported: &[&str] = match role {
        "user" => &["text", "image_url", "input_audio", "file"],
        "assistant" => &["text", "refusal"],
        _ => &["text"],
    };
    if !part.is_object() {
        return Err(wrong_type(path, "an object", part));
    }
    let kind = match field(part, "type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(other) => return Err(wrong_type(&format!("{path}.type"), "a string", other)),
        None => return Err(missing_parameter(&format!("{path}.type"))),
    };
    if !supported.contains(&kind) {
        return Err(unsupported_value(&format!("{path}.type"), kind, supported));
    }
    let path = format!("{path}.{kind}");
    match (kind, field(part, kind)) {
        (_, None) => Err(missing_parameter(&path)),
        ("text" | "refusal", Some(Value::String(_))) => Ok(()),
        ("text" | "refusal", Some(other)) => Err(wrong_type(&path, "a string", other)),
        (_, Some(inner)) if !inner.is_object() => Err(wrong_type(&path, "an object", inner)),
        ("image_url", Some(image)) => validate_image_url(image, &path),
        ("input_audio", Some(audio)) => {
            let missing = ["data", "format"].iter().find(|name| str_field(audio, name).is_none());
            missing.map_or(Ok(()), |name| Err(missing_parameter(&format!("{path}.{name}"))))
        }
        _ => Ok(()),
    }
}

fn validate_image_url(image: &Value, path: &str) -> Result<(), Rejection> {
    let param = format!("{path}.url");
    let Some(url) = str_field(image, "url") else {
        return Err(missing_parameter(&param));
    };
    let prefixes = ["https://", "http://", "data:image/"];
    let is_valid = prefixes.iter().any(|prefix| url.starts_with(prefix));
    if is_valid {
        Ok(())
    } else {
        let message = format!("Invalid '{param}'. Expected a valid URL, but got another value.");
        Err(invalid_parameter(&message, &param, "invalid_image_url"))
    }
}

fn validate_tool_calls(message: &Value, path: &str) -> Result<(), Rejection> {
    let calls = match message.get("tool_calls") {
        Some(Value::Array(calls)) if calls.is_empty() => return Err(empty_array(path)),
        Some(Value::Array(calls)) => calls,
        Some(other) => return Err(wrong_type(path, "an array of objects", other)),
        None => return Ok(()),
    };
    for (index, call) in calls.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let param = format!("{path}.id");
        match str_field(call, "id") {
            None => return Err(missing_parameter(&param)),
            Some(id) if id.chars().count() > MAX_ID => {
                let message = format!(
                    "Invalid '{param}': string too long. Expected a string with maximum length \
                     {MAX_ID}, but got a string with length {} instead.",
                    id.chars().count()
                );
                return Err(invalid_parameter(&message, &param, "string_above_max_length"));
            }
            Some(_) => {}
        }
        match str_field(call, "type") {
            Some("function") => {}
            Some("custom") => continue,
            Some(other) => {
                let supported = &["function", "custom"];
                return Err(unsupported_value(&format!("{path}.type"), other, supported));
            }
            None => return Err(missing_parameter(&format!("{path}.type"))),
        }
        for name in ["name", "arguments"] {
            let param = format!("{path}.function.{name}");
            match call.pointer(&format!("/function/{name}")) {
                Some(Value::String(_)) => {}
                Some(other) => return Err(wrong_type(&param, "a string", other)),
                None => return Err(missing_parameter(&param)),
            }
        }
    }
    Ok(())
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
