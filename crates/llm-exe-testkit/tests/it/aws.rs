//! Tests the simulated S3, SQS and EventBridge. `lambda.rs` tests Lambda.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use llm_exe_testkit::aws::{Action, AwsFault, AwsSimulator, Operation};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::client::{Reply, now, parse, request_bytes, send, send_bytes};

const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/results";
const FIFO: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/results.fifo";
const BUS: &str = "arn:aws:events:us-east-1:123456789012:event-bus/results";

pub(crate) fn address(aws: &AwsSimulator) -> SocketAddr {
    aws.url().strip_prefix("http://").unwrap().parse().unwrap()
}

/// Returns headers with an arbitrary signature. The simulator does not know these credentials, so
/// it does not verify the signature.
pub(crate) fn signed(
    service: &str,
    additional: &[(&str, &str)],
    body: &[u8],
) -> BTreeMap<String, String> {
    let (day, time) = now();
    let hash: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIAOTHER/{day}/us-east-1/{service}/aws4_request, \
         SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={}",
        "0f".repeat(32)
    );
    let signature_headers = [
        ("authorization", authorization.as_str()),
        ("x-amz-date", &time),
        ("x-amz-content-sha256", &hash),
    ];
    let pairs = signature_headers.iter().chain(additional);
    pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn s3(aws: &AwsSimulator, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    let body: &[u8] = if method == "PUT" { b"{}" } else { b"" };
    send(address(aws), method, path, &signed("s3", headers, body), body).await
}

async fn sqs(aws: &AwsSimulator, body: &Value) -> Reply {
    let headers =
        [("x-amz-target", "AmazonSQS.SendMessage"), ("content-type", "application/x-amz-json-1.0")];
    let body = body.to_string();
    let headers = signed("sqs", &headers, body.as_bytes());
    send(address(aws), "POST", "/", &headers, body.as_bytes()).await
}

async fn put_events(aws: &AwsSimulator, body: &Value) -> Reply {
    let headers =
        [("x-amz-target", "AWSEvents.PutEvents"), ("content-type", "application/x-amz-json-1.1")];
    let body = body.to_string();
    let headers = signed("events", &headers, body.as_bytes());
    send(address(aws), "POST", "/", &headers, body.as_bytes()).await
}

fn entry(detail: &str) -> Value {
    json!({"EventBusName": BUS, "Source": "x", "DetailType": "y", "Detail": detail})
}

#[tokio::test]
async fn s3_rejects_invalid_requests() {
    let aws = AwsSimulator::start().await.unwrap();
    aws.put("b", "k", "{}");
    let etag = aws.object("b", "k").unwrap().etag;
    for (method, path, headers, status, code) in [
        ("PUT", "/b/k", &[("if-none-match", "*")][..], 412, "PreconditionFailed"),
        ("PUT", "/b/k", &[("if-match", "\"other\"")], 412, "PreconditionFailed"),
        ("PUT", "/b/none", &[("if-match", &etag)], 404, "NoSuchKey"),
        ("PUT", "/b/k", &[("if-none-match", &etag)], 501, "NotImplemented"),
        ("PUT", "/b/k", &[("x-amz-content-sha256", "ab")], 400, "XAmzContentSHA256Mismatch"),
        ("PUT", "/missing-b/k", &[], 404, "NoSuchBucket"),
        ("GET", "/missing-b/k", &[], 404, "NoSuchBucket"),
        ("GET", "/b/none", &[], 404, "NoSuchKey"),
        ("GET", "/b/k?versionId=v", &[], 404, "NoSuchVersion"),
        ("GET", "/b/k", &[("if-match", "\"other\"")], 412, "PreconditionFailed"),
        ("HEAD", "/b/none", &[], 404, ""),
        ("DELETE", "/b/k", &[], 501, "NotImplemented"),
        ("GET", "/b", &[], 501, "NotImplemented"),
        ("GET", "/b/k", &[("authorization", "")], 403, "AccessDenied"),
        ("GET", "/b/k", &[("authorization", "Bearer x")], 400, "AuthorizationHeaderMalformed"),
    ] {
        let reply = s3(&aws, method, path, headers).await;
        assert_eq!(reply.status, status, "{method} {path} {headers:?}: {}", reply.text);
        let code = if code.is_empty() { String::new() } else { format!("<Code>{code}</Code>") };
        assert!(reply.text.contains(&code), "{method} {path}: {}", reply.text);
        assert!(reply.headers.contains_key("x-amz-request-id"));
    }
    let object = aws.object("b", "k").unwrap();
    assert_eq!((object.writes, object.etag), (1, etag));
}

