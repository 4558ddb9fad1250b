//! Reads the content of a message in the form that both of OpenAI's APIs use: a text, or a list of
//! parts.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lenient::{Lenient, list_items, read_text, text};
use crate::chat::{ReplyBuilder, ReplyEvent};
use crate::error::Error;

#[derive(Deserialize)]
struct ContentPart {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "text")]
    text: Lenient<String>,
    #[serde(default)]
    refusal: Lenient<String>,
}

/// Adds the texts and refusals of a message to the reply. `visible` returns the part of a text that
/// belongs to the reply, if the content is a text. Returns whether all of the content was added.
pub(super) fn read_content(
    builder: &mut ReplyBuilder,
    content: Option<&RawValue>,
    visible: impl FnOnce(String) -> String,
) -> Result<bool, Error> {
    let Some(content) = content else { return Ok(true) };
    if let Lenient::Value(text) = read_text(content) {
        let length = text.len();
        let visible = visible(text);
        let is_complete = visible.len() == length;
        builder.push(ReplyEvent::Text(visible))?;
        return Ok(is_complete);
    }
    let Some(parts) = list_items(Some(content)) else {
        builder.warn_skipped("unreadable content");
        return Ok(false);
    };
    let mut is_complete = true;
    for part in parts {
        match serde_json::from_str::<ContentPart>(part.get()) {
            Ok(ContentPart { kind, text: Lenient::Value(text), .. }) if is_text(&kind) => {
                builder.push(ReplyEvent::Text(text))?;
            }
            Ok(ContentPart { kind, refusal: Lenient::Value(text), .. }) if kind == "refusal" => {
                builder.push(ReplyEvent::Refusal(text))?;
            }
            // Thinking and parts of unknown types are not part of the reply.
            Ok(ContentPart { kind, .. }) if !is_text(&kind) => {}
            Ok(_) | Err(_) => {
                is_complete = false;
                builder.warn_skipped("an unreadable content part");
            }
        }
    }
    Ok(is_complete)
}

/// Returns whether a content part of this type contains text of the reply.
fn is_text(kind: &str) -> bool {
    matches!(kind, "text" | "output_text")
}
