//! What callers are told where a result could not be kept, read or told of.
//!
//! In: what was tried, and the fault. Out: `AccessDenied` where AWS refused our role, naming the
//! action and the resource; `ResultUnavailable` for the rest, also for what only the operator can
//! mend: a record whose result is nowhere comes again, and is not lost meanwhile.

use llm_exe::{Error, ErrorKind};

use crate::call::CallError;
use crate::refusal::Refusal;

/// What was tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt<'a> {
    /// What did not happen: `S3 did not keep`.
    pub(crate) failed: &'static str,
    /// The permission it needs: `s3:PutObject`.
    pub(crate) action: &'static str,
    /// An object, a queue or a bus.
    pub(crate) resource: &'a str,
    /// What is worth knowing of a denial, after a semicolon; may be empty.
    pub(crate) of_denials: &'static str,
}

impl Attempt<'_> {
    /// What callers are told of a fault.
    pub(crate) fn error(&self, fault: CallError) -> Error {
        match fault {
            CallError::NotSigned(error) => error,
            CallError::Failed(fault) => self.unavailable(&fault),
            CallError::Unreadable(why) => {
                self.unavailable(&format!("the answer can't be read: {why}"))
            }
            CallError::Refused(refusal) => self.refused(&refusal),
        }
    }

    /// What callers are told of a failure.
    pub(crate) fn unavailable(&self, why: &dyn std::fmt::Display) -> Error {
        let text = format!("{} {}: {why}", self.failed, self.resource);
        Error::new(ErrorKind::ResultUnavailable, text)
    }

    fn refused(&self, refusal: &Refusal) -> Error {
        let Attempt { action, resource, of_denials, .. } = self;
        let text = if refusal.is_of_credentials() {
            format!("AWS did not accept the credentials ({refusal})")
        } else if !refusal.is_denial() {
            return self.unavailable(refusal);
        } else if refusal.is_of_kms() {
            let action = refusal.kms_action();
            format!("AWS does not allow its caller {action} with the key of {resource} ({refusal})")
        } else {
            format!("AWS does not allow its caller {action} on {resource} ({refusal}){of_denials}")
        };
        Error::new(ErrorKind::AccessDenied, text)
    }
}
