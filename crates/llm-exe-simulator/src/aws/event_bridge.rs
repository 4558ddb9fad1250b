//! Buses of EventBridge, by `PutEvents`.
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>
//!
//! In: AWS JSON 1.1. Out: an id or an error code for each entry, or EventBridge's error for all.

use super::fault::Operation;
use super::object_store::{Event, Kept};
use super::server::{Ask, Refusal, Service, refusal};
use crate::action::Decided;
use crate::sigv4::Kind;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

const TARGET: &str = "AWSEvents.";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
const MOST_ENTRIES: usize = 10;
/// Of all entries together: what they say, of whom, and what it is.
const MOST_BYTES: usize = 256 * 1024;

pub(super) struct EventBridge;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Request {
    entries: Vec<Entry>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Entry {
    event_bus_name: String,
    source: String,
    detail_type: String,
    detail: String,
}

impl Service for EventBridge {
    fn signs_as(&self) -> &'static str {
        "events"
    }

    fn serves(&self, ask: &Ask<'_>) -> bool {
        ask.header("x-amz-target").is_some_and(|target| target.starts_with(TARGET))
    }

    fn asked(&self, ask: &Ask<'_>) -> Option<(Operation, String)> {
        let is_ours = ask.header("x-amz-target") == Some("AWSEvents.PutEvents")
            && ask.header("content-type") == Some(CONTENT_TYPE);
        let bus = entries(ask).into_iter().next().unwrap_or_default().event_bus_name;
        is_ours.then_some((Operation::PutEvents, bus))
    }

    fn act(&self, ask: &Ask<'_>, kept: &mut Kept) -> Result<Decided, Refusal> {
        let entries = entries(ask);
        if entries.is_empty() || entries.len() > MOST_ENTRIES {
            let what = "1 validation error detected: Value at 'entries' failed to satisfy \
                        constraint: Member must have length between 1 and 10";
            return Err(refusal(400, "ValidationException", what));
        }
        let bytes =
            |entry: &Entry| entry.source.len() + entry.detail_type.len() + entry.detail.len();
        if entries.iter().map(bytes).sum::<usize>() > MOST_BYTES {
            let what = "Total size of the entries in the request is over the limit.";
            return Err(refusal(400, "ValidationException", what));
        }
        Ok(answer(entries.into_iter().map(|entry| taken(entry, kept)).collect()))
    }

    fn refused(&self, _: &Ask<'_>, refusal: &Refusal) -> Decided {
        let body = json!({ "__type": refusal.code, "message": refusal.message });
        Decided::bytes(refusal.status, CONTENT_TYPE, Bytes::from(body.to_string()))
    }

    fn unsigned(&self, kind: Kind) -> (u16, &'static str) {
        match kind {
            Kind::Missing => (400, "MissingAuthenticationTokenException"),
            Kind::Incomplete => (400, "IncompleteSignatureException"),
            Kind::Unknown => (400, "UnrecognizedClientException"),
            Kind::Wrong | Kind::Late => (400, "InvalidSignatureException"),
        }
    }

    fn request_id_header(&self) -> &'static str {
        "x-amzn-requestid"
    }
}

/// The answer that no entry was taken, with this code.
pub(super) fn failed(ask: &Ask<'_>, code: &str) -> Decided {
    let message = "The simulator was asked to say so";
    answer(entries(ask).iter().map(|_| Err((code.to_owned(), message.to_owned()))).collect())
}

fn entries(ask: &Ask<'_>) -> Vec<Entry> {
    serde_json::from_slice::<Request>(ask.body).unwrap_or_default().entries
}

fn answer(outcomes: Vec<Result<String, (String, String)>>) -> Decided {
    let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    let entries: Vec<Value> = outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Ok(id) => json!({ "EventId": id }),
            Err((code, message)) => json!({ "ErrorCode": code, "ErrorMessage": message }),
        })
        .collect();
    let body = json!({ "FailedEntryCount": failed, "Entries": entries });
    Decided::bytes(200, CONTENT_TYPE, Bytes::from(body.to_string()))
}

/// The id of an event that was taken, or why it was not.
fn taken(entry: Entry, kept: &mut Kept) -> Result<String, (String, String)> {
    let refused = |code: &str, message: &str| Err((code.to_owned(), message.to_owned()));
    for (name, value) in
        [("Source", &entry.source), ("DetailType", &entry.detail_type), ("Detail", &entry.detail)]
    {
        if value.is_empty() {
            let what = format!("Parameter {name} is not valid. Reason: {name} is a required one.");
            return refused("InvalidArgument", &what);
        }
    }
    if entry.source.starts_with("aws.") {
        return refused("NotAuthorizedForSourceException", "Not authorized for the source.");
    }
    let detail: Value = match serde_json::from_str(&entry.detail) {
        Ok(detail @ Value::Object(_)) => detail,
        _ => return refused("MalformedDetail", "Detail is malformed."),
    };
    let id = kept.next_id();
    let Entry { event_bus_name: bus, source, detail_type, .. } = entry;
    kept.events.push(Event { id: id.clone(), bus, source, detail_type, detail });
    Ok(id)
}
