//! Tests the streams of `llm-exe serve`.

use std::time::{Duration, Instant};

use llm_exe_testkit::aws::AwsSimulator;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::harness::{Folder, Server, TIMEOUT, as_pairs, request};

async fn start(folder: &Folder, stream: Value) -> Server {
    start_with(folder, &[], stream).await
}

async fn start_with(
    folder: &Folder,
    variables: &[(&'static str, String)],
    stream: Value,
) -> Server {
    let script = json!([{ "then": { "text": "Hi there" }, "stream": stream }]);
    let script = folder.file("script.json", script.to_string());
    Server::start(folder, &as_pairs(variables), &["--simulate", "--script", &script]).await
}

/// Sends a request that asks for a stream.
async fn send(server: &Server) -> TcpStream {
    send_with(server, json!({})).await
}

/// Sends a request with these fields that asks for a stream.
async fn send_with(server: &Server, fields: Value) -> TcpStream {
    let mut request = request();
    request["stream"] = json!(true);
    request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let (port, body) = (server.port, request.to_string());
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let head = format!(
        "POST /invoke HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    stream
}

/// Reads a response until it contains a text.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut received = String::new();
    let read = async {
        while !received.contains(end) {
            let mut buffer = [0; 1024];
            let count = stream.read(&mut buffer).await.unwrap();
            assert_ne!(count, 0, "{received}");
            received.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
    };
    tokio::time::timeout(TIMEOUT, read).await.unwrap();
    received
}

#[tokio::test]
async fn events_arrive_while_the_model_replies() {
    let folder = Folder::new();
    let server = start(&folder, json!({ "milliseconds": 300 })).await;
    let mut stream = send(&server).await;
    let first = read_until(&mut stream, "event: text").await;
    assert!(!first.contains("event: result"), "{first}");
    let started = Instant::now();
    for part in [
        "HTTP/1.1 200 OK",
        "content-type: text/event-stream\r\n",
        "cache-control: no-cache\r\n",
        "transfer-encoding: chunked\r\n",
    ] {
        assert!(first.contains(part), "{part}: {first}");
    }
    let rest = read_until(&mut stream, "event: result\ndata: \"Hi there\"\n\n").await;
    assert!(started.elapsed() > Duration::from_millis(200), "{rest}");
    let output = server.stop().await;
    assert_eq!(output.code, Some(0));
    assert!(output.stderr.contains("POST /invoke 200 "), "{}", output.stderr);
}

#[tokio::test]
async fn run_is_cancelled_if_the_client_disconnects() {
    let folder = Folder::new();
    let server = start(&folder, json!({ "events": 2, "end": "hang" })).await;
    let mut stream = send(&server).await;
    read_until(&mut stream, "event: text").await;
    drop(stream);
    // A run that is not cancelled would end after this test.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let output = server.stop().await;
    assert!(output.stderr.contains(" ResultUnavailable"), "{}", output.stderr);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
}

#[tokio::test]
async fn invoke_api_returns_the_result_in_one_piece() {
    let folder = Folder::new();
    let server = start(&folder, json!({})).await;
    let mut request = request();
    request["stream"] = json!(true);
    let context = json!({
        "domainName": "a.lambda-url.us-east-1.on.aws",
        "http": { "method": "POST", "path": "/" }
    });
    let body = request.to_string();
    let event = json!({ "version": "2.0", "requestContext": context, "body": body });
    let path = "/2015-03-31/functions/llm-exe/invocations";
    let response = server.post(path, event.to_string()).await.json();
    assert_eq!((&response["statusCode"], &response["body"]), (&json!(200), &json!("Hi there")));
    assert_eq!(response["headers"]["x-llm-exe-warnings"], "1");
    server.stop().await;
}

#[tokio::test]
async fn error_before_the_first_event_has_its_status() {
    let folder = Folder::new();
    let server = start(&folder, json!({})).await;
    let response =
        server.post("/", r#"{"provider":"opnai","model":"m","message":"a","stream":true}"#);
    let response = response.await;
    assert_eq!((response.status, &*response.error_type()), (400, "InvalidRequest"));
    server.stop().await;
}

/// Returns variables that store results in the simulated S3.
fn store_variables(aws: &AwsSimulator) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ENDPOINT_URL", aws.url()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
        ("RESULT_PREFIX", "s3://stored/results".to_owned()),
    ]
}

/// Returns the only result that is stored for an `idempotencyKey`, if the run has ended.
fn stored_result(aws: &AwsSimulator) -> Option<Value> {
    let objects = aws.objects();
    let body: Value = serde_json::from_slice(&objects.values().next()?.body).unwrap();
    body.pointer("/answer/result").cloned()
}

async fn wait_until(description: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < TIMEOUT, "timed out: {description}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn run_with_a_key_completes_if_its_client_disconnects_before_the_first_event() {
    let (folder, aws) = (Folder::new(), AwsSimulator::start().await.unwrap());
    let slow = json!({ "milliseconds": 300 });
    let server = start_with(&folder, &store_variables(&aws), slow).await;
    let stream = send_with(&server, json!({ "idempotencyKey": "k" })).await;
    wait_until("the key is acquired", || !aws.objects().is_empty()).await;
    drop(stream);
    wait_until("the result is stored", || stored_result(&aws).is_some()).await;
    assert_eq!(stored_result(&aws).unwrap(), "Hi there");
    let output = server.stop().await;
    assert!(output.stderr.contains("POST /invoke 499 "), "{}", output.stderr);
    assert_eq!(output.code, Some(0));
}

#[tokio::test]
async fn server_that_stops_waits_for_a_run_with_a_key() {
    let (folder, aws) = (Folder::new(), AwsSimulator::start().await.unwrap());
    let slow = json!({ "milliseconds": 400 });
    let server = start_with(&folder, &store_variables(&aws), slow).await;
    let mut stream = send_with(&server, json!({ "idempotencyKey": "k" })).await;
    read_until(&mut stream, "event: text").await;
    drop(stream);
    assert_eq!(stored_result(&aws), None, "the run is still in progress");
    let output = server.stop().await;
    assert_eq!(stored_result(&aws).unwrap(), "Hi there");
    let message = "waiting for 1 run whose client has disconnected\n";
    assert!(output.stderr.contains(message), "{}", output.stderr);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
}

#[tokio::test]
async fn invocation_continues_if_its_client_disconnects() {
    let (folder, aws) = (Folder::new(), AwsSimulator::start().await.unwrap());
    let server = start_with(&folder, &store_variables(&aws), json!({ "milliseconds": 300 })).await;
    let mut request = request();
    request["idempotencyKey"] = json!("k");
    let body = request.to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    let head = format!(
        "POST /2015-03-31/functions/llm-exe/invocations HTTP/1.1\r\nhost: localhost\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    wait_until("the key is acquired", || !aws.objects().is_empty()).await;
    drop(stream);
    wait_until("the result is stored", || stored_result(&aws).is_some()).await;
    assert_eq!(server.stop().await.code, Some(0));
}

/// Sends an event to the operation `InvokeWithResponseStream`. Returns the head of the response,
/// and its events with their types and payloads.
async fn invoke_streamed(
    server: &Server,
    headers: &str,
    event: &str,
) -> (String, Vec<(String, String)>) {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    // A response to HTTP/1.0 is not chunked.
    let request = format!(
        "POST /2021-11-15/functions/any/response-streaming-invocations HTTP/1.0\r\n\
         host: localhost\r\n{headers}content-length: {}\r\n\r\n{event}",
        event.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    tokio::time::timeout(TIMEOUT, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let (mut rest, mut events) = (&bytes[end..], Vec::new());
    if !head.contains("application/vnd.amazon.eventstream") {
        return (head, vec![("body".to_owned(), String::from_utf8(rest.to_vec()).unwrap())]);
    }
    while !rest.is_empty() {
        let number = |at: usize| u32::from_be_bytes(rest[at..at + 4].try_into().unwrap()) as usize;
        let (total, header_bytes) = (number(0), number(4));
        let names = String::from_utf8_lossy(&rest[12..12 + header_bytes]).into_owned();
        let kind = ["PayloadChunk", "InvokeComplete"].into_iter().find(|kind| names.contains(kind));
        let payload = String::from_utf8(rest[12 + header_bytes..total - 4].to_vec()).unwrap();
        events.push((kind.unwrap().to_owned(), payload));
        rest = &rest[total..];
    }
    (head, events)
}

#[tokio::test]
async fn invoke_with_response_stream_sends_the_events_without_a_prelude() {
    let folder = Folder::new();
    let server = start(&folder, json!({})).await;
    let mut request = request();
    request["stream"] = json!(true);
    let (head, events) =
        invoke_streamed(&server, "x-amz-log-type: Tail\r\n", &request.to_string()).await;
    assert!(head.starts_with("HTTP/1.0 200 OK\r\n"), "{head}");
    assert!(head.contains("x-amz-executed-version: $LATEST\r\n"), "{head}");
    let (last, chunks) = events.split_last().unwrap();
    assert!(chunks.iter().all(|(kind, _)| kind == "PayloadChunk"), "{events:?}");
    assert_eq!(chunks[0].1, "event: text\ndata: {\"delta\":\"Hi t\",\"turn\":1}\n\n");
    assert_eq!(chunks.last().unwrap().1, "event: result\ndata: \"Hi there\"\n\n");
    assert_eq!(last.0, "InvokeComplete");
    let complete: Value = serde_json::from_str(&last.1).unwrap();
    assert!(complete["LogResult"].is_string() && complete.get("ErrorCode").is_none(), "{complete}");
    server.stop().await;
}

#[tokio::test]
async fn invoke_with_response_stream_returns_other_results_in_one_chunk() {
    let folder = Folder::new();
    let server = start(&folder, json!({})).await;
    // The events of other sources are not streamed, as with RESPONSE_STREAMING=invoke.
    let mut streamed = request();
    streamed["stream"] = json!(true);
    let context = json!({
        "domainName": "a.lambda-url.us-east-1.on.aws",
        "http": { "method": "POST", "path": "/" }
    });
    let event =
        json!({ "version": "2.0", "requestContext": context, "body": streamed.to_string() });
    let (_, events) = invoke_streamed(&server, "", &event.to_string()).await;
    let response: Value = serde_json::from_str(&events[0].1).unwrap();
    assert_eq!((&response["statusCode"], &response["body"]), (&json!(200), &json!("Hi there")));
    assert_eq!(events[1..], [("InvokeComplete".to_owned(), "{}".to_owned())]);

    let (_, events) = invoke_streamed(&server, "", &request().to_string()).await;
    assert!(events[0].1.starts_with("\"Simulated reply"), "{events:?}");
    assert_eq!(events.len(), 2);

    let invalid = json!({ "provider": "opnai", "model": "m", "message": "a", "stream": true });
    let (head, events) = invoke_streamed(&server, "", &invalid.to_string()).await;
    assert!(head.starts_with("HTTP/1.0 200 OK\r\n"), "{head}");
    let complete: Value = serde_json::from_str(&events[0].1).unwrap();
    assert_eq!((events.len(), &complete["ErrorCode"]), (1, &json!("InvalidRequest")));
    let details: Value = serde_json::from_str(complete["ErrorDetails"].as_str().unwrap()).unwrap();
    assert_eq!(details["errorType"], "InvalidRequest");

    let (head, _) = invoke_streamed(&server, "x-amz-invocation-type: DryRun\r\n", "{}").await;
    assert!(head.starts_with("HTTP/1.0 204 "), "{head}");
    let (head, events) = invoke_streamed(&server, "x-amz-invocation-type: Event\r\n", "{}").await;
    assert!(head.starts_with("HTTP/1.0 400 "), "{head}");
    assert!(events[0].1.contains("expected RequestResponse or DryRun"), "{events:?}");
    let (head, _) = invoke_streamed(&server, "", "{oops").await;
    assert!(head.starts_with("HTTP/1.0 400 "), "{head}");
    server.stop().await;
}

#[tokio::test]
async fn number_of_known_warnings_is_a_header() {
    let folder = Folder::new();
    let server = start(&folder, json!({})).await;
    let fields = json!({ "unknownField": 1, "return": "full" });
    let mut stream = send_with(&server, fields).await;
    let response = read_until(&mut stream, "event: result").await;
    assert!(response.contains("\r\nx-llm-exe-warnings: 1\r\n"), "{response}");
    server.stop().await;
}

#[tokio::test]
async fn curl_prints_each_event_when_it_arrives() {
    let folder = Folder::new();
    let server = start(&folder, json!({ "milliseconds": 300 })).await;
    let mut request = request();
    request["stream"] = json!(true);
    let mut command = Command::new("curl");
    command.args(["--silent", "--no-buffer", "--header", "content-type: application/json"]);
    command.args(["--data", &request.to_string()]);
    command.arg(format!("http://127.0.0.1:{}/invoke", server.port));
    command.stdout(std::process::Stdio::piped()).kill_on_drop(true);
    let Ok(mut curl) = command.spawn() else {
        eprintln!("skipped, because curl is not installed");
        return;
    };
    let mut stdout = curl.stdout.take().unwrap();
    let (mut received, mut first_event) = (String::new(), None);
    let read = async {
        let mut buffer = [0; 1024];
        loop {
            let count = stdout.read(&mut buffer).await.unwrap();
            if count == 0 {
                break;
            }
            received.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
            first_event.get_or_insert_with(|| (Instant::now(), received.clone()));
        }
    };
    tokio::time::timeout(TIMEOUT, read).await.unwrap();
    assert!(curl.wait().await.unwrap().success());
    let (at, first) = first_event.unwrap();
    assert!(first.starts_with("event: text\n") && !first.contains("event: result"), "{first}");
    assert!(at.elapsed() > Duration::from_millis(200), "{received}");
    assert!(received.ends_with("event: result\ndata: \"Hi there\"\n\n"), "{received}");
    server.stop().await;
}
