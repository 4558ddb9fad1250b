//! What Anthropic refuses in `messages` and `system`: roles, contents, and tool uses without
//! their results.
//!
//! In: the request's body and what its model takes. Out: nothing, or the refusal.

use super::super::Refusal;
use super::super::check::{field, list, text};
use super::models::Model;
use super::refuse::{invalid, required, tag};
use serde_json::Value;

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

/// Refuses what the service would refuse in `messages` and `system`.
pub(crate) fn refuse(body: &Value, model: Model) -> Result<(), Refusal> {
    system(body)?;
    let messages = match field(body, "messages") {
        Some(Value::Array(messages)) if messages.is_empty() => {
            return Err(invalid("messages: at least one message is required"));
        }
        Some(Value::Array(messages)) => messages,
        Some(_) => return Err(invalid("messages: Input should be a valid list")),
        None => return Err(required("messages")),
    };
    let last = messages.len() - 1;
    for (index, message) in messages.iter().enumerate() {
        let role = role(message, index)?;
        let may_be_empty = role == "assistant" && index == last;
        content(message, role, index, may_be_empty)?;
    }
    results(messages)?;
    prefill(messages, model)
}

fn system(body: &Value) -> Result<(), Refusal> {
    match field(body, "system") {
        None | Some(Value::String(_)) => Ok(()),
        Some(Value::Array(blocks)) => {
            for (index, block) in blocks.iter().enumerate() {
                let path = format!("system.{index}");
                tag(block, &["text"], &path)?;
                text_block(block, "system", &path)?;
            }
            Ok(())
        }
        Some(_) => Err(invalid("system: Input should be a valid string or a valid list")),
    }
}

fn role(message: &Value, index: usize) -> Result<&str, Refusal> {
    if !message.is_object() {
        return Err(invalid(&format!("messages.{index}: Input should be an object")));
    }
    match field(message, "role") {
        Some(Value::String(role)) if role == "user" || role == "assistant" => Ok(role),
        Some(Value::String(role)) if role == "system" => Err(invalid(
            "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` \
             parameter, not \"system\" as an input message role.",
        )),
        Some(_) => {
            let path = format!("messages.{index}.role");
            Err(invalid(&format!("{path}: Input should be 'user' or 'assistant'")))
        }
        None => Err(required(&format!("messages.{index}.role"))),
    }
}

fn content(message: &Value, role: &str, index: usize, empty: bool) -> Result<(), Refusal> {
    let path = format!("messages.{index}.content");
    let nothing = || {
        Err(invalid(&format!(
            "messages.{index}: all messages must have non-empty content except for the optional \
             final assistant message"
        )))
    };
    match field(message, "content") {
        None => Err(required(&path)),
        Some(Value::String(text)) if text.is_empty() && !empty => nothing(),
        Some(Value::String(_)) => Ok(()),
        Some(Value::Array(blocks)) if blocks.is_empty() && !empty => nothing(),
        Some(Value::Array(blocks)) => {
            let mut blocks = blocks.iter().enumerate();
            blocks.try_for_each(|(at, block)| self::block(block, role, &format!("{path}.{at}")))
        }
        Some(_) => Err(invalid(&format!("{path}: Input should be a valid string or a valid list"))),
    }
}

fn block(block: &Value, role: &str, path: &str) -> Result<(), Refusal> {
    let kind = tag(block, BLOCKS, path)?;
    match (kind, role) {
        ("text", _) => text_block(block, "messages", path),
        ("image", _) => image(block, &format!("{path}.image")),
        ("tool_use", "user") => {
            Err(invalid(&format!("{path}: `tool_use` blocks can only be in `assistant` messages")))
        }
        ("tool_use", _) => {
            strings(block, &["id", "name"], &format!("{path}.tool_use"))?;
            match block.get("input") {
                Some(Value::Object(_)) => Ok(()),
                Some(_) => {
                    let path = format!("{path}.tool_use.input");
                    Err(invalid(&format!("{path}: Input should be a valid dictionary")))
                }
                None => Err(required(&format!("{path}.tool_use.input"))),
            }
        }
        ("tool_result", "assistant") => {
            Err(invalid(&format!("{path}: `tool_result` blocks can only be in `user` messages")))
        }
        ("tool_result", _) => tool_result(block, &format!("{path}.tool_result")),
        ("thinking", _) => strings(block, &["thinking", "signature"], &format!("{path}.thinking")),
        ("redacted_thinking", _) => strings(block, &["data"], &format!("{path}.redacted_thinking")),
        _ => Ok(()),
    }
}

fn strings(block: &Value, names: &[&str], path: &str) -> Result<(), Refusal> {
    for name in names {
        match field(block, name) {
            Some(Value::String(_)) => {}
            Some(_) => {
                return Err(invalid(&format!("{path}.{name}: Input should be a valid string")));
            }
            None => return Err(required(&format!("{path}.{name}"))),
        }
    }
    Ok(())
}

