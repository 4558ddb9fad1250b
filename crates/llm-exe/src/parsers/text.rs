//! The parsers for `output: "string"`, which returns the reply unchanged, and
//! `output: "replaceStringTemplate"`, which renders the reply as a template.

use serde_json::Value;

use super::parser::{Context, OutputError};

/// Returns the reply unchanged, even if it is empty.
#[expect(clippy::unnecessary_wraps, reason = "all parsers have this signature")]
pub(super) fn string(text: &str, _: &Context<'_>) -> Result<Value, OutputError> {
    Ok(Value::String(text.to_owned()))
}

/// Renders the reply as a template with the request's data.
pub(super) fn replace_string_template(
    text: &str,
    context: &Context<'_>,
) -> Result<Value, OutputError> {
    (context.render)(text).map(Value::String).map_err(|error| {
        OutputError::new(format!("the reply can't be rendered as a template: {error}"))
    })
}
