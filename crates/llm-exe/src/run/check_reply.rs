//! Checks a reply for refusals, safety filters and truncation before the parser reads its text.

use std::borrow::Cow;

use serde_json::Value;

use super::quote::quote_message;
use super::secrets::SecretsInUse;
use crate::chat::{Part, Reply, StopReason, Structure};
use crate::error::{Error, ErrorKind, shorten};
use crate::json::reword_for_model;
use crate::plan::Plan;
use crate::scrub::redact;

/// Maximum length in characters of the reason why a reply is unusable. It can quote the reply.
const MAX_REASON: usize = 1_000;

/// The outcome of checking a reply.
pub(super) enum CheckedReply {
    /// The reply is usable. Contains the parsed result and the warnings.
    Accepted(Value, Vec<String>),
    /// The reply has an error that another call would not fix.
    Failed(Error),
    /// The reply does not match the requested output, but the model may be able to correct it.
    Unusable(UnusableReply),
}

/// A reply that does not match the requested output.
pub(super) struct UnusableReply {
    /// The text of the reply, which may be empty.
    pub(super) text: String,
    /// Why the reply is unusable, worded for the caller.
    reason: String,
    /// The name of the requested output.
    output: String,
}

impl UnusableReply {
    /// Returns why the reply is unusable, worded for the model.
    pub(super) fn reason_for_model(&self) -> String {
        reword_for_model(&self.reason)
    }

    /// Creates the `OutputInvalid` error. The message for the caller quotes the beginning of the
    /// reply, but the message for logs does not.
    pub(super) fn into_error(self, reply: &Reply, secrets: &SecretsInUse) -> Error {
        let UnusableReply { text, reason, output } = self;
        let stop_reason = reply.provider_stop_reason.as_deref();
        let stop_reason = stop_reason.unwrap_or(reply.stop_reason.name());
        let reason = shorten(&redact(&reason, &secrets.expose()), MAX_REASON);
        let excerpt = match shorten(&secrets.scrub(&text), 80) {
            excerpt if excerpt.is_empty() => String::new(),
            excerpt => format!("; the reply begins with {}", crate::json::quoted(&excerpt)),
        };
        let message = format!("{reason} (stop reason {stop_reason}{excerpt})");
        let logged =
            format!("the reply does not match output {output} (stop reason {stop_reason})");
        Error::new(ErrorKind::OutputInvalid, message).logged_as(logged)
    }
}

/// Checks why the model stopped, and parses the reply with the plan's parser.
pub(super) fn check_reply(
    plan: &Plan,
    structure: &Structure,
    reply: &Reply,
    secrets: &SecretsInUse,
) -> CheckedReply {
    let parser = &plan.output.parser;
    let text = match structure {
        Structure::ForcedTool { name, .. } => {
            reply.tool_arguments(name).map_or_else(|| reply_text(reply), Cow::Borrowed)
        }
        _ => reply_text(reply),
    };
    let mut warnings = Vec::new();
    if let Err(error) = check_stop_reason(reply, &text, parser.is_strict(), secrets, &mut warnings)
    {
        return CheckedReply::Failed(error);
    }
    if text.trim().is_empty() && parser.accepts_empty() {
        warnings.push("the reply is empty".to_owned());
    }
    match plan.parse_output(&text) {
        Ok((value, parser_warnings)) => {
            warnings.extend(parser_warnings);
            CheckedReply::Accepted(value, warnings)
        }
        Err(error) => {
            let (reason, output) = (error.0, parser.name().to_owned());
            let text = text.into_owned();
            CheckedReply::Unusable(UnusableReply { text, reason, output })
        }
    }
}

/// Returns the text of a reply, which is copied only if it consists of several parts.
fn reply_text(reply: &Reply) -> Cow<'_, str> {
    match reply.parts.as_slice() {
        [Part::Text(text)] => Cow::Borrowed(text),
        _ => Cow::Owned(reply.text()),
    }
}

/// Returns an error if the reply did not end normally. If the output accepts any text, an
/// incomplete reply that contains text causes only a warning.
fn check_stop_reason(
    reply: &Reply,
    text: &str,
    strict: bool,
    secrets: &SecretsInUse,
    warnings: &mut Vec<String>,
) -> Result<(), Error> {
    let reason = reply.provider_stop_reason.as_deref().unwrap_or("none");
    let is_empty = text.trim().is_empty();
    let error = |kind, message: String, details: Option<&str>| {
        let details = details.unwrap_or_default();
        Err(quote_message(Error::new(kind, message), details, &secrets.expose()))
    };
    let details = reply.stop_details.as_deref();
    match reply.stop_reason {
        // A refusal is an error even if the output accepts any text.
        StopReason::Refusal => {
            let message = format!("the model refused to reply (stop reason {reason})");
            let refusal = reply.refusal.as_deref().or(details).unwrap_or(text);
            error(ErrorKind::OutputRefused, message, Some(refusal))
        }
        StopReason::ContentFilter => {
            let message =
                format!("the provider's safety filter stopped the reply (stop reason {reason})");
            error(ErrorKind::OutputRefused, message, details)
        }
        StopReason::Length if strict || is_empty => {
            error(ErrorKind::OutputTruncated, describe_truncation(reply, reason, is_empty), None)
        }
        StopReason::Length => {
            warnings.push(describe_truncation(reply, reason, false));
            Ok(())
        }
        StopReason::Pause if strict || is_empty => {
            let message =
                format!("the provider paused before the reply was complete (stop reason {reason})");
            error(ErrorKind::OutputTruncated, message, None)
        }
        // A missing stop reason is accepted, because many servers do not send one.
        StopReason::Other if reply.provider_stop_reason.is_none() => Ok(()),
        StopReason::Other if is_empty => {
            let message = format!("the reply is empty (stop reason {reason})");
            error(ErrorKind::OutputInvalid, message, details)
        }
        // An unknown stop reason may mean that the reply is incomplete.
        StopReason::Other if strict => {
            let message = format!("the reply ended with the unknown stop reason {reason}");
            error(ErrorKind::OutputInvalid, message, details)
        }
        StopReason::Pause | StopReason::Other => {
            warnings.push(format!("the reply may be incomplete (stop reason {reason})"));
            Ok(())
        }
        StopReason::Stop | StopReason::ToolCalls => Ok(()),
    }
}

/// Describes a reply that a limit cut off, and how to raise the limit.
fn describe_truncation(reply: &Reply, reason: &str, is_empty: bool) -> String {
    let (limit, advice) = match reason {
        "model_context_window_exceeded" => ("the model's context window", "shorten the prompt"),
        _ if reply.usage.reasoning_tokens > 0 => ("maxTokens", "raise maxTokens or lower effort"),
        _ => ("maxTokens", "raise maxTokens"),
    };
    if !is_empty {
        return format!("the reply was cut off by {limit} (stop reason {reason})");
    }
    let cause = match reply.usage.reasoning_tokens {
        0 => format!("{limit} was reached"),
        tokens => format!("{limit} was reached after {tokens} reasoning tokens"),
    };
    format!("the reply is empty because {cause} (stop reason {reason}); {advice}")
}
