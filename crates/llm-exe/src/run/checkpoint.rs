//! Stores the turns of conversations and the results of tools and steps, so that a repeated run
//! continues after them and does not pay for them again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ring::digest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::report::StoredCounts;
use crate::chat::{Message, Part, RawTurn, Reply, StopReason, ToolCall};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::hex::hex;
use crate::json::{self, hash_request};
use crate::plan::{RequestForm, Target};
use crate::ports::RunProgress;

/// The version of the entries. A program with another version does not continue a run.
const VERSION: &str = "progress 1";

/// Returns the hash of a request that identifies its progress. It does not depend on the order of
/// keys.
pub(super) fn request_hash(request: &Value) -> String {
    let text = [VERSION, &hash_request(request)].concat();
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

/// The progress of a run, below the path of a request in it.
#[derive(Clone)]
pub(super) struct Checkpoints {
    progress: Arc<dyn RunProgress>,
    /// The path of the request. Empty, or with a slash at its end.
    path: String,
}

impl Checkpoints {
    pub(super) fn new(progress: Box<dyn RunProgress>) -> Self {
        Checkpoints { progress: Arc::from(progress), path: String::new() }
    }

    /// Returns an id of the request that is the same when the run is repeated.
    pub(super) fn id(&self) -> String {
        let id = [self.progress.id(), &self.path].join("/");
        hex(digest::digest(&digest::SHA256, id.as_bytes()).as_ref())
    }

    /// Returns the progress of a request inside of this one.
    pub(super) fn nested(&self, name: &str) -> Self {
        let progress = Arc::clone(&self.progress);
        Checkpoints { progress, path: format!("{}{name}/", self.path) }
    }

    /// Reads an entry of an earlier run. Returns `None` if there is none.
    ///
    /// # Errors
    /// `ResultUnavailable` if the entry can't be read.
    pub(super) async fn load<T: DeserializeOwned>(
        &self,
        name: &str,
        deadline: Deadline,
    ) -> Result<Option<T>, Error> {
        if !self.progress.is_repeated() {
            return Ok(None);
        }
        let name = format!("{}{name}", self.path);
        let Some(entry) = self.progress.read(&name, deadline).await? else { return Ok(None) };
        // Conversations of callers are read from values too, so that the function contains the code
        // for messages once.
        let entry = serde_json::from_slice(&entry).and_then(|entry| json::read::<T>(&entry));
        entry.map(Some).map_err(|_| {
            let text = format!("the stored progress {name} of the request is damaged");
            Error::new(ErrorKind::ResultUnavailable, text)
        })
    }

    /// Writes an entry. Returns a warning if that fails, because what it contains is paid for
    /// and the run continues.
    pub(super) async fn store<T: Serialize>(
        &self,
        name: &str,
        entry: &T,
        deadline: Deadline,
    ) -> Option<String> {
        let name = format!("{}{name}", self.path);
        // Conversations that are handed back are values too, which see `load`.
        let entry = serde_json::to_value(entry).and_then(|entry| serde_json::to_vec(&entry));
        let written = match entry {
            Ok(entry) => self.progress.write(&name, Bytes::from(entry), deadline).await,
            Err(_) => Err(Error::new(ErrorKind::Internal, "the entry can't be serialized")),
        };
        let error = written.err()?;
        Some(format!(
            "the progress {name} could not be stored, so it is paid for again if the process ends \
             before the result is stored: {}",
            error.message()
        ))
    }

    /// Ends the run, so that it can be repeated at once.
    pub(super) async fn release(&self, deadline: Deadline) {
        self.progress.release(deadline).await;
    }
}

/// A turn of a model.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredTurn {
    /// The start of the conversation, only in its first turn.
    start: Option<StoredStart>,
    parts: Vec<Part>,
    refusal: Option<String>,
    raw: Option<RawTurn>,
    stop_reason: StopReason,
    provider_stop_reason: Option<String>,
    stop_details: Option<String>,
    pub(super) duration: Duration,
    counts: StoredCounts,
}

/// The target of a conversation, and the messages before its first turn as they were sent.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredStart {
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) form: RequestForm,
    pub(super) messages: Vec<Message>,
}

impl StoredStart {
    pub(super) fn new(target: &Target, form: RequestForm, messages: &[Message]) -> Self {
        let (provider, model) = (target.provider.name().to_owned(), target.model.clone());
        StoredStart { provider, model, form, messages: messages.to_vec() }
    }
}

impl StoredTurn {
    /// The name of the entry of a turn. Turns are counted from 1, repairs included.
    pub(super) fn name(number: u32) -> String {
        format!("turn-{number}")
    }

    pub(super) fn new(
        start: Option<StoredStart>,
        reply: &Reply,
        duration: Duration,
        counts: StoredCounts,
    ) -> Self {
        StoredTurn {
            start,
            parts: reply.parts.clone(),
            refusal: reply.refusal.clone(),
            raw: reply.raw.clone(),
            stop_reason: reply.stop_reason,
            provider_stop_reason: reply.provider_stop_reason.clone(),
            stop_details: reply.stop_details.clone(),
            duration,
            counts,
        }
    }

    /// Removes the start of the conversation.
    pub(super) fn take_start(&mut self) -> Option<StoredStart> {
        self.start.take()
    }

    /// Returns the reply, and what its call added to the report.
    pub(super) fn into_reply(self) -> (Reply, StoredCounts) {
        let mut reply = Reply::from_text("");
        reply.parts = self.parts;
        reply.refusal = self.refusal;
        reply.raw = self.raw;
        reply.stop_reason = self.stop_reason;
        reply.provider_stop_reason = self.provider_stop_reason;
        reply.stop_details = self.stop_details;
        (reply, self.counts)
    }
}

/// The end of a run of a tool, with the call that it belongs to.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredToolRun {
    /// The hash of the name and the arguments of the call.
    pub(super) call: String,
    pub(super) run: StoredRun<Result<String, String>>,
}

impl StoredToolRun {
    /// Returns the hash of a call.
    pub(super) fn hash(call: &ToolCall) -> String {
        let call = [&*call.name, &call.arguments].join("\n");
        hex(digest::digest(&digest::SHA256, call.as_bytes()).as_ref())
    }
}

/// The end of a run of a tool, or of a step.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredRun<T> {
    pub(super) outcome: T,
    pub(super) duration: Duration,
    pub(super) counts: StoredCounts,
}
