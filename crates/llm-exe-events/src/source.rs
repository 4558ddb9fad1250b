//! The interface that every event source implements.

use std::borrow::Cow;

use llm_exe::{Error, ErrorKind};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::authorization::{Authorization, EndpointAuth};
use crate::entry_point::StreamingEntryPoint;
use crate::record::{FinishedRecord, Invocation, Outcome, Record};

/// Maximum size of a response in bytes of JSON, which is Lambda's payload limit of 6 MB.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const MAX_RESPONSE_BYTES: usize = 6 * 1024 * 1024;

/// How the function handles an event.
#[derive(Debug, Clone)]
pub enum Route {
    /// The function runs the records of the event.
    Run,
    /// The function returns a response without running anything.
    Respond {
        /// The HTTP status of the response.
        status: u16,
        /// The response in the format of the source.
        response: Box<RawValue>,
    },
}

/// A source of events, such as an SQS queue or an HTTP API.
pub trait EventSource: Sync {
    /// Returns the name of the source in logs and in the documentation.
    fn name(&self) -> &'static str;

    /// Returns true if the event is from this source.
    fn matches(&self, event: &Value) -> bool;

    /// Decides whether to run the event's records or to return a response immediately. `schema`
    /// returns the JSON Schema of the requests that the function accepts.
    ///
    /// # Errors
    /// Returns the same errors as [`EventSource::respond`].
    fn route(
        &self,
        event: &Value,
        invocation: &Invocation,
        schema: &dyn Fn() -> Value,
    ) -> Result<Route, Error> {
        let _ = (event, invocation, schema);
        Ok(Route::Run)
    }

    /// Decides whether the caller may run requests. The default allows every caller, because AWS
    /// has already authorized all events other than HTTP requests.
    fn authorize(&self, event: &Value, auth: EndpointAuth) -> Authorization {
        let _ = (event, auth);
        Authorization::Granted
    }

    /// Returns true if a gateway between the caller and the function may time out before the
    /// function does.
    fn is_behind_gateway(&self, event: &Value) -> bool {
        let _ = event;
        false
    }

    /// Returns the entry point that the event came through, if its callers can receive a streamed
    /// response.
    fn streaming_entry_point(&self, event: &Value) -> Option<StreamingEntryPoint> {
        let _ = event;
        None
    }

    /// Returns the value of the header `traceparent` of an HTTP request.
    fn traceparent<'a>(&self, event: &'a Value) -> Option<&'a str> {
        let _ = event;
        None
    }

    /// Returns the name of the caller, which keeps the idempotency keys of different callers
    /// separate. Returns `None` for sources that deliver records, because their results are stored
    /// by record id.
    fn caller(&self, event: &Value) -> Option<Cow<'static, str>> {
        let _ = event;
        None
    }

    /// Returns true if the response contains the results of the records, and false if it only
    /// names the records that failed.
    fn responds_with_results(&self) -> bool {
        true
    }

    /// Returns true if the caller receives errors as HTTP responses with a status. The errors of
    /// other sources fail the invocation, or are part of its response.
    fn responds_with_status(&self) -> bool {
        false
    }

    /// Returns the maximum size of a response in bytes of JSON.
    fn max_response_bytes(&self) -> usize {
        MAX_RESPONSE_BYTES
    }

    /// Returns the records of the event.
    ///
    /// # Errors
    /// Fails if the event as a whole is invalid. If a single record is invalid, the error is stored
    /// in that record instead.
    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error>;

    /// Serializes the response that the source expects. `records` must be in the order of the
    /// event.
    ///
    /// # Errors
    /// Returns an error if the source can report a failure only by failing the invocation.
    fn respond(
        &self,
        invocation: &Invocation,
        records: &[FinishedRecord],
    ) -> Result<Box<RawValue>, Error>;

    /// Serializes the response for an event that failed as a whole.
    ///
    /// # Errors
    /// Returns the same errors as [`EventSource::respond`].
    fn respond_with_error(
        &self,
        invocation: &Invocation,
        error: Error,
    ) -> Result<Box<RawValue>, Error> {
        let id = invocation.request_id.clone();
        let outcome = Outcome::Failed(error);
        self.respond(invocation, &[FinishedRecord { id, outcome, warning_count: 0 }])
    }
}

/// Serializes a response.
///
/// # Errors
/// `Internal` if the response contains a value that JSON does not support, which no response does.
pub(crate) fn to_json(response: &impl Serialize) -> Result<Box<RawValue>, Error> {
    to_raw_value(response).map_err(|error| {
        Error::new(ErrorKind::Internal, format!("the response can't be serialized: {error}"))
    })
}
