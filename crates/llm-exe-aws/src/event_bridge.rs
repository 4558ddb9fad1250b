//! A client of Amazon EventBridge with the operation `PutEvents` for a single event:
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use llm_exe::Deadline;
use llm_exe::wire::WireReply;
use serde::Deserialize;
use serde_json::json;

use crate::client::{AwsClient, Call, CallError};
use crate::endpoint::service_url;
use crate::error_response::ErrorResponse;

const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// EventBridge in the region of each event bus, or at a base URL.
#[derive(Debug)]
pub struct EventBridge {
    client: Arc<AwsClient>,
    endpoint: Option<String>,
}

/// An event for an event bus.
#[derive(Debug, Clone, Copy)]
pub struct PutEvents<'a> {
    /// The bus's ARN.
    pub bus: &'a str,
    /// The bus's region.
    pub region: &'a str,
    /// The event's `source`.
    pub source: &'a str,
    /// The event's `detail-type`.
    pub detail_type: &'a str,
    /// The event's `detail`: a JSON object as text.
    pub detail: &'a str,
}

/// The response to `PutEvents`. Its status is 200 even if entries failed.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    failed_entry_count: u64,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    event_id: Option<String>,
    #[serde(default)]
    error_code: Option<String>,
    #[serde(default)]
    error_message: Option<String>,
}

impl EventBridge {
    /// Creates a client that uses this base URL, if it is set.
    pub fn new(client: Arc<AwsClient>, endpoint: Option<String>) -> Self {
        EventBridge { client, endpoint }
    }

    /// Puts the event on the bus and returns the event's id. If a response is lost, the bus can
    /// receive the event twice.
    ///
    /// # Errors
    /// If EventBridge did not confirm the event. If it rejected the entry, the error is
    /// [`CallError::Rejected`] with status 200.
    pub async fn put_events(
        &self,
        put: PutEvents<'_>,
        deadline: Deadline,
    ) -> Result<String, CallError> {
        let reply = self.client.send(&self.put_events_call(put), deadline).await?;
        let response = serde_json::from_slice::<Response>(&reply.body).ok();
        let entry = response.and_then(|response| response.entries.into_iter().next());
        entry
            .and_then(|entry| entry.event_id)
            .ok_or(CallError::InvalidResponse("invalid response to PutEvents"))
    }

    pub(crate) fn put_events_call(&self, put: PutEvents<'_>) -> Call {
        let body = json!({ "Entries": [{
            "Source": put.source,
            "DetailType": put.detail_type,
            "Detail": put.detail,
            "EventBusName": put.bus,
        }]});
        let base = service_url(self.endpoint.as_deref(), "events", put.region);
        Call {
            service: "events",
            region: put.region.to_owned(),
            method: Method::POST,
            url: format!("{base}/"),
            headers: vec![
                ("content-type", "application/x-amz-json-1.1".to_owned()),
                ("x-amz-target", "AWSEvents.PutEvents".to_owned()),
            ],
            body: Bytes::from(body.to_string()),
            max_response_bytes: MAX_RESPONSE_BYTES,
            timeout: TIMEOUT,
            error_in_success: failed_entry,
        }
    }
}

/// Returns the error of the entry, if EventBridge rejected it.
fn failed_entry(reply: &WireReply) -> Option<ErrorResponse> {
    let response: Response = serde_json::from_slice(&reply.body).ok()?;
    let entry = response.entries.into_iter().next()?;
    if response.failed_entry_count == 0 && entry.error_code.is_none() {
        return None;
    }
    let code = entry.error_code.unwrap_or_default();
    let message = entry.error_message.unwrap_or_default();
    Some(ErrorResponse::from_failed_entry(reply.status, &code, &message))
}
