//! Records of an event, the requests in them, and their outcomes.

use llm_exe::Error;
use serde_json::Value;

/// A unit of an event that the response reports on separately.
#[derive(Debug, Clone)]
pub struct Record {
    /// The source's id of the record, unique within the event.
    pub id: String,
    /// The message group. Records of a group run in order, and the rest of the group does not run
    /// after one of them failed.
    pub group: Option<String>,
    /// The requests in the record. Empty for test messages and for events that need no run, such
    /// as the deletion of an object.
    pub requests: Vec<RecordRequest>,
}

/// A request in a record. A record has several if, for example, a message contains notifications
/// of several objects.
#[derive(Debug, Clone)]
pub struct RecordRequest {
    /// The name of the innermost source, for example `s3` for an S3 notification in an SQS
    /// message.
    pub source: &'static str,
    /// The innermost source's id: a message's id, or an object's bucket, key and version. It is
    /// the same for every delivery of the same message or object.
    pub id: String,
    /// The ARNs of the queue, topic and bucket that delivered the request, if the event contains
    /// them.
    pub origins: Vec<String>,
    /// The request, or the reason why it can't be read.
    pub body: Result<Value, Error>,
}

impl Record {
    /// A record that consists of one request, as its caller sent it.
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
    /// It returned this result.
    Done(Value),
    /// It failed with this error.
    Failed(Error),
    /// It contained nothing to run.
    Skipped,
}

/// The invocation that delivered the event.
#[derive(Debug, Clone, Default)]
pub struct Invocation {
    /// Lambda's request id.
    pub request_id: String,
    /// The version of the function, which `/health` returns.
    pub version: String,
}

impl Invocation {
    /// An id for a part of the event that has none. It differs between deliveries.
    pub(crate) fn part_id(&self, index: usize) -> String {
        format!("{}:{index}", self.request_id)
    }
}
