//! Describes JSON values in error messages.

use serde_json::Value;

/// Returns the name of the value's JSON type for error messages, including the article, such as
/// `a string`.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Describes a value in an error message: arrays and objects by their type, other values by their
/// content.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => crate::error::shorten(&number.to_string(), 40),
        Value::String(text) => format!("the string {}", quoted(text)),
        Value::Array(_) | Value::Object(_) => type_name(value).to_owned(),
    }
}

/// Quotes and escapes a string for an error message, after truncating it to 60 characters.
pub fn quoted(text: &str) -> String {
    let short = crate::error::shorten(text, 60);
    serde_json::to_string(&short).unwrap_or_else(|_| "\"…\"".to_owned())
}
