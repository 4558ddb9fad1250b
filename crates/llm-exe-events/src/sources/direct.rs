//! Direct requests, for example from the Invoke API, Step Functions, the `Input` of an EventBridge
//! Scheduler schedule, or a test event.

use std::borrow::Cow;

use llm_exe::{Error, ErrorKind};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::entry_point::StreamingEntryPoint;
use crate::record::{FinishedRecord, Invocation, Outcome, Record};
use crate::source::{EventSource, to_json};

/// Handles events that are requests themselves. The response is the result of the request, and an
/// error fails the invocation.
pub(crate) struct Direct;

impl EventSource for Direct {
    fn name(&self) -> &'static str {
        "direct"
    }

    fn matches(&self, _: &Value) -> bool {
        true
    }

    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error> {
        Ok(vec![Record::from_request(self.name(), invocation, event)])
    }

    fn streaming_entry_point(&self, _: &Value) -> Option<StreamingEntryPoint> {
        Some(StreamingEntryPoint::Invoke)
    }

    /// Returns the same name for all direct callers, because the event does not identify them.
    fn caller(&self, _: &Value) -> Option<Cow<'static, str>> {
        Some(self.name().into())
    }

    fn respond(&self, _: &Invocation, records: &[FinishedRecord]) -> Result<Box<RawValue>, Error> {
        only_result(records)
    }
}

/// Serializes the result of the only record without wrapping it in another object.
pub(crate) fn only_result(records: &[FinishedRecord]) -> Result<Box<RawValue>, Error> {
    match records.first().map(|record| &record.outcome) {
        Some(Outcome::Done(value)) => to_json(value),
        Some(Outcome::Failed(error)) => Err(error.clone()),
        Some(Outcome::Skipped) => to_json(&json!({ "status": "skipped" })),
        None => Err(Error::new(ErrorKind::Internal, "the request has no outcome")),
    }
}
