//! Event sources: what comes in is recognised by its shape, and answered in the form that its
//! source expects.
//!
//! Everything here is pure: an event's value to records, outcomes to a value. Who runs the
//! records, and when, is the caller's business.

mod admission;
mod http;
mod sources;

use llm_exe::Error;
use serde_json::Value;

pub use admission::{Admission, EndpointAuth, endpoint_key};
pub use http::{MOST_BODY_BYTES, http_failure};
pub use sources::{SOURCES, detect};

/// One unit of an event: a request, or why it can't be read as one.
#[derive(Debug, Clone)]
pub struct Record {
    /// What the source calls it, unique within the event.
    pub id: String,
    /// The request.
    pub body: Result<Value, Error>,
}

/// What became of a record.
pub type Outcome = Result<Value, Error>;

/// What an event asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Route {
    /// Its records are to be run.
    Run,
    /// It is answered without running anything.
    Answer(Value),
}

/// What is known of the invocation that carried the event.
#[derive(Debug, Clone, Default)]
pub struct Invocation {
    /// Lambda's id of the request.
    pub request_id: String,
    /// The function's version, as `/health` tells it.
    pub version: String,
}

/// A kind of event.
pub trait EventSource: Sync {
    /// The name in logs and docs.
    fn name(&self) -> &'static str;

    /// Whether an event is of this source.
    fn recognises(&self, event: &Value) -> bool;

    /// What the event asks for.
    fn route(&self, event: &Value, invocation: &Invocation) -> Route {
        let _ = (event, invocation);
        Route::Run
    }

    /// Whether the caller may run anything. Sources that AWS guards let everybody in.
    fn admit(&self, event: &Value, auth: EndpointAuth) -> Admission {
        let _ = (event, auth);
        Admission::Granted
    }

    /// Whether the caller waits behind something that gives up before the function does.
    fn is_behind_gateway(&self, event: &Value) -> bool {
        let _ = event;
        false
    }

    /// The units of the event.
    ///
    /// # Errors
    /// Where the event as a whole can't be read.
    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error>;

    /// The answer that the source expects.
    ///
    /// # Errors
    /// The failure that the invocation ends with, where the source knows no other way.
    fn respond(&self, invocation: &Invocation, outcomes: Vec<Outcome>) -> Result<Value, Error>;

    /// The answer to a failure of the event as a whole.
    ///
    /// # Errors
    /// As [`EventSource::respond`].
    fn refuse(&self, invocation: &Invocation, error: Error) -> Result<Value, Error> {
        self.respond(invocation, vec![Err(error)])
    }
}
