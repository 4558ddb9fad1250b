//! Tests the responses of entry points that stream, byte by byte.

use std::time::{Duration, Instant};

use bytes::Bytes;
use llm_exe_simulator::Step;
use llm_exe_testkit::runtime_api::{Invocation, InvocationOutcome, ResponseFault};
use serde_json::{Value, json};

use crate::backend::{Backend, RESULTS};
use crate::harness::{
    ENDPOINT_KEY, Function, OPENAI_KEY, REPLY, TIMEOUT, event, merge, post_event, request,
};

const MODE: &str = "lambda-runtime-function-response-mode";

async fn start(entry_points: &str, auth: &str) -> Function {
    Function::with(&[
        ("OPENAI_API_KEY", OPENAI_KEY),
        ("ENDPOINT_AUTH", auth),
        ("ENDPOINT_API_KEY", ENDPOINT_KEY),
        ("RESPONSE_STREAMING", entry_points),
    ])
    .await
}

/// Returns a request that asks for a stream.
fn streamed(fields: &Value) -> Value {
    let mut request = request();
    request["stream"] = json!(true);
    merge(&mut request, fields);
    request
}

/// Returns the prelude and the body of a response in streaming mode.
fn split(invocation: &Invocation) -> (Value, String) {
    let InvocationOutcome::Response(bytes) = &invocation.outcome else {
        panic!("expected a response, got {:?}", invocation.outcome);
    };
    let headers = &invocation.headers;
    assert_eq!(headers[MODE], "streaming");
    assert_eq!(headers["content-type"], "application/vnd.awslambda.http-integration-response");
    assert_eq!(headers["transfer-encoding"], "chunked");
    let at = bytes.iter().position(|byte| *byte == 0).unwrap();
    let (prelude, rest) = bytes.split_at(at);
    let body = rest.strip_prefix(&[0; 8]).unwrap();
    assert_ne!(body.first(), Some(&0), "exactly 8 NUL bytes follow the prelude");
    let prelude = serde_json::from_slice(prelude).unwrap();
    (prelude, String::from_utf8(body.to_vec()).unwrap())
}

async fn invoke(function: &Function, event: &Value) -> (Value, String) {
    split(&function.invoke_bytes(event.to_string(), TIMEOUT).await)
}

/// Joins the text of server-sent events, and returns it with the name and the data of the last one.
fn read_events(body: &str) -> (String, String, Value) {
    let mut text = String::new();
    let mut last = (String::new(), Value::Null);
    for event in body.split_terminator("\n\n") {
        let (name, data) = event.split_once("\ndata: ").unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        text.push_str(data["delta"].as_str().unwrap_or_default());
        last = (name.strip_prefix("event: ").unwrap().to_owned(), data);
    }
    (text, last.0, last.1)
}

fn steps(steps: &Value) -> Vec<Step> {
    serde_json::from_value(steps.clone()).unwrap()
}

fn events_prelude(content_type: &str) -> Value {
    json!({
        "statusCode": 200,
        "headers": { "content-type": content_type, "cache-control": "no-cache" },
        "cookies": []
    })
}

#[tokio::test]
async fn function_url_streams() {
    let function = start("url", "NONE").await;
    // Two invocations in one process: a stream does not change what follows it.
    for _ in 0..2 {
        let (prelude, body) = invoke(&function, &post_event(&streamed(&json!({})))).await;
        assert_eq!(prelude, events_prelude("text/event-stream"));
        let end = format!("event: result\ndata: {}\n\n", json!(REPLY));
        assert!(
            body.starts_with("event: text\ndata: {\"delta\":\"Simu\",\"turn\":1}\n\n"),
            "{body}"
        );
        assert!(body.ends_with(&end), "{body}");
        assert_eq!(read_events(&body), (REPLY.to_owned(), "result".to_owned(), json!(REPLY)));
    }
    let lines = function.stop().await.lines();
    assert_eq!(lines.len(), 2);
    for line in lines {
        assert_eq!((&line["source"], &line["level"]), (&json!("http"), &json!("INFO")), "{line}");
        assert_eq!(line["model"], "gpt-4o-mini", "{line}");
    }
}

