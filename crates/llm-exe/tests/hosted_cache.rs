//! What is kept of hosted documents, for how long, and how often the store is asked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use llm_exe::hosted::{CachedDocuments, MOST_BYTES};
use llm_exe::ports::{Document, DocumentStore, Place, PortFuture};
use llm_exe::{Deadline, Endpoints, Error, ErrorKind, Executor, HostedRules, KeyName, Keys};
use llm_exe::{Rules, Secret};
use serde_json::json;

/// A store whose documents have a state that a test sets; it counts what it is asked.
#[derive(Default)]
struct Counted {
    state: AtomicUsize,
    asked: AtomicUsize,
    unchanged: AtomicUsize,
    gone: AtomicUsize,
    takes: Duration,
    size: usize,
}

impl DocumentStore for Counted {
    fn fetch<'a>(
        &'a self,
        place: &'a Place,
        known: Option<&'a str>,
        _: Deadline,
    ) -> PortFuture<'a, Result<Option<Document>, Error>> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(self.takes).await;
            if self.gone.load(Ordering::Relaxed) > 0 {
                return Err(Error::new(ErrorKind::ConfigNotFound, "gone"));
            }
            let etag = format!("\"{}\"", self.state.load(Ordering::Relaxed));
            if known == Some(etag.as_str()) {
                self.unchanged.fetch_add(1, Ordering::Relaxed);
                return Ok(None);
            }
            let version = match place {
                Place::Object { version, .. } => version.clone(),
                Place::Page(_) => None,
            };
            let body = Bytes::from(vec![b'a'; self.size]);
            Ok(Some(Document { body, version, etag: Some(etag) }))
        })
    }
}

fn place(key: &str, version: Option<&str>) -> Place {
    let version = version.map(str::to_owned);
    Place::Object { bucket: "prompts".to_owned(), key: key.to_owned(), version }
}

async fn etag(cache: &CachedDocuments, place: &Place) -> String {
    let deadline = Deadline::after(Duration::from_secs(60));
    cache.fetch(place, None, deadline).await.unwrap().unwrap().etag.unwrap()
}

fn cached(store: Counted, fresh: u64) -> (Arc<Counted>, CachedDocuments) {
    let store = Arc::new(store);
    let asked = Arc::clone(&store) as Arc<dyn DocumentStore>;
    (store, CachedDocuments::new(asked, Duration::from_secs(fresh)))
}

fn count(number: &AtomicUsize) -> usize {
    number.load(Ordering::Relaxed)
}

#[tokio::test(start_paused = true)]
async fn an_unversioned_document_is_asked_for_again_and_an_edit_is_live_at_once() {
    let (store, cache) = cached(Counted::default(), 0);
    let one = place("a", None);
    assert_eq!(etag(&cache, &one).await, "\"0\"");
    assert_eq!(etag(&cache, &one).await, "\"0\"");
    assert_eq!((count(&store.asked), count(&store.unchanged)), (2, 1));
    store.state.store(1, Ordering::Relaxed);
    assert_eq!(etag(&cache, &one).await, "\"1\"");
}

#[tokio::test(start_paused = true)]
async fn a_versioned_document_is_kept_for_good() {
    let (store, cache) = cached(Counted::default(), 0);
    let one = place("a", Some("v1"));
    for _ in 0..3 {
        etag(&cache, &one).await;
        tokio::time::advance(Duration::from_secs(100_000)).await;
    }
    assert_eq!(count(&store.asked), 1);
}

#[tokio::test(start_paused = true)]
async fn for_so_long_nothing_is_asked() {
    let (store, cache) = cached(Counted::default(), 60);
    let one = place("a", None);
    etag(&cache, &one).await;
    tokio::time::advance(Duration::from_secs(59)).await;
    etag(&cache, &one).await;
    assert_eq!(count(&store.asked), 1);
    tokio::time::advance(Duration::from_secs(2)).await;
    etag(&cache, &one).await;
    assert_eq!((count(&store.asked), count(&store.unchanged)), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn those_who_want_the_same_at_once_share_a_fetch() {
    let store = Counted { takes: Duration::from_secs(1), ..Counted::default() };
    let (store, cache) = cached(store, 0);
    let (one, other) = (place("a", None), place("b", None));
    tokio::join!(etag(&cache, &one), etag(&cache, &one), etag(&cache, &one), etag(&cache, &other));
    assert_eq!(count(&store.asked), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_is_not_kept() {
    let (store, cache) = cached(Counted::default(), 0);
    let one = place("a", None);
    etag(&cache, &one).await;
    store.gone.store(1, Ordering::Relaxed);
    let deadline = Deadline::after(Duration::from_secs(60));
    let error = cache.fetch(&one, None, deadline).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigNotFound);
    store.gone.store(0, Ordering::Relaxed);
    etag(&cache, &one).await;
    assert_eq!(count(&store.unchanged), 0);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_goes_first_when_there_is_no_room() {
    let (store, cache) = cached(Counted { size: MOST_BYTES, ..Counted::default() }, 0);
    let key = |index: usize| place(&index.to_string(), Some("v1"));
    for index in 0..64 {
        etag(&cache, &key(index)).await;
    }
    // 63 of them fit beside their names: the first is gone, the last is not.
    assert_eq!(count(&store.asked), 64);
    etag(&cache, &key(63)).await;
    assert_eq!(count(&store.asked), 64);
    etag(&cache, &key(0)).await;
    assert_eq!(count(&store.asked), 65);
}

struct NoKeys;

impl Keys for NoKeys {
    fn get<'a>(&'a self, _: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        let error = Error::new(ErrorKind::SecretNotFound, "none");
        Box::pin(std::future::ready(Err(error)))
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_store_is_given_up() {
    let store = Arc::new(Counted { takes: Duration::from_secs(60), ..Counted::default() });
    let hosted = HostedRules { bucket: Some("prompts".to_owned()), ..HostedRules::default() };
    let rules = Rules { hosted, ..Rules::default() };
    let executor = Executor::new(Endpoints::new(), Arc::new(NoKeys), rules).with_documents(store);
    for (seconds, kind, told) in
        [(30, ErrorKind::ConfigUnavailable, "7.5 s"), (2, ErrorKind::Timeout, "time ran out")]
    {
        let deadline = Deadline::after(Duration::from_secs(seconds));
        let run = executor.run(deadline, json!({"key": "a.md"})).await;
        let error = run.outcome.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(told), "{error}");
        assert_eq!(run.report.config_place.as_deref(), Some("s3://prompts/a.md"));
    }
}
