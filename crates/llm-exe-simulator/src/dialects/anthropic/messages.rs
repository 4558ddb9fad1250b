//! Validates the `messages` and the `system` prompt of an Anthropic request: the roles and
//! the contents.

use serde_json::Value;

use super::error::{invalid_request, missing_field, reject_unknown_fields, type_tag};
use super::models::Model;
use super::{signature, tool_turns};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, is_name, str_field};

const BLOCKS: &[&str] = &[
    "text",
    "image",
    "document",
    "search_result",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "tool_result",
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "container_upload",
];
/// The fields of `ToolUseBlockParam` in the npm package `@anthropic-ai/sdk`.
const TOOL_USE_FIELDS: &[&str] =
    &["cache_control", "caller", "id", "input", "name", "toolset_name", "type"];
/// The fields of `ToolResultBlockParam`.
const TOOL_RESULT_FIELDS: &[&str] =
    &["cache_control", "content", "is_error", "tool_use_id", "type"];
const RESULT_BLOCKS: &[&str] =
    &["text", "image", "search_result", "document", "tool_reference", "browser_state"];
const MEDIA_TYPES: &[&str] = &["image/jpeg", "image/png", "image/gif", "image/webp"];

/// Rejects `messages` and a `system` prompt that the real service would reject.
pub(crate) fn validate(body: &Value, model: Model) -> Result<(), Rejection> {
    validate_system(body)?;
    let messages = match field(body, "messages") {
        Some(Value::Array(messages)) if messages.is_empty() => {
            return Err(invalid_request("messages: at least one message is required"));
        }
        Some(Value::Array(messages)) => messages,
        Some(_) => return Err(invalid_request("messages: Input should be a valid list")),
        None => return Err(missing_field("messages")),
    };
    let last = messages.len() - 1;
    for (index, message) in messages.iter().enumerate() {
        let role = parse_role(message, index)?;
        let may_be_empty = role == "assistant" && index == last;
        validate_content(message, role, index, may_be_empty)?;
    }
    tool_turns::validate(messages)?;
    signature::validate_positions(body, model)?;
    validate_prefill(messages, model)
}

fn validate_system(body: &Value) -> Result<(), Rejection> {
    match field(body, "system") {
        None | Some(Value::String(_)) => Ok(()),
        Some(Value::Array(blocks)) => {
            for (index, block) in blocks.iter().enumerate() {
                let path = format!("system.{index}");
                type_tag(block, &["text"], &path)?;
                validate_text_block(block, "system", &path)?;
            }
            Ok(())
        }
        Some(_) => Err(invalid_request("system: Input should be a valid string or a valid list")),
    }
}

fn parse_role(message: &Value, index: usize) -> Result<&str, Rejection> {
    if !message.is_object() {
        return Err(invalid_request(&format!("messages.{index}: Input should be an object")));
    }
    match field(message, "role") {
        Some(Value::String(role)) if role == "user" || role == "assistant" => Ok(role),
        Some(Value::String(role)) if role == "system" => Err(invalid_request(
            "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` \
             parameter, not \"system\" as an input message role.",
        )),
        Some(_) => {
            let path = format!("messages.{index}.role");
            Err(invalid_request(&format!("{path}: Input should be 'user' or 'assistant'")))
        }
        None => Err(missing_field(&format!("messages.{index}.role"))),
    }
}

fn validate_content(
    message: &Value,
    role: &str,
    index: usize,
    may_be_empty: bool,
) -> Result<(), Rejection> {
    let path = format!("messages.{index}.content");
    let is_empty = || {
        Err(invalid_request(&format!(
            "messages.{index}: all messages must have non-empty content except for the optional \
             final assistant message"
        )))
    };
    match field(message, "content") {
        None => Err(missing_field(&path)),
        Some(Value::String(text)) if text.is_empty() && !may_be_empty => is_empty(),
        Some(Value::String(_)) => Ok(()),
        Some(Value::Array(blocks)) if blocks.is_empty() && !may_be_empty => is_empty(),
        Some(Value::Array(blocks)) => {
            let mut blocks = blocks.iter().enumerate();
            blocks.try_for_each(|(at, block)| validate_block(block, role, &format!("{path}.{at}")))
        }
        Some(_) => {
            Err(invalid_request(&format!("{path}: Input should be a valid string or a valid list")))
        }
    }
}

