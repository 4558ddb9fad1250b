//! Functions for the members of unions, which several parts of a Converse request have.

use serde_json::Value;

use super::validation_error;
use crate::dialects::dialect::Rejection;
use crate::dialects::json::str_field;

/// Returns the name of the member of a union.
pub(super) fn member(union: &Value) -> &str {
    let mut names = union.as_object().into_iter().flat_map(|members| members.keys());
    names.next().map_or("", String::as_str)
}

/// Rejects a text member that is blank.
pub(super) fn validate_text_block(block: &Value, shape: &str, path: &str) -> Result<(), Rejection> {
    match str_field(block, "text") {
        Some(text) if text.trim().is_empty() => Err(validation_error(&format!(
            "The text field in the {shape} object at {path} is blank. Add text to the text field, \
             and try again."
        ))),
        _ => Ok(()),
    }
}
