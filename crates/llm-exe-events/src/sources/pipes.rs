//! EventBridge Pipes that read from an SQS queue. A pipe delivers either the SQS messages
//! themselves or the output of an input template.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-source.html>

use llm_exe::Error;
use serde_json::Value;
use serde_json::value::RawValue;

use super::sqs;
use crate::batch;
use crate::envelopes::{self, Provenance};
use crate::record::{FinishedRecord, Invocation, Record};
use crate::shapes::{self, non_empty_string};
use crate::source::EventSource;

/// Handles arrays of SQS messages, and arrays of objects with `detail-type` and `detail`.
pub(crate) struct Pipes;

impl EventSource for Pipes {
    fn name(&self) -> &'static str {
        "pipes"
    }

    fn matches(&self, event: &Value) -> bool {
        event
            .as_array()
            .is_some_and(|items| shapes::all_from(items, "aws:sqs") || are_bus_events(items))
    }

    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error> {
        let items = shapes::into_items(event);
        if !are_bus_events(&items) {
            return sqs::messages(items, "", invocation);
        }
        let records = items.into_iter().enumerate().map(|(index, item)| {
            let delivery = invocation.part_id(index);
            let id = non_empty_string(&item, "/id").unwrap_or(&delivery).to_owned();
            let requests =
                envelopes::requests_in_bus_event(Provenance::new("eventbridge", &delivery), item);
            Record { id, group: None, requests }
        });
        Ok(batch::deduplicate_records(records.collect()))
    }

    fn responds_with_results(&self) -> bool {
        false
    }

    fn respond(&self, _: &Invocation, records: &[FinishedRecord]) -> Result<Box<RawValue>, Error> {
        batch::item_failures(records)
    }

    /// Fails the invocation, so that the pipe delivers all messages again.
    fn respond_with_error(&self, _: &Invocation, error: Error) -> Result<Box<RawValue>, Error> {
        Err(error)
    }
}

fn are_bus_events(items: &[Value]) -> bool {
    !items.is_empty() && items.iter().all(shapes::is_bus_event)
}
