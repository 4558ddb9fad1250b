//! The EventBridge operation `PutEvents`, in the AWS JSON 1.1 protocol.
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>

use bytes::Bytes;
use llm_exe_simulator::response::PlannedResponse;
use llm_exe_simulator::sigv4::SignatureErrorKind;
use serde::Deserialize;
use serde_json::{Value, json};

use super::fault::Operation;
use super::service::{Rejection, Service, ServiceRequest};
use super::store::{Event, Store};

const TARGET: &str = "AWSEvents.";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
const MAX_ENTRIES: usize = 10;
/// The maximum total size of the source, type and detail of all entries, in bytes.
const MAX_BYTES: usize = 256 * 1024;

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
    fn signing_name(&self) -> &'static str {
        "events"
    }

    fn serves(&self, request: &ServiceRequest<'_>) -> bool {
        request.header("x-amz-target").is_some_and(|target| target.starts_with(TARGET))
    }

    fn operation(&self, request: &ServiceRequest<'_>) -> Option<(Operation, String)> {
        let is_supported = request.header("x-amz-target") == Some("AWSEvents.PutEvents")
            && request.header("content-type") == Some(CONTENT_TYPE);
        let bus = entries(request).into_iter().next().unwrap_or_default().event_bus_name;
        is_supported.then_some((Operation::PutEvents, bus))
    }

    fn execute(
        &self,
        request: &ServiceRequest<'_>,
        store: &mut Store,
    ) -> Result<PlannedResponse, Rejection> {
        let entries = entries(request);
        if entries.is_empty() || entries.len() > MAX_ENTRIES {
            let message = "1 validation error detected: Value at 'entries' failed to satisfy \
                        constraint: Member must have length between 1 and 10";
            return Err(Rejection::new(400, "ValidationException", message));
        }
        let bytes =
            |entry: &Entry| entry.source.len() + entry.detail_type.len() + entry.detail.len();
        if entries.iter().map(bytes).sum::<usize>() > MAX_BYTES {
            let message = "Total size of the entries in the request is over the limit.";
            return Err(Rejection::new(400, "ValidationException", message));
        }
        Ok(response(entries.into_iter().map(|entry| put_entry(entry, store)).collect()))
    }

    fn error_response(&self, _: &ServiceRequest<'_>, rejection: &Rejection) -> PlannedResponse {
        let body = json!({ "__type": rejection.code, "message": rejection.message });
        PlannedResponse::bytes(rejection.status, CONTENT_TYPE, Bytes::from(body.to_string()))
    }

    fn signature_error(&self, kind: SignatureErrorKind) -> (u16, &'static str) {
        match kind {
            SignatureErrorKind::Missing => (400, "MissingAuthenticationTokenException"),
            SignatureErrorKind::Incomplete => (400, "IncompleteSignatureException"),
            SignatureErrorKind::UnknownKey => (400, "UnrecognizedClientException"),
            SignatureErrorKind::Mismatch | SignatureErrorKind::Expired => {
                (400, "InvalidSignatureException")
            }
        }
    }

    fn request_id_header(&self) -> &'static str {
        "x-amzn-requestid"
    }
}

/// Builds a response in which all entries fail with this error.
pub(super) fn failed_entries(
    request: &ServiceRequest<'_>,
    code: &str,
    message: &str,
) -> PlannedResponse {
    response(entries(request).iter().map(|_| Err((code.to_owned(), message.to_owned()))).collect())
}

fn entries(request: &ServiceRequest<'_>) -> Vec<Entry> {
    serde_json::from_slice::<Request>(request.body).unwrap_or_default().entries
}

/// Builds a response. It contains either an event id or an error code and message for each entry.
fn response(outcomes: Vec<Result<String, (String, String)>>) -> PlannedResponse {
    let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    let entries: Vec<Value> = outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Ok(id) => json!({ "EventId": id }),
            Err((code, message)) => json!({ "ErrorCode": code, "ErrorMessage": message }),
        })
        .collect();
    let body = json!({ "FailedEntryCount": failed, "Entries": entries });
    PlannedResponse::bytes(200, CONTENT_TYPE, Bytes::from(body.to_string()))
}

/// Stores an event and returns its id. If the entry is invalid, returns an error code and a
/// message.
fn put_entry(entry: Entry, store: &mut Store) -> Result<String, (String, String)> {
    let failed = |code: &str, message: &str| Err((code.to_owned(), message.to_owned()));
    for (name, value) in
        [("Source", &entry.source), ("DetailType", &entry.detail_type), ("Detail", &entry.detail)]
    {
        if value.is_empty() {
            let message =
                format!("Parameter {name} is not valid. Reason: {name} is a required argument.");
            return failed("InvalidArgument", &message);
        }
    }
    if entry.source.starts_with("aws.") {
        return failed("NotAuthorizedForSourceException", "Not authorized for the source.");
    }
    let detail: Value = match serde_json::from_str(&entry.detail) {
        Ok(detail @ Value::Object(_)) => detail,
        _ => return failed("MalformedDetail", "Detail is malformed."),
    };
    let id = store.next_id();
    let Entry { event_bus_name: bus, source, detail_type, .. } = entry;
    store.events.push(Event { id: id.clone(), bus, source, detail_type, detail });
    Ok(id)
}
