//! Removes secrets from the strings that a provider chose, and shortens these strings. Errors, log
//! lines and stored results use the scrubbed strings only.

use crate::chat::Reply;
use crate::error::shorten;
use crate::ports::Secret;
use crate::scrub::{contains_part, is_plain, scrub};

/// Maximum length of a stop reason in characters.
const MAX_STOP_REASON: usize = 64;

/// Maximum length of the name of a model and of a reply's id in characters.
const MAX_NAME: usize = 256;

/// The secrets that a provider received, which it may quote.
pub(super) struct SecretsInUse {
    pub(super) key: Option<Secret>,
    pub(super) signing: Vec<Secret>,
}

impl SecretsInUse {
    /// Scrubs a text that a provider chose.
    pub(super) fn scrub(&self, text: &str) -> String {
        scrub(text, &self.texts())
    }

    /// Returns the secrets in plain text.
    pub(super) fn texts(&self) -> Vec<&str> {
        self.key.iter().chain(&self.signing).map(Secret::expose).collect()
    }

    /// Scrubs and shortens a text that is usually a short name.
    fn scrub_name(&self, text: &mut String, max_chars: usize) {
        let is_harmless = is_plain(text, self.key.as_ref().map(Secret::expose))
            && self.signing.iter().all(|secret| is_plain(text, Some(secret.expose())));
        if !is_harmless {
            *text = shorten(&self.scrub(text), max_chars);
        }
    }
}

/// Scrubs the strings of a reply that can get into messages and logs. The texts and tool calls of
/// the reply are its content and do not change.
pub(super) fn scrub_reply(reply: &mut Reply, secrets: &SecretsInUse) {
    if let Some(reason) = &mut reply.provider_stop_reason {
        secrets.scrub_name(reason, MAX_STOP_REASON);
    }
    if let Some(model) = &mut reply.model {
        secrets.scrub_name(model, MAX_NAME);
    }
    if let Some(id) = &mut reply.id {
        // Ids look like keys, so only the secrets in use are searched for.
        if secrets.texts().into_iter().any(|secret| contains_part(id, secret)) {
            *id = secrets.scrub(id);
        }
        if id.len() > MAX_NAME {
            *id = shorten(id, MAX_NAME);
        }
    }
    for warning in &mut reply.warnings {
        *warning = secrets.scrub(warning);
    }
}
