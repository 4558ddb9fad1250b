//! Prints the results of an event's records to standard error, because the response may not contain
//! them. The response to SQS lists only failed records, and Lambda drops the response to
//! asynchronous sources such as SNS and S3.

use llm_exe_events::Outcome;
use llm_exe_function::RecordResult;
use serde_json::{Map, Value, json};

use crate::escape::escape_controls;

/// Prints the result of a record and the place where it is stored or sent. Skips failed records,
/// because their errors are printed with the response.
pub(crate) fn print(record: &RecordResult, as_json: bool) {
    if matches!(record.outcome, Outcome::Failed(_)) {
        return;
    }
    let text = if as_json { to_json(record) } else { to_text(record) };
    anstream::eprintln!("{}", escape_controls(&text));
}

fn to_text(record: &RecordResult) -> String {
    let RecordResult { record_id, outcome, is_dry_run, stored_at, sent_to } = record;
    let dry_run = if *is_dry_run { " (dry run)" } else { "" };
    let result = match outcome {
        Outcome::Done(Value::String(text)) => text.clone(),
        Outcome::Done(value) => value.to_string(),
        Outcome::Skipped | Outcome::Failed(_) => "skipped".to_owned(),
    };
    let mut text = format!("record {record_id}{dry_run}: {result}");
    for (label, location) in [("stored at", stored_at), ("sent to", sent_to)] {
        if let Some(location) = location {
            text.push_str(&format!("\n  {label} {location}"));
        }
    }
    text
}

fn to_json(record: &RecordResult) -> String {
    let mut fields = Map::new();
    fields.insert("id".to_owned(), json!(record.record_id));
    match &record.outcome {
        Outcome::Done(value) => {
            fields.insert("status".to_owned(), json!("ok"));
            fields.insert("result".to_owned(), value.clone());
        }
        Outcome::Skipped | Outcome::Failed(_) => {
            fields.insert("status".to_owned(), json!("skipped"));
        }
    }
    if record.is_dry_run {
        fields.insert("dryRun".to_owned(), json!(true));
    }
    for (name, location) in [("resultUrl", &record.stored_at), ("destination", &record.sent_to)] {
        if let Some(location) = location {
            fields.insert(name.to_owned(), json!(location));
        }
    }
    json!({ "record": fields }).to_string()
}
