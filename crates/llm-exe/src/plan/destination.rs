//! Parses the `destination` field and checks that the operator allows the destination.

use super::{Problems, Rules};
use crate::destination::ParsedDestination;
use crate::error::{Error, ErrorKind};
use crate::json;

/// Parses the `destination` field of a request, and adds a problem if it is invalid.
pub(super) fn parse_destination(
    text: Option<&str>,
    rules: &Rules,
    problems: &mut Problems,
) -> Option<ParsedDestination> {
    let text = text?;
    let Some(parse) = rules.destination_parser else {
        problems.add("destination", "is not supported, because this program does not send results");
        return None;
    };
    match parse(text) {
        Ok(destination) => Some(destination),
        Err(error) => {
            problems.add("destination", error.to_string());
            None
        }
    }
}

/// Checks that the operator's rules allow the destination.
///
/// # Errors
/// `ConfigForbidden` if the destination is not allowed.
pub(super) fn check_allowed(
    destination: Option<&ParsedDestination>,
    rules: &Rules,
) -> Result<(), Error> {
    let Some(destination) = destination else {
        return Ok(());
    };
    let mut url = destination.to_string();
    // The prefix `s3://bucket/results/` must also allow `s3://bucket/results` itself, so an S3 URL
    // is compared with a trailing slash.
    if url.starts_with("s3://") {
        url.push('/');
    }
    let mut forbidden = rules.hosted.forbidden_prefixes.iter();
    if let Some(prefix) = forbidden.find(|prefix| url.starts_with(*prefix)) {
        let text = format!("destination: {prefix} is reserved for the function's own results");
        return Err(Error::new(ErrorKind::ConfigForbidden, text));
    }
    if rules.destinations.iter().any(|prefix| url.starts_with(prefix.as_str())) {
        return Ok(());
    }
    let received = json::quoted(url.trim_end_matches('/'));
    let text = format!(
        "destination: {received} is not allowed; RESULT_DESTINATION_OVERRIDE lists the allowed \
         prefixes"
    );
    Err(Error::new(ErrorKind::ConfigForbidden, text))
}

/// Checks that the event did not come from the destination, because a result sent there would
/// trigger another run.
///
/// # Errors
/// `ConfigForbidden` if one of the origins is the destination.
pub(crate) fn check_origins(
    destination: Option<&ParsedDestination>,
    origins: &[String],
) -> Result<(), Error> {
    let Some(destination) = destination else {
        return Ok(());
    };
    match origins.iter().find(|origin| destination.matches_arn(origin)) {
        None => Ok(()),
        Some(origin) => {
            let text = format!(
                "destination: the event came from {origin}; a result sent there would trigger \
                 another run"
            );
            Err(Error::new(ErrorKind::ConfigForbidden, text))
        }
    }
}
