//! The records of an event, the requests in them, and their outcomes.

use llm_exe::Error;
use serde_json::Value;

/// A part of an event that succeeds or fails on its own, such as an SQS message.
#[derive(Debug, Clone)]
pub struct Record {
    /// The id of the record, which is unique within the event.
    pub id: String,
    /// The message group, if the record has one. Records of a group are run in order, and the group
    /// stops at the first failure.
    pub group: Option<String>,
    /// The requests in the record. Empty if there is nothing to run, for example because the record
    /// is a test message or reports a deleted object.
    pub requests: Vec<RecordRequest>,
}

/// A request in a record. A record contains several requests if, for example, an SQS message
/// reports several S3 objects.
#[derive(Debug, Clone)]
pub struct RecordRequest {
    /// The name of the innermost event source, such as `s3` for an S3 notification in an SQS
    /// message.
    pub source: &'static str,
    /// The id from the innermost event source: a message id, or the bucket, key and version of an
    /// S3 object. It stays the same if the message or notification is delivered again.
    pub id: String,
    /// The ARNs of the queues, topics and buckets that the request came through, if they are known.
    pub origins: Vec<String>,
    /// Whether the queue has delivered the message before. If the earlier delivery left no result,
    /// it may have ended the process.
    pub received_before: bool,
    /// The request, or an error if it can't be read.
    pub body: Result<Value, Error>,
}

impl Record {
    /// Creates the record of a direct or HTTP event, which contains a single request.
    pub(crate) fn from_request(
        source: &'static str,
        invocation: &Invocation,
        body: Value,
    ) -> Record {
        let id = invocation.request_id.clone();
        let request = RecordRequest {
            source,
            id: id.clone(),
            origins: Vec::new(),
            received_before: false,
            body: Ok(body),
        };
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
    /// The number of warnings about the record's requests.
    pub warning_count: usize,
}

/// The outcome of a record or a request.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The run succeeded with this result.
    Done(Value),
    /// The run failed with this error.
    Failed(Error),
    /// There was nothing to run.
    Skipped,
}

/// The invocation that delivered the event.
#[derive(Debug, Clone, Default)]
pub struct Invocation {
    /// The request id that Lambda assigned to the invocation.
    pub request_id: String,
    /// The version of the function, as returned by `/health`.
    pub version: &'static str,
    /// The ARN by which the function was invoked, if it runs in Lambda.
    pub function_arn: Option<String>,
    /// The id by which AWS X-Ray and Lambda trace the invocation, if there is one.
    pub trace_id: Option<String>,
}

impl Invocation {
    /// Returns an id for an item of the event that has no id of its own. The id differs between
    /// invocations.
    pub(crate) fn part_id(&self, index: usize) -> String {
        format!("{}:{index}", self.request_id)
    }
}
