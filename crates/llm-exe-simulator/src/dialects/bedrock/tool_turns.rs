//! Validates the tool uses and tool results of a Converse request.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolResultBlock.html>

use serde_json::Value;

use super::members::validate_text_block;
use super::models::{BedrockModel, Maker};
use super::{unsupported_field, validation_error};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, str_field};

/// Checks that the results of each turn belong to the tool uses of the turn before it, and that
/// the request declares tools if a message uses them.
pub(super) fn validate(body: &Value, messages: &[Value]) -> Result<(), Rejection> {
    let mut uses: Vec<&str> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let results = ids(message, "toolResult");
        let path = format!("messages.{index}.content");
        if has_duplicate(&results) {
            return Err(validation_error(&format!(
                "The toolResult blocks at {path} contain duplicate Ids: {}",
                results.join(", ")
            )));
        }
        let missing: Vec<&str> = uses.iter().copied().filter(|id| !results.contains(id)).collect();
        if !missing.is_empty() {
            return Err(validation_error(&format!(
                "Expected toolResult blocks at {path} for the following Ids: {}",
                missing.join(", ")
            )));
        }
        if results.len() > uses.len() {
            return Err(validation_error(&format!(
                "The number of toolResult blocks at {path} exceeds the number of toolUse blocks \
                 of previous turn."
            )));
        }
        uses = ids(message, "toolUse");
        if has_duplicate(&uses) {
            return Err(validation_error(&format!(
                "The toolUse blocks at {path} contain duplicate Ids: {}",
                uses.join(", ")
            )));
        }
        if field(body, "toolConfig").is_none() && !(uses.is_empty() && results.is_empty()) {
            return Err(validation_error(
                "The toolConfig field must be defined when using toolUse and toolResult content \
                 blocks.",
            ));
        }
    }
    match uses.is_empty() {
        true => Ok(()),
        false => Err(validation_error(&format!(
            "Expected toolResult blocks after the last message for the following Ids: {}",
            uses.join(", ")
        ))),
    }
}

/// Checks a `toolUse` block.
pub(super) fn validate_use(
    block: &Value,
    path: &str,
    model: BedrockModel<'_>,
) -> Result<(), Rejection> {
    let path = format!("{path}.toolUse");
    let call = block.get("toolUse").unwrap_or(&Value::Null);
    validate_id(call, model)?;
    // The service model accepts any JSON value.
    if call.get("input").is_some_and(Value::is_object) {
        return Ok(());
    }
    Err(validation_error(&format!(
        "The format of the value at {path}.input is invalid. Provide a json object for the field \
         and try again."
    )))
}

/// Checks a `toolResult` block.
pub(super) fn validate_result(
    block: &Value,
    path: &str,
    model: BedrockModel<'_>,
) -> Result<(), Rejection> {
    let path = format!("{path}.toolResult");
    let result = block.get("toolResult").unwrap_or(&Value::Null);
    validate_id(result, model)?;
    if model.rejects_status() && field(result, "status").is_some() {
        return Err(unsupported_field("toolResult.status"));
    }
    for (at, item) in array_field(result, "content").iter().enumerate() {
        let path = format!("{path}.content.{at}");
        validate_text_block(item, "ToolResultContentBlock", &path)?;
        // The service model accepts any JSON value.
        if item.get("json").is_some_and(|json| !json.is_object()) {
            return Err(validation_error(&format!(
                "The format of the value at {path}.json is invalid. Provide a json object for the \
                 field and try again."
            )));
        }
    }
    Ok(())
}

fn validate_id(block: &Value, model: BedrockModel<'_>) -> Result<(), Rejection> {
    let id = str_field(block, "toolUseId").unwrap_or_default();
    let is_short = id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if model.maker == Maker::Mistral && !is_short {
        return Err(validation_error(&format!(
            "Tool call id was {id} but must be a-z, A-Z, 0-9, with a length of 9."
        )));
    }
    Ok(())
}

/// Returns the ids of the tool uses or tool results in a message.
fn ids<'a>(message: &'a Value, kind: &str) -> Vec<&'a str> {
    let blocks = array_field(message, "content").iter();
    blocks.filter_map(|block| str_field(block.get(kind)?, "toolUseId")).collect()
}

fn has_duplicate(ids: &[&str]) -> bool {
    ids.iter().enumerate().any(|(index, id)| ids.iter().take(index).any(|other| other == id))
}
