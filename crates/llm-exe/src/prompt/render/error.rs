//! Errors that stop rendering, without their position in the template.

use crate::prompt::error::ProblemKind;

/// The reason why rendering stopped. The caller adds the position.
///
/// The type is kept small because every rendering step can return it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RenderError {
    Failed(Box<Failure>),
    TooDeep,
    TooSlow,
}

/// The details of an error that has its own message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: ProblemKind,
    pub(crate) message: String,
}

impl RenderError {
    /// Creates the error for a helper that was given invalid arguments. The caller prefixes the
    /// message with the helper's name.
    pub(crate) fn helper(message: impl Into<String>) -> Self {
        let (kind, message) = (ProblemKind::HelperFailed, message.into());
        RenderError::Failed(Box::new(Failure { kind, message }))
    }

    /// Creates the error for `output` of at least `size` bytes.
    #[cold]
    pub(crate) fn too_large(output: &str, max: usize, size: usize) -> Self {
        let message = format!(
            "the {output} exceeds the size limit: expected at most {max} bytes, got at least {size}"
        );
        RenderError::Failed(Box::new(Failure { kind: ProblemKind::TooLarge, message }))
    }

    /// Creates the error for a helper that was called with `actual` positional arguments instead of
    /// `expected`.
    pub(crate) fn wrong_argument_count(expected: usize, actual: usize) -> Self {
        let plural = if expected == 1 { "" } else { "s" };
        RenderError::helper(format!("expects {expected} argument{plural}, got {actual}"))
    }

    /// Creates the error for a partial whose name was computed and is not defined.
    pub(crate) fn unknown_partial(name: &str) -> Self {
        let (kind, message) = (ProblemKind::UnknownPartial, format!("unknown partial `{name}`"));
        RenderError::Failed(Box::new(Failure { kind, message }))
    }
}
