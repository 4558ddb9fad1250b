//! JSON text to a value, with the place of a fault.
//!
//! The reader is serde_json's: 127 levels at most, integers of any size kept, keys in order.

use serde_json::Value;

/// Why a text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not JSON at line {line}, column {column}: {message}")]
pub struct JsonError {
    /// From 1.
    pub line: usize,
    /// From 1, in bytes.
    pub column: usize,
    /// What the reader says, without the place.
    pub message: String,
}

/// Reads one JSON value that fills the whole text. A byte order mark in front is passed over.
///
/// # Errors
/// Where and why it is not JSON. Nesting deeper than 127 levels is a fault too.
pub fn parse(text: &[u8]) -> Result<Value, JsonError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    serde_json::from_slice(text).map_err(|error| {
        let shown = error.to_string();
        let message = match shown.rfind(" at line ") {
            Some(at) => shown.get(..at).unwrap_or(&shown).to_owned(),
            None => shown,
        };
        let message = message.replace(
            "recursion limit exceeded",
            "nested deeper than 127 levels, which is the limit",
        );
        JsonError { line: error.line(), column: error.column().max(1), message }
    })
}

/// The type of a value, as messages name it.
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

/// A value as a message quotes it: its type, and the value itself where it is short and plain.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => crate::error::shorten(&number.to_string(), 40),
        Value::String(text) => format!("the string {}", quoted(text)),
        Value::Array(_) | Value::Object(_) => type_name(value).to_owned(),
    }
}

/// A text in double quotes, escaped, at most 60 characters of it.
pub fn quoted(text: &str) -> String {
    let short = crate::error::shorten(text, 60);
    serde_json::to_string(&short).unwrap_or_else(|_| "\"…\"".to_owned())
}
