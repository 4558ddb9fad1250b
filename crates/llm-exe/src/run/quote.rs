//! Quotes text of a provider in error messages.

use crate::error::Error;
use crate::scrub::scrub;

/// Adds text of a provider to an error, without the `secrets` that were sent to the provider. The
/// text may quote the prompt or the reply, so it is returned to the caller but not logged.
pub(super) fn quote_provider(error: Error, text: &str, secrets: &[&str]) -> Error {
    match scrub(text, secrets) {
        text if text.is_empty() => error,
        text => {
            let logged = error.for_log();
            error.with_suffix(&format!(": {text}")).logged_as(logged)
        }
    }
}
