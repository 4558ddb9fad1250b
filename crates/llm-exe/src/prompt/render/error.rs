//! The errors of a rendering, without a position.

use crate::prompt::error::ProblemKind;

/// Why rendering stopped. The caller adds the position.
///
/// The type is small, because every step of a rendering can return it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RenderError {
    Failed(Box<Failure>),
    TooDeep,
    TooLarge,
    TooSlow,
}

/// An error with its own message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: ProblemKind,
    pub(crate) message: String,
}

impl RenderError {
    /// A helper can't use its arguments. The caller puts the helper's name before the message.
    pub(crate) fn helper(message: impl Into<String>) -> Self {
        let (kind, message) = (ProblemKind::HelperFailed, message.into());
        RenderError::Failed(Box::new(Failure { kind, message }))
    }

    /// A helper was called with `actual` positional arguments instead of `expected`.
    pub(crate) fn wrong_argument_count(expected: usize, actual: usize) -> Self {
        let plural = if expected == 1 { "" } else { "s" };
        RenderError::helper(format!("expects {expected} argument{plural}, got {actual}"))
    }

    /// A partial with a computed name is not defined.
    pub(crate) fn unknown_partial(name: &str) -> Self {
        let (kind, message) = (ProblemKind::UnknownPartial, format!("unknown partial `{name}`"));
        RenderError::Failed(Box::new(Failure { kind, message }))
    }
}
