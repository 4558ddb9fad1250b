//! Messages from an SQS queue.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>

use llm_exe::Error;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::batch;
use crate::envelopes::{self, Provenance};
use crate::record::{FinishedRecord, Invocation, Record};
use crate::shapes::{self, non_empty_string};
use crate::source::EventSource;

/// Handles events with `Records[].eventSource == "aws:sqs"`, and the empty event `{"Records": []}`.
pub(crate) struct Sqs;

impl EventSource for Sqs {
    fn name(&self) -> &'static str {
        "sqs"
    }

    fn matches(&self, event: &Value) -> bool {
        shapes::is_empty_batch(event)
            || shapes::records(event).is_some_and(|items| shapes::all_from(items, "aws:sqs"))
    }

    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error> {
        messages(shapes::into_items(event), "Records", invocation)
    }

    fn responds_with_results(&self) -> bool {
        false
    }

    fn respond(&self, _: &Invocation, records: &[FinishedRecord]) -> Result<Box<RawValue>, Error> {
        batch::item_failures(records)
    }

    /// Fails the invocation, so that the queue delivers all messages again.
    fn respond_with_error(&self, _: &Invocation, error: Error) -> Result<Box<RawValue>, Error> {
        Err(error)
    }
}

/// Creates a record for each SQS message.
///
/// # Errors
/// Fails if a message has no id, because its result can't be stored and its failure can't be
/// reported.
pub(super) fn messages(
    items: Vec<Value>,
    path: &str,
    invocation: &Invocation,
) -> Result<Vec<Record>, Error> {
    let mut records = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let Some(id) = non_empty_string(&item, "/messageId").map(str::to_owned) else {
            let path = format!("{path}[{index}].messageId");
            return Err(Error::invalid(path, "is missing or not a string"));
        };
        let group = group(&item).map(str::to_owned);
        let requests =
            envelopes::requests_in_record(Provenance::new("sqs", &invocation.request_id), item);
        records.push(Record { id, group, requests });
    }
    Ok(batch::deduplicate_records(records))
}

/// Returns the message group of a message from a FIFO queue. Fair queues also have groups, but do
/// not order their messages, so their groups are ignored.
fn group(item: &Value) -> Option<&str> {
    let is_fifo =
        non_empty_string(item, "/eventSourceARN").is_some_and(|arn| arn.ends_with(".fifo"));
    non_empty_string(item, "/attributes/MessageGroupId").filter(|_| is_fifo)
}
