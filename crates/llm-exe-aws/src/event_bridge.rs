//! A client for Amazon EventBridge. It supports only the operation `PutEvents` with a single event:
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

/// An EventBridge client. Requests go to the region of the event bus, or to a custom base URL if
/// one is set.
#[derive(Debug)]
pub struct EventBridge {
    client: Arc<AwsClient>,
    endpoint: Option<String>,
}

/// The input of `PutEvents`, with a single event.
#[derive(Debug, Clone, Copy)]
pub struct PutEvents<'a> {
    /// The ARN of the event bus.
    pub bus: &'a str,
    /// The region of the event bus.
    pub region: &'a str,
    /// The `source` field of the event.
    pub source: &'a str,
    /// The `detail-type` field of the event.
    pub detail_type: &'a str,
    /// The `detail` field of the event, as a serialized JSON object.
    pub detail: &'a str,
}

/// The response to `PutEvents`. EventBridge returns status 200 even if it rejects the event.
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
    /// Creates a client. If `endpoint` is set, requests go to that base URL instead of the regional
    /// endpoint.
    pub fn new(client: Arc<AwsClient>, endpoint: Option<String>) -> Self {
        EventBridge { client, endpoint }
    }

    /// Sends the event to the event bus and returns the event id. The bus can receive the event
    /// twice, because the client sends it again if a response is lost.
    ///
    /// # Errors
    /// Returns an error if EventBridge does not confirm the event. A rejected event is reported as
    /// [`CallError::Rejected`], even if the status is 200.
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
            .ok_or(CallError::InvalidResponse("AWS returned an invalid response to PutEvents"))
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
            is_repeatable: true,
            error_in_success: failed_entry,
        }
    }
}

/// Returns an error if EventBridge rejected the event.
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
