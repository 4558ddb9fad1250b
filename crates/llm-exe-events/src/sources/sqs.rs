//! Messages of a queue.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>

use llm_exe::Error;
use serde_json::Value;

use crate::shapes::{self, said};
use crate::wrappings::{self, Way};
use crate::{EventSource, Invocation, Record, Settled, batch};

/// `Records[].eventSource == "aws:sqs"`, and `Records` without a record.
pub(crate) struct Sqs;

impl EventSource for Sqs {
    fn name(&self) -> &'static str {
        "sqs"
    }

    fn recognises(&self, event: &Value) -> bool {
        shapes::is_empty_batch(event)
            || shapes::records(event).is_some_and(|items| shapes::all_of(items, "aws:sqs"))
    }

    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error> {
        messages(shapes::into_items(event), "Records", invocation)
    }

    fn respond(&self, _: &Invocation, settled: Vec<Settled>) -> Result<Value, Error> {
        Ok(batch::item_failures(settled))
    }

    /// Without an answer of ours the queue keeps all messages.
    fn refuse(&self, _: &Invocation, error: Error) -> Result<Value, Error> {
        Err(error)
    }
}

/// A record for each message. One without an id could be neither kept nor acknowledged.
pub(super) fn messages(
    items: Vec<Value>,
    path: &str,
    invocation: &Invocation,
) -> Result<Vec<Record>, Error> {
    let mut records = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let Some(id) = said(&item, "/messageId").map(str::to_owned) else {
            let path = format!("{path}[{index}].messageId");
            return Err(Error::invalid(path, "is missing or not a string"));
        };
        let group = group(&item).map(str::to_owned);
        let asks = wrappings::record(Way::new("sqs", &invocation.request_id), item);
        records.push(Record { id, group, asks });
    }
    Ok(batch::each_once(records))
}

/// Standard queues have groups too, for fairness; they are in no order.
fn group(item: &Value) -> Option<&str> {
    let is_fifo = said(item, "/eventSourceARN").is_some_and(|arn| arn.ends_with(".fifo"));
    said(item, "/attributes/MessageGroupId").filter(|_| is_fifo)
}
