//! Helpers for event sources that deliver several records at once. They merge duplicate records and
//! build one response for the whole batch.

use std::collections::HashMap;

use llm_exe::Error;
use llm_exe::error::shorten;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::record::{FinishedRecord, Outcome, Record, RecordRequest};
use crate::source::to_json;

/// Maximum number of failed records listed in an error message.
const MAX_LISTED_FAILURES: usize = 10;

/// Maximum number of characters quoted from a failed record's id or error message.
const MAX_QUOTED_CHARS: usize = 200;

/// Merges records that have the same id, because the response can identify a record only by its id.
/// Duplicate requests are dropped. If different requests have the same id, the record fails.
pub(crate) fn deduplicate_records(records: Vec<Record>) -> Vec<Record> {
    let mut positions: HashMap<String, usize> = HashMap::new();
    let mut unique: Vec<Record> = Vec::new();
    for mut record in records {
        record.requests = deduplicate_requests(record.requests);
        match positions.get(&record.id).and_then(|position| unique.get_mut(*position)) {
            Some(first) => {
                let earlier = std::mem::take(&mut first.requests).into_iter();
                first.requests = deduplicate_requests(earlier.chain(record.requests).collect());
            }
            None => {
                positions.insert(record.id.clone(), unique.len());
                unique.push(record);
            }
        }
    }
    unique
}

fn deduplicate_requests(requests: Vec<RecordRequest>) -> Vec<RecordRequest> {
    if requests.len() < 2 {
        return requests;
    }
    let mut positions: HashMap<(&'static str, String), usize> = HashMap::new();
    let mut unique: Vec<RecordRequest> = Vec::new();
    for request in requests {
        let id = (request.source, request.id.clone());
        match positions.get(&id).and_then(|position| unique.get_mut(*position)) {
            Some(first) => {
                let is_copy = first.body.as_ref().ok() == request.body.as_ref().ok();
                if !is_copy {
                    let message = "two different requests have the same id";
                    first.body = Err(Error::invalid("", message));
                }
            }
            None => {
                positions.insert(id, unique.len());
                unique.push(request);
            }
        }
    }
    unique
}

/// Builds Lambda's partial batch response, which lists the failed records.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
pub(crate) fn item_failures(records: &[FinishedRecord]) -> Result<Box<RawValue>, Error> {
    let failed = records.iter().filter(|record| matches!(record.outcome, Outcome::Failed(_)));
    let failures: Vec<Value> =
        failed.map(|record| json!({ "itemIdentifier": record.id })).collect();
    to_json(&json!({ "batchItemFailures": failures }))
}

/// The status of a record in a response.
#[derive(Serialize)]
struct RecordStatus<'a> {
    id: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a Value>,
}

/// Builds a JSON array with the status of each record.
///
/// # Errors
/// If any record failed, returns one error that summarizes all failures.
pub(crate) fn status_list(records: &[FinishedRecord]) -> Result<Box<RawValue>, Error> {
    if let Some(error) = combined_error(records) {
        return Err(error);
    }
    let statuses = records.iter().filter_map(|FinishedRecord { id, outcome, .. }| match outcome {
        Outcome::Done(result) => Some(RecordStatus { id, status: "ok", result: Some(result) }),
        Outcome::Skipped => Some(RecordStatus { id, status: "skipped", result: None }),
        // Unreachable: if any record failed, an error was returned above.
        Outcome::Failed(_) => None,
    });
    to_json(&statuses.collect::<Vec<_>>())
}

/// Combines the errors of all failed records into one, which has the kind of the first error.
/// Returns `None` if no record failed.
fn combined_error(records: &[FinishedRecord]) -> Option<Error> {
    let failed: Vec<(&str, &Error)> = records
        .iter()
        .filter_map(|record| match &record.outcome {
            Outcome::Failed(error) => Some((record.id.as_str(), error)),
            _ => None,
        })
        .collect();
    let (_, first) = failed.first()?;
    let summarize = |message_of: &dyn Fn(&Error) -> String| {
        let mut items: Vec<String> = failed
            .iter()
            .take(MAX_LISTED_FAILURES)
            .map(|(id, error)| {
                let message = shorten(&message_of(error), MAX_QUOTED_CHARS);
                format!("{}: {}: {message}", shorten(id, MAX_QUOTED_CHARS), error.kind())
            })
            .collect();
        if failed.len() > MAX_LISTED_FAILURES {
            items.push(format!("and {} more", failed.len() - MAX_LISTED_FAILURES));
        }
        format!("{} of {} records failed: {}", failed.len(), records.len(), items.join("; "))
    };
    let message = summarize(&|error| error.message().to_owned());
    let logged = summarize(&Error::for_log);
    let error = add_run_details(Error::new(first.kind(), message).logged_as(logged), &failed);
    Some(error.with_retry_after(first.retry_after()).with_provider_status(first.provider_status()))
}

/// Adds what the runs of failed records used: that of a single record, or a list of records with
/// their ids.
fn add_run_details(error: Error, failed: &[(&str, &Error)]) -> Error {
    let is_full = failed.iter().any(|(_, error)| error.has_full_details());
    if let [(_, only)] = failed {
        let details = only.run_details().cloned();
        return match details {
            Some(details) => error.with_run_details(details, is_full),
            None => error,
        };
    }
    let with_id = |(id, error): &(&str, &Error)| {
        let mut fields = Map::new();
        fields.insert("id".to_owned(), json!(id));
        fields.extend(error.run_details()?.clone());
        Some(Value::Object(fields))
    };
    let records: Vec<Value> = failed.iter().take(MAX_LISTED_FAILURES).filter_map(with_id).collect();
    if records.is_empty() {
        return error;
    }
    let mut fields = Map::new();
    fields.insert("records".to_owned(), Value::Array(records));
    error.with_run_details(fields, is_full)
}
