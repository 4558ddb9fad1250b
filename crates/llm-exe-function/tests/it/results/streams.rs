//! Tests what happens to a streamed run if its reader is gone or slow, or if it was run before.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use llm_exe::ErrorKind;
use llm_exe_function::{ResponseBody, StartedResponse};
use llm_exe_simulator::Step;
use serde_json::{Value, json};

use super::fixture::{PREFIX, TestFunction, request, with};

const TIMEOUT: Duration = Duration::from_secs(20);

async fn new_function() -> Arc<TestFunction> {
    Arc::new(TestFunction::with(&[PREFIX, ("RESPONSE_STREAMING", "url")]).await)
}

/// Returns the event of a function URL with a request that asks for a stream.
fn event(request: Value) -> Value {
    let request = with(request, "stream", json!(true));
    let context = json!({
        "domainName": "a.lambda-url.us-east-1.on.aws",
        "http": { "method": "POST", "path": "/" }
    });
    json!({ "version": "2.0", "requestContext": context, "body": request.to_string() })
}

fn keyed(text: &str) -> Value {
    with(request(text), "idempotencyKey", json!("k"))
}

fn step(step: Value) -> Vec<Step> {
    vec![serde_json::from_value(step).unwrap()]
}

fn body(started: StartedResponse<()>) -> ResponseBody {
    match started {
        StartedResponse::Events { body, .. } => body,
        StartedResponse::Whole { .. } => panic!("expected a stream"),
    }
}

/// Reads the rest of a stream as a list of events.
async fn read(body: ResponseBody) -> Vec<String> {
    body.map(|bytes| String::from_utf8(bytes.unwrap().to_vec()).unwrap()).collect().await
}

#[tokio::test]
async fn repeat_of_a_stream_sends_its_result_alone() {
    let function = new_function().await;
    function.simulator.script(step(json!({ "then": { "text": "Hi there" } })));
    let events = read(body(function.start(&event(keyed("hi")), TIMEOUT).await.0)).await;
    assert_eq!(events.len(), 3, "{events:?}");
    let events = read(body(function.start(&event(keyed("hi")), TIMEOUT).await.0)).await;
    assert_eq!(events, ["event: result\ndata: \"Hi there\"\n\n"]);
    assert_eq!(function.calls(), 1);
}

#[tokio::test]
async fn run_with_a_key_completes_without_its_reader() {
    let function = new_function().await;
    let slow = json!({ "then": { "text": "Hi there" }, "stream": { "milliseconds": 100 } });
    function.simulator.script(step(slow));
    let (started, handled) = function.start(&event(keyed("hi")), TIMEOUT).await;
    drop(body(started));
    assert_eq!(handled.await.unwrap().response().unwrap(), "Hi there");
    let events = read(body(function.start(&event(keyed("hi")), TIMEOUT).await.0)).await;
    assert_eq!(events, ["event: result\ndata: \"Hi there\"\n\n"]);
    assert_eq!(function.calls(), 1);
}

#[tokio::test]
async fn run_without_a_key_is_cancelled_with_its_reader() {
    let function = new_function().await;
    let hanging =
        json!({ "then": { "text": "Hi there" }, "stream": { "events": 2, "end": "hang" } });
    function.simulator.script(step(hanging));
    let (started, handled) = function.start(&event(request("hi")), TIMEOUT).await;
    drop(body(started));
    let handled = tokio::time::timeout(TIMEOUT / 2, handled).await.unwrap().unwrap();
    assert_eq!(handled.line.error.unwrap().kind(), ErrorKind::ResultUnavailable);
}

#[tokio::test]
async fn last_event_does_not_wait_for_a_slow_reader() {
    let function = new_function().await;
    function.simulator.script(step(json!({ "then": { "text": "x".repeat(1000) } })));
    let timeout = Duration::from_secs(1);
    let (started, handled) = function.start(&event(request("hi")), timeout).await;
    let handled = tokio::time::timeout(TIMEOUT / 2, handled).await.unwrap().unwrap();
    assert_eq!(handled.line.error.unwrap().kind(), ErrorKind::Timeout);
    let events = read(body(started)).await;
    assert!(events.len() <= 18, "at most 16 events wait: {}", events.len());
    assert!(events.last().unwrap().starts_with("event: error\n"), "{events:?}");
}
