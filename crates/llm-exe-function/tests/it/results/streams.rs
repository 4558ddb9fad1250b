//! Tests what happens to a streamed run if its reader is gone or slow, or if it was run before.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use llm_exe::ErrorKind;
use llm_exe_function::{HandledEvent, LogLevel, ResponseBody, StartedResponse};
use llm_exe_simulator::Step;
use serde_json::{Value, json};
use tokio::sync::oneshot::Receiver;

use super::fixture::{PREFIX, QUEUE, TestFunction, request, slow_reply, url_event, with};

const TIMEOUT: Duration = Duration::from_secs(20);

async fn new_function() -> Arc<TestFunction> {
    let variables = [
        PREFIX,
        ("RESPONSE_STREAMING", "url"),
        ("AWS_S3_FILES_BUCKET_NAME", "configs"),
        ("RESULT_DESTINATION_OVERRIDE", "https://sqs.eu-west-1.amazonaws.com/123456789012/"),
    ];
    Arc::new(TestFunction::with(&variables).await)
}

/// Returns the event of a function URL with a request that asks for a stream.
fn event(request: Value) -> Value {
    url_event(&with(request, "stream", json!(true)))
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
async fn repeat_with_another_format_or_trace_returns_the_stored_result() {
    let function = new_function().await;
    function.simulator.script(step(json!({ "then": { "text": "Hi there" } })));
    let trace = |span: &str| format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{span}-01");
    let first = with(keyed("hi"), "traceparent", json!(trace("00f067aa0ba902b7")));
    assert!(read(body(function.start(&event(first), TIMEOUT).await.0)).await.len() > 1);
    let lines = with(keyed("hi"), "streamFormat", json!("ndjson"));
    let lines = with(lines, "traceparent", json!(trace("1111111111111111")));
    let events = read(body(function.start(&event(lines), TIMEOUT).await.0)).await;
    assert_eq!(events, ["{\"event\":\"result\",\"data\":\"Hi there\"}\n"]);
    let response = function.invoke(&url_event(&keyed("hi"))).await.0.unwrap();
    assert_eq!(response["body"], "Hi there");
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

/// Returns requests with the key `k` or a destination, whose results are needed without a reader.
fn needed_requests(function: &TestFunction) -> [(&'static str, Value); 3] {
    let mut config = request("hi");
    config["destination"] = json!(QUEUE);
    function.store.put("s3://configs/sent.json", &config);
    [
        ("key", keyed("hi")),
        ("destination", with(request("hi"), "destination", json!(QUEUE))),
        ("destination in a hosted config", json!({ "key": "sent.json" })),
    ]
}

/// Checks that the result of a request of [`needed_requests`] was stored or sent.
async fn check_needed(function: &TestFunction, name: &str, handled: Receiver<HandledEvent>) {
    let handled = tokio::time::timeout(TIMEOUT / 2, handled).await.unwrap().unwrap();
    assert!(handled.response().is_ok(), "{name}: {:?}", handled.outcome);
    assert_eq!(function.calls(), 1, "{name}");
    if name == "key" {
        let outcome = function.handle(&event(keyed("hi")), TIMEOUT).await.response().unwrap();
        assert_eq!(outcome["statusCode"], 200, "{outcome}");
        assert_eq!(function.calls(), 1);
    } else {
        let notifications = std::mem::take(&mut *function.store.notifications.lock().unwrap());
        assert_eq!(notifications.len(), 1, "{name}");
        assert_eq!(notifications[0].1["status"], "ok", "{name}: {notifications:?}");
    }
}

#[tokio::test]
async fn run_whose_result_is_needed_completes_without_its_reader() {
    let function = new_function().await;
    for (name, request) in needed_requests(&function) {
        function.simulator.clear();
        let slow = json!({ "then": { "text": "Hi there" }, "stream": { "milliseconds": 100 } });
        function.simulator.script(step(slow));
        let (started, handled) = function.start(&event(request), TIMEOUT).await;
        drop(body(started));
        check_needed(&function, name, handled).await;
    }
}

#[tokio::test]
async fn run_whose_result_is_needed_completes_if_the_client_leaves_before_the_first_event() {
    let function = new_function().await;
    for (name, request) in needed_requests(&function) {
        function.simulator.clear();
        function.simulator.script(vec![slow_reply(600)]);
        let (start, handled) = function.begin(&event(request), TIMEOUT);
        let started = tokio::time::timeout(Duration::from_millis(300), start).await;
        assert!(started.is_err(), "{name}: the response should not have started");
        check_needed(&function, name, handled).await;
    }
    // The same holds for a result that is not streamed.
    function.simulator.clear();
    function.simulator.script(vec![slow_reply(600)]);
    let request = with(request("hi"), "idempotencyKey", json!("unstreamed"));
    let (start, handled) = function.begin(&url_event(&request), TIMEOUT);
    assert!(tokio::time::timeout(Duration::from_millis(300), start).await.is_err());
    assert!(handled.await.unwrap().outcome.is_ok());
}

#[tokio::test]
async fn run_without_a_key_is_cancelled_if_the_client_leaves_before_the_first_event() {
    let function = new_function().await;
    function.simulator.script(vec![slow_reply(5_000)]);
    let (start, handled) = function.begin(&event(request("hi")), TIMEOUT);
    assert!(tokio::time::timeout(Duration::from_millis(300), start).await.is_err());
    let handled = tokio::time::timeout(Duration::from_secs(3), handled).await.unwrap().unwrap();
    assert_eq!(handled.line.error.unwrap().kind(), ErrorKind::ResultUnavailable);
    assert_eq!(handled.line.report.attempts, 1, "the call that may be billed is counted");
}

#[tokio::test]
async fn stalled_reader_gets_the_timeout_at_the_deadline() {
    let function = new_function().await;
    function.simulator.script(step(json!({ "then": { "text": "x".repeat(1000) } })));
    let started_at = std::time::Instant::now();
    let timeout = Duration::from_secs(1);
    let (started, handled) = function.start(&event(request("hi")), timeout).await;
    let handled = tokio::time::timeout(TIMEOUT / 2, handled).await.unwrap().unwrap();
    let took = started_at.elapsed();
    assert!((timeout..timeout * 2).contains(&took), "{took:?}");
    assert_eq!(handled.line.error.unwrap().kind(), ErrorKind::Timeout);
    assert_eq!(handled.line.report.attempts, 1, "the report of the run is kept");
    let events = read(body(started)).await;
    assert!(events.len() <= 18, "at most 16 events wait: {}", events.len());
    assert!(events.last().unwrap().starts_with("event: error\n"), "{events:?}");
}

#[tokio::test]
async fn stalled_reader_does_not_delay_a_run_whose_result_is_needed() {
    let function = new_function().await;
    for (name, request) in needed_requests(&function) {
        function.simulator.clear();
        let text = "abcd".repeat(250);
        function.simulator.script(step(json!({ "then": { "text": text } })));
        let (started, handled) = function.start(&event(request), TIMEOUT).await;
        check_needed(&function, name, handled).await;
        // A reader that reads late receives all events in their order.
        let events = read(body(started)).await;
        assert_eq!(events.len(), 251, "{name}");
        let piece = "event: text\ndata: {\"delta\":\"abcd\",\"turn\":1}\n\n";
        assert!(events[..250].iter().all(|event| event == piece), "{name}");
        assert!(events[250].starts_with("event: result\n"), "{name}");
    }
}

/// The events that a request gets, and whether its response is a stream.
async fn respond(function: &Arc<TestFunction>, request: &Value) -> (bool, Vec<String>, Value) {
    let (started, handled) = function.start(&url_event(request), TIMEOUT).await;
    let handled = handled.await.unwrap();
    let line = serde_json::from_slice(&handled.line.to_json(LogLevel::Debug).unwrap()).unwrap();
    match started {
        StartedResponse::Events { body, .. } => (true, read(body).await, line),
        StartedResponse::Whole { .. } => {
            let response = handled.response().unwrap();
            (false, vec![response["body"].as_str().unwrap().to_owned()], line)
        }
    }
}

#[tokio::test]
async fn replay_has_the_format_of_the_hosted_config() {
    let function = new_function().await;
    let (sse, lines) =
        ("event: result\ndata: \"Hi\"\n\n", "{\"event\":\"result\",\"data\":\"Hi\"}\n");
    let cases = [
        (json!({}), json!({}), None),
        (json!({ "stream": true }), json!({}), Some(sse)),
        (json!({ "stream": true, "streamFormat": "ndjson" }), json!({}), Some(lines)),
        (json!({ "streamFormat": "ndjson" }), json!({ "stream": true }), Some(lines)),
        (json!({ "stream": true }), json!({ "streamFormat": "ndjson" }), Some(lines)),
        (json!({ "stream": true }), json!({ "stream": false }), None),
        (json!({ "stream": false }), json!({ "stream": true }), Some(sse)),
        (json!({}), json!({ "stream": true, "streamFormat": "ndjson" }), Some(lines)),
    ];
    for (number, (config_fields, fields, expected)) in cases.into_iter().enumerate() {
        for overridable in [Value::Null, json!([])] {
            let name = format!("{number}-{}.json", overridable.is_null());
            let mut config = with(request("hi"), "overridable", overridable);
            config.as_object_mut().unwrap().extend(config_fields.as_object().unwrap().clone());
            function.store.put(&format!("s3://configs/{name}"), &config);
            let mut request = json!({ "key": name, "idempotencyKey": name });
            request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            function.simulator.clear();
            function.simulator.script(step(json!({ "then": { "text": "Hi" } })));
            let (is_stream, events, _) = respond(&function, &request).await;
            assert_eq!(is_stream, expected.is_some(), "{name}: {request}");
            assert_eq!(events.last().unwrap(), expected.unwrap_or("Hi"), "{name}: {request}");
            let (is_stream, events, line) = respond(&function, &request).await;
            assert_eq!(is_stream, expected.is_some(), "{name}, replayed: {request}");
            assert_eq!(events, [expected.unwrap_or("Hi")], "{name}, replayed: {request}");
            assert_eq!(line["replayed"], 1);
            assert_eq!(function.calls(), 1, "{name}");
        }
    }
}

#[tokio::test]
async fn replay_has_the_format_of_the_config_if_the_first_caller_could_not_receive_a_stream() {
    let function = new_function().await;
    let config = with(request("hi"), "stream", json!(true));
    function.store.put("s3://configs/a.json", &config);
    function.simulator.script(step(json!({ "then": { "text": "Hi" } })));
    let request = json!({ "key": "a.json", "idempotencyKey": "k" });
    // The event of a function URL that is handled without streaming has the same caller.
    let first = function.handle(&url_event(&request), TIMEOUT).await.response().unwrap();
    assert_eq!((&first["statusCode"], &first["body"]), (&json!(200), &json!("Hi")));
    let (is_stream, events, _) = respond(&function, &request).await;
    assert_eq!((is_stream, &*events), (true, &["event: result\ndata: \"Hi\"\n\n".to_owned()][..]));
}

#[tokio::test]
async fn replayed_error_keeps_its_details_and_tags() {
    let function = new_function().await;
    let mut request = with(keyed("hi"), "return", json!("full"));
    request["tags"] = json!({ "team": "a" });
    request["unknownField"] = json!(1);
    request["stream"] = json!(true);
    function.simulator.script(vec![Step::status(400)]);
    let (is_stream, first, line) = respond(&function, &request).await;
    let (_, again, replayed_line) = respond(&function, &request).await;
    assert!(!is_stream, "an error before the first event has a status of its own");
    let parse = |bodies: Vec<String>| {
        let mut error = serde_json::from_str::<Value>(&bodies[0]).unwrap()["error"].take();
        error.as_object_mut().unwrap().shift_remove("requestId");
        error
    };
    let (first, again) = (parse(first), parse(again));
    assert_eq!(first["attempts"], 1, "{first}");
    assert!(first["cost"].is_object() && first["warnings"].is_array(), "{first}");
    assert_eq!(first, again);
    assert_eq!((&line["providerStatus"], &line["tags"]), (&json!(400), &json!({ "team": "a" })));
    for name in ["providerStatus", "tags", "errorType", "errorMessage"] {
        assert_eq!(line[name], replayed_line[name], "{name}: {replayed_line}");
    }
    assert_eq!(replayed_line["replayed"], 1);
    assert_eq!(replayed_line.get("attempts"), None, "the replay called no provider");
    assert_eq!(function.calls(), 1);
}

#[tokio::test]
async fn number_of_known_warnings_is_returned_with_the_first_event() {
    let function = new_function().await;
    let count = |started: StartedResponse<()>| match started {
        StartedResponse::Events { warning_count, .. } => warning_count,
        StartedResponse::Whole { .. } => panic!("expected a stream"),
    };
    let mut with_warnings = with(request("hi {{missing}}"), "unknownField", json!(1));
    with_warnings["options"]["topK"] = json!(5);
    for (request, expected) in [(request("hi"), 0), (with_warnings.clone(), 3)] {
        let (started, handled) = function.start(&event(request), TIMEOUT).await;
        let handled = handled.await.unwrap();
        assert_eq!(handled.line.warning_count(), expected, "{:?}", handled.line.report.warnings);
        assert_eq!(count(started), expected);
    }
    // A dry run sends its result alone, when all warnings are known.
    let dry_run = with(with_warnings, "dryRun", json!(true));
    assert_eq!(count(function.start(&event(dry_run), TIMEOUT).await.0), 3);
}
