//! Writes sampling options to a request body, and records a warning for each dropped option.

use serde_json::{Map, Value};

use crate::chat::Sampling;
use crate::error::Error;
use crate::providers::capabilities::Efforts;

/// A writer that inserts supported options into a request body, and collects a warning for each
/// unsupported option.
pub(crate) struct OptionWriter<'a> {
    pub(crate) body: &'a mut Map<String, Value>,
    pub(crate) warnings: Vec<String>,
    pub(crate) model: &'a str,
}

/// Whether a model or provider accepts an option.
#[derive(Clone, Copy)]
pub(crate) enum Support {
    Accepted,
    /// The option is dropped. The string is the reason to include in the warning.
    Dropped(&'static str),
}

impl Support {
    /// Returns `Accepted` if `accepted` is true, and `Dropped` with the reason otherwise.
    pub(crate) fn when(accepted: bool, reason: &'static str) -> Support {
        if accepted { Support::Accepted } else { Support::Dropped(reason) }
    }
}

impl<'a> OptionWriter<'a> {
    pub(crate) fn new(body: &'a mut Map<String, Value>, model: &'a str) -> Self {
        OptionWriter { body, warnings: Vec::new(), model }
    }

    /// Inserts `value` as the body field `field`, or adds a warning if the option is not supported.
    /// Does nothing if `value` is `None`.
    pub(crate) fn insert(
        &mut self,
        option: &str,
        field: &str,
        value: Option<impl Into<Value>>,
        support: Support,
    ) {
        let Some(value) = value else { return };
        match support {
            Support::Accepted => {
                self.body.insert(field.to_owned(), value.into());
            }
            Support::Dropped(reason) => self.warn_dropped(option, reason),
        }
    }

    /// Adds a warning that an option is dropped.
    pub(crate) fn warn_dropped(&mut self, option: &str, reason: &str) {
        self.warnings.push(dropped_option(option, self.model, reason));
    }

    /// Adds a warning that the effort `sent` replaces the effort that the caller requested.
    pub(crate) fn warn_effort_changed(&mut self, requested: &str, sent: &str) {
        self.warnings.push(format!(
            "options.effort is sent as {sent:?} for {}: the model does not support {requested:?}",
            self.model
        ));
    }

    /// Returns the supported value of `effort` to send: the requested one, or the next higher one,
    /// or the highest. For `none`, it is the lowest one if reasoning can't be turned off. Adds a
    /// warning if it is not the requested one. Returns `None` if no value is supported.
    pub(crate) fn choose_effort(
        &mut self,
        requested: &str,
        supported: Efforts,
    ) -> Option<&'static str> {
        if requested == "none" && supported.lowest() != Some("none") {
            self.warn_minimum_effort();
            return supported.lowest();
        }
        let effort = supported.nearest(requested)?;
        if effort != requested {
            self.warn_effort_changed(requested, effort);
        }
        Some(effort)
    }

    /// Returns the maximum number of output tokens to send: `requested`, but at most the model's
    /// maximum, which is 0 if it is not known. Adds a warning if it is lowered.
    pub(crate) fn limit_max_tokens(&mut self, requested: Option<u64>, maximum: u32) -> Option<u64> {
        let maximum = u64::from(maximum);
        match requested {
            Some(requested) if maximum > 0 && requested > maximum => {
                self.warnings.push(format!(
                    "options.maxTokens is sent as {maximum} for {}: the model's maximum is lower \
                     than {requested}",
                    self.model
                ));
                Some(maximum)
            }
            requested => requested,
        }
    }

    /// Adds a warning that the model reasons with minimum effort, because it does not support
    /// `none`.
    pub(crate) fn warn_minimum_effort(&mut self) {
        self.warnings.push(format!(
            "options.effort is set to the minimum for {}: reasoning can't be turned off for this \
             model",
            self.model
        ));
    }
}

/// Returns the maximum in a row of a table of models, in which 0 means that it is not known.
pub(crate) fn known_maximum(maximum: u32) -> Option<u64> {
    (maximum > 0).then_some(u64::from(maximum))
}

/// Returns the warning that an option is dropped.
pub(crate) fn dropped_option(option: &str, model: &str, reason: &str) -> String {
    dropped_field(&format!("options.{option}"), model, reason)
}

/// Returns the warning that a field of the request is dropped.
pub(crate) fn dropped_field(field: &str, model: &str, reason: &str) -> String {
    format!("{field} is dropped for {model}: {reason}")
}

/// Checks the number of stop sequences.
///
/// # Errors
/// `InvalidRequest` if there are more than `maximum`.
pub(crate) fn check_stop_count(sampling: &Sampling, maximum: usize) -> Result<(), Error> {
    let count = sampling.stop_sequences.len();
    if count > maximum {
        let message = format!("the provider accepts at most {maximum} stop sequences, got {count}");
        return Err(Error::invalid("options.stopSequences", message));
    }
    Ok(())
}

/// Returns the stop sequences as a JSON array, or `None` if there are none.
pub(crate) fn stop_list(sampling: &Sampling) -> Option<Value> {
    let list = &sampling.stop_sequences;
    (!list.is_empty()).then(|| Value::from(list.clone()))
}
