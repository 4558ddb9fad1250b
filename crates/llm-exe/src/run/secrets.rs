//! Removes secrets from the strings in a provider's response, and shortens these strings. Errors,
//! log lines and stored results contain only the scrubbed strings.

use crate::chat::Reply;
use crate::error::shorten;
use crate::ports::Secret;
use crate::scrub::{contains_part, is_plain, scrub};

/// Maximum length of a stop reason in characters.
const MAX_STOP_REASON_CHARS: usize = 64;

/// Maximum length of a model name and of a reply's id in characters.
const MAX_NAME_CHARS: usize = 256;

/// The secrets that were sent to a provider, which its response may quote.
#[derive(Default)]
pub(super) struct SecretsInUse {
    /// The API key.
    pub(super) key: Option<Secret>,
    /// The AWS credentials that signed the request.
    pub(super) signing: Vec<Secret>,
}

impl SecretsInUse {
    /// Removes the secrets from a text and shortens it to 300 characters.
    pub(super) fn scrub(&self, text: &str) -> String {
        scrub(text, &self.expose())
    }

    /// Returns the secrets in plain text.
    pub(super) fn expose(&self) -> Vec<&str> {
        self.key.iter().chain(&self.signing).map(Secret::expose).collect()
    }

    /// Scrubs a text that is usually a short name, and shortens it to `max_chars` characters.
    fn scrub_name(&self, text: &mut String, max_chars: usize) {
        let is_harmless = is_plain(text, self.key.as_ref().map(Secret::expose))
            && self.signing.iter().all(|secret| is_plain(text, Some(secret.expose())));
        if !is_harmless {
            *text = shorten(&self.scrub(text), max_chars);
        }
    }
}

/// Scrubs the strings of a reply that errors, logs and reports contain. The texts and tool calls of
/// the reply are its content and do not change.
pub(super) fn scrub_reply(reply: &mut Reply, secrets: &SecretsInUse) {
    if let Some(reason) = &mut reply.provider_stop_reason {
        secrets.scrub_name(reason, MAX_STOP_REASON_CHARS);
    }
    if let Some(model) = &mut reply.model {
        secrets.scrub_name(model, MAX_NAME_CHARS);
    }
    if let Some(id) = &mut reply.id {
        // Ids look like keys, so they are compared only with the secrets in use.
        if secrets.expose().into_iter().any(|secret| contains_part(id, secret)) {
            *id = secrets.scrub(id);
        }
        if id.len() > MAX_NAME_CHARS {
            *id = shorten(id, MAX_NAME_CHARS);
        }
    }
    for warning in &mut reply.warnings {
        *warning = secrets.scrub(warning);
    }
}
