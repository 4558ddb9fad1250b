//! Tests how the document store handles S3 errors, retries, redirects, clock skew and deadlines.

use std::time::{Duration, SystemTime};

use llm_exe::Deadline;
use llm_exe::ports::DocumentStore;

use crate::server::Moto;
use crate::support::object;
use crate::support::proxy::{Action, Proxy};
use crate::{fetch, ports};

fn s3_error(status: u16, code: &str) -> Action {
    s3_error_with(status, code, "", "")
}

/// Returns an error response with additional header lines and XML elements.
fn s3_error_with(status: u16, code: &str, headers: &str, elements: &str) -> Action {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
         <Message>arn:aws:iam::123456789012:role/r may not</Message>{elements}</Error>"
    );
    Action::Respond(status, headers.to_owned(), body)
}

/// Starts moto with the object `s3://bucket/a.md`, and starts a proxy in front of it.
async fn start() -> (Moto, Proxy) {
    let moto = Moto::start().await;
    let proxy = Proxy::start(moto.port).await;
    moto.bucket("bucket", false).await;
    moto.s3("PUT", "/bucket/a.md", "the document").await;
    (moto, proxy)
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn transient_errors_are_retried_then_reported() {
    let (_moto, proxy) = start().await;
    for fault in [
        s3_error(503, "SlowDown"),
        s3_error(500, "InternalError"),
        s3_error(400, "RequestTimeout"),
        s3_error(429, ""),
        Action::Drop,
        Action::Truncate(3),
        Action::Respond(502, String::new(), "<html>Bad Gateway</html>".to_owned()),
    ] {
        proxy.script(&[fault.clone(), fault.clone()]);
        let documents = ports(&proxy.url()).documents();
        let document = fetch(&documents, &object("bucket", "a.md", None)).await;
        assert_eq!(document.unwrap().body, "the document", "{fault:?}");
        assert_eq!(proxy.request_count(), 3);
        proxy.script(&vec![fault.clone(); 4]);
        let error = fetch(&documents, &object("bucket", "a.md", None)).await.unwrap_err();
        assert_eq!(error.kind().name(), "ConfigUnavailable", "{fault:?}: {error}");
        assert_eq!(proxy.request_count(), 3, "{fault:?}");
    }
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn permanent_errors_are_reported_without_retry() {
    let (_moto, proxy) = start().await;
    for (version, status, code, kind, expected) in [
        (None, 403, "AccessDenied", "AccessDenied", "s3:GetObject on s3://bucket/a.md"),
        (Some("v"), 403, "AccessDenied", "AccessDenied", "s3:GetObjectVersion on s3://bucket/a.md"),
        (None, 403, "InvalidAccessKeyId", "AccessDenied", "credentials"),
        (None, 403, "SignatureDoesNotMatch", "AccessDenied", "credentials"),
        (None, 400, "ExpiredToken", "AccessDenied", "credentials"),
        (None, 403, "InvalidObjectState", "ConfigInvalid", "archived"),
        (None, 404, "NoSuchBucket", "ConfigNotFound", "the bucket does not exist"),
        (Some("v"), 405, "MethodNotAllowed", "ConfigNotFound", "delete marker"),
        (Some("v"), 400, "InvalidArgument", "ConfigNotFound", "the version does not exist"),
        (None, 400, "UnknownCode", "ConfigUnavailable", "400 UnknownCode"),
    ] {
        proxy.script(&[s3_error(status, code)]);
        let place = object("bucket", "a.md", version);
        let error = fetch(&ports(&proxy.url()).documents(), &place).await.unwrap_err();
        assert_eq!(error.kind().name(), kind, "{code}: {error}");
        assert!(error.message().contains(expected), "{code}: {error}");
        assert!(!error.message().contains("123456789012"), "{error}");
        assert_eq!(proxy.request_count(), 1, "{code}");
    }
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn redirect_to_another_region_is_followed_and_remembered() {
    let (_moto, proxy) = start().await;
    for redirect in [
        s3_error_with(301, "PermanentRedirect", "x-amz-bucket-region: eu-west-1\r\n", ""),
        s3_error_with(400, "AuthorizationHeaderMalformed", "", "<Region>eu-west-1</Region>"),
    ] {
        let documents = ports(&proxy.url()).documents();
        proxy.script(&[redirect]);
        for _ in 0..2 {
            fetch(&documents, &object("bucket", "a.md", None)).await.unwrap();
        }
        let heads = proxy.request_heads();
        let is_redirected: Vec<bool> =
            heads.iter().map(|head| head.contains("/eu-west-1/s3/")).collect();
        assert_eq!(is_redirected, [false, true, true]);
    }
    // The client can't follow a redirect that does not contain a region.
    proxy.script(&[s3_error(301, "PermanentRedirect")]);
    let documents = ports(&proxy.url()).documents();
    let error = fetch(&documents, &object("bucket", "a.md", None)).await.unwrap_err();
    assert_eq!(error.kind().name(), "ConfigInvalid");
    assert_eq!(proxy.request_count(), 1);
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn wrong_clock_is_corrected_once() {
    let (_moto, proxy) = start().await;
    let aws_time = SystemTime::now() + Duration::from_secs(3 * 86_400);
    let date = httpdate::fmt_http_date(aws_time);
    let skewed = s3_error_with(403, "RequestTimeTooSkewed", &format!("date: {date}\r\n"), "");
    let documents = ports(&proxy.url()).documents();
    proxy.script(std::slice::from_ref(&skewed));
    for _ in 0..2 {
        fetch(&documents, &object("bucket", "a.md", None)).await.unwrap();
    }
    let days: Vec<String> = proxy
        .request_heads()
        .iter()
        .map(|head| {
            let date = head.lines().find_map(|line| line.strip_prefix("x-amz-date: ")).unwrap();
            date.get(..8).unwrap().to_owned()
        })
        .collect();
    assert_ne!(days[0], days[1]);
    assert_eq!(days[1], days[2]);
    // The clock is already correct, so the error must have another cause and is reported.
    proxy.script(&[skewed.clone(), skewed]);
    let error = fetch(&documents, &object("bucket", "a.md", None)).await.unwrap_err();
    assert_eq!(error.kind().name(), "AccessDenied");
    assert_eq!(proxy.request_count(), 1);
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn deadline_ends_a_fetch() {
    let (_moto, proxy) = start().await;
    let documents = ports(&proxy.url()).documents();
    proxy.script(&[Action::Delay(Duration::from_secs(30))]);
    let started = SystemTime::now();
    let place = object("bucket", "a.md", None);
    let deadline = Deadline::after(Duration::from_millis(400));
    let error = documents.fetch(&place, None, deadline).await.unwrap_err();
    assert_eq!(error.kind().name(), "ConfigUnavailable");
    assert!(error.message().contains("received before the deadline"), "{error}");
    assert!(started.elapsed().unwrap() < Duration::from_secs(2));
}
