//! Tests how streams end over a connection: servers that do not close it, send a wrong content
//! type, or break it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::stream;
use llm_exe::bytes::Bytes;
use llm_exe::http::{Request, Response};
use llm_exe::ports::PortFuture;
use llm_exe::transport::{HttpError, HttpTransport, ResponseBody};
use llm_exe::{Client, Deadline, ErrorKind, Run, RunEvent};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const TEXT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n";
const REASON: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":2}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

/// How a server ends a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It ends the body.
    Body,
    /// It closes the connection within the body.
    Cut,
    /// It keeps the connection open within the body.
    Open,
    /// It sends comments for ever.
    Endless,
}

/// A server that sends these pieces of a body to each request.
struct Server {
    url: String,
    connections: Arc<AtomicUsize>,
}

impl Server {
    async fn start(content_type: &'static str, pieces: Vec<String>, end: End) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(connection, content_type, pieces.clone(), end));
            }
        });
        Server { url, connections }
    }

    fn client(&self) -> Client {
        let builder = Client::builder().key("openai", "k").base_url("openai", &self.url);
        builder.build().unwrap()
    }
}

async fn serve(
    mut connection: TcpStream,
    content_type: &'static str,
    pieces: Vec<String>,
    end: End,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    loop {
        request.clear();
        // The request has a body, which ends with the closing brace of its object.
        while !request.ends_with(b"}") {
            if connection.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        }
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).await?;
        for piece in &pieces {
            let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
            connection.write_all(chunk.as_bytes()).await?;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        match end {
            End::Body => connection.write_all(b"0\r\n\r\n").await?,
            End::Cut => return Ok(()),
            End::Open => std::future::pending::<()>().await,
            End::Endless => loop {
                connection.write_all(b"4\r\n: x\n\r\n").await?;
                tokio::time::sleep(Duration::from_millis(1)).await;
            },
        }
    }
}

fn request(fields: Value) -> Value {
    let mut request = json!({"provider": "openai", "model": "gpt-4o", "message": "hi"});
    request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    request
}

/// Runs a request with a stream. Returns the text that was sent, and the run.
async fn run(client: &Client, fields: Value, limit: Duration) -> (String, Run) {
    let mut stream = client.run_stream(Deadline::after(limit), request(fields));
    let mut text = String::new();
    while let Some(event) = stream.next_event().await {
        match event {
            RunEvent::Text { delta, .. } => text.push_str(&delta),
            other => panic!("{other:?}"),
        }
    }
    (text, stream.finish().await)
}

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_complete_reply_does_not_wait_for_the_end_of_the_connection() {
    for (pieces, end, has_usage, longest) in [
        (vec![TEXT, REASON, USAGE, DONE], End::Body, true, 500),
        (vec![TEXT, REASON, USAGE, DONE], End::Open, true, 500),
        (vec![TEXT, REASON, USAGE, DONE], End::Endless, true, 500),
        (vec![TEXT, REASON, DONE], End::Open, false, 500),
        // Token counts are waited for only briefly.
        (vec![TEXT, REASON, USAGE], End::Open, true, 2_000),
        (vec![TEXT, REASON], End::Open, false, 2_000),
        (vec![TEXT, REASON], End::Endless, false, 2_000),
        (vec![TEXT, REASON], End::Body, false, 500),
        (vec![TEXT, REASON], End::Cut, false, 500),
    ] {
        let case = format!("{pieces:?} {end:?}");
        let pieces = pieces.into_iter().map(str::to_owned).collect();
        let server = Server::start("text/event-stream", pieces, end).await;
        let client = server.client();
        for calls in 1..=2 {
            let started = Instant::now();
            let (text, run) = run(&client, json!({ "return": "full" }), LIMIT).await;
            assert_eq!((&*text, run.outcome.unwrap()), ("Hel", json!("Hel")), "{case}");
            let elapsed = started.elapsed().as_millis();
            assert!(elapsed < longest, "{case}: {elapsed} ms");
            assert_eq!(run.report.usage.input_tokens, if has_usage { 4 } else { 0 }, "{case}");
            let cost = run.report.cost().unwrap();
            assert_eq!(cost.is_known(), has_usage, "{case}");
            let warning = "cost: the response of openai gpt-4o contains no token counts";
            let warnings: &[&str] = if has_usage { &[] } else { &[warning] };
            assert_eq!(run.report.warnings, warnings, "{case}");
            assert_eq!(run.report.attempts, 1, "{case}");
            // A connection with unread bytes serves no other request.
            let connections = if end == End::Body { 1 } else { calls };
            assert_eq!(server.connections.load(Ordering::Relaxed), connections, "{case}");
        }
    }
}