#[tokio::test]
async fn objects_are_stored_with_their_metadata() {
    let aws = AwsSimulator::start().await.unwrap();
    let headers = [("content-type", "application/json"), ("x-amz-meta-mark", "result")];
    let put = s3(&aws, "PUT", "/b/a%20%C3%BC.json", &headers).await;
    assert_eq!(put.status, 200);
    let etag = put.headers["etag"].as_str();
    let get = s3(&aws, "GET", "/b/a%20%C3%BC.json", &[]).await;
    assert_eq!((get.status, get.text.as_str()), (200, "{}"));
    assert_eq!(get.headers["etag"], etag);
    assert_eq!(get.headers["x-amz-meta-mark"], "result");
    let head = s3(&aws, "HEAD", "/b/a%20%C3%BC.json", &[]).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_eq!(head.headers["content-length"], "2");
    let unchanged = s3(&aws, "GET", "/b/a%20%C3%BC.json", &[("if-none-match", etag)]).await;
    assert_eq!((unchanged.status, unchanged.text.as_str()), (304, ""));
    assert_eq!(s3(&aws, "PUT", "/b/a%20%C3%BC.json", &[("if-match", etag)]).await.status, 200);
    let objects = aws.objects();
    let object = &objects["b/a ü.json"];
    assert_eq!((object.writes, object.body.as_ref()), (2, &b"{}"[..]));
    assert_eq!((aws.reads(), aws.writes()), (3, 2));
}

#[tokio::test]
async fn versions_are_stored_if_versioning_is_enabled() {
    let aws = AwsSimulator::start().await.unwrap();
    aws.keep_versions("b");
    let first = aws.put("b", "k", "one").unwrap();
    let second = aws.put("b", "k", "two").unwrap();
    for (query, body, version) in [
        (String::new(), "two", &second),
        (format!("?versionId={first}"), "one", &first),
        (format!("?versionId={second}"), "two", &second),
    ] {
        let reply = s3(&aws, "GET", &format!("/b/k{query}"), &[]).await;
        assert_eq!((reply.text.as_str(), &reply.headers["x-amz-version-id"]), (body, version));
    }
    aws.remove("b", "k");
    assert!(aws.objects().is_empty());
}

#[tokio::test]
async fn fifo_queues_store_duplicates_once() {
    let aws = AwsSimulator::start().await.unwrap();
    let missing = "https://sqs.us-east-1.amazonaws.com/123456789012/missing-queue";
    for (body, code) in [
        (json!({}), "MissingParameter"),
        (json!({"QueueUrl": QUEUE}), "MissingParameter"),
        (json!({"QueueUrl": missing, "MessageBody": "a"}), "QueueDoesNotExist"),
        (json!({"QueueUrl": QUEUE, "MessageBody": "\u{1}"}), "InvalidMessageContents"),
        (json!({"QueueUrl": QUEUE, "MessageBody": "a".repeat(1_048_577)}), "InvalidParameterValue"),
        (json!({"QueueUrl": FIFO, "MessageBody": "a"}), "MissingParameter"),
        (
            json!({"QueueUrl": FIFO, "MessageBody": "a", "MessageGroupId": "g"}),
            "InvalidParameterValue",
        ),
        (
            json!({"QueueUrl": QUEUE, "MessageBody": "a", "MessageDeduplicationId": "d"}),
            "InvalidParameterValue",
        ),
    ] {
        let reply = sqs(&aws, &body).await;
        assert_eq!(reply.status, 400);
        let kind = reply.json()["__type"].as_str().unwrap().to_owned();
        assert_eq!(kind, format!("com.amazonaws.sqs#{code}"), "{}", reply.text);
    }
    let message = json!({
        "QueueUrl": FIFO, "MessageBody": "a", "MessageGroupId": "g", "MessageDeduplicationId": "d",
    });
    let (first, second) = (sqs(&aws, &message).await, sqs(&aws, &message).await);
    assert_eq!((first.status, first.text), (200, second.text));
    for _ in 0..2 {
        sqs(&aws, &json!({"QueueUrl": QUEUE, "MessageBody": "b"})).await;
    }
    let messages = aws.messages();
    let counts: Vec<_> = messages.iter().map(|it| (it.body.as_str(), it.sent)).collect();
    assert_eq!(counts, [("a", 2), ("b", 1), ("b", 1)]);
    assert_eq!(messages[0].group.as_deref(), Some("g"));
    assert_eq!(aws.count(Operation::SendMessage, "*.fifo"), 4);
}

