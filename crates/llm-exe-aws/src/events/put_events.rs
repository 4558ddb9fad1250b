//! `PutEvents`, of one event:
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use llm_exe::Deadline;
use llm_exe::wire::WireReply;
use serde::Deserialize;
use serde_json::json;

use super::Events;
use crate::call::{Call, CallError};
use crate::endpoint::service_url;
use crate::refusal::Refusal;

const PATIENCE: Duration = Duration::from_secs(5);
const MOST_ANSWERED: usize = 64 * 1024;

/// An event for a bus.
#[derive(Debug, Clone, Copy)]
pub struct PutEvents<'a> {
    /// The bus's ARN. It is told to EventBridge and is not where the request goes.
    pub bus: &'a str,
    /// The bus's region.
    pub region: &'a str,
    /// Who the event is of.
    pub source: &'a str,
    /// What it is.
    pub detail_type: &'a str,
    /// What it says: a JSON object, as text.
    pub detail: &'a str,
}

/// What EventBridge says of the entries; it is a success also where it took none.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
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

impl Events {
    /// Puts the event on the bus; its id. It may be there twice where an answer was lost.
    ///
    /// # Errors
    /// Why it is not known to be there. What EventBridge says of the event alone is a refusal, too,
    /// of status 200.
    pub async fn put_events(
        &self,
        put: PutEvents<'_>,
        deadline: Deadline,
    ) -> Result<String, CallError> {
        let reply = self.aws.send(&self.put_events_call(put), deadline).await?;
        let answer = serde_json::from_slice::<Answer>(&reply.body).ok();
        let entry = answer.and_then(|answer| answer.entries.into_iter().next());
        entry
            .and_then(|entry| entry.event_id)
            .ok_or(CallError::Unreadable("it is not what PutEvents answers"))
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
            most_bytes: MOST_ANSWERED,
            patience: PATIENCE,
            hidden: refused,
        }
    }
}

/// Why the entry was not taken, where it was not.
fn refused(reply: &WireReply) -> Option<Refusal> {
    let answer: Answer = serde_json::from_slice(&reply.body).ok()?;
    let entry = answer.entries.into_iter().next()?;
    if answer.failed_entry_count == 0 && entry.error_code.is_none() {
        return None;
    }
    let code = entry.error_code.unwrap_or_default();
    let message = entry.error_message.unwrap_or_default();
    Some(Refusal::of_a_part(reply.status, &code, &message))
}