fn text_block(block: &Value, place: &str, path: &str) -> Result<(), Refusal> {
    strings(block, &["text"], &format!("{path}.text"))?;
    match text(block, "text") {
        Some("") => Err(invalid(&format!("{place}: text content blocks must be non-empty"))),
        Some(text) if text.trim().is_empty() => {
            Err(invalid(&format!("{place}: text content blocks must contain non-whitespace text")))
        }
        _ => Ok(()),
    }
}

fn tool_result(block: &Value, path: &str) -> Result<(), Refusal> {
    strings(block, &["tool_use_id"], path)?;
    match field(block, "content") {
        None | Some(Value::String(_)) => Ok(()),
        Some(Value::Array(blocks)) => {
            for (index, inner) in blocks.iter().enumerate() {
                let path = format!("{path}.content.{index}");
                match tag(inner, RESULT_BLOCKS, &path)? {
                    "text" => text_block(inner, "messages", &path)?,
                    "image" => image(inner, &format!("{path}.image"))?,
                    _ => {}
                }
            }
            Ok(())
        }
        Some(_) => {
            Err(invalid(&format!("{path}.content: Input should be a valid string or a valid list")))
        }
    }
}

fn image(block: &Value, path: &str) -> Result<(), Refusal> {
    let path = format!("{path}.source");
    let Some(source) = field(block, "source") else {
        return Err(required(&path));
    };
    match tag(source, &["base64", "url", "file"], &path)? {
        "base64" => {
            strings(source, &["media_type", "data"], &format!("{path}.base64"))?;
            let media_type = text(source, "media_type").unwrap_or_default();
            if !MEDIA_TYPES.contains(&media_type) {
                return Err(invalid(&format!(
                    "{path}.base64.media_type: Input should be 'image/jpeg', 'image/png', \
                     'image/gif' or 'image/webp'"
                )));
            }
            let data = text(source, "data").unwrap_or_default();
            let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
            match !data.is_empty() && data.len().is_multiple_of(4) && data.bytes().all(base64) {
                true => Ok(()),
                false => Err(invalid(&format!("{path}.base64: invalid base64 data"))),
            }
        }
        "url" => {
            strings(source, &["url"], &format!("{path}.url"))?;
            match text(source, "url").is_some_and(|url| url.starts_with("https://")) {
                true => Ok(()),
                false => Err(invalid(&format!("{path}.url.url: Only HTTPS URLs are supported."))),
            }
        }
        _ => strings(source, &["file_id"], &format!("{path}.file")),
    }
}

/// The ids of a message's blocks of one type.
fn ids<'a>(message: &'a Value, kind: &str, id: &str) -> Vec<&'a str> {
    let blocks = list(message, "content").iter();
    let of_kind = blocks.filter(|block| text(block, "type") == Some(kind));
    of_kind.filter_map(|block| text(block, id)).collect()
}

/// Every tool use has its result in the next message, and every result has its use before it.
fn results(messages: &[Value]) -> Result<(), Refusal> {
    let mut uses: Vec<&str> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let answered = ids(message, "tool_result", "tool_use_id");
        let unanswered: Vec<&str> =
            uses.iter().copied().filter(|id| !answered.contains(id)).collect();
        if !unanswered.is_empty() {
            return Err(invalid(&format!(
                "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately \
                 after: {}. Each `tool_use` block must have a corresponding `tool_result` block \
                 in the next message.",
                index.saturating_sub(1),
                unanswered.join(", ")
            )));
        }
        if let Some(stray) = answered.iter().find(|id| !uses.contains(id)) {
            return Err(invalid(&format!(
                "messages.{index}.content: unexpected `tool_use_id` found in `tool_result` \
                 blocks: {stray}. Each `tool_result` block must have a corresponding `tool_use` \
                 block in the previous message."
            )));
        }
        uses = ids(message, "tool_use", "id");
    }
    Ok(())
}

fn prefill(messages: &[Value], model: Model) -> Result<(), Refusal> {
    let Some(last) = messages.last().filter(|last| text(last, "role") == Some("assistant")) else {
        return Ok(());
    };
    if !ids(last, "tool_use", "id").is_empty() {
        return Err(invalid("messages: the final message's `tool_use` blocks have no results"));
    }
    if model.refuses_prefill() {
        return Err(invalid(
            "This model does not support assistant message prefill. The conversation must end \
             with a user message.",
        ));
    }
    let ending = match last.get("content") {
        Some(Value::String(text)) => Some(text.as_str()),
        _ => list(last, "content").last().and_then(|block| text(block, "text")),
    };
    match ending.is_some_and(|text| text.ends_with(char::is_whitespace)) {
        true => {
            Err(invalid("messages: final assistant content cannot end with trailing whitespace"))
        }
        false => Ok(()),
    }
}
