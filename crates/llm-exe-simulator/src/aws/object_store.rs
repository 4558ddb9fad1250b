//! What is kept: objects and their versions, messages, events, the calls and the faults to come.
//!
//! In: what was asked for, decided. Out: what there is now. It is all behind one lock, so that a
//! condition and the write that depends on it are one step.

use super::fault::{Action, Fault, Operation, met};
use crate::sigv4::hex;
use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// An object of S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// All of it.
    pub body: Bytes,
    /// Its content's type.
    pub content_type: String,
    /// Its own metadata, names in lower case and without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// What names this state of it, quotes included. The same body has the same.
    pub etag: String,
    /// Its version's id, in a bucket that keeps versions.
    pub version: Option<String>,
    /// How often it was written since it was not there.
    pub writes: u64,
}

impl Object {
    pub(super) fn new(body: Bytes) -> Self {
        let digest = hex(&Sha256::digest(&body));
        // As long as S3's, which are MD5.
        let etag = format!("\"{}\"", digest.get(..32).unwrap_or_default());
        let content_type = "binary/octet-stream".to_owned();
        Self { body, content_type, metadata: BTreeMap::new(), etag, version: None, writes: 0 }
    }
}

/// A message that a queue of SQS took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The id that the queue gave it.
    pub id: String,
    /// The queue's URL, as it was asked.
    pub queue_url: String,
    /// Its body.
    pub body: String,
    /// Its message group, if it is of one.
    pub group: Option<String>,
    /// By what a FIFO queue knows it again.
    pub deduplication_id: Option<String>,
    /// How often it was sent: a FIFO queue takes it once within five minutes.
    pub sent: u64,
    pub(super) at: Instant,
}

/// An event that a bus of EventBridge took.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The id that the bus gave it.
    pub id: String,
    /// The bus's name or ARN, as it was asked; empty for the default one.
    pub bus: String,
    /// Who it is of.
    pub source: String,
    /// What it is.
    pub detail_type: String,
    /// What it says.
    pub detail: Value,
}

/// A call, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What it asked for.
    pub operation: Operation,
    /// An object's `bucket/key`, a queue's URL, the bus of the first event.
    pub name: String,
    /// The status of the answer; `None` when none was sent.
    pub status: Option<u16>,
    /// Whether what it asked for was done; of a condition that did not hold, it was not.
    pub done: bool,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Kept {
    objects: BTreeMap<(String, String), Vec<Object>>,
    versioned: BTreeSet<String>,
    pub(super) messages: Vec<Message>,
    pub(super) events: Vec<Event>,
    pub(super) faults: Vec<Fault>,
    pub(super) calls: Vec<Call>,
    number: u64,
}

impl Kept {
    /// An id of 36 characters that was not given before.
    pub(super) fn next_id(&mut self) -> String {
        self.number += 1;
        format!("00000000-0000-4000-8000-{:012x}", self.number)
    }

    pub(super) fn met(&mut self, operation: Operation, name: &str) -> Option<Action> {
        met(&mut self.faults, operation, name)
    }

    pub(super) fn keep_versions(&mut self, bucket: &str) {
        self.versioned.insert(bucket.to_owned());
    }

    /// Puts an object; as it is from now on.
    pub(super) fn put(&mut self, bucket: &str, key: &str, object: Object) -> Object {
        let version = self.versioned.contains(bucket).then(|| self.next_id().replace('-', ""));
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

    pub(super) fn object(&self, bucket: &str, key: &str) -> Option<&Object> {
        self.objects.get(&(bucket.to_owned(), key.to_owned()))?.last()
    }

    /// A version of an object.
    pub(super) fn version(&self, bucket: &str, key: &str, version: &str) -> Option<&Object> {
        let versions = self.objects.get(&(bucket.to_owned(), key.to_owned()))?;
        versions.iter().find(|object| object.version.as_deref().unwrap_or("null") == version)
    }

    pub(super) fn objects(&self) -> BTreeMap<String, Object> {
        let named = self.objects.iter().filter_map(|((bucket, key), versions)| {
            Some((format!("{bucket}/{key}"), versions.last()?.clone()))
        });
        named.collect()
    }
}
