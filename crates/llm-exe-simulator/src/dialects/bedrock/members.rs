//! Checks of members that several parts of a Converse request have in common.

use serde_json::Value;

use super::validation_error;
use crate::dialects::dialect::Rejection;
use crate::dialects::json::str_field;

/// Creates a 400 rejection for a field that the operation does not define.
pub(super) fn unknown_field(path: &str, name: &str) -> Rejection {
    let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    validation_error(&format!("Unexpected field type: {path} is not known"))
}

/// Returns the name of a union's member. Rejects a union that does not have exactly one member or
/// whose member is not in `known`.
pub(super) fn union_member<'a>(
    union: &'a Value,
    known: &[&str],
    path: &str,
) -> Result<&'a str, Rejection> {
    let members = union
        .as_object()
        .ok_or_else(|| validation_error(&format!("{path}: expected an object")))?;
    let mut names = members.keys().map(String::as_str);
    match (names.next(), names.next()) {
        (Some(name), None) if known.contains(&name) => Ok(name),
        (Some(name), None) => Err(unknown_field(path, name)),
        _ => Err(validation_error(&format!("{path}: expected a union with exactly one member"))),
    }
}

/// Rejects a text member that is blank.
pub(super) fn validate_text_block(block: &Value, shape: &str, path: &str) -> Result<(), Rejection> {
    match str_field(block, "text") {
        None => Err(validation_error(&format!("{path}.text: expected a string"))),
        Some(text) if text.trim().is_empty() => Err(validation_error(&format!(
            "The text field in the {shape} object at {path} is blank. Add text to the text field, \
             and try again."
        ))),
        Some(_) => Ok(()),
    }
}
