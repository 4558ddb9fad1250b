//! Converts a failed AWS call to the [`Error`] type of llm-exe.
//!
//! If AWS denies an action, the error kind is `AccessDenied`, and the message names the action and
//! the resource. All other failures get the retryable kind of the operation, even if an operator
//! has to fix the cause. A message whose result could not be stored is then delivered again instead
//! of being lost.

use std::fmt::Display;

use llm_exe::{Error, ErrorKind};

use crate::client::CallError;
use crate::error_response::ErrorResponse;

/// A description of an AWS operation, which determines the kind and the message of its errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ErrorContext<'a> {
    /// The error kind for all failures except denied access.
    pub(crate) unavailable: ErrorKind,
    /// The beginning of the error message, such as `can't store`. The resource follows it.
    pub(crate) failed: &'static str,
    /// The name of the S3 object, parameter, queue or event bus.
    pub(crate) resource: &'a str,
    /// The IAM action that the operation requires, such as `s3:PutObject`.
    pub(crate) action: &'static str,
    /// A hint to append to the message if AWS denies access. It may be empty.
    pub(crate) denial_hint: &'static str,
}

/// The `denial_hint` of operations that read an S3 object.
pub(crate) const MISSING_OBJECT_HINT: &str =
    "; S3 also denies access to a missing object unless s3:ListBucket is allowed";

impl ErrorContext<'_> {
    /// Converts a call error to an [`Error`] that names the resource.
    pub(crate) fn error(&self, error: CallError) -> Error {
        match error {
            CallError::NotSigned(error) => error,
            CallError::Failed(error) => self.unavailable(&error),
            CallError::InvalidResponse(reason) => self.unavailable(&reason),
            CallError::Rejected(response) => self.rejected(&response),
        }
    }

    /// Returns an error of the kind `unavailable` with the given reason.
    pub(crate) fn unavailable(&self, reason: &dyn Display) -> Error {
        let message = format!("{} {}: {reason}", self.failed, self.resource);
        Error::new(self.unavailable, message)
    }

    fn rejected(&self, response: &ErrorResponse) -> Error {
        let ErrorContext { action, resource, denial_hint, .. } = self;
        let message = if response.is_about_credentials() {
            format!(
                "AWS rejected the credentials ({response}); check that they are valid and not \
                 expired"
            )
        } else if !response.is_access_denied() {
            return self.unavailable(response);
        } else if response.is_from_kms() {
            let action = response.kms_action();
            format!(
                "AWS denied {action} on the KMS key of {resource} ({response}); allow the action \
                 in the caller's IAM policy and in the key policy"
            )
        } else {
            format!(
                "AWS denied {action} on {resource} ({response}); allow the action in the caller's \
                 IAM policy{denial_hint}"
            )
        };
        Error::new(ErrorKind::AccessDenied, message)
    }
}