#[tokio::test]
async fn event_entries_succeed_or_fail_individually() {
    let aws = AwsSimulator::start().await.unwrap();
    for body in [
        json!({}),
        json!({"Entries": []}),
        json!({"Entries": vec![entry("{}"); 11]}),
        json!({"Entries": [entry(&format!("{{\"a\":\"{}\"}}", "a".repeat(262_144)))]}),
    ] {
        let reply = put_events(&aws, &body).await;
        assert_eq!((reply.status, &reply.json()["__type"]), (400, &json!("ValidationException")));
    }
    let mut entry_of_aws = entry("{}");
    entry_of_aws["Source"] = json!("aws.s3");
    let entries = [entry("{\"a\":1}"), entry("[]"), entry_of_aws, json!({})];
    let reply = put_events(&aws, &json!({"Entries": entries})).await;
    let body = reply.json();
    assert_eq!((reply.status, &body["FailedEntryCount"]), (200, &json!(3)));
    let codes: Vec<_> = (0..4).map(|at| body["Entries"][at]["ErrorCode"].as_str()).collect();
    let source_error = "NotAuthorizedForSourceException";
    assert_eq!(codes, [None, Some("MalformedDetail"), Some(source_error), Some("InvalidArgument")]);
    let stored = aws.events();
    assert_eq!(stored.len(), 1);
    assert_eq!((&stored[0].detail, stored[0].bus.as_str()), (&json!({"a": 1}), BUS));
    aws.script(AwsFault::on(
        Operation::PutEvents,
        "*",
        Action::FailEntries("Throttled".to_owned()),
    ));
    let body = put_events(&aws, &json!({"Entries": [entry("{}")]})).await.json();
    assert_eq!((&body["FailedEntryCount"], aws.events().len()), (&json!(1), 1));
}

#[tokio::test]
async fn faults_occur_before_or_after_the_operation() {
    let slow_down = || "SlowDown".to_owned();
    for (action, status, is_done) in [
        (Action::Refuse(503, slow_down()), Some(503), false),
        (Action::Drop, None, false),
        (Action::Hang, None, false),
        (Action::DoneThenDrop, None, true),
        (Action::DoneThenHang, None, true),
        (Action::DoneThenRefuse(500, slow_down()), Some(500), true),
        (Action::Delay(Duration::from_millis(200)), Some(200), true),
    ] {
        let aws = AwsSimulator::start().await.unwrap();
        let is_delayed = matches!(action, Action::Delay(_));
        aws.script(AwsFault::on(Operation::PutObject, "b/*", action.clone()).times(1));
        let mut headers = signed("s3", &[], b"{}");
        headers.insert("connection".to_owned(), "close".to_owned());
        let bytes = request_bytes("PUT", "/b/k", &headers, b"{}");
        let started = Instant::now();
        let limit = Duration::from_millis(600);
        let reply = tokio::time::timeout(limit, send_bytes(address(&aws), &bytes)).await;
        let reply = reply.ok().and_then(Result::ok).filter(|bytes| !bytes.is_empty());
        assert_eq!(reply.map(|bytes| parse(&bytes).status), status, "{action:?}");
        assert_eq!(
            started.elapsed() >= Duration::from_millis(200),
            is_delayed || started.elapsed() >= limit
        );
        assert_eq!(aws.object("b", "k").is_some(), is_done, "{action:?}");
        let calls = aws.calls();
        assert_eq!(
            (calls.len(), calls[0].status, calls[0].done),
            (1, status, is_done),
            "{action:?}"
        );
        // The fault occurs only once.
        assert_eq!(s3(&aws, "PUT", "/b/k", &[]).await.status, 200);
    }
}

#[tokio::test]
async fn faults_are_limited_by_pattern_interval_and_count() {
    let aws = AwsSimulator::start().await.unwrap();
    let action = Action::Refuse(403, "AccessDenied".to_owned());
    aws.script(AwsFault::on(Operation::PutObject, "*/records/*", action).every(3).times(2));
    let mut statuses = Vec::new();
    for _ in 0..10 {
        assert_eq!(s3(&aws, "PUT", "/b/other/x", &[]).await.status, 200);
        assert_eq!(
            s3(&aws, "GET", "/b/records/x", &[]).await.status,
            if statuses.is_empty() { 404 } else { 200 }
        );
        statuses.push(s3(&aws, "PUT", "/b/records/x", &[]).await.status);
    }
    assert_eq!(statuses, [200, 200, 403, 200, 200, 403, 200, 200, 200, 200]);
    aws.clear_calls();
    assert_eq!(aws.writes(), 0);
}

#[tokio::test]
async fn concurrent_creates_have_one_winner() {
    let aws = AwsSimulator::start().await.unwrap();
    let create = [("if-none-match", "*")];
    let mut winners = 0;
    let mut writers = tokio::task::JoinSet::new();
    let target = address(&aws);
    for _ in 0..50 {
        let headers = signed("s3", &create, b"{}");
        writers.spawn(async move { send(target, "PUT", "/b/k", &headers, b"{}").await.status });
    }
    while let Some(status) = writers.join_next().await {
        let status = status.unwrap();
        assert!(matches!(status, 200 | 412));
        winners += u32::from(status == 200);
    }
    assert_eq!((winners, aws.object("b", "k").unwrap().writes), (1, 1));
}
