//! `destination`: who is told of the result, out of whom the operator allows.

use super::{Problems, Rules};
use crate::error::{Error, ErrorKind};
use crate::json;
use crate::results::Destination;

/// Reads the field.
pub(super) fn read(written: Option<&str>, problems: &mut Problems) -> Option<Destination> {
    match Destination::read(written?) {
        Ok(destination) => Some(destination),
        Err(why) => {
            problems.add("destination", why);
            None
        }
    }
}

/// Refuses what the operator does not allow.
pub(super) fn check(destination: Option<&Destination>, rules: &Rules) -> Result<(), Error> {
    let Some(destination) = destination else {
        return Ok(());
    };
    let shown = destination.to_string();
    // A prefix of objects ends where a piece of their keys does: no `results-of-others`.
    let told = if matches!(destination, Destination::Objects(_)) { shown + "/" } else { shown };
    if let Some(own) = rules.hosted.forbidden_prefixes.iter().find(|own| told.starts_with(*own)) {
        let text = format!("destination: what is under {own} is the function's own");
        return Err(Error::new(ErrorKind::ConfigForbidden, text));
    }
    if rules.destinations.iter().any(|prefix| told.starts_with(prefix.as_str())) {
        return Ok(());
    }
    let came = json::quoted(told.trim_end_matches('/'));
    let text = format!("destination: {came} is not in RESULT_DESTINATION_OVERRIDE");
    Err(Error::new(ErrorKind::ConfigForbidden, text))
}

/// Refuses a destination that the event came from: it would start the next run.
pub(crate) fn check_origins(
    destination: Option<&Destination>,
    origins: &[String],
) -> Result<(), Error> {
    let Some(destination) = destination else {
        return Ok(());
    };
    match origins.iter().find(|origin| destination.is_of(origin)) {
        None => Ok(()),
        Some(origin) => {
            let text = format!("destination: the event came from {origin}, which would be told");
            Err(Error::new(ErrorKind::ConfigForbidden, text))
        }
    }
}
