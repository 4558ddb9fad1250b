//! Validates the `messages` and the `system` prompt of a Converse request.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html>

use serde_json::Value;

use super::members::{member, validate_text_block};
use super::models::BedrockModel;
use super::tool_turns;
use super::{constraint_violation, missing_member, validation_error};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, str_field};

/// Rejects `messages` and a `system` prompt that the real service would reject.
pub(super) fn validate(body: &Value, model: BedrockModel<'_>) -> Result<(), Rejection> {
    validate_system(body, model)?;
    // The service model requires no messages, because a stored prompt may have them.
    let Some(Value::Array(messages)) = field(body, "messages") else {
        return Err(missing_member("messages"));
    };
    let mut previous_role = None;
    for (index, message) in messages.iter().enumerate() {
        let path = format!("messages.{index}");
        let role = str_field(message, "role").unwrap_or_default();
        // The service model has this role, but not every model accepts it.
        if role == "system" {
            let rule = "Member must satisfy enum value set: [user, assistant]";
            return Err(constraint_violation(role, &format!("{path}.role"), rule));
        }
        if previous_role == Some(role) {
            return Err(validation_error(
                "A conversation must alternate between user and assistant roles. Make sure the \
                 conversation alternates between user and assistant roles and try again.",
            ));
        }
        previous_role = Some(role);
        validate_content(message, role, &path, model)?;
    }
    tool_turns::validate(body, messages)?;
    match messages.first().and_then(|first| str_field(first, "role")) {
        Some("user") => Ok(()),
        Some("assistant") if model.accepts_assistant_first() => Ok(()),
        _ => Err(validation_error(
            "A conversation must start with a user message. Try again with a conversation that \
             starts with a user message.",
        )),
    }
}

fn validate_system(body: &Value, model: BedrockModel<'_>) -> Result<(), Rejection> {
    let blocks = array_field(body, "system");
    if model.rejects_system() && !blocks.is_empty() {
        return Err(validation_error(
            "This model doesn't support system messages. Try again without system messages or \
             use a model that supports system messages.",
        ));
    }
    for (index, block) in blocks.iter().enumerate() {
        validate_text_block(block, "SystemContentBlock", &format!("system.{index}"))?;
    }
    Ok(())
}

fn validate_content(
    message: &Value,
    role: &str,
    path: &str,
    model: BedrockModel<'_>,
) -> Result<(), Rejection> {
    let blocks = array_field(message, "content");
    if blocks.is_empty() {
        return Err(validation_error(&format!(
            "The content field in the Message object at {path} is empty. Add a ContentBlock \
             object to the content field and try again."
        )));
    }
    for (at, block) in blocks.iter().enumerate() {
        let path = format!("{path}.content.{at}");
        match (member(block), role) {
            ("text", _) => validate_text_block(block, "ContentBlock", &path)?,
            ("image" | "document" | "video" | "audio" | "toolResult", "assistant") => {
                return Err(validation_error(&format!(
                    "{path}: only user messages may contain this block"
                )));
            }
            ("toolUse" | "reasoningContent", "user") => {
                return Err(validation_error(&format!(
                    "{path}: only assistant messages may contain this block"
                )));
            }
            ("image", _) if model.rejects_images() => {
                return Err(validation_error(
                    "This model doesn't support the image content block that you provided.",
                ));
            }
            ("image", _) => validate_image(block.get("image").unwrap_or(&Value::Null), &path)?,
            ("toolUse", _) => tool_turns::validate_use(block, &path, model)?,
            ("toolResult", _) => tool_turns::validate_result(block, &path, model)?,
            _ => {}
        }
    }
    Ok(())
}

fn validate_image(image: &Value, path: &str) -> Result<(), Rejection> {
    let source = image.get("source").unwrap_or(&Value::Null);
    if source.get("s3Location").is_some() {
        return Ok(());
    }
    let data = str_field(source, "bytes").unwrap_or_default();
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    if !data.is_empty() && data.len().is_multiple_of(4) && data.bytes().all(is_base64) {
        Ok(())
    } else {
        Err(validation_error(&format!("{path}.image.source.bytes: expected base64 data")))
    }
}

/// Returns the text of the last user message.
pub(super) fn last_message(body: &Value) -> String {
    let message_text = |message: &Value| {
        let texts =
            array_field(message, "content").iter().filter_map(|block| str_field(block, "text"));
        texts.collect::<Vec<_>>().join("\n")
    };
    let users = array_field(body, "messages").iter().rev();
    let mut texts =
        users.filter(|message| str_field(message, "role") == Some("user")).map(message_text);
    texts.find(|text| !text.is_empty()).unwrap_or_default()
}