#[tokio::test]
async fn rest_api_streams_lines() {
    let function = start("rest", "NONE").await;
    let request = streamed(&json!({ "streamFormat": "ndjson" }));
    let event = event("rest", &json!({ "body": request.to_string() }));
    let (prelude, body) = invoke(&function, &event).await;
    assert_eq!(prelude, events_prelude("application/x-ndjson"));
    let last: Value = serde_json::from_str(body.lines().last().unwrap()).unwrap();
    assert_eq!(last, json!({ "event": "result", "data": REPLY }));
}

#[tokio::test]
async fn direct_invocations_stream_without_a_prelude() {
    let function = start("invoke", "NONE").await;
    for _ in 0..2 {
        let event = streamed(&json!({}));
        let invocation = function.invoke_bytes(event.to_string(), TIMEOUT).await;
        let InvocationOutcome::Response(body) = &invocation.outcome else {
            panic!("{invocation:?}")
        };
        assert_eq!(invocation.headers[MODE], "streaming");
        assert_eq!(invocation.headers["content-type"], "text/event-stream");
        let body = std::str::from_utf8(body).unwrap();
        assert!(body.starts_with("event: text\ndata: "), "{body}");
        assert_eq!(read_events(body), (REPLY.to_owned(), "result".to_owned(), json!(REPLY)));
        // A result that is not streamed, and an error, are those of any direct invocation.
        let invocation = function.invoke_bytes(request().to_string(), TIMEOUT).await;
        assert_eq!(invocation.headers.get(MODE), None);
        assert_eq!(
            invocation.outcome,
            InvocationOutcome::Response(json!(REPLY).to_string().into())
        );
        let (kind, _) = function.invoke(&streamed(&json!({ "output": "jsn" }))).await.failure();
        assert_eq!(kind, "InvalidRequest");
    }
    assert_eq!(function.stop().await.lines().len(), 6);
}

#[tokio::test]
async fn every_response_of_a_streaming_entry_point_has_a_prelude() {
    let function = start("url,rest", "API_KEY").await;
    let get = json!({ "rawPath": "/health", "requestContext": { "http": { "method": "GET" } } });
    let (prelude, body) = invoke(&function, &event("function-url", &get)).await;
    assert_eq!(prelude["statusCode"], 200);
    assert_eq!(prelude["headers"], json!({ "content-type": "application/json" }));
    assert!(body.starts_with("{\"status\":\"ok\""), "{body}");

    let (prelude, body) = invoke(&function, &post_event(&streamed(&json!({})))).await;
    assert_eq!(prelude["statusCode"], 401, "{body}");
    assert_eq!(prelude["headers"], json!({ "content-type": "application/json" }));
    assert!(body.contains("\"type\":\"Unauthorized\""), "{body}");

    let options = json!({ "requestContext": { "http": { "method": "OPTIONS" } } });
    let (prelude, body) = invoke(&function, &event("function-url", &options)).await;
    assert_eq!((&prelude["statusCode"], &*body), (&json!(204), ""));
    assert_eq!(prelude["headers"]["allow"], "GET, HEAD, POST, OPTIONS");

    let key = json!({ "headers": { "x-api-key": ENDPOINT_KEY } });
    for name in ["function-url", "rest"] {
        let mut event = event(name, &key);
        event["body"] = json!(request().to_string());
        let (prelude, body) = invoke(&function, &event).await;
        let headers = json!({ "content-type": "text/plain; charset=utf-8" });
        assert_eq!(prelude, json!({ "statusCode": 200, "headers": headers, "cookies": [] }));
        assert_eq!(body, REPLY);
    }
}