#[tokio::test]
async fn a_stream_without_token_counts_has_one_warning() {
    let pieces = vec![TEXT.to_owned(), REASON.to_owned()];
    let server = Server::start("text/event-stream", pieces, End::Body).await;
    let (_, run) = run(&server.client(), json!({}), LIMIT).await;
    let warning = "the stream of openai gpt-4o contains no token counts";
    assert_eq!(run.report.warnings, [warning]);
    assert_eq!(run.outcome.unwrap(), "Hel");
}

#[tokio::test]
async fn a_complete_reply_is_returned_before_the_deadline() {
    let pieces = vec![TEXT.to_owned(), REASON.to_owned()];
    let server = Server::start("text/event-stream", pieces, End::Open).await;
    let limit = Duration::from_millis(400);
    let (text, run) = run(&server.client(), json!({}), limit).await;
    assert_eq!((&*text, run.outcome.unwrap()), ("Hel", json!("Hel")));
}

#[tokio::test]
async fn a_reply_that_is_cut_is_an_error() {
    for end in [End::Body, End::Cut] {
        let server = Server::start("text/event-stream", vec![TEXT.to_owned()], end).await;
        let (_, run) = run(&server.client(), json!({ "return": "full" }), LIMIT).await;
        let error = run.outcome.unwrap_err();
        assert_eq!((error.kind(), run.report.attempts), (ErrorKind::ProviderUnavailable, 1));
        // The tokens so far are billed.
        assert!(run.report.cost().unwrap().is_estimate(), "{end:?}");
    }
}

#[tokio::test]
async fn the_type_of_the_content_can_be_wrong() {
    let whole =
        r#"{"choices":[{"message":{"role":"assistant","content":"Hel"},"finish_reason":"stop"}]}"#;
    let events = [TEXT, REASON, USAGE, DONE].concat();
    for content_type in ["application/json", "application/json; charset=utf-8", "text/plain", ""] {
        for (body, usage) in [
            (events.clone(), 4),
            (format!("\n: hi\n\n{events}"), 4),
            (format!("\u{feff}{events}"), 4),
            (whole.to_owned(), 0),
            (format!("\n  {whole}"), 0),
        ] {
            // The pieces are cut within the first bytes, too.
            let middle = body.floor_char_boundary(body.len() / 2);
            let pieces = [&body[..3], &body[3..middle], &body[middle..]];
            let pieces = pieces.iter().map(|piece| (*piece).to_owned()).collect();
            let server = Server::start(content_type, pieces, End::Body).await;
            let (text, run) = run(&server.client(), json!({}), LIMIT).await;
            let case = format!("{content_type} {body}");
            assert_eq!((&*text, run.outcome.unwrap()), ("Hel", json!("Hel")), "{case}");
            assert_eq!(run.report.usage.input_tokens, usage, "{case}");
        }
    }
}

/// A transport whose body ends with an error after these pieces.
struct Failing {
    pieces: Vec<String>,
    error: fn(String) -> HttpError,
    calls: Arc<Mutex<u32>>,
}

