//! Tests for the warning about lost results, which are neither stored, nor sent, nor part of the
//! response.

use std::time::Duration;

use llm_exe_function::LogLevel;
use llm_exe_simulator::Step;
use serde_json::{Value, json};

use super::fixture::{PREFIX, QUEUE, TestFunction, request, with};

const DESTINATION: (&str, &str) = ("RESULT_DESTINATION", QUEUE);
const OVERRIDE: (&str, &str) = ("RESULT_DESTINATION_OVERRIDE", QUEUE);
const CONFIGS: (&str, &str) = ("CONFIG_BUCKETS", "prompts");

fn sqs(id: &str, queue: &str, body: &Value) -> Value {
    json!({
        "messageId": id, "body": body.to_string(), "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:eu-west-1:123456789012:{queue}"),
        "attributes": { "MessageGroupId": "a" }
    })
}

fn sns(body: &Value) -> Value {
    json!({ "EventSource": "aws:sns", "EventVersion": "1.0", "Sns": {
        "Type": "Notification", "MessageId": "sns-1", "Message": body.to_string(),
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:topic"
    } })
}

/// Creates an S3 notification about a created object whose content is a request.
fn s3() -> Value {
    json!({ "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {
        "bucket": { "name": "prompts" }, "object": { "key": "hi.json", "eTag": "1" }
    } })
}

fn bus(source: &str, detail_type: &str, detail: &Value) -> Value {
    json!({ "id": "bus-1", "source": source, "detail-type": detail_type, "detail": detail })
}

fn records(records: &[Value]) -> Value {
    json!({ "Records": records })
}

/// Creates one event with this request for each source whose response does not contain results.
fn events_without_a_response(request: &Value) -> Vec<(&'static str, Value)> {
    let created = json!({ "bucket": { "name": "prompts" }, "object": { "key": "hi.json" } });
    let s3_in_sns = sns(&records(&[s3()]))["Sns"].clone();
    vec![
        ("sqs", records(&[sqs("a", "jobs", request), sqs("b", "jobs", request)])),
        ("sqs, FIFO", records(&[sqs("a", "jobs.fifo", request), sqs("b", "jobs.fifo", request)])),
        ("pipes", json!([sqs("a", "jobs", request)])),
        ("pipes, templated", json!([bus("my.app", "Prompt", request)])),
        ("sns", records(&[sns(request)])),
        ("s3", records(&[s3()])),
        ("eventbridge", bus("my.app", "Prompt", request)),
        ("eventbridge, object", bus("aws.s3", "Object Created", &created)),
        ("sns in sqs", records(&[sqs("a", "jobs", &sns(request)["Sns"])])),
        ("eventbridge in sqs", records(&[sqs("a", "jobs", &bus("my.app", "Prompt", request))])),
        ("s3 in sns", records(&[sns(&records(&[s3()]))])),
        ("s3 in sns in sqs", records(&[sqs("a", "jobs", &s3_in_sns)])),
    ]
}

/// Handles an event with `LOG_LEVEL=warn` and returns the log line, if a line is written.
async fn warn_line(function: &TestFunction, event: &Value, name: &str) -> Option<Value> {
    let handled = function.handle(event, Duration::from_secs(20)).await;
    assert!(handled.outcome.is_ok(), "{name}: {:?}", handled.outcome);
    assert!(handled.line.failed.is_empty(), "{name}: {:?}", handled.line);
    let text = handled.line.to_json(LogLevel::Warn)?;
    Some(serde_json::from_slice(&text).unwrap())
}

async fn function_with(variables: &[(&str, &str)]) -> TestFunction {
    let function = TestFunction::with(&[&[CONFIGS], variables].concat()).await;
    function.store.put("s3://prompts/hi.json", &request("hi"));
    function
}

/// Checks that a log line contains only the warning about lost results.
fn check_warning(line: &Value) {
    assert_eq!((&line["level"], &line["message"]), (&json!("WARN"), &json!("answered")), "{line}");
    assert_eq!(line["warningCount"], 1, "{line}");
    let warnings = line["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{line}");
    let text = warnings[0].as_str().unwrap();
    assert!(text.contains("neither stored nor sent"), "{text}");
    assert!(text.contains("RESULT_PREFIX") && text.contains("RESULT_DESTINATION"), "{text}");
}

#[tokio::test]
async fn each_source_that_does_not_receive_results_is_warned_about() {
    for (name, event) in events_without_a_response(&request("hi")) {
        let function = function_with(&[]).await;
        check_warning(
            &warn_line(&function, &event, name).await.unwrap_or_else(|| panic!("{name}")),
        );
        assert!(function.calls() > 0, "{name}");
    }
}

