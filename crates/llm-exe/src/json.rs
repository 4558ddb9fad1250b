//! Parses JSON and describes JSON values in error messages.
//!
//! The parser is serde_json, which accepts at most 127 levels of nesting. It is configured to
//! preserve the order of keys and integers of any size.

use serde_json::Value;

/// Why a string is not valid JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not valid JSON at line {line}, column {column}: {message}")]
pub struct JsonError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in bytes, counted from 1.
    pub column: usize,
    /// The parser's message, without the position.
    pub message: String,
}

/// Parses a text that contains exactly one JSON value. A byte order mark at the start is skipped.
///
/// # Errors
/// Returns the reason and the position if the text is not valid JSON, or if it is nested deeper
/// than 127 levels.
pub fn parse(text: &[u8]) -> Result<Value, JsonError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    serde_json::from_slice(text).map_err(|error| {
        let message = strip_position(&error).replace(
            "recursion limit exceeded",
            "nested deeper than 127 levels, which is the limit",
        );
        JsonError { line: error.line(), column: error.column().max(1), message }
    })
}

/// Returns the message of a serde_json error without its trailing position, such as ` at line 1
/// column 2`.
pub(crate) fn strip_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    message.strip_suffix(&position).map(str::to_owned).unwrap_or(message)
}

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

#[cfg(test)]
mod tests {
    use super::parse;

    /// Detects changes in the format of serde_json's error messages.
    #[test]
    fn positions_are_stripped_from_messages() {
        let error = parse(b"{\n  \"a\": trx\n}").unwrap_err();
        assert_eq!((error.line, error.message.as_str()), (2, "expected ident"));
        let error = parse(b"").unwrap_err();
        assert_eq!((error.line, error.column), (1, 1));
        assert_eq!(error.message, "EOF while parsing a value");
        let error = parse("[".repeat(200).as_bytes()).unwrap_err();
        assert_eq!(error.message, "nested deeper than 127 levels, which is the limit");
    }
}
