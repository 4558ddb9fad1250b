//! Documents kept in memory: versioned ones for good, others for as long as their ETag says that
//! nothing has changed, so that an edited prompt is live at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::MOST_BYTES;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::ports::{Document, DocumentStore, Place, PortFuture};

/// The most bytes that are kept; over them, what was fetched longest ago goes first.
pub const MOST_CACHED_BYTES: usize = 64 * MOST_BYTES;

/// What an entry costs beside its texts, so that many small ones are bounded too.
const ENTRY_BYTES: usize = 512;

/// A store in front of another that keeps what was fetched. Those who want the same document at
/// the same time wait for one fetch.
pub struct CachedDocuments {
    store: Arc<dyn DocumentStore>,
    fresh: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: HashMap<Place, Kept>,
    bytes: usize,
    /// Counts fetches, so that the oldest is known.
    fetches: u64,
    flights: HashMap<Place, Weak<tokio::sync::Mutex<()>>>,
}

struct Kept {
    document: Document,
    /// When it was last known to be the present state.
    checked: Instant,
    fetch: u64,
    bytes: usize,
}

impl std::fmt::Debug for CachedDocuments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CachedDocuments").field("bytes", &self.state().bytes).finish()
    }
}

impl CachedDocuments {
    /// Keeps what `store` fetches. A document without a version is asked for again on each use,
    /// or, with `fresh`, once that long has passed.
    pub fn new(store: Arc<dyn DocumentStore>, fresh: Duration) -> Self {
        CachedDocuments { store, fresh, state: Mutex::default() }
    }

    /// The state is whole after every step, so that a panic elsewhere can't have broken it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn get(
        &self,
        place: &Place,
        known: Option<&str>,
        deadline: Deadline,
    ) -> Result<Option<Document>, Error> {
        let arrived = Instant::now();
        if let Some(document) = self.present(place, arrived) {
            return Ok(unless_known(document, known));
        }
        let flight = self.flight(place);
        let _alone = flight.lock().await;
        // Whoever was in front may have fetched it meanwhile.
        if let Some(document) = self.present(place, arrived) {
            return Ok(unless_known(document, known));
        }
        let kept = self.state().kept.get(place).map(|kept| kept.document.clone());
        let etag = kept.as_ref().and_then(|document| document.etag.as_deref());
        let document = match self.store.fetch(place, etag, deadline).await {
            Ok(Some(document)) => document,
            Ok(None) => kept.ok_or_else(|| {
                let text = "the store answered that nothing has changed, to nobody who knew it";
                Error::new(ErrorKind::ConfigUnavailable, text)
            })?,
            Err(error) => {
                // What is gone, or not ours to read any more, is not kept.
                if error.kind() != ErrorKind::ConfigUnavailable {
                    self.state().forget(place);
                }
                return Err(error);
            }
        };
        self.state().keep(place, &document);
        Ok(unless_known(document, known))
    }

    /// What is kept of a place and needs no look at the store.
    fn present(&self, place: &Place, arrived: Instant) -> Option<Document> {
        // The version `null` is what a bucket without versions has, and is written over.
        let versioned = matches!(place, Place::Object { version: Some(id), .. } if id != "null");
        let state = self.state();
        let kept = state.kept.get(place)?;
        let is_present = versioned
            || kept.checked > arrived
            || (!self.fresh.is_zero() && kept.checked.elapsed() < self.fresh);
        is_present.then(|| kept.document.clone())
    }

    fn flight(&self, place: &Place) -> Arc<tokio::sync::Mutex<()>> {
        let mut state = self.state();
        state.flights.retain(|_, flight| flight.strong_count() > 0);
        if let Some(flight) = state.flights.get(place).and_then(Weak::upgrade) {
            return flight;
        }
        let flight = Arc::new(tokio::sync::Mutex::new(()));
        state.flights.insert(place.clone(), Arc::downgrade(&flight));
        flight
    }
}

fn unless_known(document: Document, known: Option<&str>) -> Option<Document> {
    let same = known.is_some() && document.etag.as_deref() == known;
    (!same).then_some(document)
}

impl State {
    fn keep(&mut self, place: &Place, document: &Document) {
        self.forget(place);
        let name = match place {
            Place::Object { bucket, key, version } => {
                bucket.len() + key.len() + version.as_ref().map_or(0, String::len)
            }
            Place::Page(url) => url.len(),
        };
        let bytes = document.body.len() + name + ENTRY_BYTES;
        if bytes > MOST_CACHED_BYTES {
            return;
        }
        while self.bytes + bytes > MOST_CACHED_BYTES {
            let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.fetch);
            let Some(oldest) = oldest.map(|(place, _)| place.clone()) else {
                break;
            };
            self.forget(&oldest);
        }
        self.fetches += 1;
        self.bytes += bytes;
        let (document, checked) = (document.clone(), Instant::now());
        self.kept.insert(place.clone(), Kept { document, checked, fetch: self.fetches, bytes });
    }

    fn forget(&mut self, place: &Place) {
        if let Some(kept) = self.kept.remove(place) {
            self.bytes -= kept.bytes;
        }
    }
}

impl DocumentStore for CachedDocuments {
    fn fetch<'a>(
        &'a self,
        place: &'a Place,
        known: Option<&'a str>,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Option<Document>, Error>> {
        Box::pin(self.get(place, known, deadline))
    }
}
