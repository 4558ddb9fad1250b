//! `output: "string"`: the text as it came.

use serde_json::Value;

use super::{Context, OutputError};

/// Never refuses; an empty reply is an empty string.
#[expect(clippy::unnecessary_wraps, reason = "the shape that every parser has")]
pub(crate) fn parse(text: &str, _: &Context<'_>) -> Result<Value, OutputError> {
    Ok(Value::String(text.to_owned()))
}
