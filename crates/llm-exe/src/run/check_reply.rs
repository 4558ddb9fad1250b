//! Whether a reply is a fine answer: refusals, safety blocks, truncations and emptiness are seen
//! here, before the parser has its say.

use serde_json::Value;

use crate::chat::{Reply, StopReason, Structure};
use crate::error::{Error, ErrorKind, shorten};
use crate::plan::Plan;
use crate::scrub::scrub;

/// What a reply is worth.
pub(crate) enum Verdict {
    /// The result, with what was odd about the reply.
    Good(Value, Vec<String>),
    /// A failure that asking again would not mend.
    Bad(Error),
    /// Not what was asked for; asking again may mend it.
    Mendable(Fault),
}

/// A reply that does not fit: what the model said and what is wrong with it.
pub(crate) struct Fault {
    /// The reply's text as the model gave it; may be empty.
    pub(crate) said: String,
    /// What is wrong, for the caller and for the model.
    pub(crate) wrong: String,
    /// The output that was asked for.
    pub(crate) output: &'static str,
}

impl Fault {
    pub(crate) fn into_error(self, reply: &Reply) -> Error {
        let stop = reply.provider_stop_reason.as_deref().unwrap_or("unknown");
        let excerpt = shorten(&scrub(&self.said, &[]), 80);
        let excerpt = if excerpt.is_empty() {
            String::new()
        } else {
            format!("; it begins {}", crate::json::quoted(&excerpt))
        };
        let text = format!("{} (stop reason {stop}{excerpt})", self.wrong);
        // What is wrong may name what the reply holds.
        let logged = format!("the reply is no {} that fits (stop reason {stop})", self.output);
        Error::new(ErrorKind::OutputInvalid, text).logged_as(logged)
    }
}

/// Judges a reply by the plan's parser.
pub(crate) fn judge(plan: &Plan, structure: &Structure, reply: &Reply) -> Verdict {
    let parser = plan.output.parser.row();
    let said = match structure {
        Structure::ForcedTool { name, .. } => {
            reply.tool_arguments(name).map_or_else(|| reply.text(), str::to_owned)
        }
        _ => reply.text(),
    };
    let mut warnings = Vec::new();
    if let Some(error) = stopped(reply, &said, parser.strict, &mut warnings) {
        return Verdict::Bad(error);
    }
    if said.trim().is_empty() && parser.accepts_empty {
        warnings.push("the reply is empty".to_owned());
    }
    match plan.read_output(&said) {
        Ok((value, odd)) => {
            warnings.extend(odd);
            Verdict::Good(value, warnings)
        }
        Err(fault) => Verdict::Mendable(Fault { said, wrong: fault.0, output: parser.name }),
    }
}

/// The failure that the way in which the reply ended amounts to, or a warning where the caller
/// wants text whatever it is.
fn stopped(reply: &Reply, said: &str, strict: bool, warnings: &mut Vec<String>) -> Option<Error> {
    let nothing = said.trim().is_empty();
    let word = reply.provider_stop_reason.as_deref().unwrap_or("none");
    match reply.stop_reason {
        // Nobody asked for a refusal: it is no answer, not even where any text would do.
        StopReason::Refusal => {
            let told = reply.refusal().unwrap_or(said);
            let told = scrub(told, &[]);
            let told = if told.is_empty() { String::new() } else { format!(": {told}") };
            let logged = format!("the model refused (stop reason {word})");
            let text = format!("{logged}{told}");
            return Some(Error::new(ErrorKind::OutputRefused, text).logged_as(logged));
        }
        StopReason::ContentFilter => {
            let text = format!("the provider's safety filter stopped the reply ({word})");
            return Some(Error::new(ErrorKind::OutputRefused, text));
        }
        StopReason::Length if nothing => {
            let text = format!(
                "the reply is empty because reasoning used up all tokens (stop reason {word}); \
                 raise maxTokens or lower effort"
            );
            return Some(Error::new(ErrorKind::OutputInvalid, text));
        }
        StopReason::Length => {
            let by = if word == "model_context_window_exceeded" {
                "the model's context window"
            } else {
                "maxTokens"
            };
            let text = format!("the reply was cut off by {by} (stop reason {word})");
            if strict {
                return Some(Error::new(ErrorKind::OutputTruncated, text));
            }
            warnings.push(text);
        }
        StopReason::Pause if strict => {
            let text = format!("the provider paused the turn before its end ({word})");
            return Some(Error::new(ErrorKind::OutputTruncated, text));
        }
        // A word that we don't know may be an end in the middle. Servers that say none are many.
        StopReason::Other if strict && reply.provider_stop_reason.is_some() => {
            let text = format!("the reply ended in a way that is not known (stop reason {word})");
            return Some(Error::new(ErrorKind::OutputInvalid, text));
        }
        StopReason::Pause | StopReason::Other if reply.provider_stop_reason.is_some() => {
            warnings.push(format!("the reply may not be whole (stop reason {word})"));
        }
        StopReason::Stop | StopReason::ToolCalls | StopReason::Pause | StopReason::Other => {}
    }
    None
}
