//! The error type of schema compilation and validation.

/// The reason why a schema is unusable or why a value does not satisfy it. The message contains up
/// to three errors, each with its JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemaError(String);

impl SchemaError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        SchemaError(message.into())
    }
}
