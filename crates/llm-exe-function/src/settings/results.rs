//! Parses the settings that define where results are stored and sent.

use llm_exe::HostedRules;
use llm_exe_events::MAX_RESPONSE_BYTES;

use super::error::SettingsError;
use super::parse::{Get, number};
use crate::destination::{Destination, ResultPrefix};

const PREFIX: &str = "RESULT_PREFIX";
const DESTINATION: &str = "RESULT_DESTINATION";
const OVERRIDE: &str = "RESULT_DESTINATION_OVERRIDE";
const OFFLOAD: &str = "OFFLOAD_RESULTS_OVER";

/// Minimum value of `OFFLOAD_RESULTS_OVER`, which is enough for a response with the URL of a
/// result.
const MIN_OFFLOAD_BYTES: u64 = 4096;

/// The settings for storing and sending results.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResultSettings {
    /// The prefix below which results are stored.
    pub prefix: Option<ResultPrefix>,
    /// The destination for the results of records whose requests do not name one.
    pub destination: Option<Destination>,
    /// Maximum size of a response in bytes. If a response is larger, its results are stored and the
    /// response contains their URLs instead.
    pub offload_over: Option<usize>,
}

/// Parses the settings for results.
pub(super) fn parse(get: &Get<'_>) -> Result<ResultSettings, SettingsError> {
    let prefix = get(PREFIX).map(|text| {
        ResultPrefix::parse(text.trim()).map_err(|reason| SettingsError::new(PREFIX, reason))
    });
    let prefix = prefix.transpose()?;
    let offload =
        number(get, OFFLOAD, "a number of bytes", MIN_OFFLOAD_BYTES..=MAX_RESPONSE_BYTES as u64)?;
    if offload.is_some() && prefix.is_none() {
        let message = "it requires RESULT_PREFIX, where large results are stored";
        return Err(SettingsError::new(OFFLOAD, message));
    }
    let offload_over = offload.and_then(|bytes| usize::try_from(bytes).ok());
    Ok(ResultSettings { prefix, destination: destination(get)?, offload_over })
}

fn destination(get: &Get<'_>) -> Result<Option<Destination>, SettingsError> {
    let Some(text) = get(DESTINATION) else {
        return Ok(None);
    };
    match Destination::parse(text.trim()) {
        Ok(Destination::Objects(_)) => {
            let message = "expected a queue URL or an event bus ARN; to store results in S3, set \
                        RESULT_PREFIX";
            Err(SettingsError::new(DESTINATION, message))
        }
        Ok(destination) => Ok(Some(destination)),
        Err(reason) => Err(SettingsError::new(DESTINATION, reason)),
    }
}

/// Rejects a result prefix that is a whole config bucket, because configs below the result prefix
/// can't be read.
pub(super) fn check_config_buckets(
    results: &ResultSettings,
    hosted: &HostedRules,
) -> Result<(), SettingsError> {
    let whole_bucket = results.prefix.as_ref().filter(|prefix| prefix.prefix.is_empty());
    let buckets = hosted.buckets.iter().flatten().chain(&hosted.bucket);
    let mut buckets = buckets;
    match whole_bucket.filter(|prefix| buckets.any(|bucket| *bucket == prefix.bucket)) {
        None => Ok(()),
        Some(prefix) => {
            let message = format!(
                "configs are read from the whole bucket {prefix}; add a key prefix, for example \
                 {prefix}results"
            );
            Err(SettingsError::new(PREFIX, message))
        }
    }
}

/// Parses the prefixes that a request's `destination` may begin with. Each prefix must include at
/// least the bucket name or the account id.
pub(super) fn allowed(get: &Get<'_>) -> Result<Vec<String>, SettingsError> {
    let text = get(OVERRIDE).unwrap_or_default();
    let prefixes = text.split(',').map(str::trim).filter(|prefix| !prefix.is_empty());
    prefixes.map(|prefix| parse_prefix(prefix).ok_or_else(|| invalid_prefix(prefix))).collect()
}

fn invalid_prefix(text: &str) -> SettingsError {
    let message = format!(
        "expected prefixes like s3://bucket/folder/, \
         https://sqs.eu-central-1.amazonaws.com/123456789012/results- or \
         arn:aws:events:eu-central-1:123456789012:event-bus/results, got {text:?}"
    );
    SettingsError::new(OVERRIDE, message)
}

/// Parses an allowed prefix. Returns `None` if the prefix is invalid or does not include the bucket
/// name or the account id.
fn parse_prefix(text: &str) -> Option<String> {
    if let Some(rest) = text.strip_prefix("s3://") {
        // Without the trailing slash, the prefix would also match longer bucket names that begin
        // with this one.
        let prefix = if rest.contains('/') { text.to_owned() } else { format!("{text}/") };
        return ResultPrefix::parse(prefix.trim_end_matches('/')).is_ok().then_some(prefix);
    }
    // The name after the account id may be missing. A dummy name is then appended, so that the
    // prefix can be parsed as a destination.
    let completed = if text.starts_with("arn:") {
        let parts = text.splitn(6, ':').count();
        let name = text.splitn(6, ':').nth(5).unwrap_or_default();
        let rest = "event-bus/".strip_prefix(name).map(|rest| format!("{text}{rest}x"));
        (parts == 6).then(|| rest.unwrap_or_else(|| text.to_owned()))?
    } else {
        if text.ends_with('/') { format!("{text}x") } else { text.to_owned() }
    };
    Destination::parse(&completed).is_ok().then(|| text.to_owned())
}

/// Parses the maximum number of records that run concurrently.
pub(super) fn record_concurrency(get: &Get<'_>) -> Result<usize, SettingsError> {
    let number = number(get, "RECORD_CONCURRENCY", "a whole number", 1..=1000)?;
    Ok(number.and_then(|number| usize::try_from(number).ok()).unwrap_or(1))
}
