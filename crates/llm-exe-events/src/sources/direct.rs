//! Direct requests: the Invoke API, Step Functions, EventBridge Scheduler's `Input`, test events.

use llm_exe::{Error, ErrorKind};
use serde_json::{Value, json};

use crate::record::{FinishedRecord, Invocation, Outcome, Record};
use crate::source::EventSource;

/// The event is the request, the response is its result, and an error fails the invocation.
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

    /// The event does not identify its caller, so all direct callers share one name.
    fn caller(&self, _: &Value) -> Option<String> {
        Some(self.name().to_owned())
    }

    fn respond(&self, _: &Invocation, records: Vec<FinishedRecord>) -> Result<Value, Error> {
        only_result(records)
    }
}

/// The result of the only record, without an envelope.
pub(crate) fn only_result(records: Vec<FinishedRecord>) -> Result<Value, Error> {
    match records.into_iter().next().map(|record| record.outcome) {
        Some(Outcome::Done(value)) => Ok(value),
        Some(Outcome::Failed(error)) => Err(error),
        Some(Outcome::Skipped) => Ok(json!({ "status": "skipped" })),
        None => Err(Error::new(ErrorKind::Internal, "no outcome")),
    }
}
