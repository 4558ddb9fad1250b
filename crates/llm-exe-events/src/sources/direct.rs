//! Direct requests, for example from the Invoke API, Step Functions, the `Input` of an EventBridge
//! Scheduler schedule, or a test event.

use llm_exe::{Error, ErrorKind};
use serde_json::{Value, json};

use crate::record::{FinishedRecord, Invocation, Outcome, Record};
use crate::source::EventSource;

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

    /// Returns the same name for all direct callers, because the event does not identify them.
    fn caller(&self, _: &Value) -> Option<String> {
        Some(self.name().to_owned())
    }

    fn respond(&self, _: &Invocation, records: Vec<FinishedRecord>) -> Result<Value, Error> {
        only_result(records)
    }
}

/// Returns the result of the only record without wrapping it in another object.
pub(crate) fn only_result(records: Vec<FinishedRecord>) -> Result<Value, Error> {
    match records.into_iter().next().map(|record| record.outcome) {
        Some(Outcome::Done(value)) => Ok(value),
        Some(Outcome::Failed(error)) => Err(error),
        Some(Outcome::Skipped) => Ok(json!({ "status": "skipped" })),
        None => Err(Error::new(ErrorKind::Internal, "the request has no outcome")),
    }
}
