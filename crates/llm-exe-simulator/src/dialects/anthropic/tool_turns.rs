//! Validates how the messages of an Anthropic request follow each other: whether each tool use has
//! a result in the next message, and where thinking may be.

use std::collections::HashSet;

use serde_json::Value;

use super::error::invalid_request;
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, str_field};

/// Rejects messages that the real service would reject because of the messages around them.
pub(super) fn validate(messages: &[Value]) -> Result<(), Rejection> {
    let mut uses: Vec<&str> = Vec::new();
    let mut all_uses = HashSet::new();
    for (index, message) in messages.iter().enumerate() {
        validate_results(message, index, &uses)?;
        uses = ids(message, "tool_use", "id");
        if !uses.iter().all(|id| all_uses.insert(*id)) {
            return Err(invalid_request(&format!(
                "messages.{index}.content: `tool_use` ids must be unique"
            )));
        }
        let last = array_field(message, "content").last();
        if let Some(kind) = last.and_then(thinking_kind) {
            return Err(invalid_request(&format!(
                "messages.{index}: The final block in an assistant message cannot be `{kind}`."
            )));
        }
    }
    Ok(())
}

/// Returns whether a message contains a tool use.
pub(super) fn has_tool_use(message: &Value) -> bool {
    !ids(message, "tool_use", "id").is_empty()
}

/// Rejects a request with a thinking budget if the model would continue a turn that does not begin
/// with thinking.
pub(super) fn validate_thinking(messages: &[Value]) -> Result<(), Rejection> {
    let has_results = |message: &&Value| !ids(message, "tool_result", "tool_use_id").is_empty();
    let Some(turn) =
        messages.len().checked_sub(2).filter(|_| messages.last().as_ref().is_some_and(has_results))
    else {
        return Ok(());
    };
    let first = messages.get(turn).and_then(|turn| array_field(turn, "content").first());
    match first {
        Some(block) if thinking_kind(block).is_none() => {
            let found = str_field(block, "type").unwrap_or_default();
            Err(invalid_request(&format!(
                "messages.{turn}.content.0.type: Expected `thinking` or `redacted_thinking`, but \
                 found `{found}`. When `thinking` is enabled, a final `assistant` message must \
                 start with a thinking block (preceeding the lastmost set of `tool_use` and \
                 `tool_result` blocks)."
            )))
        }
        _ => Ok(()),
    }
}

/// Checks that a message begins with exactly the results of these tool uses.
fn validate_results(message: &Value, index: usize, uses: &[&str]) -> Result<(), Rejection> {
    let results = ids(message, "tool_result", "tool_use_id");
    if let Some(stray) = results.iter().find(|id| !uses.contains(id)) {
        return Err(invalid_request(&format!(
            "messages.{index}.content: unexpected `tool_use_id` found in `tool_result` blocks: \
             {stray}. Each `tool_result` block must have a corresponding `tool_use` block in the \
             previous message."
        )));
    }
    let is_repeated = |(at, id): &(usize, &&str)| results.iter().take(*at).any(|it| it == *id);
    if let Some((_, id)) = results.iter().enumerate().find(is_repeated) {
        return Err(invalid_request(&format!(
            "messages.{index}.content: each tool_use must have a single result. Found multiple \
             `tool_result` blocks with id: {id}"
        )));
    }
    // Results after another block are not recognized.
    let blocks = array_field(message, "content").iter();
    let first = blocks.take_while(|block| str_field(block, "type") == Some("tool_result")).count();
    let is_missing = |id: &&str| !results.iter().take(first).any(|result| result == id);
    let without_result: Vec<&str> = uses.iter().copied().filter(is_missing).collect();
    if without_result.is_empty() {
        return Ok(());
    }
    Err(invalid_request(&format!(
        "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately after: \
         {}. Each `tool_use` block must have a corresponding `tool_result` block in the next \
         message.",
        index.saturating_sub(1),
        without_result.join(", ")
    )))
}

/// Returns the ids of all content blocks of one type in a message. The field `id` contains the id.
fn ids<'a>(message: &'a Value, kind: &str, id: &str) -> Vec<&'a str> {
    let blocks = array_field(message, "content").iter();
    let of_kind = blocks.filter(|block| str_field(block, "type") == Some(kind));
    of_kind.filter_map(|block| str_field(block, id)).collect()
}

fn thinking_kind(block: &Value) -> Option<&str> {
    str_field(block, "type").filter(|kind| matches!(*kind, "thinking" | "redacted_thinking"))
}
