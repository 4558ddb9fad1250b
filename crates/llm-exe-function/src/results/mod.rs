//! What becomes of results: kept so that nothing is lost or paid for twice, told to whoever waits
//! for them, and put aside where an answer is too large.
//!
//! In: requests to run, and the ports that reach S3, queues and buses. Out: how each ended.

mod calls;
mod idempotency;
mod notify;
mod once;
mod records;
mod stored_result;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use llm_exe::ports::PortFuture;
use llm_exe::results::{
    Destination, Messenger, Note, ResultPlace, ResultPrefix, ResultStore, Stored, When, Wrote,
};
use llm_exe::{Deadline, Error, ErrorKind};

use crate::settings::ResultSettings;
use stored_result::Kept;

/// How many results that could not be kept are remembered, for as long as the process lives, and
/// how many bytes of them.
const MOST_UNKEPT: usize = 64;
const MOST_UNKEPT_BYTES: usize = 16 * 1024 * 1024;

/// What becomes of results.
pub(crate) struct Results {
    settings: ResultSettings,
    store: Arc<dyn ResultStore>,
    messenger: Arc<dyn Messenger>,
    /// Results that were paid for and could not be kept: asked again, they are given.
    unkept: Mutex<VecDeque<(String, Kept, usize)>>,
    /// Who is at which place in this process.
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Results {
    pub(crate) fn new(settings: ResultSettings) -> Self {
        Results {
            settings,
            store: Arc::new(NoResults),
            messenger: Arc::new(NoResults),
            unkept: Mutex::default(),
            turns: Mutex::default(),
        }
    }

    pub(crate) fn with_ports(
        self,
        store: Arc<dyn ResultStore>,
        messenger: Arc<dyn Messenger>,
    ) -> Self {
        Results { store, messenger, ..self }
    }

    /// Where results are kept, if they are.
    pub(crate) fn prefix(&self) -> Option<&ResultPrefix> {
        self.settings.prefix.as_ref()
    }

    /// Whether the result of every record is stored or sent.
    pub(crate) fn has_place_for_records(&self) -> bool {
        self.settings.prefix.is_some() || self.settings.destination.is_some()
    }

    /// The most bytes of an answer that would take as many as `most`.
    pub(crate) fn most_bytes(&self, most: usize) -> usize {
        self.settings.offload_over.map_or(most, |over| over.min(most))
    }

    /// A name for what is put aside, of any words.
    pub(crate) fn name_of(words: &[&str]) -> String {
        stored_result::hashed(words)
    }

    /// What is kept at a place, and its ETag.
    async fn kept(
        &self,
        place: &ResultPlace,
        deadline: Deadline,
    ) -> Result<Option<(Kept, String)>, Error> {
        let Some(Stored { body, etag }) = self.store.read(place, deadline).await? else {
            return Ok(None);
        };
        let kept = serde_json::from_slice(&body).map_err(|_| unreadable(place))?;
        Ok(Some((kept, etag)))
    }

    /// Remembers a result that could not be kept, and forgets the oldest ones for it.
    fn remember(&self, name: &str, kept: Kept) {
        let mut unkept = self.unkept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = kept.to_bytes().len();
        unkept.push_back((name.to_owned(), kept, bytes));
        let mut sum: usize = unkept.iter().map(|(_, _, bytes)| bytes).sum();
        while (unkept.len() > MOST_UNKEPT || sum > MOST_UNKEPT_BYTES)
            && let Some((_, _, bytes)) = unkept.pop_front()
        {
            sum -= bytes;
        }
    }

    /// A result that could not be kept before.
    fn recall(&self, name: &str) -> Option<Kept> {
        let mut unkept = self.unkept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = unkept.iter().position(|(known, ..)| known == name)?;
        unkept.remove(at).map(|(_, kept, _)| kept)
    }

    /// A turn at a place: in one process, one is at it at a time.
    fn turn(&self, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(name.to_owned()).or_default())
    }
}

fn unreadable(place: &ResultPlace) -> Error {
    let text = format!("what is kept at {place} is nothing that llm-exe wrote");
    Error::new(ErrorKind::ResultUnavailable, text)
}

/// Reaches nothing: of a function that was made without ports.
struct NoResults;

fn no_port<'a, T: 'a + Send>() -> PortFuture<'a, Result<T, Error>> {
    let text = "this function was made without a store for results";
    Box::pin(std::future::ready(Err(Error::new(ErrorKind::Internal, text))))
}

impl ResultStore for NoResults {
    fn read<'a>(
        &'a self,
        _: &'a ResultPlace,
        _: Deadline,
    ) -> PortFuture<'a, Result<Option<Stored>, Error>> {
        no_port()
    }

    fn write<'a>(
        &'a self,
        _: &'a ResultPlace,
        _: bytes::Bytes,
        _: When,
        _: Deadline,
    ) -> PortFuture<'a, Result<Wrote, Error>> {
        no_port()
    }
}

impl Messenger for NoResults {
    fn tell<'a>(
        &'a self,
        _: &'a Destination,
        _: Note<'a>,
        _: Deadline,
    ) -> PortFuture<'a, Result<(), Error>> {
        no_port()
    }
}
