//! Tests for the costs in log lines, errors, stored results and notifications.

use llm_exe_simulator::Step;
use serde_json::{Value, json};

use super::fixture::{PREFIX, QUEUE, TestFunction, request, with};

const PRICES: (&str, &str) =
    ("PRICES", r#"{"openai:gpt-4o-mini": {"input": 1000, "output": 2000}}"#);

/// Creates an event of a queue with a message for each of these requests.
fn sqs(requests: &[Value]) -> Value {
    let records = requests.iter().enumerate().map(|(index, request)| {
        json!({
            "messageId": format!("m-{index}"), "body": request.to_string(),
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:jobs"
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

/// Returns the cost of the calls in a log line by the prices in [`PRICES`].
fn expected_cost(line: &Value) -> f64 {
    let tokens = |name: &str| line[name].as_f64().unwrap();
    (tokens("inputTokens") + 2.0 * tokens("outputTokens")) / 1000.0
}

fn has_metric(line: &Value, name: &str) -> bool {
    let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
    metrics.iter().any(|metric| metric["Name"] == name)
}

fn assert_close(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap();
    assert!(expected > 0.0 && (found - expected).abs() < 1e-9, "{found} {expected}");
}

#[tokio::test]
async fn the_log_line_contains_the_cost() {
    let function = TestFunction::with(&[PRICES]).await;
    for _ in 0..2 {
        let (outcome, line) = function.invoke(&request("Hi")).await;
        assert!(outcome.unwrap().is_string());
        assert_close(&line["costUsd"], expected_cost(&line));
        assert_eq!(line["cost"]["usd"], line["costUsd"]);
        assert!(has_metric(&line, "costUsd"), "{line}");
        assert_eq!(line.get("warningCount"), None, "{line}");
    }
    let (outcome, line) = function.invoke(&with(request("Hi"), "return", json!("full"))).await;
    assert_eq!(outcome.unwrap()["cost"], line["cost"]);
    let (_, line) = function.invoke(&sqs(&[request("Hi"), request("Hello, hello")])).await;
    assert_eq!(line["attempts"], 2);
    assert_close(&line["costUsd"], expected_cost(&line));
}

#[tokio::test]
async fn an_unknown_cost_is_a_warning_only_if_the_request_asks_for_it() {
    let function = TestFunction::with(&[]).await;
    let unknown = with(request("Hi"), "model", json!("gpt-99"));
    for (event, warnings) in
        [(unknown.clone(), Value::Null), (with(unknown, "return", json!("full")), json!(1))]
    {
        let (outcome, line) = function.invoke(&event).await;
        outcome.unwrap();
        assert_eq!((&line["cost"]["usd"], &line["warningCount"]), (&Value::Null, &warnings));
        assert!(line.get("costUsd").is_none() && !has_metric(&line, "costUsd"), "{line}");
        assert_eq!(line["attempts"], 1);
    }
}

#[tokio::test]
async fn errors_after_a_call_state_what_it_cost() {
    let function = TestFunction::with(&[PRICES]).await;
    let number = with(request("Hi"), "output", json!("number"));
    function.simulator.script(vec![Step::text("none").times(3)]);
    let (outcome, line) = function.invoke(&number).await;
    let error = outcome.unwrap_err();
    let details = error.run_details().unwrap();
    assert_close(&details["cost"]["usd"], expected_cost(&line));
    assert_eq!(details["cost"], line["cost"]);
    assert_eq!((&details["provider"], &details["attempts"]), (&json!("openai"), &json!(1)));
    assert!(details["model"].as_str().unwrap().starts_with("gpt-4o-mini"), "{details:?}");
    assert_eq!(details["usage"]["inputTokens"], line["inputTokens"]);
    assert_eq!(error.message_with_details(), error.message());

    let full = with(with(number.clone(), "return", json!("full")), "colour", json!(1));
    let error = function.invoke(&full).await.0.unwrap_err();
    let message = error.message_with_details();
    let (message, details) = message.rsplit_once('\n').unwrap();
    assert_eq!(message, error.message());
    let details: Value = serde_json::from_str(details).unwrap();
    assert_eq!(details["attempts"], 1);
    assert!(details["warnings"][0].as_str().unwrap().contains("colour"), "{details}");

    let event = json!({
        "version": "2.0", "rawPath": "/", "body": number.to_string(),
        "requestContext": { "http": { "method": "POST", "path": "/" } }
    });
    let response = function.invoke(&event).await.0.unwrap();
    let body: Value = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["error"]["type"], "OutputInvalid");
    assert_eq!(body["error"]["problems"], json!([]));
    assert_eq!((&body["error"]["attempts"], body["error"].get("warnings")), (&json!(1), None));
    assert!(body["error"]["cost"]["usd"].as_f64().unwrap() > 0.0, "{body}");
}

/// Returns the only metric with the function as its dimension, with its value.
fn errors_of_function(line: &Value) -> &Value {
    let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
    assert_eq!(directives.len(), 2, "{line}");
    let expected = json!({
        "Namespace": "LlmExe", "Dimensions": [["functionName"]],
        "Metrics": [{ "Name": "errors", "Unit": "Count" }]
    });
    assert_eq!((&directives[1], &line["functionName"]), (&expected, &json!("llm-exe")));
    &line["errors"]
}

#[tokio::test]
async fn failures_are_counted_for_the_alarm() {
    let function = TestFunction::with(&[]).await;
    let http = |body: &Value| {
        json!({
            "version": "2.0", "rawPath": "/", "body": body.to_string(),
            "requestContext": { "http": { "method": "POST", "path": "/" } }
        })
    };
    let invalid = with(request("Hi"), "output", json!("nonsense"));
    let missing_record = json!({ "Records": [{ "eventSource": "aws:sqs" }] });
    let cases = [
        (request("Hi"), vec![], 0),
        (request("Hi"), vec![Step::status(500)], 1),
        (invalid.clone(), vec![], 1),
        (json!([]), vec![], 1),
        (http(&request("Hi")), vec![], 0),
        (http(&request("Hi")), vec![Step::status(500)], 1),
        (http(&request("Hi")), vec![Step::status(429)], 1),
        // The caller of an HTTP request caused it.
        (http(&invalid), vec![], 0),
        (sqs(&[request("Hi"), request("Hello")]), vec![], 0),
        (sqs(&[request("Hi"), request("Hello")]), vec![Step::status(500)], 1),
        (sqs(&[invalid.clone(), request("Hello"), invalid]), vec![], 2),
        (missing_record, vec![], 1),
    ];
    for (event, script, expected) in cases {
        function.simulator.clear();
        function.simulator.script(script);
        let (_, line) = function.invoke(&event).await;
        assert_eq!(errors_of_function(&line), &json!(expected), "{event} {line}");
    }
}

#[tokio::test]
async fn errors_before_a_call_state_no_cost() {
    let function = TestFunction::with(&[PRICES]).await;
    let event = with(with(request("Hi"), "return", json!("full")), "output", json!("nonsense"));
    let (outcome, line) = function.invoke(&event).await;
    let error = outcome.unwrap_err();
    assert!(error.run_details().is_none() && line.get("cost").is_none(), "{line}");
}

#[tokio::test]
async fn stored_results_and_notifications_of_errors_contain_the_cost() {
    let function = TestFunction::with(&[PREFIX, PRICES, ("RESULT_DESTINATION", QUEUE)]).await;
    function.simulator.script(vec![Step::text("none")]);
    let number = with(request("Hi"), "output", json!("number"));
    let (_, line) = function.invoke(&sqs(&[number])).await;
    let stored = function.store.only();
    assert_eq!((&stored["status"], &stored["cost"]), (&json!("error"), &line["cost"]));
    let (_, sent) = function.store.notifications.lock().unwrap().pop().unwrap();
    assert_eq!((&sent["status"], &sent["cost"]), (&json!("error"), &line["cost"]));
}

#[tokio::test]
async fn tags_are_logged_and_those_that_are_listed_are_dimensions() {
    let function = TestFunction::with(&[("METRIC_TAGS", "team, app,team")]).await;
    let tagged = |tags: Value| with(request("Hi"), "tags", tags);
    let dimensions = |line: &Value| line["_aws"]["CloudWatchMetrics"][0]["Dimensions"].clone();
    let (_, line) = function.invoke(&tagged(json!({ "team": "search", "user": "u-1" }))).await;
    assert_eq!(line["tags"], json!({ "team": "search", "user": "u-1" }));
    assert_eq!(line["tag_team"], "search");
    assert_eq!(dimensions(&line), json!([["source", "provider", "model"], ["tag_team"]]));
    let (_, line) = function.invoke(&request("Hi")).await;
    assert_eq!(
        (line.get("tags"), dimensions(&line)),
        (None, json!([["source", "provider", "model"]]))
    );
    let requests = ["1", "2"].map(|app| tagged(json!({ "team": "search", "app": app })));
    let (_, line) = function.invoke(&sqs(&requests)).await;
    assert_eq!(line["tags"], json!({ "team": "search" }));
    assert_eq!(dimensions(&line), json!([["source", "provider", "model"], ["tag_team"]]));
    let calls = function.simulator.journal();
    assert!(calls.iter().all(|call| !call.body.to_string().contains("search")));
}
