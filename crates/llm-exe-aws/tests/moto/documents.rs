//! Documents from buckets that keep versions and buckets that don't.

use llm_exe::ErrorKind;
use llm_exe::ports::{DocumentLocation, DocumentStore};

use crate::server::Moto;
use crate::{deadline, documents, fetch, object};

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn versions_are_told_apart() {
    let moto = Moto::start().await;
    let documents = documents(&moto.url());
    moto.bucket("kept", true).await;
    let first = moto.s3("PUT", "/kept/a.md", "one").await.unwrap();
    let second = moto.s3("PUT", "/kept/a.md", "two").await.unwrap();
    for (version, expected) in [(None, "two"), (Some(&first), "one"), (Some(&second), "two")] {
        let place = object("kept", "a.md", version.map(String::as_str));
        let found = fetch(&documents, &place).await.unwrap();
        assert_eq!(found.body, expected.as_bytes());
        assert_eq!(found.version.as_ref(), Some(version.unwrap_or(&second)));
    }
    let marker = moto.s3("DELETE", "/kept/a.md", "").await.unwrap();
    for (key, version, told) in [
        ("a.md", None, "no object s3://kept/a.md"),
        ("a.md", Some(marker.as_str()), "s3://kept/a.md"),
        ("a.md", Some("00000000-0000-0000-0000-000000000000"), "no such version"),
        ("b.md", None, "no object s3://kept/b.md"),
    ] {
        let error = fetch(&documents, &object("kept", key, version)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigNotFound, "{key} {version:?}: {error}");
        assert!(error.message().contains(told), "{key} {version:?}: {error}");
    }
    let error = fetch(&documents, &object("missing", "a.md", None)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigNotFound);
    assert!(error.message().contains("no bucket missing"), "{error}");
    // The older state is still there.
    let old = fetch(&documents, &object("kept", "a.md", Some(&first))).await.unwrap();
    assert_eq!(old.body, "one");
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn what_is_known_is_not_sent_again() {
    let moto = Moto::start().await;
    let documents = documents(&moto.url());
    moto.bucket("plain", false).await;
    moto.s3("PUT", "/plain/a.md", "one").await;
    let place = object("plain", "a.md", None);
    let found = fetch(&documents, &place).await.unwrap();
    assert_eq!(found.version, None);
    let etag = found.etag.unwrap();
    assert!(etag.starts_with('"'), "{etag}");
    assert_eq!(documents.fetch(&place, Some(&etag), deadline()).await.unwrap(), None);
    moto.s3("PUT", "/plain/a.md", "two").await;
    let newer = documents.fetch(&place, Some(&etag), deadline()).await.unwrap().unwrap();
    assert_eq!(newer.body, "two");
    assert_ne!(newer.etag.unwrap(), etag);
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn keys_are_taken_as_they_are() {
    let moto = Moto::start().await;
    let documents = documents(&moto.url());
    moto.bucket("my.bucket", false).await;
    for (key, path) in [
        ("a b+c.md", "a%20b%2Bc.md"),
        ("grüße/日本語/🦈.md", "gr%C3%BC%C3%9Fe/%E6%97%A5%E6%9C%AC%E8%AA%9E/%F0%9F%A6%88.md"),
        ("100%25.md", "100%2525.md"),
        ("a?b#c&d=e", "a%3Fb%23c%26d%3De"),
    ] {
        moto.s3("PUT", &format!("/my.bucket/{path}"), key).await;
        let found = fetch(&documents, &object("my.bucket", key, None)).await.unwrap();
        assert_eq!(found.body, key.as_bytes());
    }
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn a_document_of_a_mebibyte_is_read_and_a_larger_one_is_not() {
    let moto = Moto::start().await;
    let documents = documents(&moto.url());
    moto.bucket("sizes", false).await;
    let most = "x".repeat(1024 * 1024);
    moto.s3("PUT", "/sizes/most", &most).await;
    moto.s3("PUT", "/sizes/more", &format!("{most}x")).await;
    moto.s3("PUT", "/sizes/none", "").await;
    let found = fetch(&documents, &object("sizes", "most", None)).await.unwrap();
    assert_eq!(found.body.len(), most.len());
    assert!(fetch(&documents, &object("sizes", "none", None)).await.unwrap().body.is_empty());
    let error = fetch(&documents, &object("sizes", "more", None)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    assert!(error.message().contains("larger than 1 MiB"), "{error}");
    let page = DocumentLocation::Url("https://a.example".to_owned());
    let error = documents.fetch(&page, None, deadline()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}
