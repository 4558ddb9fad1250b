//! A direct request: the Invoke API, Step Functions, the Scheduler's `Input`, a test event.

use llm_exe::{Error, ErrorKind};
use serde_json::{Value, json};

use crate::{EventSource, Invocation, Outcome, Record, Settled};

/// The event is the request, the answer is the result, a failure is the invocation's.
pub(crate) struct Direct;

impl EventSource for Direct {
    fn name(&self) -> &'static str {
        "direct"
    }

    fn recognises(&self, _: &Value) -> bool {
        true
    }

    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error> {
        Ok(vec![Record::sent(self.name(), invocation, event)])
    }

    /// The event does not tell who invokes; whoever may, is one caller.
    fn caller(&self, _: &Value) -> Option<String> {
        Some(self.name().to_owned())
    }

    fn respond(&self, _: &Invocation, settled: Vec<Settled>) -> Result<Value, Error> {
        alone(settled)
    }
}

/// The result of the one record, bare; a failure is the invocation's.
pub(crate) fn alone(settled: Vec<Settled>) -> Result<Value, Error> {
    match settled.into_iter().next().map(|one| one.outcome) {
        Some(Outcome::Done(value)) => Ok(value),
        Some(Outcome::Failed(error)) => Err(error),
        Some(Outcome::Skipped) => Ok(json!({ "status": "skipped" })),
        None => Err(Error::new(ErrorKind::Internal, "no outcome")),
    }
}
