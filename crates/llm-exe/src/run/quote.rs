//! Quotes text from provider responses in error messages.

use crate::error::Error;
use crate::json::quoted;
use crate::scrub::scrub;
use crate::wire::WireReply;

/// Maximum number of bytes of a body that are scrubbed and quoted.
const MAX_BODY_BYTES: usize = 1024;

/// Adds a message of the provider to an error, without the `secrets` that were sent to the
/// provider. The message may quote the prompt or the reply, so it is returned to the caller but not
/// logged.
pub(super) fn quote_message(error: Error, text: &str, secrets: &[&str]) -> Error {
    match scrub(text, secrets) {
        text if text.is_empty() => error,
        text => {
            let logged = error.for_log();
            error.with_suffix(&format!(": {text}")).logged_as(logged)
        }
    }
}

/// Adds the beginning of a response body to an error, without the `secrets`, or the reason why the
/// body is unreadable. The caller receives the quoted text, but it is not logged.
pub(super) fn quote_body(error: Error, response: &WireReply, secrets: &[&str]) -> Error {
    if let Some(problem) = response.encoding_problem() {
        return error.with_suffix(&format!("; {}", scrub(&problem, secrets)));
    }
    let body = response.body.trim_ascii();
    let mut text = String::from_utf8_lossy(body.get(..MAX_BODY_BYTES).unwrap_or(body));
    if body.len() > MAX_BODY_BYTES
        && let Some((words, _)) = text.rsplit_once(char::is_whitespace)
    {
        // The last word may be a part of a secret.
        text = words.to_owned().into();
    }
    match scrub(&text, secrets) {
        text if text.is_empty() => error.with_suffix("; the body is empty"),
        text => {
            let logged = error.for_log();
            error
                .with_suffix(&format!("; the body begins with {}", quoted(&text)))
                .logged_as(logged)
        }
    }
}
