//! What EventBridge Pipes take out of a queue: the messages as SQS would deliver them, or what
//! a template made of each.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-source.html>

use llm_exe::Error;
use serde_json::Value;

use super::sqs;
use crate::shapes::{self, said};
use crate::wrappings::{self, Way};
use crate::{EventSource, Invocation, Record, Settled, batch};

/// A list of messages, or of values that have `detail-type` and `detail`.
pub(crate) struct Pipes;

impl EventSource for Pipes {
    fn name(&self) -> &'static str {
        "pipes"
    }

    fn recognises(&self, event: &Value) -> bool {
        event
            .as_array()
            .is_some_and(|items| shapes::all_of(items, "aws:sqs") || are_templated(items))
    }

    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error> {
        let items = shapes::into_items(event);
        if !are_templated(&items) {
            return sqs::messages(items, "", invocation);
        }
        let records = items.into_iter().enumerate().map(|(index, item)| {
            let delivery = invocation.part(index);
            let id = said(&item, "/id").unwrap_or(&delivery).to_owned();
            let asks = wrappings::bus_event(Way::new("eventbridge", &delivery), item);
            Record { id, group: None, asks }
        });
        Ok(batch::each_once(records.collect()))
    }

    fn respond(&self, _: &Invocation, settled: Vec<Settled>) -> Result<Value, Error> {
        Ok(batch::item_failures(settled))
    }

    /// Without an answer of ours the pipe delivers all messages again.
    fn refuse(&self, _: &Invocation, error: Error) -> Result<Value, Error> {
        Err(error)
    }
}

fn are_templated(items: &[Value]) -> bool {
    !items.is_empty() && items.iter().all(shapes::is_bus_event)
}
