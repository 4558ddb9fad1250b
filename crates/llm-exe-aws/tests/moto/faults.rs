//! What S3 does on bad days.

use std::time::{Duration, SystemTime};

use llm_exe::Deadline;
use llm_exe::ports::DocumentStore;

use crate::proxy::{Action, Proxy};
use crate::server::Moto;
use crate::{documents, fetch, object};

fn said(status: u16, code: &str) -> Action {
    said_with(status, code, "", "")
}

fn said_with(status: u16, code: &str, headers: &str, more: &str) -> Action {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
         <Message>arn:aws:iam::123456789012:role/r may not</Message>{more}</Error>"
    );
    Action::Answer(status, headers.to_owned(), body)
}

async fn ready() -> (Moto, Proxy) {
    let moto = Moto::start().await;
    let proxy = Proxy::before(moto.port).await;
    moto.bucket("bucket", false).await;
    moto.s3("PUT", "/bucket/a.md", "the document").await;
    (moto, proxy)
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn what_passes_is_tried_again() {
    let (_moto, proxy) = ready().await;
    for deed in [
        said(503, "SlowDown"),
        said(500, "InternalError"),
        said(400, "RequestTimeout"),
        said(429, ""),
        Action::Drop,
        Action::Truncate(3),
        Action::Answer(502, String::new(), "<html>Bad Gateway</html>".to_owned()),
    ] {
        proxy.will(&[deed.clone(), deed.clone()]);
        let documents = documents(&proxy.url());
        let found = fetch(&documents, &object("bucket", "a.md", None)).await;
        assert_eq!(found.unwrap().body, "the document", "{deed:?}");
        assert_eq!(proxy.journal().len(), 3);
        proxy.will(&vec![deed.clone(); 4]);
        let error = fetch(&documents, &object("bucket", "a.md", None)).await.unwrap_err();
        assert_eq!(error.kind().name(), "ConfigUnavailable", "{deed:?}: {error}");
        assert_eq!(proxy.journal().len(), 3, "{deed:?}");
    }
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn what_does_not_pass_is_told_at_once() {
    let (_moto, proxy) = ready().await;
    for (version, status, code, kind, told) in [
        (None, 403, "AccessDenied", "AccessDenied", "s3:GetObject on s3://bucket/a.md"),
        (Some("v"), 403, "AccessDenied", "AccessDenied", "s3:GetObjectVersion on s3://bucket/a.md"),
        (None, 403, "InvalidAccessKeyId", "AccessDenied", "credentials"),
        (None, 403, "SignatureDoesNotMatch", "AccessDenied", "credentials"),
        (None, 400, "ExpiredToken", "AccessDenied", "credentials"),
        (None, 403, "InvalidObjectState", "ConfigInvalid", "archived"),
        (None, 404, "NoSuchBucket", "ConfigNotFound", "no bucket bucket"),
        (Some("v"), 405, "MethodNotAllowed", "ConfigNotFound", "marks a deletion"),
        (Some("v"), 400, "InvalidArgument", "ConfigNotFound", "no such version"),
        (None, 400, "Unheard", "ConfigUnavailable", "400 Unheard"),
    ] {
        proxy.will(&[said(status, code)]);
        let place = object("bucket", "a.md", version);
        let error = fetch(&documents(&proxy.url()), &place).await.unwrap_err();
        assert_eq!(error.kind().name(), kind, "{code}: {error}");
        assert!(error.message().contains(told), "{code}: {error}");
        assert!(!error.message().contains("123456789012"), "{error}");
        assert_eq!(proxy.journal().len(), 1, "{code}");
    }
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn a_bucket_of_another_region_is_found_and_remembered() {
    let (_moto, proxy) = ready().await;
    for deed in [
        said_with(301, "PermanentRedirect", "x-amz-bucket-region: eu-west-1\r\n", ""),
        said_with(400, "AuthorizationHeaderMalformed", "", "<Region>eu-west-1</Region>"),
    ] {
        let documents = documents(&proxy.url());
        proxy.will(&[deed]);
        for _ in 0..2 {
            fetch(&documents, &object("bucket", "a.md", None)).await.unwrap();
        }
        let journal = proxy.journal();
        let regions: Vec<bool> =
            journal.iter().map(|head| head.contains("/eu-west-1/s3/")).collect();
        assert_eq!(regions, [false, true, true]);
    }
    // Nowhere to go.
    proxy.will(&[said(301, "PermanentRedirect")]);
    let error = fetch(&documents(&proxy.url()), &object("bucket", "a.md", None)).await.unwrap_err();
    assert_eq!(error.kind().name(), "ConfigUnavailable");
    assert_eq!(proxy.journal().len(), 1);
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn a_clock_that_is_off_is_put_right() {
    let (_moto, proxy) = ready().await;
    let later = SystemTime::now() + Duration::from_secs(3 * 86_400);
    let date = httpdate::fmt_http_date(later);
    let skewed = said_with(403, "RequestTimeTooSkewed", &format!("date: {date}\r\n"), "");
    let documents = documents(&proxy.url());
    proxy.will(std::slice::from_ref(&skewed));
    for _ in 0..2 {
        fetch(&documents, &object("bucket", "a.md", None)).await.unwrap();
    }
    let days: Vec<String> = proxy
        .journal()
        .iter()
        .map(|head| {
            let stamp = head.lines().find_map(|line| line.strip_prefix("x-amz-date: ")).unwrap();
            stamp.get(..8).unwrap().to_owned()
        })
        .collect();
    assert_ne!(days[0], days[1]);
    assert_eq!(days[1], days[2]);
    // Once: who is told so again gives up.
    proxy.will(&[skewed.clone(), skewed]);
    let error = fetch(&documents, &object("bucket", "a.md", None)).await.unwrap_err();
    assert_eq!(error.kind().name(), "AccessDenied");
    assert_eq!(proxy.journal().len(), 1);
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn the_deadline_holds() {
    let (_moto, proxy) = ready().await;
    let documents = documents(&proxy.url());
    proxy.will(&[Action::Slow(Duration::from_secs(30))]);
    let started = SystemTime::now();
    let place = object("bucket", "a.md", None);
    let deadline = Deadline::after(Duration::from_millis(400));
    let error = documents.fetch(&place, None, deadline).await.unwrap_err();
    assert_eq!(error.kind().name(), "ConfigUnavailable");
    assert!(error.message().contains("no response before the deadline"), "{error}");
    assert!(started.elapsed().unwrap() < Duration::from_secs(2));
}
