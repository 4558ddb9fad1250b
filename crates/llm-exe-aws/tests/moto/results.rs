//! Results in S3: read, written on conditions, and never run.

use std::sync::Arc;

use bytes::Bytes;
use llm_exe::ErrorKind;
use llm_exe::ports::DocumentStore;
use llm_exe_aws::S3Results;
use llm_exe_aws::s3::{HeadObject, S3};
use llm_exe_function::destination::ResultPlace;
use llm_exe_function::ports::{Precondition, ResultStore, WriteOutcome};

use crate::backend::{Backend, with_both};
use crate::{REGION, deadline, fetch, is_discreet, object};

with_both! {
    what_is_not_there_is_told
    conditions_hold_or_not
    of_writers_at_once_one_is_first
    results_are_marked_and_never_run
    a_result_of_eight_mebibytes_is_read_and_a_larger_one_is_not
}

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

/// Writes what must be written; its ETag.
pub(crate) async fn done(store: &S3Results, key: &str, body: &str, when: Precondition) -> String {
    match write(store, key, body, when).await {
        WriteOutcome::Done(Some(etag)) => etag,
        other => panic!("{key}: {other:?}"),
    }
}

/// What is there: body and ETag.
pub(crate) async fn read(store: &S3Results, key: &str) -> Option<(String, String)> {
    let stored = store.read(&place(key), deadline()).await.unwrap()?;
    Some((String::from_utf8(stored.body.to_vec()).unwrap(), stored.etag))
}

async fn what_is_not_there_is_told(backend: Backend) {
    let store = backend.results();
    backend.bucket("results").await;
    assert_eq!(read(&store, "none.json").await, None);
    let unchanged = Precondition::Unchanged("\"d41d8cd98f00b204e9800998ecf8427e\"".to_owned());
    assert_eq!(write(&store, "none.json", "{}", unchanged).await, WriteOutcome::Unmet);
    assert_eq!(read(&store, "none.json").await, None);
    let nowhere = ResultPlace { bucket: "missing-bucket".to_owned(), key: "a.json".to_owned() };
    let body = Bytes::from_static(b"{}");
    for error in [
        store.read(&nowhere, deadline()).await.unwrap_err(),
        store.write(&nowhere, body.clone(), Precondition::Absent, deadline()).await.unwrap_err(),
        store.write(&nowhere, body, Precondition::None, deadline()).await.unwrap_err(),
    ] {
        is_discreet(&format!("{error:?}"));
        assert_eq!(error.kind(), ErrorKind::ResultUnavailable);
        for told in ["s3://missing-bucket/a.json", "there is no bucket missing-bucket"] {
            assert!(error.message().contains(told), "{error}");
        }
    }
}

async fn conditions_hold_or_not(backend: Backend) {
    let store = backend.results();
    backend.bucket("results").await;
    for key in ["a.json", "p/records/ü b+c.json"] {
        let first = done(&store, key, "{\"a\":1}", Precondition::Absent).await;
        assert_eq!(read(&store, key).await, Some(("{\"a\":1}".to_owned(), first.clone())));
        assert_eq!(
            write(&store, key, "{\"a\":2}", Precondition::Absent).await,
            WriteOutcome::Unmet
        );
        assert_eq!(read(&store, key).await.unwrap().1, first);
        let second = done(&store, key, "{\"a\":3}", Precondition::Unchanged(first.clone())).await;
        assert_ne!(first, second);
        let late = write(&store, key, "{\"a\":4}", Precondition::Unchanged(first.clone())).await;
        assert_eq!(late, WriteOutcome::Unmet);
        assert_eq!(read(&store, key).await, Some(("{\"a\":3}".to_owned(), second)));
        // The same body has the same ETag, whoever wrote it.
        assert_eq!(done(&store, key, "{\"a\":1}", Precondition::None).await, first);
    }
}

async fn of_writers_at_once_one_is_first(backend: Backend) {
    let store = Arc::new(backend.results());
    backend.bucket("results").await;
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
        let won: Vec<(WriteOutcome, String)> = writers
            .join_all()
            .await
            .into_iter()
            .filter(|(wrote, _)| *wrote != WriteOutcome::Unmet)
            .collect();
        let [(WriteOutcome::Done(Some(etag)), body)] = won.as_slice() else {
            panic!("{won:?}");
        };
        assert_eq!(read(&store, "a.json").await, Some((body.clone(), etag.clone())));
        when = Precondition::Unchanged(etag.clone());
    }
}

async fn results_are_marked_and_never_run(backend: Backend) {
    let (store, documents) = (backend.results(), backend.documents());
    backend.bucket("results").await;
    done(&store, "a.json", "{\"message\":\"Hi\"}", Precondition::Absent).await;
    let s3 = S3::new(backend.aws(), Some(REGION.to_owned()), Some(backend.url()));
    let head = HeadObject { bucket: "results", key: "a.json", version: None };
    let told = s3.head_object(&head, deadline()).await.unwrap();
    assert_eq!(told.metadata, [("llm-exe".to_owned(), "result".to_owned())]);
    assert_eq!((told.length, told.content_type.as_deref()), (Some(16), Some("application/json")));

    let marked = object("results", "a.json", None);
    for known in [None, Some("\"00000000000000000000000000000000\"")] {
        let error = documents.fetch(&marked, known, deadline()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigForbidden);
        assert_eq!(error.message(), "s3://results/a.json is a result that llm-exe wrote");
    }
    // What somebody puts in its place is run.
    backend.put("results", "a.json", "{\"message\":\"Hello\"}").await;
    assert_eq!(fetch(&documents, &marked).await.unwrap().body, "{\"message\":\"Hello\"}");
}

async fn a_result_of_eight_mebibytes_is_read_and_a_larger_one_is_not(backend: Backend) {
    let store = backend.results();
    backend.bucket("results").await;
    let most = format!("\"{}\"", "x".repeat(8 * 1024 * 1024 - 2));
    done(&store, "most.json", &most, Precondition::Absent).await;
    done(&store, "more.json", &format!("{most} "), Precondition::Absent).await;
    assert!(read(&store, "most.json").await.is_some_and(|(body, _)| body == most));
    let error = store.read(&place("more.json"), deadline()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultUnavailable);
    assert!(error.message().contains("s3://results/more.json: it is larger than 8 MiB"), "{error}");
}
