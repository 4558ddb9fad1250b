//! The error of schemas.

/// Why a schema can't be used, or why a value does not satisfy it: up to three errors, each with
/// its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemaError(String);

impl SchemaError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        SchemaError(message.into())
    }
}

/// Converts a message of the validator to one line.
pub(super) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
