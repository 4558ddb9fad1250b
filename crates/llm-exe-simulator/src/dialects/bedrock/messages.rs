//! What Converse refuses in `messages` and `system`.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html>
//!
//! In: the request's body and what its model takes. Out: nothing, or the refusal.

use super::super::Refusal;
use super::super::check::{field, list, text, unknown_key};
use super::models::Served;
use super::{constraint, invalid, required};
use serde_json::Value;

/// The members of the union `ContentBlock`.
const BLOCKS: &[&str] = &[
    "text",
    "image",
    "document",
    "video",
    "audio",
    "toolUse",
    "toolResult",
    "guardContent",
    "cachePoint",
    "reasoningContent",
    "citationsContent",
    "searchResult",
    "toolAddition",
    "toolRemoval",
];
const FORMATS: &[&str] = &["png", "jpeg", "gif", "webp"];

/// Refuses what the service would refuse in `messages` and `system`.
pub(super) fn refuse(body: &Value, model: Served<'_>) -> Result<(), Refusal> {
    system(body, model)?;
    let messages = match field(body, "messages") {
        Some(Value::Array(messages)) => messages,
        Some(_) => return Err(invalid("messages: expected a list")),
        None => return Err(required("messages")),
    };
    let mut before = None;
    for (index, message) in messages.iter().enumerate() {
        let path = format!("messages.{index}");
        if let Some(unknown) = unknown_key(message, &["role", "content"]) {
            return Err(unknown_field(&path, unknown));
        }
        let role = match text(message, "role") {
            Some(role @ ("user" | "assistant")) => role,
            Some(other) => {
                let rule = "Member must satisfy enum value set: [user, assistant]";
                return Err(constraint(other, &format!("{path}.role"), rule));
            }
            None => return Err(required(&format!("{path}.role"))),
        };
        if before == Some(role) {
            return Err(invalid(
                "A conversation must alternate between user and assistant roles. Make sure the \
                 conversation alternates between user and assistant roles and try again.",
            ));
        }
        before = Some(role);
        content(message, role, &path)?;
    }
    match messages.first().and_then(|first| text(first, "role")) {
        Some("user") => Ok(()),
        _ => Err(invalid(
            "A conversation must start with a user message. Try again with a conversation that \
             starts with a user message.",
        )),
    }
}

/// A field that the operation does not have.
pub(super) fn unknown_field(path: &str, name: &str) -> Refusal {
    let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    invalid(&format!("Unexpected field type: {path} is not known"))
}

fn system(body: &Value, model: Served<'_>) -> Result<(), Refusal> {
    let blocks = match field(body, "system") {
        None => return Ok(()),
        Some(Value::Array(blocks)) => blocks,
        Some(_) => return Err(invalid("system: expected a list")),
    };
    if model.refuses_system() && !blocks.is_empty() {
        return Err(invalid(
            "This model doesn't support system messages. Try again without system messages or \
             use a model that supports system messages.",
        ));
    }
    for (index, block) in blocks.iter().enumerate() {
        let path = format!("system.{index}");
        let kind = member(block, &["text", "guardContent", "cachePoint"], &path)?;
        if kind == "text" {
            words(block, "SystemContentBlock", &path)?;
        }
    }
    Ok(())
}

/// The one member of a union that is there.
pub(super) fn member<'a>(union: &'a Value, known: &[&str], path: &str) -> Result<&'a str, Refusal> {
    let members =
        union.as_object().ok_or_else(|| invalid(&format!("{path}: expected an object")))?;
    let mut names = members.keys().map(String::as_str);
    match (names.next(), names.next()) {
        (Some(name), None) if known.contains(&name) => Ok(name),
        (Some(name), None) => Err(unknown_field(path, name)),
        _ => Err(invalid(&format!("{path}: a union has exactly one member"))),
    }
}

fn words(block: &Value, shape: &str, path: &str) -> Result<(), Refusal> {
    match text(block, "text") {
        None => Err(invalid(&format!("{path}.text: expected a string"))),
        Some(words) if words.trim().is_empty() => Err(invalid(&format!(
            "The text field in the {shape} object at {path} is blank. Add text to the text field, \
             and try again."
        ))),
        Some(_) => Ok(()),
    }
}

fn content(message: &Value, role: &str, path: &str) -> Result<(), Refusal> {
    let blocks = match field(message, "content") {
        Some(Value::Array(blocks)) => blocks,
        Some(_) => return Err(invalid(&format!("{path}.content: expected a list"))),
        None => return Err(required(&format!("{path}.content"))),
    };
    if blocks.is_empty() {
        return Err(invalid(&format!(
            "The content field in the Message object at {path} is empty. Add a ContentBlock \
             object to the content field and try again."
        )));
    }
    for (at, block) in blocks.iter().enumerate() {
        let path = format!("{path}.content.{at}");
        match (member(block, BLOCKS, &path)?, role) {
            ("text", _) => words(block, "ContentBlock", &path)?,
            ("image" | "document" | "video" | "audio" | "toolResult", "assistant") => {
                return Err(invalid(&format!("{path}: only a user message may hold this block")));
            }
            ("toolUse" | "reasoningContent", "user") => {
                return Err(invalid(&format!("{path}: only an assistant message may hold this")));
            }
            ("image", _) => image(block.get("image").unwrap_or(&Value::Null), &path)?,
            ("toolUse", _) => {
                strings(block, "toolUse", &["toolUseId", "name"], &path)?;
            }
            ("toolResult", _) => strings(block, "toolResult", &["toolUseId"], &path)?,
            _ => {}
        }
    }
    Ok(())
}

fn strings(block: &Value, kind: &str, names: &[&str], path: &str) -> Result<(), Refusal> {
    let inner = block.get(kind).unwrap_or(&Value::Null);
    match names.iter().find(|name| text(inner, name).is_none()) {
        Some(name) => Err(required(&format!("{path}.{kind}.{name}"))),
        None => Ok(()),
    }
}

fn image(image: &Value, path: &str) -> Result<(), Refusal> {
    let path = format!("{path}.image");
    match text(image, "format") {
        Some(format) if FORMATS.contains(&format) => {}
        Some(other) => {
            let rule = "Member must satisfy enum value set: [png, jpeg, gif, webp]";
            return Err(constraint(other, &format!("{path}.format"), rule));
        }
        None => return Err(required(&format!("{path}.format"))),
    }
    let Some(source) = field(image, "source") else {
        return Err(required(&format!("{path}.source")));
    };
    if member(source, &["bytes", "s3Location"], &format!("{path}.source"))? == "s3Location" {
        return Ok(());
    }
    let data = text(source, "bytes").unwrap_or_default();
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    match !data.is_empty() && data.len().is_multiple_of(4) && data.bytes().all(base64) {
        true => Ok(()),
        false => Err(invalid(&format!("{path}.source.bytes: could not be decoded as base64"))),
    }
}

/// The text of the last user message.
pub(super) fn said(body: &Value) -> String {
    let own_text = |message: &Value| {
        let texts = list(message, "content").iter().filter_map(|block| text(block, "text"));
        texts.collect::<Vec<_>>().join("\n")
    };
    let users = list(body, "messages").iter().rev();
    let mut texts = users.filter(|message| text(message, "role") == Some("user")).map(own_text);
    texts.find(|text| !text.is_empty()).unwrap_or_default()
}
