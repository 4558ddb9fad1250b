//! The trait that every event source implements.

use llm_exe::Error;
use serde_json::Value;

use crate::authorization::{Authorization, EndpointAuth};
use crate::record::{FinishedRecord, Invocation, Outcome, Record};

/// Maximum size of a response in bytes of JSON, which is Lambda's limit of 6 MB.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const MAX_RESPONSE_BYTES: usize = 6 * 1024 * 1024;

/// How an event is handled.
#[derive(Debug, Clone, PartialEq)]
pub enum Route {
    /// The records of the event are run.
    Run,
    /// This response is returned and nothing is run.
    Respond(Value),
}

/// A source of events, such as an SQS queue or an HTTP API.
pub trait EventSource: Sync {
    /// The source's name in logs and in the documentation.
    fn name(&self) -> &'static str;

    /// Whether an event is from this source.
    fn matches(&self, event: &Value) -> bool;

    /// Decides whether the event's records are run or a response is returned at once.
    fn route(&self, event: &Value, invocation: &Invocation) -> Route {
        let _ = (event, invocation);
        Route::Run
    }

    /// Whether the caller may run requests. Sources other than HTTP are authorized by AWS alone.
    fn authorize(&self, event: &Value, auth: EndpointAuth) -> Authorization {
        let _ = (event, auth);
        Authorization::Granted
    }

    /// Whether a gateway between the caller and the function may time out before the function does.
    fn is_behind_gateway(&self, event: &Value) -> bool {
        let _ = event;
        false
    }

    /// The name of the caller, which separates the idempotency keys of different callers. `None`
    /// for sources that deliver records, whose results are stored by record id.
    fn caller(&self, event: &Value) -> Option<String> {
        let _ = event;
        None
    }

    /// Maximum size of a response in bytes of JSON.
    fn max_response_bytes(&self) -> usize {
        MAX_RESPONSE_BYTES
    }

    /// Returns the records of the event.
    ///
    /// # Errors
    /// Fails if the event as a whole can't be read.
    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error>;

    /// Builds the response that the source expects. `records` are in the order of the event.
    ///
    /// # Errors
    /// Returns the error that the invocation fails with, if the source has no other way to report
    /// one.
    fn respond(
        &self,
        invocation: &Invocation,
        records: Vec<FinishedRecord>,
    ) -> Result<Value, Error>;

    /// Builds the response for an event that failed as a whole.
    ///
    /// # Errors
    /// The same errors as [`EventSource::respond`].
    fn respond_with_error(&self, invocation: &Invocation, error: Error) -> Result<Value, Error> {
        let id = invocation.request_id.clone();
        self.respond(invocation, vec![FinishedRecord { id, outcome: Outcome::Failed(error) }])
    }
}
