//! Validates the `messages` and the `system` prompt of an Anthropic request: the roles and
//! the contents.

use serde_json::Value;

use super::error::invalid_request;
use super::models::Model;
use super::{signature, tool_turns};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, is_name, str_field};

/// Rejects `messages` and a `system` prompt that the real service would reject.
pub(crate) fn validate(body: &Value, model: Model) -> Result<(), Rejection> {
    array_field(body, "system").iter().try_for_each(|block| validate_text(block, "system"))?;
    let messages = array_field(body, "messages");
    let Some(last) = messages.len().checked_sub(1) else {
        return Err(invalid_request("messages: at least one message is required"));
    };
    for (index, message) in messages.iter().enumerate() {
        let role = str_field(message, "role").unwrap_or_default();
        // The types have this role since SDK 1.0, but not every model accepts it.
        if role == "system" {
            return Err(invalid_request(
                "messages: Unexpected role \"system\". The Messages API accepts a top-level \
                 `system` parameter, not \"system\" as an input message role.",
            ));
        }
        let may_be_empty = role == "assistant" && index == last;
        validate_content(message, role, index, may_be_empty)?;
    }
    tool_turns::validate(messages)?;
    signature::validate_positions(body, model)?;
    validate_prefill(messages, model)
}

fn validate_content(
    message: &Value,
    role: &str,
    index: usize,
    may_be_empty: bool,
) -> Result<(), Rejection> {
    let is_empty = match message.get("content") {
        Some(Value::Array(blocks)) => blocks.is_empty(),
        content => content.and_then(Value::as_str) == Some(""),
    };
    if is_empty && !may_be_empty {
        return Err(invalid_request(&format!(
            "messages.{index}: all messages must have non-empty content except for the optional \
             final assistant message"
        )));
    }
    let mut blocks = array_field(message, "content").iter().enumerate();
    blocks.try_for_each(|(at, block)| {
        validate_block(block, role, &format!("messages.{index}.content.{at}"))
    })
}

fn validate_block(block: &Value, role: &str, path: &str) -> Result<(), Rejection> {
    let kind = str_field(block, "type").unwrap_or_default();
    let only_in = match (kind, role) {
        ("tool_use" | "thinking" | "redacted_thinking", "user") => "assistant",
        ("tool_result", "assistant") => "user",
        _ => role,
    };
    if only_in != role {
        return Err(invalid_request(&format!(
            "{path}: `{kind}` blocks can only be in `{only_in}` messages"
        )));
    }
    match kind {
        "text" => validate_text(block, "messages"),
        "image" => validate_image(block, &format!("{path}.image")),
        "tool_use" => {
            validate_id(block, "id", &format!("{path}.tool_use"))?;
            // The type of the field is `unknown`.
            if block.get("input").is_some_and(Value::is_object) {
                return Ok(());
            }
            let path = format!("{path}.tool_use.input");
            Err(invalid_request(&format!("{path}: Input should be a valid dictionary")))
        }
        "tool_result" => validate_tool_result(block, &format!("{path}.tool_result")),
        "thinking" if !signature::is_unchanged(block) => {
            Err(invalid_request(&format!("{path}: Invalid `signature` in `thinking` block")))
        }
        _ => Ok(()),
    }
}

/// Checks the characters of an id.
fn validate_id(block: &Value, name: &str, path: &str) -> Result<(), Rejection> {
    if str_field(block, name).is_some_and(|id| is_name(id, usize::MAX)) {
        return Ok(());
    }
    let message = format!("{path}.{name}: String should match pattern '^[a-zA-Z0-9_-]+$'");
    Err(invalid_request(&message))
}

fn validate_text(block: &Value, place: &str) -> Result<(), Rejection> {
    match str_field(block, "text") {
        Some("") => {
            Err(invalid_request(&format!("{place}: text content blocks must be non-empty")))
        }
        Some(text) if text.trim().is_empty() => Err(invalid_request(&format!(
            "{place}: text content blocks must contain non-whitespace text"
        ))),
        _ => Ok(()),
    }
}

fn validate_tool_result(block: &Value, path: &str) -> Result<(), Rejection> {
    validate_id(block, "tool_use_id", path)?;
    let is_empty = match field(block, "content") {
        None => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(content) => content.as_array().is_some_and(Vec::is_empty),
    };
    if is_empty && field(block, "is_error").is_some_and(|is_error| *is_error == true) {
        let message = format!("{path}: content cannot be empty if `is_error` is true");
        return Err(invalid_request(&message));
    }
    for (index, inner) in array_field(block, "content").iter().enumerate() {
        match str_field(inner, "type") {
            Some("text") => validate_text(inner, "messages")?,
            Some("image") => validate_image(inner, &format!("{path}.content.{index}.image"))?,
            _ => {}
        }
    }
    Ok(())
}

fn validate_image(block: &Value, path: &str) -> Result<(), Rejection> {
    let source = block.get("source").unwrap_or(&Value::Null);
    match str_field(source, "type") {
        Some("base64") => {
            let data = str_field(source, "data").unwrap_or_default();
            let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
            if !data.is_empty() && data.len().is_multiple_of(4) && data.bytes().all(is_base64) {
                Ok(())
            } else {
                Err(invalid_request(&format!("{path}.source.base64: invalid base64 data")))
            }
        }
        Some("url") if !str_field(source, "url").is_some_and(|url| url.starts_with("https://")) => {
            let path = format!("{path}.source.url.url");
            Err(invalid_request(&format!("{path}: Only HTTPS URLs are supported.")))
        }
        _ => Ok(()),
    }
}

/// Rejects an invalid prefill. A prefill is a final assistant message that the model continues.
fn validate_prefill(messages: &[Value], model: Model) -> Result<(), Rejection> {
    let Some(last) = messages.last().filter(|last| str_field(last, "role") == Some("assistant"))
    else {
        return Ok(());
    };
    if tool_turns::has_tool_use(last) {
        return Err(invalid_request(
            "messages: the final message's `tool_use` blocks have no results",
        ));
    }
    if model.rejects_prefill() {
        return Err(invalid_request(
            "This model does not support assistant message prefill. The conversation must end \
             with a user message.",
        ));
    }
    let last_text = match last.get("content") {
        Some(Value::String(text)) => Some(text.as_str()),
        _ => array_field(last, "content").last().and_then(|block| str_field(block, "text")),
    };
    if last_text.is_some_and(|text| text.ends_with(char::is_whitespace)) {
        Err(invalid_request(
            "messages: final assistant content cannot end with trailing whitespace",
        ))
    } else {
        Ok(())
    }
}
