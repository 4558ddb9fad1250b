//! The records of an event, the requests in them, and their outcomes.

use llm_exe::Error;
use serde_json::Value;

/// A part of an event, such as an SQS message, that the response reports on separately.
#[derive(Debug, Clone)]
pub struct Record {
    /// The id that the source gave to the record. It is unique within the event.
    pub id: String,
    /// The message group. Records of a group are run in order. After one of them fails, the
    /// remaining records of the group are not run.
    pub group: Option<String>,
    /// The requests in the record. Empty for test messages and for events that contain nothing to
    /// run, such as the deletion of an object.
    pub requests: Vec<RecordRequest>,
}

/// A request in a record. A record has several requests if, for example, an SQS message contains
/// notifications about several S3 objects.
#[derive(Debug, Clone)]
pub struct RecordRequest {
    /// The name of the innermost source, for example `s3` for an S3 notification in an SQS
    /// message.
    pub source: &'static str,
    /// The id from the innermost source, which is a message id, or the bucket, key and version of
    /// an S3 object. It is the same for every delivery of the same message or object.
    pub id: String,
    /// The ARNs of the queue, topic and bucket that delivered the request, if the event contains
    /// them.
    pub origins: Vec<String>,
    /// The request, or the reason why it can't be read.
    pub body: Result<Value, Error>,
}

impl Record {
    /// Creates the only record of a direct or HTTP event, whose body is the request itself.
    pub(crate) fn from_request(
        source: &'static str,
        invocation: &Invocation,
        body: Value,
    ) -> Record {
        let id = invocation.request_id.clone();
        let request = RecordRequest { source, id: id.clone(), origins: Vec::new(), body: Ok(body) };
        Record { id, group: None, requests: vec![request] }
    }
}

/// A record that was run, skipped or rejected.
#[derive(Debug, Clone)]
pub struct FinishedRecord {
    /// The record's id.
    pub id: String,
    /// The record's outcome.
    pub outcome: Outcome,
}

/// The outcome of a record or a request.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The request returned this result.
    Done(Value),
    /// The request failed with this error.
    Failed(Error),
    /// There was nothing to run.
    Skipped,
}

/// The invocation that delivered the event.
#[derive(Debug, Clone, Default)]
pub struct Invocation {
    /// The request id that Lambda assigned to the invocation.
    pub request_id: String,
    /// The version of the function, which `/health` returns.
    pub version: String,
}

impl Invocation {
    /// Returns an id for a part of the event that has no id of its own. The id differs between
    /// invocations.
    pub(crate) fn part_id(&self, index: usize) -> String {
        format!("{}:{index}", self.request_id)
    }
}
