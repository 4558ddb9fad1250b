//! Contract tests for stored results, which are written with preconditions and never run as
//! requests.

use std::sync::Arc;

use bytes::Bytes;
use llm_exe::ErrorKind;
use llm_exe::ports::DocumentStore;
use llm_exe_aws::S3Results;
use llm_exe_function::destination::ResultPlace;
use llm_exe_function::ports::{Precondition, ResultStore, WriteOutcome};

use super::Backend;
use crate::support::{assert_no_secrets, deadline, object};

pub(crate) fn place(key: &str) -> ResultPlace {
    ResultPlace { bucket: "results".to_owned(), key: key.to_owned() }
}

pub(crate) async fn write(
    store: &S3Results,
    key: &str,
    body: &str,
    when: Precondition,
) -> WriteOutcome {
    let body = Bytes::copy_from_slice(body.as_bytes());
    store.write(&place(key), body, when, deadline()).await.unwrap()
}

/// Writes an object and returns its ETag. Panics if the write fails.
pub(crate) async fn must_write(
    store: &S3Results,
    key: &str,
    body: &str,
    when: Precondition,
) -> String {
    match write(store, key, body, when).await {
        WriteOutcome::Done(Some(etag)) => etag,
        outcome => panic!("{key}: {outcome:?}"),
    }
}

/// Returns the body and the ETag of an object, or `None` if the object does not exist.
pub(crate) async fn read(store: &S3Results, key: &str) -> Option<(String, String)> {
    let stored = store.read(&place(key), deadline()).await.unwrap()?;
    Some((String::from_utf8(stored.body.to_vec()).unwrap(), stored.etag))
}

pub(crate) async fn missing_object_is_not_found(backend: &impl Backend) {
    let store = backend.ports().results();
    backend.create_bucket("results").await;
    assert_eq!(read(&store, "none.json").await, None);
    let unchanged = Precondition::Unchanged("\"d41d8cd98f00b204e9800998ecf8427e\"".to_owned());
    assert_eq!(write(&store, "none.json", "{}", unchanged).await, WriteOutcome::Unmet);
    assert_eq!(read(&store, "none.json").await, None);
}

pub(crate) async fn missing_bucket_is_reported(backend: &impl Backend) {
    let store = backend.ports().results();
    let place = ResultPlace { bucket: "missing-bucket".to_owned(), key: "a.json".to_owned() };
    let body = Bytes::from_static(b"{}");
    for error in [
        store.read(&place, deadline()).await.unwrap_err(),
        store.write(&place, body.clone(), Precondition::Absent, deadline()).await.unwrap_err(),
        store.write(&place, body, Precondition::None, deadline()).await.unwrap_err(),
    ] {
        assert_no_secrets(&format!("{error:?}"));
        assert_eq!(error.kind(), ErrorKind::ResultUnavailable);
        let expected = "s3://missing-bucket/a.json: the bucket does not exist";
        assert!(error.message().contains(expected), "{error}");
    }
}

pub(crate) async fn put_honours_preconditions(backend: &impl Backend) {
    let store = backend.ports().results();
    backend.create_bucket("results").await;
    for key in ["a.json", "p/records/ü b+c.json"] {
        let first = must_write(&store, key, "{\"a\":1}", Precondition::Absent).await;
        assert_eq!(read(&store, key).await, Some(("{\"a\":1}".to_owned(), first.clone())));
        assert_eq!(
            write(&store, key, "{\"a\":2}", Precondition::Absent).await,
            WriteOutcome::Unmet
        );
        assert_eq!(read(&store, key).await.unwrap().1, first);
        let second =
            must_write(&store, key, "{\"a\":3}", Precondition::Unchanged(first.clone())).await;
        assert_ne!(first, second);
        let outdated =
            write(&store, key, "{\"a\":4}", Precondition::Unchanged(first.clone())).await;
        assert_eq!(outdated, WriteOutcome::Unmet);
        assert_eq!(read(&store, key).await, Some(("{\"a\":3}".to_owned(), second)));
        // The ETag depends only on the content, so writing the first content again restores the
        // first ETag.
        assert_eq!(must_write(&store, key, "{\"a\":1}", Precondition::None).await, first);
    }
}

pub(crate) async fn concurrent_creates_have_one_winner(backend: &impl Backend) {
    let store = Arc::new(backend.ports().results());
    backend.create_bucket("results").await;
    let mut when = Precondition::Absent;
    for round in 0..3 {
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..8 {
            let (store, when) = (Arc::clone(&store), when.clone());
            writers.spawn(async move {
                let body = format!("{{\"round\":{round},\"writer\":{writer}}}");
                (write(&store, "a.json", &body, when).await, body)
            });
        }
        let winners: Vec<(WriteOutcome, String)> = writers
            .join_all()
            .await
            .into_iter()
            .filter(|(outcome, _)| *outcome != WriteOutcome::Unmet)
            .collect();
        let [(WriteOutcome::Done(Some(etag)), body)] = winners.as_slice() else {
            panic!("{winners:?}");
        };
        assert_eq!(read(&store, "a.json").await, Some((body.clone(), etag.clone())));
        when = Precondition::Unchanged(etag.clone());
    }
}

pub(crate) async fn stored_results_are_marked_and_never_run(backend: &impl Backend) {
    let (store, documents) = (backend.ports().results(), backend.ports().documents());
    backend.create_bucket("results").await;
    must_write(&store, "a.json", "{\"message\":\"Hi\"}", Precondition::Absent).await;

    let result = object("results", "a.json", None);
    for known_etag in [None, Some("\"00000000000000000000000000000000\"")] {
        let error = documents.fetch(&result, known_etag, deadline()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigForbidden);
        assert!(error.is_of_own_result(), "{error}");
        assert!(error.message().starts_with("s3://results/a.json contains a result"), "{error}");
    }
    // An object with the same key but without the result metadata is an ordinary document.
    backend.put_object("results", "a.json", "{\"message\":\"Hello\"}").await;
    let document = documents.fetch(&result, None, deadline()).await.unwrap().unwrap();
    assert_eq!(document.body, "{\"message\":\"Hello\"}");
}

pub(crate) async fn result_is_limited_to_8_mib(backend: &impl Backend) {
    let store = backend.ports().results();
    backend.create_bucket("results").await;
    let largest = format!("\"{}\"", "x".repeat(8 * 1024 * 1024 - 2));
    must_write(&store, "largest.json", &largest, Precondition::Absent).await;
    must_write(&store, "larger.json", &format!("{largest} "), Precondition::Absent).await;
    assert!(read(&store, "largest.json").await.is_some_and(|(body, _)| body == largest));
    let error = store.read(&place("larger.json"), deadline()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultUnavailable);
    let expected = "s3://results/larger.json: the object is larger than 8 MiB";
    assert!(error.message().contains(expected), "{error}");
}
