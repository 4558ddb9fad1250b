//! A simulator of the S3, SQS, EventBridge and Lambda operations that the function uses, for tests.
//!
//! All services share one loopback port. Stored data remains until the simulator is dropped, so
//! tests can inspect it after the processes under test have ended:
//!
//! ```no_run
//! # use llm_exe_testkit::aws::{Action, AwsFault, AwsSimulator, FunctionResponse, Operation};
//! # async fn example() -> std::io::Result<()> {
//! let aws = AwsSimulator::start().await?; // AWS_ENDPOINT_URL_S3, _SQS, … = aws.url()
//! aws.put("prompts", "a.md", "---\nprovider: openai\n---\nHi");
//! aws.script(AwsFault::on(Operation::PutObject, "results/*", Action::DoneThenDrop).every(20));
//! aws.set_function("orders", [FunctionResponse::Result(r#"{"total":540}"#.to_owned())]);
//! // … run the function …
//! aws.objects(); // by bucket/key, with body, metadata, ETag, version and number of writes
//! aws.messages(); // all SQS messages; aws.events() returns all events
//! aws.invocations(); // all calls of functions, with their events
//! aws.calls(); // every call and its outcome; also aws.reads(), aws.writes(), aws.count(…)
//! # Ok(())
//! # }
//! ```
//!
//! - `GetObject`, `HeadObject` and `PutObject` support path-style URLs, metadata and versions, and
//!   return errors as XML. `PutObject` supports `If-None-Match: *` and `If-Match`. If a condition
//!   fails, it returns 412, or 404 if the object to replace does not exist. The read operations
//!   support both headers with an ETag.
//! - `SendMessage` accepts at most 1 MiB. A FIFO queue (`.fifo`) requires a message group id and a
//!   deduplication id, and drops duplicates that arrive within five minutes. The response contains
//!   the message id but no MD5.
//! - `PutEvents` accepts at most 10 entries and 256 KiB in total. Each entry succeeds or fails
//!   individually.
//! - `Invoke` accepts the type `RequestResponse` and events of at most 6 MB. A function returns the
//!   responses that the test set ([`AwsSimulator::set_function`]), and otherwise its event.
//!
//! Every bucket, queue and function exists, unless its name begins with `missing-`. An ETag is a
//! hash of the content, but not an MD5 hash. Signatures are checked as in the Bedrock dialects of
//! `llm-exe-simulator`. The `x-amz-content-sha256` header of an S3 request must match the body.
//! Unsupported operations are rejected with 501.

mod event_bridge;
mod fault;
mod lambda;
mod s3;
mod server;
mod service;
mod sqs;
mod store;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use fault::{Action, AwsFault, Operation};
use store::SharedStore;
pub use store::{Event, FunctionInvocation, FunctionResponse, Message, Object, RecordedCall};

/// A running AWS simulator. Dropping the handle stops the server, closes its connections and
/// deletes all data.
pub struct AwsSimulator {
    address: SocketAddr,
    store: Arc<SharedStore>,
    task: JoinHandle<()>,
}

impl AwsSimulator {
    /// Starts a simulator on a free port of 127.0.0.1 in the current tokio runtime.
    ///
    /// # Errors
    /// Returns an error if no port can be bound.
    pub async fn start() -> std::io::Result<Self> {
        Self::start_on(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Starts a simulator on this address. Port 0 selects a free port.
    ///
    /// # Errors
    /// Returns an error if the address can't be bound.
    pub async fn start_on(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let store = Arc::new(SharedStore::default());
        let task = tokio::spawn(server::run(listener, Arc::clone(&store)));
        Ok(Self { address, store, task })
    }

    /// Returns the URL of the simulator, `http://HOST:PORT`, for `AWS_ENDPOINT_URL_S3`, `_SQS`,
    /// `_EVENTS` and `_LAMBDA`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Enables versioning for a bucket.
    pub fn keep_versions(&self, bucket: &str) {
        self.store.lock().keep_versions(bucket);
    }

    /// Writes an object. Returns its version id if the bucket has versioning enabled.
    pub fn put(&self, bucket: &str, key: &str, body: impl Into<Bytes>) -> Option<String> {
        self.store.lock().put(bucket, key, Object::new(body.into())).version
    }

    /// Removes an object and all its versions.
    pub fn remove(&self, bucket: &str, key: &str) {
        self.store.lock().remove(bucket, key);
    }

    /// Returns the current versions of all objects, by `bucket/key`.
    pub fn objects(&self) -> BTreeMap<String, Object> {
        self.store.lock().objects()
    }

    /// Returns the current version of the object at `bucket/key`.
    pub fn object(&self, bucket: &str, key: &str) -> Option<Object> {
        self.store.lock().object(bucket, key).cloned()
    }

    /// Returns the messages in all queues, in order. Duplicates that a FIFO queue drops are not
    /// included.
    pub fn messages(&self) -> Vec<Message> {
        self.store.lock().messages.clone()
    }

    /// Returns the events on all buses, in order.
    pub fn events(&self) -> Vec<Event> {
        self.store.lock().events.clone()
    }

    /// Sets the responses to the next calls of a function, by its name without account and
    /// qualifier. The last one is repeated.
    pub fn set_function(&self, name: &str, responses: impl IntoIterator<Item = FunctionResponse>) {
        self.store.lock().functions.insert(name.to_owned(), responses.into_iter().collect());
    }

    /// Returns all calls that functions received, in order.
    pub fn invocations(&self) -> Vec<FunctionInvocation> {
        self.store.lock().invocations.clone()
    }

    /// Adds a fault. If several faults match a call, only the first one occurs.
    pub fn script(&self, fault: AwsFault) {
        self.store.lock().faults.push(fault);
    }

    /// Removes all faults.
    pub fn clear_script(&self) {
        self.store.lock().faults.clear();
    }

    /// Returns all recorded calls, in the order in which the simulator handled them.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.store.lock().calls.clone()
    }

    /// Counts the calls of an operation, including failed ones, whose target matches the pattern.
    /// [`AwsFault::on`] describes targets and patterns.
    pub fn count(&self, operation: Operation, pattern: &str) -> usize {
        let matches = |call: &&RecordedCall| {
            call.operation == operation && fault::matches_pattern(pattern, call.name.as_bytes())
        };
        self.store.lock().calls.iter().filter(matches).count()
    }

    /// Returns the number of calls that read an S3 object.
    pub fn reads(&self) -> usize {
        self.count(Operation::GetObject, "*") + self.count(Operation::HeadObject, "*")
    }

    /// Returns the number of calls that write an S3 object, including failed calls.
    pub fn writes(&self) -> usize {
        self.count(Operation::PutObject, "*")
    }

    /// Clears the recorded calls, including those that functions received. Objects, messages,
    /// events and faults are not affected.
    pub fn clear_calls(&self) {
        let mut store = self.store.lock();
        store.calls.clear();
        store.invocations.clear();
    }
}

impl std::fmt::Debug for AwsSimulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsSimulator").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for AwsSimulator {
    fn drop(&mut self) {
        self.task.abort();
    }
}