impl HttpTransport for Failing {
    fn send(
        &self,
        _: Request<Bytes>,
        _: Deadline,
    ) -> PortFuture<'_, Result<Response<Bytes>, HttpError>> {
        panic!("the request is not streamed");
    }

    fn open(
        &self,
        _: Request<Bytes>,
        _: Deadline,
    ) -> PortFuture<'_, Result<Response<ResponseBody>, HttpError>> {
        *self.calls.lock().unwrap() += 1;
        let mut pieces: Vec<Result<Bytes, HttpError>> =
            self.pieces.iter().cloned().map(Bytes::from).map(Ok).collect();
        pieces.push(Err((self.error)("broken".to_owned())));
        let body = ResponseBody::from_stream(stream::iter(pieces));
        Box::pin(std::future::ready(Ok(Response::new(body))))
    }
}

#[tokio::test]
async fn no_error_of_a_body_causes_a_retry() {
    let errors: [fn(String) -> HttpError; 5] = [
        HttpError::NotConnected,
        HttpError::NotSent,
        HttpError::InvalidRequest,
        HttpError::IncompleteResponse,
        |_| HttpError::Stale,
    ];
    for error in errors {
        for (pieces, expected) in [
            (vec![], None),
            (vec![TEXT], None),
            // The reply is complete.
            (vec![TEXT, REASON], Some("Hel")),
        ] {
            let pieces = pieces.into_iter().map(str::to_owned).collect();
            let calls = Arc::new(Mutex::new(0));
            let transport = Failing { pieces, error, calls: Arc::clone(&calls) };
            let client = Client::builder().key("openai", "k").http(transport).build().unwrap();
            let options = json!({ "options": { "numOfAttempts": 3, "maxDelay": 1 } });
            let (_, run) = run(&client, options, LIMIT).await;
            assert_eq!(*calls.lock().unwrap(), 1);
            match (run.outcome, expected) {
                (Ok(result), Some(expected)) => assert_eq!(result, expected),
                (Err(error), None) => {
                    assert_eq!(error.kind(), ErrorKind::ProviderUnavailable, "{error}");
                    assert!(error.message().contains("may have been billed"), "{error}");
                }
                (outcome, _) => panic!("{outcome:?}"),
            }
        }
    }
}

/// Returns a stream with a reply of this size.
fn large_stream(size: usize) -> Vec<String> {
    let piece = "x".repeat(50_000);
    let event = json!({ "choices": [{ "delta": { "content": piece } }] });
    let mut pieces = vec![format!("data: {event}\n\n"); size / 50_000];
    pieces.push(REASON.to_owned());
    pieces
}

#[tokio::test]
async fn large_streams_of_slow_readers_wait_for_memory() {
    let server = Server::start("text/event-stream", large_stream(7_000_000), End::Body).await;
    let client = server.client();
    let deadline = || Deadline::after(Duration::from_secs(60));
    let mut streams: Vec<_> =
        (0..8).map(|_| client.run_stream(deadline(), request(json!({})))).collect();
    let mut received = vec![0; streams.len()];
    // Each stream is read until it waits.
    for _ in 0..3 {
        for (stream, received) in streams.iter_mut().zip(&mut received) {
            let wait = Duration::from_millis(150);
            while let Ok(Some(RunEvent::Text { delta, .. })) =
                tokio::time::timeout(wait, stream.next_event()).await
            {
                *received += delta.len();
                if *received >= 6_500_000 {
                    break;
                }
            }
        }
    }
    let total: usize = received.iter().sum();
    // The budget is 24 MiB. Bytes beyond a stream's space are in its last chunks.
    assert!(total < 30_000_000, "{received:?}");
    assert!(total > 8_000_000, "{received:?}");
    // None of them fails: they continue as others end.
    let mut finished = Vec::new();
    for stream in streams {
        finished.push(tokio::spawn(stream.finish()));
    }
    for run in finished {
        assert_eq!(run.await.unwrap().outcome.unwrap().as_str().unwrap().len(), 7_000_000);
    }
}
