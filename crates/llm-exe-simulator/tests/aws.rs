//! S3, SQS and EventBridge, as a function and as tests meet them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use llm_exe_simulator::aws::{Action, AwsSimulator, Fault, Operation};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use support::{Reply, now, parse, raw, request, send};

const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/results";
const FIFO: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/results.fifo";
const BUS: &str = "arn:aws:events:us-east-1:123456789012:event-bus/results";

fn address(aws: &AwsSimulator) -> SocketAddr {
    aws.url().strip_prefix("http://").unwrap().parse().unwrap()
}

/// Headers signed by credentials that are not known, which can't be verified.
fn signed(service: &str, more: &[(&str, &str)], body: &[u8]) -> BTreeMap<String, String> {
    let (day, time) = now();
    let hash: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIAOTHER/{day}/us-east-1/{service}/aws4_request, \
         SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={}",
        "0f".repeat(32)
    );
    let own = [
        ("authorization", authorization.as_str()),
        ("x-amz-date", &time),
        ("x-amz-content-sha256", &hash),
    ];
    let pairs = own.iter().chain(more);
    pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn s3(aws: &AwsSimulator, method: &str, path: &str, more: &[(&str, &str)]) -> Reply {
    let body: &[u8] = if method == "PUT" { b"{}" } else { b"" };
    send(address(aws), method, path, &signed("s3", more, body), body).await
}

async fn sqs(aws: &AwsSimulator, body: &Value) -> Reply {
    let more =
        [("x-amz-target", "AmazonSQS.SendMessage"), ("content-type", "application/x-amz-json-1.0")];
    let body = body.to_string();
    send(address(aws), "POST", "/", &signed("sqs", &more, body.as_bytes()), body.as_bytes()).await
}

async fn events(aws: &AwsSimulator, body: &Value) -> Reply {
    let more =
        [("x-amz-target", "AWSEvents.PutEvents"), ("content-type", "application/x-amz-json-1.1")];
    let headers = signed("events", &more, body.to_string().as_bytes());
    send(address(aws), "POST", "/", &headers, body.to_string().as_bytes()).await
}

fn event(detail: &str) -> Value {
    json!({"EventBusName": BUS, "Source": "x", "DetailType": "y", "Detail": detail})
}