#[tokio::test]
async fn other_entry_points_do_not_stream() {
    let function = start("url", "NONE").await;
    let body = json!({ "body": streamed(&json!({})).to_string() });
    for event in [streamed(&json!({})), event("rest", &body), event("http-api", &body)] {
        let invocation = function.invoke_bytes(event.to_string(), TIMEOUT).await;
        assert_eq!(invocation.headers.get(MODE), None, "{event}");
        let InvocationOutcome::Response(body) = invocation.outcome else { panic!("{event}") };
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains("Simulated reply"), "{body}");
        assert!(event.get("headers").is_none() || body.contains("\"x-llm-exe-warnings\":\"1\""));
    }
}

#[tokio::test]
async fn error_before_the_first_event_has_its_status() {
    let function = start("url", "NONE").await;
    let mut invalid = streamed(&json!({}));
    invalid["output"] = json!("jsn");
    let (prelude, body) = invoke(&function, &post_event(&invalid)).await;
    assert_eq!(prelude["statusCode"], 400, "{body}");
    assert_eq!(prelude["headers"], json!({ "content-type": "application/json" }));

    function.simulator.script(vec![Step::status(401)]);
    let (prelude, body) = invoke(&function, &post_event(&streamed(&json!({})))).await;
    assert_eq!(prelude["statusCode"], 502, "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["error"]["type"], "ProviderAuthFailed");
}

#[tokio::test]
async fn stream_that_is_cut_ends_with_an_error() {
    let function = start("url", "NONE").await;
    for end in ["drop", "close", "error"] {
        let step = steps(
            &json!([{ "then": { "text": "Hello there" }, "stream": { "events": 2, "end": end } }]),
        );
        function.simulator.script(step);
        let (prelude, body) = invoke(&function, &post_event(&streamed(&json!({})))).await;
        assert_eq!(prelude, events_prelude("text/event-stream"));
        let (text, name, error) = read_events(&body);
        assert_eq!((&*text, &*name), ("Hell", "error"), "{end}: {body}");
        assert_eq!(error["type"], "ProviderUnavailable", "{end}: {body}");
        assert!(error["requestId"].is_string(), "{end}: {body}");
    }
    function.assert_works("streams that were cut").await;
    let lines = function.stop().await.lines();
    assert_eq!(lines[0]["errorType"], "ProviderUnavailable", "{}", lines[0]);
}

#[tokio::test]
async fn deadline_ends_a_stream_with_an_error() {
    let function = start("url", "NONE").await;
    let step = steps(
        &json!([{ "then": { "text": "Hello there" }, "stream": { "events": 2, "end": "hang" } }]),
    );
    function.simulator.script(step);
    let event = Bytes::from(post_event(&streamed(&json!({}))).to_string());
    let invocation = function.invoke_bytes(event, Duration::from_secs(2)).await;
    let (_, name, error) = read_events(&split(&invocation).1);
    assert_eq!((&*name, &error["type"]), ("error", &json!("Timeout")), "{error}");
}

#[tokio::test]
async fn dry_run_sends_its_result_alone() {
    let function = start("url", "NONE").await;
    let event = post_event(&streamed(&json!({ "dryRun": true })));
    let (prelude, body) = invoke(&function, &event).await;
    assert_eq!(prelude, events_prelude("text/event-stream"));
    assert_eq!(body.matches("event: ").count(), 1);
    assert!(body.starts_with("event: result\ndata: {"), "{body}");
}

/// Returns the bytes of a response with a prelude.
fn bytes_of(prelude: &str, body: &str) -> Vec<u8> {
    [prelude.as_bytes(), &[0; 8], body.as_bytes()].concat()
}

#[tokio::test]
async fn unstreamed_responses_are_sent_byte_by_byte_after_their_prelude() {
    let function = start("url", "API_KEY").await;
    let json_prelude = |status: u16| {
        format!(
            "{{\"statusCode\":{status},\"headers\":{{\"content-type\":\"application/json\"}},\
             \"cookies\":[]}}"
        )
    };
    let get = json!({ "rawPath": "/health", "requestContext": { "http": { "method": "GET" } } });
    let health = event("function-url", &get);
    let health_body =
        format!("{{\"status\":\"ok\",\"version\":\"{}\"}}", env!("CARGO_PKG_VERSION"));
    let denied = post_event(&request());
    let denied_body = "{\"error\":{\"type\":\"Unauthorized\",\"message\":\"the endpoint key is \
                       missing; send it in the header x-api-key or as a bearer token\",\
                       \"retryable\":false,\"problems\":[],\"requestId\":\"REQUEST_ID\"}}";
    let key = json!({ "headers": { "x-api-key": ENDPOINT_KEY } });
    let mut allowed = event("function-url", &key);
    allowed["body"] = json!(request().to_string());
    let mut warned = request();
    warned["unknownField"] = json!(1);
    let mut with_warning = event("function-url", &key);
    with_warning["body"] = json!(warned.to_string());
    let text_prelude = "{\"statusCode\":200,\"headers\":{\"content-type\":\"text/plain; \
                        charset=utf-8\"},\"cookies\":[]}";
    let warning_prelude = "{\"statusCode\":200,\"headers\":{\"content-type\":\"text/plain; \
                           charset=utf-8\",\"x-llm-exe-warnings\":\"1\"},\"cookies\":[]}";
    for (event, prelude, body) in [
        (&health, &*json_prelude(200), &*health_body),
        (&denied, &*json_prelude(401), denied_body),
        (&allowed, text_prelude, REPLY),
        (&with_warning, warning_prelude, REPLY),
    ] {
        let invocation = function.invoke_bytes(event.to_string(), TIMEOUT).await;
        let InvocationOutcome::Response(bytes) = &invocation.outcome else {
            panic!("{invocation:?}")
        };
        let expected = bytes_of(prelude, &body.replace("REQUEST_ID", &invocation.request_id));
        assert_eq!(String::from_utf8_lossy(bytes), String::from_utf8_lossy(&expected));
    }
}

#[tokio::test]
async fn prelude_has_the_number_of_known_warnings() {
    let function = start("url,rest", "NONE").await;
    let warned = streamed(&json!({ "unknownField": 1, "return": "full" }));
    for name in ["function-url", "rest"] {
        let event = event(name, &json!({ "body": warned.to_string() }));
        let (prelude, body) = invoke(&function, &event).await;
        let mut expected = events_prelude("text/event-stream");
        expected["headers"]["x-llm-exe-warnings"] = json!("1");
        assert_eq!(prelude, expected, "{name}");
        let (_, name, result) = read_events(&body);
        assert_eq!(name, "result");
        let warnings = result["warnings"].as_array().unwrap();
        assert!(warnings[0].as_str().unwrap().contains("unknownField"), "{warnings:?}");
    }
}

/// Returns events of the function URL and of a direct invocation with this request.
fn streaming_events(request: &Value) -> [(&'static str, Value); 2] {
    [("url", post_event(request)), ("invoke", request.clone())]
}

/// AWS does not document what Lambda does if a client disconnects, so all faults end the same way.
const FAULTS: [ResponseFault; 3] =
    [ResponseFault::Close(40), ResponseFault::Reject(403), ResponseFault::Reject(413)];

#[tokio::test]
async fn invocation_ends_after_a_run_with_a_key_is_stored() {
    for fault in FAULTS {
        let backend = Backend::new().await;
        let function = backend.function(&[("RESPONSE_STREAMING", "url,invoke")]).await;
        let request = streamed(&json!({ "idempotencyKey": "k" }));
        for (count, (entry_point, event)) in streaming_events(&request).into_iter().enumerate() {
            let slow =
                json!([{ "then": { "text": "Hello there" }, "stream": { "milliseconds": 200 } }]);
            function.simulator.script(steps(&slow));
            function.fail_next_response(fault);
            function.invoke_bytes(event.to_string(), TIMEOUT).await;
            // The runtime asks for the next event when the invocation has ended.
            let get =
                json!({ "rawPath": "/health", "requestContext": { "http": { "method": "GET" } } });
            let (prelude, _) =
                invoke(&function, &crate::harness::event("function-url", &get)).await;
            assert_eq!(prelude["statusCode"], 200);
            let objects = backend.aws.objects();
            let stored = objects.iter().filter(|(name, object)| {
                let body: Value = serde_json::from_slice(&object.body).unwrap();
                name.starts_with(&format!("{RESULTS}/idempotency/"))
                    && body["answer"]["result"] == "Hello there"
            });
            assert_eq!(stored.count(), count + 1, "{fault:?} {entry_point}");
            // The repeated call returns the stored result.
            let replay = function.invoke_bytes(event.to_string(), TIMEOUT).await;
            let InvocationOutcome::Response(bytes) = replay.outcome else { panic!() };
            let text = String::from_utf8_lossy(&bytes).into_owned();
            assert!(text.ends_with("event: result\ndata: \"Hello there\"\n\n"), "{text}");
            assert_eq!(function.simulator.journal().len(), count + 1, "{fault:?} {entry_point}");
        }
        let output = function.stop().await;
        let rejections = |line: &&Value| {
            let text = line["message"].as_str().unwrap();
            text.starts_with("the Runtime API rejected the response with the status")
        };
        let lines = output.lines();
        let ResponseFault::Reject(status) = fault else { continue };
        assert_eq!(lines.iter().filter(rejections).count(), 1, "{lines:?}");
        // The runtime crate logs the rejection of the responses that it sends, or that it could not
        // write the rest of them.
        let logged = [&*format!("non-200 response: status={status}"), "API request failed"];
        assert!(logged.iter().any(|it| output.stderr.contains(it)), "{}", output.stderr);
    }
}

#[tokio::test]
async fn run_without_a_key_is_cancelled_when_its_stream_is_closed() {
    let function = start("url,invoke", "NONE").await;
    let hanging =
        json!([{ "then": { "text": "Hello there" }, "stream": { "events": 3, "end": "hang" } }]);
    for (entry_point, event) in streaming_events(&streamed(&json!({}))) {
        for fault in FAULTS {
            // The runtime crate does not report that its response was rejected. It notices a closed
            // stream when it sends the next comment.
            if entry_point == "url" && matches!(fault, ResponseFault::Reject(_)) {
                continue;
            }
            function.simulator.script(steps(&hanging));
            function.fail_next_response(fault);
            let started = Instant::now();
            function.invoke_bytes(event.to_string(), TIMEOUT).await;
            function.assert_works("a stream was closed").await;
            let took = started.elapsed();
            assert!(took < Duration::from_secs(5), "{entry_point} {fault:?}: {took:?}");
        }
    }
    let lines = function.stop().await.lines();
    let cancelled = lines.iter().filter(|line| line["errorType"] == "ResultUnavailable");
    assert_eq!(cancelled.count(), 4, "{lines:?}");
}

#[tokio::test]
async fn silent_stream_starts_with_a_comment() {
    let function = start("url", "NONE").await;
    let silent =
        json!([{ "then": { "text": "Hello there" }, "stream": { "events": 0, "end": "hang" } }]);
    function.simulator.script(steps(&silent));
    let event = post_event(&streamed(&json!({})));
    let invocation = function.invoke_bytes(event.to_string(), Duration::from_secs(18)).await;
    let (prelude, body) = split(&invocation);
    // After the comment, the status is sent already, so the error is an event.
    assert_eq!(prelude, events_prelude("text/event-stream"));
    let (comment, rest) = body.split_at(": keep-alive\n\n".len());
    assert_eq!(comment, ": keep-alive\n\n");
    let (_, name, error) = read_events(rest);
    assert_eq!((&*name, &error["type"]), ("error", &json!("Timeout")), "{body}");
}
