//! Traits for storing and sending results. Their implementations connect the function to AWS.

use bytes::Bytes;
use llm_exe::ports::PortFuture;
use llm_exe::{Deadline, Error};

use crate::destination::{Destination, ResultPlace};

/// The name of the S3 metadata entry that marks an object as an llm-exe result. The value of the
/// entry is `result`.
pub const RESULT_METADATA: &str = "llm-exe";

/// Maximum size of an object that a [`ResultStore`] reads, in bytes. No event source accepts a
/// response this large.
pub const MAX_OBJECT_BYTES: usize = 8 * 1024 * 1024;

/// An object that was read from a [`ResultStore`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// The content of the object.
    pub body: Bytes,
    /// The ETag of the content, including the quotes.
    pub etag: String,
}

/// The condition under which an object is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// The object must not exist.
    Absent,
    /// The object must still have this ETag.
    Unchanged(String),
    /// The object is written unconditionally and replaces an existing one.
    None,
}

/// The outcome of writing an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteOutcome {
    /// The object was written and has this ETag, if the store returned one.
    Done(Option<String>),
    /// The condition was not met. After a broken connection, the cause may be that an earlier
    /// attempt at the same write succeeded. Read the object to find out.
    Unmet,
}

/// A store for results, such as S3.
pub trait ResultStore: Send + Sync {
    /// Reads an object. Returns `None` if the object does not exist.
    ///
    /// # Errors
    /// Returns `AccessDenied` if AWS denies access, or `ResultUnavailable` for any other failure.
    fn read<'a>(
        &'a self,
        place: &'a ResultPlace,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Option<StoredObject>, Error>>;

    /// Writes an object with JSON content and the metadata entry [`RESULT_METADATA`] if the
    /// condition is met.
    ///
    /// # Errors
    /// Returns the same errors as [`ResultStore::read`].
    fn write<'a>(
        &'a self,
        place: &'a ResultPlace,
        body: Bytes,
        condition: Precondition,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<WriteOutcome, Error>>;
}

/// A message about a result, which is sent to a queue or an event bus.
#[derive(Debug, Clone, Copy)]
pub struct Notification<'a> {
    /// The id of the notification, which stays the same if the notification is sent again.
    pub id: &'a str,
    /// The message group of the record, if it has one.
    pub group: Option<&'a str>,
    /// The body of the message as JSON.
    pub body: &'a str,
}

/// Sends notifications to queues and event buses.
pub trait Messenger: Send + Sync {
    /// Sends a notification to a queue or an event bus. Results for S3 destinations are written
    /// through [`ResultStore`] instead.
    ///
    /// # Errors
    /// Returns `AccessDenied` if AWS denies access, `ResultTooLarge` if the notification is too
    /// large, or `ResultUnavailable` for any other failure.
    fn send<'a>(
        &'a self,
        destination: &'a Destination,
        notification: Notification<'a>,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<(), Error>>;
}