#[tokio::test]
async fn what_s3_refuses() {
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
async fn objects_are_kept_with_what_is_said_of_them() {
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
    let known = s3(&aws, "GET", "/b/a%20%C3%BC.json", &[("if-none-match", etag)]).await;
    assert_eq!((known.status, known.text.as_str()), (304, ""));
    assert_eq!(s3(&aws, "PUT", "/b/a%20%C3%BC.json", &[("if-match", etag)]).await.status, 200);
    let objects = aws.objects();
    let object = &objects["b/a ü.json"];
    assert_eq!((object.writes, object.body.as_ref()), (2, &b"{}"[..]));
    assert_eq!((aws.reads(), aws.writes()), (3, 2));
}

#[tokio::test]
async fn versions_are_kept_where_that_is_asked_for() {
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
async fn messages_are_taken_once_where_the_queue_is_fifo() {
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
    let once = json!({
        "QueueUrl": FIFO, "MessageBody": "a", "MessageGroupId": "g", "MessageDeduplicationId": "d",
    });
    let (first, again) = (sqs(&aws, &once).await, sqs(&aws, &once).await);
    assert_eq!((first.status, first.text), (200, again.text));
    for _ in 0..2 {
        sqs(&aws, &json!({"QueueUrl": QUEUE, "MessageBody": "b"})).await;
    }
    let messages = aws.messages();
    let told: Vec<_> = messages.iter().map(|it| (it.body.as_str(), it.sent)).collect();
    assert_eq!(told, [("a", 2), ("b", 1), ("b", 1)]);
    assert_eq!(messages[0].group.as_deref(), Some("g"));
    assert_eq!(aws.count(Operation::SendMessage, "*.fifo"), 4);
}

#[tokio::test]
async fn events_are_taken_one_by_one() {
    let aws = AwsSimulator::start().await.unwrap();
    for body in [
        json!({}),
        json!({"Entries": []}),
        json!({"Entries": vec![event("{}"); 11]}),
        json!({"Entries": [event(&format!("{{\"a\":\"{}\"}}", "a".repeat(262_144)))]}),
    ] {
        let reply = events(&aws, &body).await;
        assert_eq!((reply.status, &reply.json()["__type"]), (400, &json!("ValidationException")));
    }
    let mut of_aws = event("{}");
    of_aws["Source"] = json!("aws.s3");
    let entries = [event("{\"a\":1}"), event("[]"), of_aws, json!({})];
    let reply = events(&aws, &json!({"Entries": entries})).await;
    let answer = reply.json();
    assert_eq!((reply.status, &answer["FailedEntryCount"]), (200, &json!(3)));
    let codes: Vec<_> = (0..4).map(|at| answer["Entries"][at]["ErrorCode"].as_str()).collect();
    let other = "NotAuthorizedForSourceException";
    assert_eq!(codes, [None, Some("MalformedDetail"), Some(other), Some("InvalidArgument")]);
    let taken = aws.events();
    assert_eq!((taken.len(), &taken[0].detail, taken[0].bus.as_str()), (1, &json!({"a": 1}), BUS));
    aws.script(Fault::on(Operation::PutEvents, "*", Action::FailEntries("Throttled".to_owned())));
    let answer = events(&aws, &json!({"Entries": [event("{}")]})).await.json();
    assert_eq!((&answer["FailedEntryCount"], aws.events().len()), (&json!(1), 1));
}

#[tokio::test]
async fn faults_come_before_or_after_the_deed() {
    let slow_down = || "SlowDown".to_owned();
    for (deed, status, is_done) in [
        (Action::Refuse(503, slow_down()), Some(503), false),
        (Action::Drop, None, false),
        (Action::Hang, None, false),
        (Action::DoneThenDrop, None, true),
        (Action::DoneThenHang, None, true),
        (Action::DoneThenRefuse(500, slow_down()), Some(500), true),
        (Action::Delay(Duration::from_millis(200)), Some(200), true),
    ] {
        let aws = AwsSimulator::start().await.unwrap();
        let late = matches!(deed, Action::Delay(_));
        aws.script(Fault::on(Operation::PutObject, "b/*", deed.clone()).times(1));
        let mut headers = signed("s3", &[], b"{}");
        headers.insert("connection".to_owned(), "close".to_owned());
        let bytes = request("PUT", "/b/k", &headers, b"{}");
        let started = Instant::now();
        let limit = Duration::from_millis(600);
        let got = tokio::time::timeout(limit, raw(address(&aws), &bytes)).await;
        let got = got.ok().and_then(Result::ok).filter(|bytes| !bytes.is_empty());
        assert_eq!(got.map(|bytes| parse(&bytes).status), status, "{deed:?}");
        assert_eq!(
            started.elapsed() >= Duration::from_millis(200),
            late || started.elapsed() >= limit
        );
        assert_eq!(aws.object("b", "k").is_some(), is_done, "{deed:?}");
        let calls = aws.calls();
        assert_eq!((calls.len(), calls[0].status, calls[0].done), (1, status, is_done), "{deed:?}");
        // It is used up.
        assert_eq!(s3(&aws, "PUT", "/b/k", &[]).await.status, 200);
    }
}

#[tokio::test]
async fn faults_are_of_calls_that_fit_and_of_every_nth() {
    let aws = AwsSimulator::start().await.unwrap();
    let deed = Action::Refuse(403, "AccessDenied".to_owned());
    aws.script(Fault::on(Operation::PutObject, "*/records/*", deed).every(3).times(2));
    let mut told = Vec::new();
    for _ in 0..10 {
        assert_eq!(s3(&aws, "PUT", "/b/other/x", &[]).await.status, 200);
        assert_eq!(
            s3(&aws, "GET", "/b/records/x", &[]).await.status,
            if told.is_empty() { 404 } else { 200 }
        );
        told.push(s3(&aws, "PUT", "/b/records/x", &[]).await.status);
    }
    assert_eq!(told, [200, 200, 403, 200, 200, 403, 200, 200, 200, 200]);
    aws.clear_calls();
    assert_eq!(aws.writes(), 0);
}

#[tokio::test]
async fn of_many_writers_at_once_one_is_first() {
    let aws = AwsSimulator::start().await.unwrap();
    let one = [("if-none-match", "*")];
    let mut won = 0;
    let mut all = tokio::task::JoinSet::new();
    let target = address(&aws);
    for _ in 0..50 {
        let headers = signed("s3", &one, b"{}");
        all.spawn(async move { send(target, "PUT", "/b/k", &headers, b"{}").await.status });
    }
    while let Some(status) = all.join_next().await {
        let status = status.unwrap();
        assert!(matches!(status, 200 | 412));
        won += u32::from(status == 200);
    }
    assert_eq!((won, aws.object("b", "k").unwrap().writes), (1, 1));
}
