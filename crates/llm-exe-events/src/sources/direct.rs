//! A direct request: the Invoke API, Step Functions, the Scheduler's `Input`, a test event.

use llm_exe::{Error, ErrorKind};
use serde_json::Value;

use crate::{EventSource, Invocation, Outcome, Record};

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
        Ok(vec![Record { id: invocation.request_id.clone(), body: Ok(event) }])
    }

    fn respond(&self, _: &Invocation, outcomes: Vec<Outcome>) -> Result<Value, Error> {
        let none = || Err(Error::new(ErrorKind::Internal, "no outcome"));
        outcomes.into_iter().next().unwrap_or_else(none)
    }
}
