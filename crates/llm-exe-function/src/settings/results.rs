//! The settings of results: where they are kept, and who is told of them.

use llm_exe::HostedRules;
use llm_exe::results::{Destination, ResultPrefix};
use llm_exe_events::MOST_ANSWER_BYTES;

use super::SettingsError;
use super::parse::{Get, fault, number};

const PREFIX: &str = "RESULT_PREFIX";
const DESTINATION: &str = "RESULT_DESTINATION";
const OVERRIDE: &str = "RESULT_DESTINATION_OVERRIDE";
const OFFLOAD: &str = "OFFLOAD_RESULTS_OVER";

/// The least bound over which answers are put aside: what names the place has to fit.
const LEAST_OFFLOAD: u64 = 4096;

/// What becomes of results.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResultSettings {
    /// Where they are kept.
    pub prefix: Option<ResultPrefix>,
    /// Who is told of each record's.
    pub destination: Option<Destination>,
    /// The bytes of an answer over which it is kept there and answered by its place.
    pub offload_over: Option<usize>,
}

/// Reads the settings.
pub(super) fn read(get: &Get<'_>) -> Result<ResultSettings, SettingsError> {
    let prefix = get(PREFIX).map(|text| {
        let read = ResultPrefix::read(text.trim());
        read.map_err(|why| fault(PREFIX, why))
    });
    let prefix = prefix.transpose()?;
    let offload = number(get, OFFLOAD, "bytes", LEAST_OFFLOAD..=MOST_ANSWER_BYTES as u64)?;
    if offload.is_some() && prefix.is_none() {
        return Err(fault(OFFLOAD, "it needs a RESULT_PREFIX to put answers under"));
    }
    let offload_over = offload.and_then(|bytes| usize::try_from(bytes).ok());
    Ok(ResultSettings { prefix, destination: destination(get)?, offload_over })
}

fn destination(get: &Get<'_>) -> Result<Option<Destination>, SettingsError> {
    let Some(text) = get(DESTINATION) else {
        return Ok(None);
    };
    match Destination::read(text.trim()) {
        Ok(Destination::Objects(_)) => {
            let text =
                "expected a queue's URL or a bus's ARN; objects are what RESULT_PREFIX is for";
            Err(fault(DESTINATION, text))
        }
        Ok(destination) => Ok(Some(destination)),
        Err(why) => Err(fault(DESTINATION, why)),
    }
}

/// Refuses a whole bucket of configs as the place of results: none could be read any more.
pub(super) fn check_apart(
    results: &ResultSettings,
    hosted: &HostedRules,
) -> Result<(), SettingsError> {
    let whole = results.prefix.as_ref().filter(|prefix| prefix.prefix.is_empty());
    let buckets = hosted.buckets.iter().flatten().chain(&hosted.bucket);
    match whole.filter(|whole| buckets.into_iter().any(|bucket| *bucket == whole.bucket)) {
        None => Ok(()),
        Some(whole) => {
            let text =
                format!("{whole} is a bucket of configs; say a prefix in it, {whole}results");
            Err(fault(PREFIX, text))
        }
    }
}

/// What requests' own destinations may begin with. Each says whose it is: the bucket, the account.
pub(super) fn allowed(get: &Get<'_>) -> Result<Vec<String>, SettingsError> {
    let text = get(OVERRIDE).unwrap_or_default();
    let prefixes = text.split(',').map(str::trim).filter(|one| !one.is_empty());
    prefixes.map(|one| checked(one).ok_or_else(|| not_allowed(one))).collect()
}

fn not_allowed(text: &str) -> SettingsError {
    let text = format!(
        "expected prefixes like s3://bucket/folder/, \
         https://sqs.eu-central-1.amazonaws.com/123456789012/results- or \
         arn:aws:events:eu-central-1:123456789012:event-bus/results, got {text:?}"
    );
    fault(OVERRIDE, text)
}

/// A prefix that is long enough to name an owner.
fn checked(text: &str) -> Option<String> {
    if let Some(rest) = text.strip_prefix("s3://") {
        // Without the slash it would be other buckets' prefix, too.
        let whole = if rest.contains('/') { text.to_owned() } else { format!("{text}/") };
        return ResultPrefix::read(whole.trim_end_matches('/')).is_ok().then_some(whole);
    }
    // What comes behind the owner may be left out: any name completes it.
    let completed = if text.starts_with("arn:") {
        let parts = text.splitn(6, ':').count();
        let name = text.splitn(6, ':').nth(5).unwrap_or_default();
        let rest = "event-bus/".strip_prefix(name).map(|rest| format!("{text}{rest}x"));
        (parts == 6).then(|| rest.unwrap_or_else(|| text.to_owned()))?
    } else {
        if text.ends_with('/') { format!("{text}x") } else { text.to_owned() }
    };
    match Destination::read(&completed) {
        Ok(_) => Some(text.to_owned()),
        Err(_) => None,
    }
}

/// How many records of an event run at a time.
pub(super) fn record_concurrency(get: &Get<'_>) -> Result<usize, SettingsError> {
    let number = number(get, "RECORD_CONCURRENCY", "a whole number", 1..=1000)?;
    Ok(number.and_then(|number| usize::try_from(number).ok()).unwrap_or(10))
}
