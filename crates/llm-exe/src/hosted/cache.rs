//! An in-memory cache for hosted documents. A document with a version id never changes, so its
//! cache entry does not expire. By default, any other document is revalidated by its ETag on each
//! use, so edits take effect immediately.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::MAX_CONFIG_BYTES;
use super::resolve::unexpected_not_modified;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::ports::{Document, DocumentLocation, DocumentStore, PortFuture};
use crate::single_flight::SingleFlight;

/// Maximum size of the cache in bytes. If a new document does not fit, the oldest documents are
/// evicted.
pub const MAX_CACHED_BYTES: usize = 64 * MAX_CONFIG_BYTES;

/// The estimated overhead of an entry in bytes. It is added to the size of the document and
/// location, so many small entries also fill the cache.
const ENTRY_OVERHEAD: usize = 512;

/// A document store that caches the documents of another store. Concurrent requests for the same
/// document share one fetch.
pub struct CachedDocuments {
    store: Arc<dyn DocumentStore>,
    max_age: Duration,
    cache: Mutex<Cache>,
    flights: SingleFlight<DocumentLocation>,
}

#[derive(Default)]
struct Cache {
    entries: HashMap<DocumentLocation, CacheEntry>,
    bytes: usize,
    /// The number of insertions so far, which is used to order entries by age.
    insertions: u64,
}

struct CacheEntry {
    document: Document,
    /// The time at which the store last confirmed that the document is current.
    checked_at: Instant,
    insertion: u64,
    bytes: usize,
}

impl std::fmt::Debug for CachedDocuments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CachedDocuments").field("bytes", &self.cache().bytes).finish()
    }
}

impl CachedDocuments {
    /// Creates a cache for the documents of `store`. A document without a version is revalidated
    /// when it is older than `max_age`. If `max_age` is zero, it is revalidated on each use.
    pub fn new(store: Arc<dyn DocumentStore>, max_age: Duration) -> Self {
        CachedDocuments {
            store,
            max_age,
            cache: Mutex::default(),
            flights: SingleFlight::default(),
        }
    }

    /// Locks the cache. Each operation leaves the cache consistent, so a poisoned lock is safe to
    /// use.
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn get(
        &self,
        location: &DocumentLocation,
        known_etag: Option<&str>,
        deadline: Deadline,
    ) -> Result<Option<Document>, Error> {
        let arrived_at = Instant::now();
        if let Some(document) = self.current(location, arrived_at) {
            return Ok(unless_known(document, known_etag));
        }
        let _guard = self.flights.acquire(location).await;
        // Another request may have fetched the document while this one waited for the lock.
        if let Some(document) = self.current(location, arrived_at) {
            return Ok(unless_known(document, known_etag));
        }
        let cached = self.cache().entries.get(location).map(|entry| entry.document.clone());
        let etag = cached.as_ref().and_then(|document| document.etag.as_deref());
        let document = match self.store.fetch(location, etag, deadline).await {
            Ok(Some(document)) => document,
            Ok(None) => cached.ok_or_else(unexpected_not_modified)?,
            Err(error) => {
                // A document that was deleted or is no longer readable must not be served from the
                // cache.
                if error.kind() != ErrorKind::ConfigUnavailable {
                    self.cache().remove(location);
                }
                return Err(error);
            }
        };
        self.cache().insert(location, &document);
        Ok(unless_known(document, known_etag))
    }

    /// Returns the cached document if it can be used without calling the store.
    fn current(&self, location: &DocumentLocation, arrived_at: Instant) -> Option<Document> {
        // Objects in a bucket without versioning have the version id `null` and can be overwritten.
        let is_versioned =
            matches!(location, DocumentLocation::Object { version: Some(id), .. } if id != "null");
        let cache = self.cache();
        let entry = cache.entries.get(location)?;
        let is_current = is_versioned
            || entry.checked_at > arrived_at
            || (!self.max_age.is_zero() && entry.checked_at.elapsed() < self.max_age);
        is_current.then(|| entry.document.clone())
    }
}

/// Returns the document, or `None` if its ETag is the one that the caller already knows.
fn unless_known(document: Document, known_etag: Option<&str>) -> Option<Document> {
    let is_known = known_etag.is_some() && document.etag.as_deref() == known_etag;
    (!is_known).then_some(document)
}

impl Cache {
    fn insert(&mut self, location: &DocumentLocation, document: &Document) {
        self.remove(location);
        let location_bytes = match location {
            DocumentLocation::Object { bucket, key, version } => {
                bucket.len() + key.len() + version.as_ref().map_or(0, String::len)
            }
            DocumentLocation::Url(url) => url.len(),
        };
        let bytes = document.body.len() + location_bytes + ENTRY_OVERHEAD;
        if bytes > MAX_CACHED_BYTES {
            return;
        }
        while self.bytes + bytes > MAX_CACHED_BYTES {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.insertion);
            let Some(oldest) = oldest.map(|(location, _)| location.clone()) else {
                break;
            };
            self.remove(&oldest);
        }
        self.insertions += 1;
        self.bytes += bytes;
        let entry = CacheEntry {
            document: document.clone(),
            checked_at: Instant::now(),
            insertion: self.insertions,
            bytes,
        };
        self.entries.insert(location.clone(), entry);
    }

    fn remove(&mut self, location: &DocumentLocation) {
        if let Some(entry) = self.entries.remove(location) {
            self.bytes -= entry.bytes;
        }
    }
}

impl DocumentStore for CachedDocuments {
    fn fetch<'a>(
        &'a self,
        location: &'a DocumentLocation,
        known_etag: Option<&'a str>,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Option<Document>, Error>> {
        Box::pin(self.get(location, known_etag, deadline))
    }
}
