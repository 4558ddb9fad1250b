//! The ports through which the function stores and sends results.

use bytes::Bytes;
use llm_exe::ports::PortFuture;
use llm_exe::{Deadline, Error};

use crate::destination::{Destination, ResultPlace};

/// The name of the metadata that marks an object as a result of llm-exe. Its value is `result`.
pub const RESULT_METADATA: &str = "llm-exe";

/// The content of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// The content.
    pub body: Bytes,
    /// The ETag of this content, with its quotes.
    pub etag: String,
}

/// The condition of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// The object must not exist.
    Absent,
    /// The object must still have this ETag.
    Unchanged(String),
    /// No condition: an existing object is replaced.
    None,
}

/// The outcome of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteOutcome {
    /// The object was written and has this ETag, if the store returned one.
    Done(Option<String>),
    /// The condition was not met. If a connection broke, the cause may be an earlier attempt of
    /// the same write: read the object to find out.
    Unmet,
}

/// A store for results.
pub trait ResultStore: Send + Sync {
    /// Reads an object; `None` if it does not exist.
    ///
    /// # Errors
    /// `AccessDenied` if AWS denies access, `ResultUnavailable` for other failures.
    fn read<'a>(
        &'a self,
        place: &'a ResultPlace,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Option<StoredObject>, Error>>;

    /// Writes a JSON object with the metadata [`RESULT_METADATA`], if the condition is met.
    ///
    /// # Errors
    /// As [`ResultStore::read`].
    fn write<'a>(
        &'a self,
        place: &'a ResultPlace,
        body: Bytes,
        condition: Precondition,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<WriteOutcome, Error>>;
}

/// A message about a result for a queue or an event bus.
#[derive(Debug, Clone, Copy)]
pub struct Notification<'a> {
    /// The id of the result. It is the same if the notification is sent again.
    pub id: &'a str,
    /// The message group of the record, if it has one.
    pub group: Option<&'a str>,
    /// The content, as JSON.
    pub body: &'a str,
}

/// Sends notifications to queues and event buses.
pub trait Messenger: Send + Sync {
    /// Sends a notification to a queue or a bus. Destinations of objects are written through
    /// [`ResultStore`] instead.
    ///
    /// # Errors
    /// `AccessDenied` if AWS denies access, `ResultTooLarge` if the notification is too large,
    /// `ResultUnavailable` for other failures.
    fn send<'a>(
        &'a self,
        destination: &'a Destination,
        notification: Notification<'a>,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<(), Error>>;
}
