//! EventBridge events, and events that received the same fields from the input template of a pipe
//! or rule.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html>

use llm_exe::Error;
use serde_json::Value;
use serde_json::value::RawValue;

use super::direct::only_result;
use crate::batch;
use crate::envelopes::{self, Provenance};
use crate::record::{FinishedRecord, Invocation, Record};
use crate::shapes::{self, non_empty_string};
use crate::source::EventSource;

/// Handles events with `detail-type` and `detail`.
pub(crate) struct EventBridge;

impl EventSource for EventBridge {
    fn name(&self) -> &'static str {
        "eventbridge"
    }

    fn matches(&self, event: &Value) -> bool {
        shapes::is_bus_event(event)
    }

    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error> {
        let id = non_empty_string(&event, "/id").unwrap_or(&invocation.request_id).to_owned();
        let requests = envelopes::requests_in_bus_event(Provenance::new("eventbridge", &id), event);
        Ok(batch::deduplicate_records(vec![Record { id, group: None, requests }]))
    }

    fn respond(&self, _: &Invocation, records: &[FinishedRecord]) -> Result<Box<RawValue>, Error> {
        only_result(records)
    }
}
