//! Tests reading documents from buckets with and without versioning.

use llm_exe::ErrorKind;
use llm_exe::ports::DocumentStore;

use crate::server::Moto;
use crate::support::{deadline, object};
use crate::{fetch, ports};

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn requested_version_is_returned() {
    let moto = Moto::start().await;
    let documents = ports(&moto.url()).documents();
    moto.bucket("versioned", true).await;
    let first = moto.s3("PUT", "/versioned/a.md", "one").await.unwrap();
    let second = moto.s3("PUT", "/versioned/a.md", "two").await.unwrap();
    for (version, expected) in [(None, "two"), (Some(&first), "one"), (Some(&second), "two")] {
        let place = object("versioned", "a.md", version.map(String::as_str));
        let document = fetch(&documents, &place).await.unwrap();
        assert_eq!(document.body, expected.as_bytes());
        assert_eq!(document.version.as_ref(), Some(version.unwrap_or(&second)));
    }
    let marker = moto.s3("DELETE", "/versioned/a.md", "").await.unwrap();
    for (key, version, expected) in [
        ("a.md", None, "the object does not exist: s3://versioned/a.md"),
        ("a.md", Some(marker.as_str()), "s3://versioned/a.md"),
        ("a.md", Some("00000000-0000-0000-0000-000000000000"), "the version does not exist"),
        ("b.md", None, "the object does not exist: s3://versioned/b.md"),
    ] {
        let error = fetch(&documents, &object("versioned", key, version)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigNotFound, "{key} {version:?}: {error}");
        assert!(error.message().contains(expected), "{key} {version:?}: {error}");
    }
    let error = fetch(&documents, &object("missing", "a.md", None)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigNotFound);
    assert!(error.message().contains("the bucket does not exist: s3://missing/"), "{error}");
    // Deleting an object does not delete its older versions.
    let older = fetch(&documents, &object("versioned", "a.md", Some(&first))).await.unwrap();
    assert_eq!(older.body, "one");
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn unchanged_document_is_not_sent_again() {
    let moto = Moto::start().await;
    let documents = ports(&moto.url()).documents();
    moto.bucket("plain", false).await;
    moto.s3("PUT", "/plain/a.md", "one").await;
    let place = object("plain", "a.md", None);
    let document = fetch(&documents, &place).await.unwrap();
    assert_eq!(document.version, None);
    let etag = document.etag.unwrap();
    assert!(etag.starts_with('"'), "{etag}");
    assert_eq!(documents.fetch(&place, Some(&etag), deadline()).await.unwrap(), None);
    moto.s3("PUT", "/plain/a.md", "two").await;
    let newer = documents.fetch(&place, Some(&etag), deadline()).await.unwrap().unwrap();
    assert_eq!(newer.body, "two");
    assert_ne!(newer.etag.unwrap(), etag);
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn keys_are_percent_encoded() {
    let moto = Moto::start().await;
    let documents = ports(&moto.url()).documents();
    moto.bucket("my.bucket", false).await;
    for (key, path) in [
        ("a b+c.md", "a%20b%2Bc.md"),
        ("grüße/日本語/🦈.md", "gr%C3%BC%C3%9Fe/%E6%97%A5%E6%9C%AC%E8%AA%9E/%F0%9F%A6%88.md"),
        ("100%25.md", "100%2525.md"),
        ("a?b#c&d=e", "a%3Fb%23c%26d%3De"),
    ] {
        moto.s3("PUT", &format!("/my.bucket/{path}"), key).await;
        let document = fetch(&documents, &object("my.bucket", key, None)).await.unwrap();
        assert_eq!(document.body, key.as_bytes());
    }
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn document_is_limited_to_1_mib() {
    let moto = Moto::start().await;
    let documents = ports(&moto.url()).documents();
    moto.bucket("sizes", false).await;
    let largest = "x".repeat(1024 * 1024);
    moto.s3("PUT", "/sizes/largest", &largest).await;
    moto.s3("PUT", "/sizes/larger", &format!("{largest}x")).await;
    moto.s3("PUT", "/sizes/empty", "").await;
    let document = fetch(&documents, &object("sizes", "largest", None)).await.unwrap();
    assert_eq!(document.body.len(), largest.len());
    assert!(fetch(&documents, &object("sizes", "empty", None)).await.unwrap().body.is_empty());
    let error = fetch(&documents, &object("sizes", "larger", None)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    assert!(error.message().contains("larger than 1 MiB"), "{error}");
}
