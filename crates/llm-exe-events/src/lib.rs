//! Event sources: what comes in is recognised by its shape, and answered in the form that its
//! source expects.
//!
//! Everything here is pure: an event's value to records, outcomes to a value. Who runs the
//! records, and when, is the caller's business.

mod admission;
mod batch;
mod callers;
mod http;
mod objects;
mod shapes;
mod sources;
mod wrappings;

use llm_exe::Error;
use serde_json::Value;

/// The most bytes of an answer, as JSON: 6 MB in Lambda's count.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const MOST_ANSWER_BYTES: usize = 6 * 1024 * 1024;

pub use admission::{Admission, EndpointAuth, endpoint_key};
pub use http::{MOST_BODY_BYTES, http_failure};
pub use sources::{SOURCES, detect};

/// One unit of an event, which its answer names.
#[derive(Debug, Clone)]
pub struct Record {
    /// What the source calls it, unique within the event.
    pub id: String,
    /// Records of one group are run in order, and none after one that failed.
    pub group: Option<String>,
    /// What it asks for; nothing, where it is a test message or tells of a deletion.
    pub asks: Vec<RecordRequest>,
}

/// One request of a record: a message may hold a notification of several objects.
#[derive(Debug, Clone)]
pub struct RecordRequest {
    /// The name of the source that the innermost wrapping is of, like `s3` for a notification of
    /// a bucket in a message of a queue.
    pub source: &'static str,
    /// What that source calls it, whatever it was wrapped in: of a message its id, of an object
    /// its bucket, key and version. Delivered twice, it is the same.
    pub id: String,
    /// The ARNs of the queue, the topic and the bucket that it came from, as far as the event
    /// tells.
    pub origins: Vec<String>,
    /// The request, or why there is none.
    pub body: Result<Value, Error>,
}

impl Record {
    /// A record that is one request, as its caller sent it.
    fn sent(source: &'static str, invocation: &Invocation, body: Value) -> Record {
        let id = invocation.request_id.clone();
        let ask = RecordRequest { source, id: id.clone(), origins: Vec::new(), body: Ok(body) };
        Record { id, group: None, asks: vec![ask] }
    }
}

/// What became of a record.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The record's id.
    pub id: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a record.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Its result.
    Done(Value),
    /// Why it has none.
    Failed(Error),
    /// It asked for nothing.
    Skipped,
}

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

impl Invocation {
    /// The id of a part of the event that has none of its own: it is of this delivery alone.
    fn part(&self, index: usize) -> String {
        format!("{}:{index}", self.request_id)
    }
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

    /// Who calls, as far as that is known: keys of one caller mean nothing of another's. `None`
    /// of sources that deliver records, which are kept by their own ids.
    fn caller(&self, event: &Value) -> Option<String> {
        let _ = event;
        None
    }

    /// The most bytes of an answer, as JSON.
    fn most_answer_bytes(&self) -> usize {
        MOST_ANSWER_BYTES
    }

    /// The units of the event.
    ///
    /// # Errors
    /// Where the event as a whole can't be read.
    fn records(&self, event: Value, invocation: &Invocation) -> Result<Vec<Record>, Error>;

    /// The answer that the source expects, of records in the order in which they came.
    ///
    /// # Errors
    /// The failure that the invocation ends with, where the source knows no other way.
    fn respond(&self, invocation: &Invocation, settled: Vec<Settled>) -> Result<Value, Error>;

    /// The answer to a failure of the event as a whole.
    ///
    /// # Errors
    /// As [`EventSource::respond`].
    fn refuse(&self, invocation: &Invocation, error: Error) -> Result<Value, Error> {
        let outcome = Outcome::Failed(error);
        self.respond(invocation, vec![Settled { id: invocation.request_id.clone(), outcome }])
    }
}
