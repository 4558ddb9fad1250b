//! The results of an event's records on standard error: the sources of records do not receive them
//! from Lambda, and a queue's response contains none.

use llm_exe_events::Outcome;
use llm_exe_function::RecordResult;
use serde_json::{Map, Value, json};

use crate::output;

/// Prints the result of a record and where it is stored or sent. Errors are printed elsewhere.
pub(crate) fn print(record: &RecordResult, as_json: bool) {
    if matches!(record.outcome, Outcome::Failed(_)) {
        return;
    }
    let text = if as_json { json_line(record) } else { lines(record) };
    anstream::eprintln!("{text}");
}

/// Prints a warning about all records.
pub(crate) fn warn(text: &str, as_json: bool) {
    if as_json {
        anstream::eprintln!("{}", json!({ "warning": text }));
    } else {
        output::warning(text);
    }
}

fn lines(record: &RecordResult) -> String {
    let RecordResult { record_id, outcome, is_dry_run, stored_at, sent_to } = record;
    let dry_run = if *is_dry_run { " (dry run)" } else { "" };
    let result = match outcome {
        Outcome::Done(Value::String(text)) => text.clone(),
        Outcome::Done(value) => value.to_string(),
        Outcome::Skipped | Outcome::Failed(_) => "skipped".to_owned(),
    };
    let mut lines = format!("record {record_id}{dry_run}: {result}");
    for (what, place) in [("stored at", stored_at), ("sent to", sent_to)] {
        if let Some(place) = place {
            lines.push_str(&format!("\n  {what} {place}"));
        }
    }
    lines
}

fn json_line(record: &RecordResult) -> String {
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
    for (name, place) in [("resultUrl", &record.stored_at), ("destination", &record.sent_to)] {
        if let Some(place) = place {
            fields.insert(name.to_owned(), json!(place));
        }
    }
    json!({ "record": fields }).to_string()
}
