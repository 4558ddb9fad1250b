//! Validates the `messages` and the `system` prompt of an Anthropic request: the roles, the
//! contents, and whether each tool use has a tool result.

use serde_json::Value;

use super::error::{invalid_request, missing_field, type_tag};
use super::models::Model;
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, str_field};

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
    validate_tool_results(messages)?;
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
            validate_string_fields(block, &["id", "name"], &format!("{path}.tool_use"))?;
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
        ("thinking", _) => {
            validate_string_fields(block, &["thinking", "signature"], &format!("{path}.thinking"))
        }
        ("redacted_thinking", _) => {
            validate_string_fields(block, &["data"], &format!("{path}.redacted_thinking"))
        }
        _ => Ok(()),
    }
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
    validate_string_fields(block, &["tool_use_id"], path)?;
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

/// Returns the ids of all content blocks of one type in a message. The field `id` contains the id.
fn ids<'a>(message: &'a Value, kind: &str, id: &str) -> Vec<&'a str> {
    let blocks = array_field(message, "content").iter();
    let of_kind = blocks.filter(|block| str_field(block, "type") == Some(kind));
    of_kind.filter_map(|block| str_field(block, id)).collect()
}

/// Checks that each tool use has a result in the next message, and that each tool result has a tool
/// use in the previous message.
fn validate_tool_results(messages: &[Value]) -> Result<(), Rejection> {
    let mut uses: Vec<&str> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let results = ids(message, "tool_result", "tool_use_id");
        let without_result: Vec<&str> =
            uses.iter().copied().filter(|id| !results.contains(id)).collect();
        if !without_result.is_empty() {
            return Err(invalid_request(&format!(
                "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately \
                 after: {}. Each `tool_use` block must have a corresponding `tool_result` block \
                 in the next message.",
                index.saturating_sub(1),
                without_result.join(", ")
            )));
        }
        if let Some(stray) = results.iter().find(|id| !uses.contains(id)) {
            return Err(invalid_request(&format!(
                "messages.{index}.content: unexpected `tool_use_id` found in `tool_result` \
                 blocks: {stray}. Each `tool_result` block must have a corresponding `tool_use` \
                 block in the previous message."
            )));
        }
        uses = ids(message, "tool_use", "id");
    }
    Ok(())
}

/// Rejects an invalid prefill. A prefill is a final assistant message that the model continues.
fn validate_prefill(messages: &[Value], model: Model) -> Result<(), Rejection> {
    let Some(last) = messages.last().filter(|last| str_field(last, "role") == Some("assistant"))
    else {
        return Ok(());
    };
    if !ids(last, "tool_use", "id").is_empty() {
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