#[tokio::test]
async fn result_prefix_or_destination_prevents_the_warning() {
    for place in [PREFIX, DESTINATION] {
        for (name, event) in events_without_a_response(&request("hi")) {
            let function = function_with(&[place]).await;
            assert_eq!(warn_line(&function, &event, name).await, None, "{name}");
            assert!(function.calls() > 0, "{name}");
        }
    }
}

#[tokio::test]
async fn destination_in_each_request_prevents_the_warning() {
    let request_with = with(request("hi"), "destination", json!(QUEUE));
    for (name, event) in events_without_a_response(&request_with) {
        let function = function_with(&[OVERRIDE]).await;
        function.store.put("s3://prompts/hi.json", &request_with);
        assert_eq!(warn_line(&function, &event, name).await, None, "{name}");
        assert!(!function.store.notifications.lock().unwrap().is_empty(), "{name}");
    }
    let function = function_with(&[OVERRIDE]).await;
    let mixed = records(&[sqs("a", "jobs", &request_with), sqs("b", "jobs", &request("hi"))]);
    check_warning(&warn_line(&function, &mixed, "mixed").await.unwrap());
}

#[tokio::test]
async fn caller_that_receives_the_response_is_not_warned_about() {
    let function = function_with(&[]).await;
    let http = json!({
        "version": "2.0", "rawPath": "/", "body": request("hi").to_string(),
        "requestContext": { "http": { "method": "POST", "path": "/" } }
    });
    for event in [request("hi"), http] {
        assert_eq!(warn_line(&function, &event, "caller that waits").await, None);
    }
    assert_eq!(function.calls(), 2);
}

#[tokio::test]
async fn records_without_a_result_are_not_warned_about() {
    let function = function_with(&[]).await;
    let dry_run = records(&[sqs("a", "jobs", &with(request("hi"), "dryRun", json!(true)))]);
    let deleted = with(s3(), "eventName", json!("ObjectRemoved:Delete"));
    for event in [records(&[]), dry_run, records(&[deleted])] {
        assert_eq!(warn_line(&function, &event, "no result").await, None, "{event}");
    }
    // This request is rejected before a provider is called, so no result is lost. The queue
    // delivers the message again.
    let rejected = records(&[sqs("a", "jobs", &json!({ "provider": "openai" }))]);
    assert_eq!(function.invoke(&rejected).await.1.get("warnings"), None);
    assert_eq!(function.calls(), 0);
    // This call may have been paid for, and its outcome is lost.
    function.simulator.script(vec![Step::status(400)]);
    let (_, line) = function.invoke(&records(&[sqs("a", "jobs", &request("hi"))])).await;
    assert_eq!((&line["message"], &line["warningCount"]), (&json!("failed"), &json!(1)), "{line}");
}

/// Warnings about a request may quote the request, so they are only logged at debug level.
#[tokio::test]
async fn warnings_about_a_request_are_only_counted() {
    let function = function_with(&[]).await;
    let unknown_field = with(request("hi"), "nonsense", json!(1));
    let event = records(&[sqs("a", "jobs", &unknown_field)]);
    let handled = function.handle(&event, Duration::from_secs(20)).await;
    for (level, listed) in [(LogLevel::Info, 1), (LogLevel::Debug, 2)] {
        let line: Value = serde_json::from_slice(&handled.line.to_json(level).unwrap()).unwrap();
        assert_eq!(line["warningCount"], 2, "{line}");
        assert_eq!(line["warnings"].as_array().unwrap().len(), listed, "{line}");
    }
}

/// Returns the names of a line's metrics. Each must be a field of the line.
fn metrics(line: &Value) -> Vec<&str> {
    let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
    let names: Vec<&str> = metrics.iter().map(|metric| metric["Name"].as_str().unwrap()).collect();
    assert!(names.iter().all(|name| line[name].is_number()), "{line}");
    names
}

#[tokio::test]
async fn warnings_of_all_requests_are_a_metric() {
    let function = function_with(&[PREFIX]).await;
    let plain = request("hi");
    let unknown_fields = with(with(plain.clone(), "nonsense", json!(1)), "foo", json!(1));
    let invalid = with(unknown_fields.clone(), "model", Value::Null);
    for (event, expected) in [
        (plain.clone(), None),
        (unknown_fields.clone(), Some(2)),
        (invalid.clone(), Some(2)),
        (records(&[sqs("a", "jobs", &plain)]), None),
        (records(&[sqs("b", "jobs", &unknown_fields), sqs("c", "jobs", &invalid)]), Some(4)),
    ] {
        let handled = function.handle(&event, Duration::from_secs(20)).await;
        let text = handled.line.to_json(LogLevel::Info).unwrap();
        let line: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(line.get("warningCount"), expected.map(|count| json!(count)).as_ref(), "{line}");
        let is_metric = metrics(&line).contains(&"warningCount");
        assert_eq!(is_metric, expected.is_some(), "{line}");
    }
}
