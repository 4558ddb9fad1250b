//! The state of the simulator: objects and their versions, messages, events, calls of functions,
//! recorded calls and faults.
//!
//! A single lock protects the whole state, so that a conditional write checks its condition and
//! writes in one atomic step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use llm_exe_simulator::sigv4::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::fault::{self, Action, AwsFault, Operation};

/// An S3 object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The content.
    pub body: Bytes,
    /// The content type.
    pub content_type: String,
    /// The user metadata by lowercase name without the prefix `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// The ETag, with quotes. It depends only on the content.
    pub etag: String,
    /// The version id, if the bucket has versioning enabled.
    pub version: Option<String>,
    /// How many times the object was written.
    pub writes: u64,
}

impl Object {
    pub(super) fn new(body: Bytes) -> Self {
        let digest = hex(&Sha256::digest(&body));
        // ETags in S3 are usually MD5 hashes, so use the same length.
        let etag = format!("\"{}\"", digest.get(..32).unwrap_or_default());
        let content_type = "binary/octet-stream".to_owned();
        Self { body, content_type, metadata: BTreeMap::new(), etag, version: None, writes: 0 }
    }
}

/// A message that was sent to an SQS queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The id that the queue assigned.
    pub id: String,
    /// The queue's URL, as in the request.
    pub queue_url: String,
    /// The body.
    pub body: String,
    /// The message group id.
    pub group: Option<String>,
    /// The deduplication id.
    pub deduplication_id: Option<String>,
    /// How many times the message was sent, including the duplicates that a FIFO queue drops.
    pub sent: u64,
    pub(super) at: Instant,
}

/// An event that was put onto an EventBridge bus.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The id that the bus assigned.
    pub id: String,
    /// The name or ARN of the bus, as in the request; empty for the default bus.
    pub bus: String,
    /// The source.
    pub source: String,
    /// The detail type.
    pub detail_type: String,
    /// The detail.
    pub detail: Value,
}

/// What a simulated function does when it is invoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionResponse {
    /// Returns this JSON text.
    Result(String),
    /// Fails. Lambda responds with 200, the header `X-Amz-Function-Error` and this text.
    Failure(String),
}

impl FunctionResponse {
    /// Creates a failure as Lambda's runtimes report it, with a stack trace.
    pub fn error(error_type: &str, error_message: &str) -> Self {
        let error = json!({
            "errorMessage": error_message, "errorType": error_type,
            "stackTrace": ["  File \"/var/task/index.py\", line 4, in handler\n"],
        });
        Self::Failure(error.to_string())
    }
}

/// A call that a simulated function received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionInvocation {
    /// The name, which may include an account, as in the URL.
    pub function: String,
    /// The version or alias.
    pub qualifier: Option<String>,
    /// The header `X-Amzn-Trace-Id`.
    pub trace_id: Option<String>,
    /// The event.
    pub event: Value,
}

/// A recorded call and its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCall {
    /// The operation.
    pub operation: Operation,
    /// The target: the `bucket/key` of an object, the URL of a queue, the bus of the first event,
    /// or the name of a function, with its qualifier after a colon.
    pub name: String,
    /// The status of the response, or `None` if no response was sent.
    pub status: Option<u16>,
    /// Whether the operation was executed successfully.
    pub done: bool,
}

/// The state of the simulated services.
#[derive(Debug, Default)]
pub(super) struct Store {
    objects: BTreeMap<(String, String), Vec<Object>>,
    versioned_buckets: BTreeSet<String>,
    pub(super) messages: Vec<Message>,
    pub(super) events: Vec<Event>,
    /// The next responses of functions. The last one is repeated.
    pub(super) functions: BTreeMap<String, VecDeque<FunctionResponse>>,
    pub(super) invocations: Vec<FunctionInvocation>,
    pub(super) faults: Vec<AwsFault>,
    pub(super) calls: Vec<RecordedCall>,
    last_id: u64,
}

/// A [`Store`] that the server and `AwsSimulator` share.
#[derive(Debug, Default)]
pub(super) struct SharedStore(Mutex<Store>);

impl SharedStore {
    pub(super) fn lock(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Returns a new id of 36 characters.
    pub(super) fn next_id(&mut self) -> String {
        self.last_id += 1;
        format!("00000000-0000-4000-8000-{:012x}", self.last_id)
    }

    /// Returns the action of the first fault that occurs in a call.
    pub(super) fn next_action(&mut self, operation: Operation, name: &str) -> Option<Action> {
        fault::next_action(&mut self.faults, operation, name)
    }

    /// Whether the connection is closed before the body of a call is read.
    pub(super) fn drops_early(&mut self, operation: Operation, name: &str) -> bool {
        fault::drops_early(&mut self.faults, operation, name)
    }

    /// Returns the next response of a function, or `None` if the test set none.
    pub(super) fn next_response(&mut self, function: &str) -> Option<FunctionResponse> {
        let responses = self.functions.get_mut(function)?;
        if responses.len() > 1 { responses.pop_front() } else { responses.front().cloned() }
    }

    /// Enables versioning for a bucket.
    pub(super) fn keep_versions(&mut self, bucket: &str) {
        self.versioned_buckets.insert(bucket.to_owned());
    }

    /// Writes an object. Returns it with its version id and the number of times it was written.
    pub(super) fn put(&mut self, bucket: &str, key: &str, object: Object) -> Object {
        let is_versioned = self.versioned_buckets.contains(bucket);
        let version = is_versioned.then(|| self.next_id().replace('-', ""));
        let versions = self.objects.entry((bucket.to_owned(), key.to_owned())).or_default();
        let writes = versions.last().map_or(0, |last| last.writes) + 1;
        let object = Object { version, writes, ..object };
        if object.version.is_none() {
            versions.clear();
        }
        versions.push(object.clone());
        object
    }

    pub(super) fn remove(&mut self, bucket: &str, key: &str) {
        self.objects.remove(&(bucket.to_owned(), key.to_owned()));
    }

    /// Returns the current version of an object.
    pub(super) fn object(&self, bucket: &str, key: &str) -> Option<&Object> {
        self.objects.get(&(bucket.to_owned(), key.to_owned()))?.last()
    }

    /// Returns a specific version of an object.
    pub(super) fn version(&self, bucket: &str, key: &str, version: &str) -> Option<&Object> {
        let versions = self.objects.get(&(bucket.to_owned(), key.to_owned()))?;
        versions.iter().find(|object| object.version.as_deref().unwrap_or("null") == version)
    }

    /// Returns the current versions of all objects, by `bucket/key`.
    pub(super) fn objects(&self) -> BTreeMap<String, Object> {
        let current = self.objects.iter().filter_map(|((bucket, key), versions)| {
            Some((format!("{bucket}/{key}"), versions.last()?.clone()))
        });
        current.collect()
    }
}
