//! An imitation of S3, SQS and EventBridge, as far as a function uses them: objects that are read
//! and written on conditions, messages and events that are taken and listed.
//!
//! In: signed requests on one port of loopback, and faults (`Fault`) that say what to do with the
//! next ones. Out: answers in AWS's shape; objects, messages, events and calls, which tests read.
//! What is kept outlives the processes that ask. A bucket or a queue whose name begins with
//! `missing-` does not exist; any other does. Buckets are in the path, as with any endpoint that
//! is said.

mod event_bridge;
mod fault;
mod object_store;
mod s3;
mod server;
mod sqs;

pub use fault::{Action, Fault, Operation};
pub use object_store::{Call, Event, Message, Object};

use bytes::Bytes;
use object_store::Kept;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running imitation. Dropping it stops it, closes its connections and forgets everything.
pub struct AwsSimulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// What the server and who holds it share.
#[derive(Debug, Default)]
struct Shared(Mutex<Kept>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AwsSimulator {
    /// Starts on 127.0.0.1, on a port of the system's choosing, on the current tokio runtime.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> std::io::Result<Self> {
        Self::start_on(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Starts on this address; port 0 lets the system choose.
    ///
    /// # Errors
    /// When the address can't be bound.
    pub async fn start_on(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let task = tokio::spawn(server::run(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, task })
    }

    /// `http://HOST:PORT`, for `AWS_ENDPOINT_URL_S3`, `_SQS` and `_EVENTS` alike.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Has a bucket keep every version of its objects from now on.
    pub fn keep_versions(&self, bucket: &str) {
        self.shared.lock().keep_versions(bucket);
    }

    /// Puts an object, as somebody else would; its version's id, if the bucket keeps versions.
    pub fn put(&self, bucket: &str, key: &str, body: impl Into<Bytes>) -> Option<String> {
        self.shared.lock().put(bucket, key, Object::new(body.into())).version
    }

    /// Removes an object, as somebody else would, with all of its versions.
    pub fn remove(&self, bucket: &str, key: &str) {
        self.shared.lock().remove(bucket, key);
    }

    /// Every object as it is now, by `bucket/key`.
    #[must_use]
    pub fn objects(&self) -> BTreeMap<String, Object> {
        self.shared.lock().objects()
    }

    /// The object at `bucket/key` as it is now.
    #[must_use]
    pub fn object(&self, bucket: &str, key: &str) -> Option<Object> {
        self.shared.lock().object(bucket, key).cloned()
    }

    /// Every message that a queue took, in order; one that a FIFO queue knew already is not there
    /// again.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.shared.lock().messages.clone()
    }

    /// Every event that a bus took, in order.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.shared.lock().events.clone()
    }

    /// Adds a fault. A call meets the first whose operation and name fit and that is not used up.
    pub fn script(&self, fault: Fault) {
        self.shared.lock().faults.push(fault);
    }

    /// Forgets the faults that are left.
    pub fn clear_script(&self) {
        self.shared.lock().faults.clear();
    }

    /// Every call so far, in the order in which they were decided.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.lock().calls.clone()
    }

    /// How many calls of an operation there were on names that fit the pattern (see [`Fault`]),
    /// whatever became of them.
    #[must_use]
    pub fn count(&self, operation: Operation, pattern: &str) -> usize {
        let fits = |call: &&Call| {
            call.operation == operation && fault::fits(pattern, call.name.as_bytes())
        };
        self.shared.lock().calls.iter().filter(fits).count()
    }

    /// How many calls asked S3 for an object.
    #[must_use]
    pub fn reads(&self) -> usize {
        self.count(Operation::GetObject, "*") + self.count(Operation::HeadObject, "*")
    }

    /// How many calls asked S3 to write an object, whether it did or not.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.count(Operation::PutObject, "*")
    }

    /// Forgets the calls; objects, messages, events and faults stay.
    pub fn clear_calls(&self) {
        self.shared.lock().calls.clear();
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
