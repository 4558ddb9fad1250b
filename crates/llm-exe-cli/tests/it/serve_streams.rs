//! Tests the streams of `llm-exe serve`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Folder, Server, TIMEOUT, request};

async fn start(folder: &Folder, stream: Value) -> Server {
    let script = json!([{ "then": { "text": "Hi there" }, "stream": stream }]);
    let script = folder.file("script.json", script.to_string());
    Server::start(folder, &[], &["--simulate", "--script", &script]).await
}

/// Sends a request that asks for a stream.
async fn send(server: &Server) -> TcpStream {
    let mut request = request();
    request["stream"] = json!(true);
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