fn validate_block(block: &Value, role: &str, path: &str) -> Result<(), Rejection> {
    let kind = type_tag(block, BLOCKS, path)?;
    match (kind, role) {
        ("text", _) => validate_text_block(block, "messages", path),
        ("image", _) => validate_image(block, &format!("{path}.image")),
        ("tool_use", "user") => Err(invalid_request(&format!(
            "{path}: `tool_use` blocks can only be in `assistant` messages"
        ))),
        ("tool_use", _) => {
            reject_unknown_fields(block, TOOL_USE_FIELDS, &format!("{path}.tool_use"))?;
            validate_string_fields(block, &["id", "name"], &format!("{path}.tool_use"))?;
            validate_id(block, "id", &format!("{path}.tool_use"))?;
            match block.get("input") {
                Some(Value::Object(_)) => Ok(()),
                Some(_) => {
                    let path = format!("{path}.tool_use.input");
                    Err(invalid_request(&format!("{path}: Input should be a valid dictionary")))
                }
                None => Err(missing_field(&format!("{path}.tool_use.input"))),
            }
        }
        ("tool_result", "assistant") => Err(invalid_request(&format!(
            "{path}: `tool_result` blocks can only be in `user` messages"
        ))),
        ("tool_result", _) => validate_tool_result(block, &format!("{path}.tool_result")),
        ("thinking" | "redacted_thinking", "user") => Err(invalid_request(&format!(
            "{path}: `{kind}` blocks can only be in `assistant` messages"
        ))),
        ("thinking", _) => {
            let fields = &["thinking", "signature"];
            validate_string_fields(block, fields, &format!("{path}.thinking"))?;
            if signature::is_unchanged(block) {
                Ok(())
            } else {
                Err(invalid_request(&format!("{path}: Invalid `signature` in `thinking` block")))
            }
        }
        ("redacted_thinking", _) => {
            validate_string_fields(block, &["data"], &format!("{path}.redacted_thinking"))
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

/// Checks that all of these fields are strings.
fn validate_string_fields(block: &Value, names: &[&str], path: &str) -> Result<(), Rejection> {
    for name in names {
        match field(block, name) {
            Some(Value::String(_)) => {}
            Some(_) => {
                return Err(invalid_request(&format!(
                    "{path}.{name}: Input should be a valid string"
                )));
            }
            None => return Err(missing_field(&format!("{path}.{name}"))),
        }
    }
    Ok(())
}

fn validate_text_block(block: &Value, place: &str, path: &str) -> Result<(), Rejection> {
    validate_string_fields(block, &["text"], &format!("{path}.text"))?;
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
    reject_unknown_fields(block, TOOL_RESULT_FIELDS, path)?;
    validate_string_fields(block, &["tool_use_id"], path)?;
    validate_id(block, "tool_use_id", path)?;
    let is_error = field(block, "is_error");
    if is_error.is_some_and(|is_error| !is_error.is_boolean()) {
        return Err(invalid_request(&format!("{path}.is_error: Input should be a valid boolean")));
    }
    let is_empty = match field(block, "content") {
        None => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(content) => content.as_array().is_some_and(Vec::is_empty),
    };
    if is_empty && is_error.is_some_and(|is_error| *is_error == true) {
        let message = format!("{path}: content cannot be empty if `is_error` is true");
        return Err(invalid_request(&message));
    }
    match field(block, "content") {
        None | Some(Value::String(_)) => Ok(()),
        Some(Value::Array(blocks)) => {
            for (index, inner) in blocks.iter().enumerate() {
                let path = format!("{path}.content.{index}");
                match type_tag(inner, RESULT_BLOCKS, &path)? {
                    "text" => validate_text_block(inner, "messages", &path)?,
                    "image" => validate_image(inner, &format!("{path}.image"))?,
                    _ => {}
                }
            }
            Ok(())
        }
        Some(_) => Err(invalid_request(&format!(
            "{path}.content: Input should be a valid string or a valid list"
        ))),
    }
}

fn validate_image(block: &Value, path: &str) -> Result<(), Rejection> {
    let path = format!("{path}.source");
    let Some(source) = field(block, "source") else {
        return Err(missing_field(&path));
    };
    match type_tag(source, &["base64", "url", "file"], &path)? {
        "base64" => {
            validate_string_fields(source, &["media_type", "data"], &format!("{path}.base64"))?;
            let media_type = str_field(source, "media_type").unwrap_or_default();
            if !MEDIA_TYPES.contains(&media_type) {
                return Err(invalid_request(&format!(
                    "{path}.base64.media_type: Input should be 'image/jpeg', 'image/png', \
                     'image/gif' or 'image/webp'"
                )));
            }
            let data = str_field(source, "data").unwrap_or_default();
            let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
            if !data.is_empty() && data.len().is_multiple_of(4) && data.bytes().all(is_base64) {
                Ok(())
            } else {
                Err(invalid_request(&format!("{path}.base64: invalid base64 data")))
            }
        }
        "url" => {
            validate_string_fields(source, &["url"], &format!("{path}.url"))?;
            if str_field(source, "url").is_some_and(|url| url.starts_with("https://")) {
                Ok(())
            } else {
                Err(invalid_request(&format!("{path}.url.url: Only HTTPS URLs are supported.")))
            }
        }
        _ => validate_string_fields(source, &["file_id"], &format!("{path}.file")),
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
