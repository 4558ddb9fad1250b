//! Converts the error of an AWS call into the [`Error`] that llm-exe returns.
//!
//! If AWS denies an action, the error has the kind `AccessDenied`, and its message names the action
//! and the resource. Any other failed request has the kind that the operation defines, even if only
//! the user who operates the function can fix the cause. A record whose result could not be stored
//! is therefore delivered again instead of being lost.

use std::fmt::Display;

use llm_exe::{Error, ErrorKind};

use crate::client::CallError;
use crate::error_response::ErrorResponse;

/// Describes an AWS operation, so that its errors have a useful kind and message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ErrorContext<'a> {
    /// The kind of all errors except denied access.
    pub(crate) unavailable: ErrorKind,
    /// The start of the message, which the resource follows, like `can't store`.
    pub(crate) failed: &'static str,
    /// The name of the object, parameter, queue or event bus.
    pub(crate) resource: &'a str,
    /// The IAM action that the caller must be allowed to use, like `s3:PutObject`.
    pub(crate) action: &'static str,
    /// A hint that is appended to the message if AWS denies access. It can be empty.
    pub(crate) denial_hint: &'static str,
}

/// The `denial_hint` for actions that read an S3 object.
pub(crate) const MISSING_OBJECT_HINT: &str =
    "; without s3:ListBucket, S3 denies access to objects that do not exist";

impl ErrorContext<'_> {
    /// Converts the error of a call.
    pub(crate) fn error(&self, error: CallError) -> Error {
        match error {
            CallError::NotSigned(error) => error,
            CallError::Failed(error) => self.unavailable(&error),
            CallError::InvalidResponse(reason) => self.unavailable(&reason),
            CallError::Rejected(response) => self.rejected(&response),
        }
    }

    /// Returns an error of the kind `unavailable` that gives a reason.
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
