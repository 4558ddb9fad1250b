//! Tests the cache of hosted documents: expiry, eviction, and how often it calls the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use llm_exe::hosted::{CachedDocuments, MAX_CONFIG_BYTES};
use llm_exe::ports::{Document, DocumentLocation, DocumentStore, PortFuture};
use llm_exe::{Deadline, Endpoints, Error, ErrorKind, HostedRules, Rules, Runner};
use serde_json::json;

use crate::common::NoKeys;

/// A document store that counts its calls. The ETag of every document is the current `revision`.
#[derive(Default)]
struct CountingStore {
    revision: AtomicUsize,
    fetches: AtomicUsize,
    not_modified: AtomicUsize,
    is_deleted: AtomicBool,
    delay: Duration,
    size: usize,
}

impl DocumentStore for CountingStore {
    fn fetch<'a>(
        &'a self,
        location: &'a DocumentLocation,
        known_etag: Option<&'a str>,
        _: Deadline,
    ) -> PortFuture<'a, Result<Option<Document>, Error>> {
        Box::pin(async move {
            self.fetches.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(self.delay).await;
            if self.is_deleted.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::ConfigNotFound, "gone"));
            }
            let etag = format!("\"{}\"", self.revision.load(Ordering::Relaxed));
            if known_etag == Some(etag.as_str()) {
                self.not_modified.fetch_add(1, Ordering::Relaxed);
                return Ok(None);
            }
            let version = match location {
                DocumentLocation::Object { version, .. } => version.clone(),
                DocumentLocation::Url(_) => None,
            };
            let body = Bytes::from(vec![b'a'; self.size]);
            Ok(Some(Document { body, version, etag: Some(etag) }))
        })
    }
}

fn location(key: &str, version: Option<&str>) -> DocumentLocation {
    let version = version.map(str::to_owned);
    DocumentLocation::Object { bucket: "prompts".to_owned(), key: key.to_owned(), version }
}

async fn etag(cache: &CachedDocuments, location: &DocumentLocation) -> String {
    let deadline = Deadline::after(Duration::from_secs(60));
    cache.fetch(location, None, deadline).await.unwrap().unwrap().etag.unwrap()
}

fn cached(store: CountingStore, max_age: u64) -> (Arc<CountingStore>, CachedDocuments) {
    let store = Arc::new(store);
    let cached_store = Arc::clone(&store) as Arc<dyn DocumentStore>;
    (store, CachedDocuments::new(cached_store, Duration::from_secs(max_age)))
}

fn count(counter: &AtomicUsize) -> usize {
    counter.load(Ordering::Relaxed)
}

#[tokio::test(start_paused = true)]
async fn unversioned_documents_are_checked_on_each_use() {
    let (store, cache) = cached(CountingStore::default(), 0);
    let document = location("a", None);
    assert_eq!(etag(&cache, &document).await, "\"0\"");
    assert_eq!(etag(&cache, &document).await, "\"0\"");
    assert_eq!((count(&store.fetches), count(&store.not_modified)), (2, 1));
    store.revision.store(1, Ordering::Relaxed);
    assert_eq!(etag(&cache, &document).await, "\"1\"");
}

#[tokio::test(start_paused = true)]
async fn versioned_documents_never_expire() {
    let (store, cache) = cached(CountingStore::default(), 0);
    let document = location("a", Some("v1"));
    for _ in 0..3 {
        etag(&cache, &document).await;
        tokio::time::advance(Duration::from_secs(100_000)).await;
    }
    assert_eq!(count(&store.fetches), 1);
}

#[tokio::test(start_paused = true)]
async fn documents_are_not_checked_before_their_max_age() {
    let (store, cache) = cached(CountingStore::default(), 60);
    let document = location("a", None);
    etag(&cache, &document).await;
    tokio::time::advance(Duration::from_secs(59)).await;
    etag(&cache, &document).await;
    assert_eq!(count(&store.fetches), 1);
    tokio::time::advance(Duration::from_secs(2)).await;
    etag(&cache, &document).await;
    assert_eq!((count(&store.fetches), count(&store.not_modified)), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn concurrent_requests_share_a_fetch() {
    let store = CountingStore { delay: Duration::from_secs(1), ..CountingStore::default() };
    let (store, cache) = cached(store, 0);
    let (first, second) = (location("a", None), location("b", None));
    tokio::join!(
        etag(&cache, &first),
        etag(&cache, &first),
        etag(&cache, &first),
        etag(&cache, &second)
    );
    assert_eq!(count(&store.fetches), 2);
}

#[tokio::test(start_paused = true)]
async fn deleted_documents_are_removed() {
    let (store, cache) = cached(CountingStore::default(), 0);
    let document = location("a", None);
    etag(&cache, &document).await;
    store.is_deleted.store(true, Ordering::Relaxed);
    let deadline = Deadline::after(Duration::from_secs(60));
    let error = cache.fetch(&document, None, deadline).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigNotFound);
    store.is_deleted.store(false, Ordering::Relaxed);
    etag(&cache, &document).await;
    assert_eq!(count(&store.not_modified), 0);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_document_is_evicted_first() {
    let (store, cache) =
        cached(CountingStore { size: MAX_CONFIG_BYTES, ..CountingStore::default() }, 0);
    let key = |index: usize| location(&index.to_string(), Some("v1"));
    for index in 0..64 {
        etag(&cache, &key(index)).await;
    }
    // The cache also counts the size of the names, so only 63 documents fit and the first one is
    // evicted.
    assert_eq!(count(&store.fetches), 64);
    etag(&cache, &key(63)).await;
    assert_eq!(count(&store.fetches), 64);
    etag(&cache, &key(0)).await;
    assert_eq!(count(&store.fetches), 65);
}

#[tokio::test(start_paused = true)]
async fn a_slow_fetch_times_out() {
    let store =
        Arc::new(CountingStore { delay: Duration::from_secs(60), ..CountingStore::default() });
    let hosted = HostedRules { bucket: Some("prompts".to_owned()), ..HostedRules::default() };
    let rules = Rules { hosted, ..Rules::default() };
    let runner = Runner::new(Endpoints::new(), Arc::new(NoKeys), rules).with_documents(store);
    for (seconds, kind, message) in
        [(30, ErrorKind::ConfigUnavailable, "7.5 s"), (2, ErrorKind::Timeout, "time limit passed")]
    {
        let deadline = Deadline::after(Duration::from_secs(seconds));
        let run = runner.run(deadline, json!({"key": "a.md"})).await;
        let error = run.outcome.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(message), "{error}");
        assert_eq!(run.report.config_place.as_deref(), Some("s3://prompts/a.md"));
    }
}
