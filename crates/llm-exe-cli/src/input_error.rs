//! Errors in what the user passed: a file, or an argument that changes a request.

use std::path::Path;

use llm_exe::{Error, ErrorKind, Problem};

use crate::escape::escape_name;
use crate::input_name::display_name;

/// An error about a file or an argument. The paths of its problems are places in a request, so the
/// file and the argument have fields of their own.
#[derive(Debug, Clone)]
pub(crate) struct InputError {
    /// The error. Its message names the file and the argument.
    pub(crate) error: Box<Error>,
    /// The name of the file, `standard input`, or a URL without its query.
    pub(crate) file: Option<String>,
    /// The argument, such as `--set model`.
    pub(crate) argument: Option<String>,
}

impl InputError {
    /// Creates an error about a file as a whole.
    pub(crate) fn in_file(path: &Path, message: impl Into<String>) -> InputError {
        InputError::of_kind(ErrorKind::InvalidRequest, path, message)
    }

    /// Creates an error of a kind about a file as a whole.
    pub(crate) fn of_kind(kind: ErrorKind, path: &Path, message: impl Into<String>) -> InputError {
        let file = display_name(path);
        let error = Error::from_problems(vec![Problem::new(kind, "", message)]);
        let error = error.in_context(&escape_name(&file));
        InputError { file: Some(file), ..InputError::from(error) }
    }

    /// Creates an error about an argument.
    pub(crate) fn in_argument(
        argument: impl Into<String>,
        message: impl Into<String>,
    ) -> InputError {
        InputError::from(Error::invalid("", message)).with_argument(argument)
    }

    /// Adds the argument that the error is about.
    #[must_use]
    pub(crate) fn with_argument(self, argument: impl Into<String>) -> InputError {
        let argument = argument.into();
        let error = Box::new(self.error.in_context(&argument));
        InputError { error, argument: Some(argument), ..self }
    }
}

impl From<Error> for InputError {
    fn from(error: Error) -> InputError {
        InputError { error: Box::new(error), file: None, argument: None }
    }
}
