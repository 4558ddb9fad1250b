//! Converts a failed AWS call into the error that callers see.
//!
//! A denied call becomes `AccessDenied`, with the action and the resource. All other failures get
//! the kind of the operation, also those that only the operator can fix: a record whose result
//! could not be stored is then delivered again instead of being lost.

use std::fmt::Display;

use llm_exe::{Error, ErrorKind};

use crate::client::CallError;
use crate::error_response::ErrorResponse;

/// Describes an AWS operation for the message of its error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ErrorContext<'a> {
    /// The kind of a failure that is not a denial.
    pub(crate) unavailable: ErrorKind,
    /// What failed, before the resource: `can't store`.
    pub(crate) failed: &'static str,
    /// The object, parameter, queue or event bus.
    pub(crate) resource: &'a str,
    /// The IAM action that the operation needs: `s3:PutObject`.
    pub(crate) action: &'static str,
    /// Appended to the message of a denial; may be empty.
    pub(crate) denial_hint: &'static str,
}

/// The denial hint of actions that read an object of S3.
pub(crate) const MISSING_OBJECT_HINT: &str =
    "; without s3:ListBucket, S3 denies access to objects that do not exist";

impl ErrorContext<'_> {
    /// Converts the failure of the call.
    pub(crate) fn error(&self, error: CallError) -> Error {
        match error {
            CallError::NotSigned(error) => error,
            CallError::Failed(error) => self.unavailable(&error),
            CallError::InvalidResponse(reason) => self.unavailable(&reason),
            CallError::Rejected(response) => self.rejected(&response),
        }
    }

    /// An error of the kind `unavailable` with a reason.
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
