//! Tests that log lines, errors and stored results contain what was paid for if a run ends early or
//! is repeated.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use llm_exe::ErrorKind;
use llm_exe_function::{HandledEvent, LogLevel, StartedResponse};
use llm_exe_simulator::{Step, ToolCall};
use serde_json::{Value, json};

use super::fixture::{PREFIX, TestFunction, WriteBehavior, request, url_event, with};

const PRICES: (&str, &str) =
    ("PRICES", r#"{"openai:gpt-4o-mini": {"input": 1000, "output": 2000}}"#);

/// Creates an event of a queue with one message.
fn record(request: &Value) -> Value {
    json!({ "Records": [{
        "messageId": "m-1", "eventSource": "aws:sqs", "body": request.to_string(),
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:in"
    }]})
}

/// Returns a request with two steps.
fn chain() -> Value {
    let mut chain = request("");
    chain.as_object_mut().unwrap().remove("message");
    let step = |name: &str, message: &str| json!({ "name": name, "message": message });
    with(chain, "steps", json!([step("one", "First"), step("two", "Then {{previous}}")]))
}

/// Returns a request with a tool that calls a function.
fn with_tool() -> Value {
    let tool = json!({
        "name": "find", "description": "Finds it.", "run": { "lambda": "orders-0" },
        "parameters": { "type": "object", "properties": { "n": { "type": "integer" } } }
    });
    with(request("Hi"), "tools", json!([tool]))
}

fn calls_tool() -> Step {
    let call = ToolCall { name: "find".to_owned(), arguments: json!({ "n": 1 }) };
    Step::tool_calls("", vec![call])
}

async fn function() -> TestFunction {
    TestFunction::with(&[PREFIX, PRICES, ("TOOL_FUNCTIONS", "orders-*")]).await
}

fn log_line(handled: &HandledEvent) -> Value {
    serde_json::from_slice(&handled.line.to_json(LogLevel::Debug).unwrap()).unwrap()
}

/// Returns the cost of the tokens in a log line or in `usage`, by [`PRICES`].
fn cost_of(usage: &Value) -> f64 {
    let tokens = |name: &str| usage[name].as_f64().unwrap();
    (tokens("inputTokens") + 2.0 * tokens("outputTokens")) / 1000.0
}

fn assert_close(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap_or_else(|| panic!("{found} {expected}"));
    assert!(expected > 0.0 && (found - expected).abs() < 1e-9, "{found} {expected}");
}

/// Checks a log line, and the error that the caller received.
fn check_failure(handled: &HandledEvent, kind: ErrorKind, attempts: u64, is_estimate: bool) {
    let line = log_line(handled);
    assert_eq!(line["errorType"], kind.name(), "{line}");
    assert_eq!((&line["attempts"], &line["provider"]), (&json!(attempts), &json!("openai")));
    assert!(line["model"].as_str().unwrap().starts_with("gpt-4o-mini"), "{line}");
    assert_close(&line["costUsd"], cost_of(&line));
    let estimate = line["cost"].get("estimate").map(|it| it.as_bool().unwrap());
    assert_eq!(estimate, is_estimate.then_some(true), "{line}");
    let error = handled.line.error.as_ref().unwrap();
    let details = error.run_details().unwrap();
    assert_eq!((&details["attempts"], &details["cost"]), (&json!(attempts), &line["cost"]));
    assert_eq!(details["usage"]["outputTokens"], line["outputTokens"]);
}

#[tokio::test]
async fn run_that_panics_or_does_not_end_reports_what_it_paid_for() {
    let cases = [
        (WriteBehavior::Panic, 20_000, ErrorKind::Internal),
        (WriteBehavior::Delay(60_000), 1_000, ErrorKind::Timeout),
    ];
    for (behavior, timeout, kind) in cases {
        let function = function().await;
        function.simulator.script(vec![calls_tool()]);
        // The progress is opened before the first turn, which is stored after it.
        function.store.inject(&[WriteBehavior::Write, behavior]);
        let event = record(&with_tool());
        let handled = function.handle(&event, Duration::from_millis(timeout)).await;
        check_failure(&handled, kind, 1, false);
    }
}

#[tokio::test]
async fn failed_chain_reports_its_finished_steps() {
    let function = function().await;
    function.simulator.script(vec![Step::text("1"), Step::status(500)]);
    let handled = function.handle(&chain(), Duration::from_secs(20)).await;
    check_failure(&handled, ErrorKind::ProviderUnavailable, 2, false);
    let line = log_line(&handled);
    assert_eq!((&line["failedStep"], &line["steps"][0]["attempts"]), (&json!("two"), &json!(1)));
}

#[tokio::test]
async fn chain_that_times_out_reports_its_finished_steps() {
    let function = function().await;
    let hanging: Step = serde_json::from_value(json!({ "then": { "fault": "hang" } })).unwrap();
    function.simulator.script(vec![Step::text("1"), hanging]);
    let handled = function.handle(&chain(), Duration::from_millis(1500)).await;
    check_failure(&handled, ErrorKind::Timeout, 2, true);
}

#[tokio::test]
async fn cancelled_chain_reports_its_steps_and_the_call_in_progress() {
    let variables = [PREFIX, PRICES, ("RESPONSE_STREAMING", "url")];
    let function = Arc::new(TestFunction::with(&variables).await);
    let hanging =
        json!({ "then": { "text": "Hi there" }, "stream": { "events": 2, "end": "hang" } });
    let hanging: Step = serde_json::from_value(hanging).unwrap();
    function.simulator.script(vec![Step::text("1"), hanging]);
    let body = with(with(chain(), "stream", json!(true)), "return", json!("full"));
    let event = url_event(&body);
    let (started, handled) = function.start(&event, Duration::from_secs(20)).await;
    let StartedResponse::Events { mut body, .. } = started else { panic!("expected a stream") };
    // The second step has started when its text arrives.
    while let Some(Ok(event)) = body.next().await
        && !event.starts_with(b"event: text")
    {}
    drop(body);
    let handled = tokio::time::timeout(Duration::from_secs(10), handled).await.unwrap().unwrap();
    check_failure(&handled, ErrorKind::ResultUnavailable, 2, true);
    let line = log_line(&handled);
    assert_eq!(line["errors"], 0, "the caller closed the stream: {line}");
}

/// Runs a request whose second call fails, and repeats it. Returns both log lines and the stored
/// result.
async fn run_twice(request: &Value, first: Step) -> [Value; 3] {
    let function = function().await;
    function.simulator.script(vec![first, Step::status(500), Step::text("Done.")]);
    let event = record(&with(request.clone(), "return", json!("full")));
    let (response, failed) = function.invoke(&event).await;
    assert_eq!(response.unwrap()["batchItemFailures"][0]["itemIdentifier"], "m-1");
    let (response, repeated) = function.invoke(&event).await;
    assert_eq!(response.unwrap()["batchItemFailures"], json!([]), "{repeated}");
    assert_eq!(function.calls(), 3);
    let names = function.store.names();
    let name = names.iter().find(|name| name.contains("/records/")).unwrap();
    [failed, repeated, function.store.get(name)]
}

#[tokio::test]
async fn repeated_run_logs_only_what_it_paid_for() {
    for (request, first) in [(chain(), Step::text("1")), (with_tool(), calls_tool())] {
        let [failed, repeated, stored] = run_twice(&request, first).await;
        assert_eq!((&failed["attempts"], &repeated["attempts"]), (&json!(2), &json!(1)));
        for line in [&failed, &repeated] {
            assert_close(&line["costUsd"], cost_of(line));
        }
        // The first attempt paid for the first call, and the second one for the other.
        let sum = |name: &str| failed[name].as_u64().unwrap() + repeated[name].as_u64().unwrap();
        assert_eq!(stored["attempts"], 2);
        for name in ["inputTokens", "outputTokens", "totalTokens"] {
            assert_eq!(stored["usage"][name], sum(name), "{name}");
        }
        assert_close(&stored["cost"]["usd"], cost_of(&stored["usage"]));
        let full = &stored["result"];
        assert_eq!((&full["cost"], &full["usage"]), (&stored["cost"], &stored["usage"]));
        assert_eq!(full["attempts"], 2);
    }
}

#[tokio::test]
async fn restored_steps_are_marked_in_the_log() {
    let [failed, repeated, _] = run_twice(&chain(), Step::text("1")).await;
    let fields = |line: &Value, name: &str| {
        let steps = line["steps"].as_array().unwrap();
        steps.iter().map(|step| step[name].clone()).collect::<Vec<_>>()
    };
    assert_eq!(fields(&failed, "restored"), [Value::Null, Value::Null]);
    assert_eq!(fields(&repeated, "restored"), [json!(true), Value::Null]);
    assert_eq!(fields(&repeated, "attempts"), [json!(0), json!(1)]);
    assert_eq!(fields(&repeated, "inputTokens")[0], 0);
}

#[tokio::test]
async fn repeated_error_states_what_its_run_cost() {
    let function = function().await;
    let body = with(with(request("Hi"), "output", json!("number")), "idempotencyKey", json!("k"));
    // A refusal is not retryable, so it is stored.
    let refusal = Step::new(llm_exe_simulator::ScriptedResponse::Refusal("No.".to_owned()));
    function.simulator.script(vec![refusal]);
    let http = json!({
        "version": "2.0", "rawPath": "/", "body": body.to_string(),
        "requestContext": { "http": { "method": "POST", "path": "/" } }
    });
    let mut errors = Vec::new();
    for attempts in [json!(1), Value::Null] {
        let (response, line) = function.invoke(&http).await;
        assert_eq!(line["attempts"], attempts, "{line}");
        let body: Value =
            serde_json::from_str(response.unwrap()["body"].as_str().unwrap()).unwrap();
        let mut error = body["error"].clone();
        error.as_object_mut().unwrap().remove("requestId");
        errors.push(error);
    }
    assert_eq!((errors[0].clone(), function.calls()), (errors[1].clone(), 1));
    assert!(errors[1]["cost"]["usd"].as_f64().unwrap() > 0.0, "{}", errors[1]);
    assert_eq!((&errors[1]["type"], &errors[1]["attempts"]), (&json!("OutputRefused"), &json!(1)));
}

#[tokio::test]
async fn last_event_of_a_failed_stream_states_what_it_cost() {
    let function = Arc::new(TestFunction::with(&[PRICES, ("RESPONSE_STREAMING", "url")]).await);
    function.simulator.script(vec![Step::text("none")]);
    let body = with(with(request("Hi"), "output", json!("number")), "stream", json!(true));
    let event = url_event(&body);
    let (started, handled) = function.start(&event, Duration::from_secs(20)).await;
    let StartedResponse::Events { mut body, .. } = started else { panic!("expected a stream") };
    let mut last = Vec::new();
    while let Some(Ok(event)) = body.next().await {
        last = event.to_vec();
    }
    let last = String::from_utf8(last).unwrap();
    let error: Value = serde_json::from_str(last.rsplit_once("data: ").unwrap().1).unwrap();
    let line = log_line(&handled.await.unwrap());
    assert_eq!((&error["cost"], &error["attempts"]), (&line["cost"], &json!(1)), "{last}");
    assert_eq!((&error["problems"], &line["errors"]), (&json!([]), &json!(1)));
    assert_close(&error["cost"]["usd"], cost_of(&error["usage"]));
}

#[tokio::test]
async fn combined_error_of_records_states_what_each_of_them_cost() {
    let number = with(with(request("Hi"), "output", json!("number")), "return", json!("full"));
    let event = |count: usize| {
        let record = |index: usize| {
            json!({ "EventSource": "aws:sns", "EventVersion": "1.0", "Sns": {
                "MessageId": format!("m-{index}"), "Message": number.to_string(),
                "TopicArn": "arn:aws:sns:eu-west-1:123456789012:in"
            }})
        };
        json!({ "Records": (0..count).map(record).collect::<Vec<_>>() })
    };
    for count in [1, 2] {
        let function = function().await;
        function.simulator.script(vec![Step::text("none").times(2)]);
        let (outcome, line) = function.invoke(&event(count)).await;
        let error = outcome.unwrap_err();
        let message = error.message_with_details();
        let details: Value = serde_json::from_str(message.rsplit_once('\n').unwrap().1).unwrap();
        let records = match count {
            1 => vec![details],
            _ => details["records"].as_array().unwrap().clone(),
        };
        let costs = records.iter().map(|record| record["cost"]["usd"].as_f64().unwrap());
        assert_close(&line["costUsd"], costs.sum());
        let ids: Vec<Option<&str>> = records.iter().map(|record| record["id"].as_str()).collect();
        assert_eq!(ids, if count == 1 { vec![None] } else { vec![Some("m-0"), Some("m-1")] });
    }
}
