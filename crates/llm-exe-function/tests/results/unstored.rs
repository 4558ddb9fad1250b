//! The warning about results that are paid for and lost: of every source that does not
//! receive them, and of no other.

use std::time::Duration;

use llm_exe_function::LogLevel;
use llm_exe_simulator::Step;
use serde_json::{Value, json};

use crate::stage::{Stage, request, with};

const PREFIX: (&str, &str) = ("RESULT_PREFIX", "s3://kept/here");
const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/results";
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

/// A created object that holds a request.
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

/// An event of each source that does not receive results, with this request in it.
fn unreturned(request: &Value) -> Vec<(&'static str, Value)> {
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

/// The log line of an event as it is written at `LOG_LEVEL=warn`, if it is.
async fn warn_line(stage: &Stage, event: &Value, name: &str) -> Option<Value> {
    let answered = stage.answered(event, Duration::from_secs(20)).await;
    assert!(answered.outcome.is_ok(), "{name}: {:?}", answered.outcome);
    assert!(answered.line.failed.is_empty(), "{name}: {:?}", answered.line);
    let text = answered.line.to_json(LogLevel::Warn)?;
    Some(serde_json::from_str(&text).unwrap())
}

async fn stage_with(variables: &[(&str, &str)]) -> Stage {
    let stage = Stage::with(&[&[CONFIGS], variables].concat()).await;
    stage.memory.put("s3://prompts/hi.json", &request("hi"));
    stage
}

fn is_warned(line: &Value) {
    assert_eq!((&line["level"], &line["message"]), (&json!("WARN"), &json!("answered")), "{line}");
    assert_eq!(line["warningCount"], 1, "{line}");
    let warnings = line["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{line}");
    let text = warnings[0].as_str().unwrap();
    assert!(text.contains("neither stored nor sent"), "{text}");
    assert!(text.contains("RESULT_PREFIX") && text.contains("RESULT_DESTINATION"), "{text}");
}

#[tokio::test]
async fn each_source_that_does_not_receive_results_is_warned_of_once() {
    for (name, event) in unreturned(&request("hi")) {
        let stage = stage_with(&[]).await;
        is_warned(&warn_line(&stage, &event, name).await.unwrap_or_else(|| panic!("{name}")));
        assert!(stage.calls() > 0, "{name}");
    }
}

#[tokio::test]
async fn a_prefix_or_a_destination_is_a_place_for_results() {
    for place in [PREFIX, DESTINATION] {
        for (name, event) in unreturned(&request("hi")) {
            let stage = stage_with(&[place]).await;
            assert_eq!(warn_line(&stage, &event, name).await, None, "{name}");
            assert!(stage.calls() > 0, "{name}");
        }
    }
}

#[tokio::test]
async fn a_destination_of_each_request_is_a_place_for_results() {
    let request_with = with(request("hi"), "destination", json!(QUEUE));
    for (name, event) in unreturned(&request_with) {
        let stage = stage_with(&[OVERRIDE]).await;
        stage.memory.put("s3://prompts/hi.json", &request_with);
        assert_eq!(warn_line(&stage, &event, name).await, None, "{name}");
        assert!(!stage.memory.told.lock().unwrap().is_empty(), "{name}");
    }
    let stage = stage_with(&[OVERRIDE]).await;
    let mixed = records(&[sqs("a", "jobs", &request_with), sqs("b", "jobs", &request("hi"))]);
    is_warned(&warn_line(&stage, &mixed, "mixed").await.unwrap());
}

#[tokio::test]
async fn a_caller_that_gets_the_response_is_not_warned() {
    let stage = stage_with(&[]).await;
    let http = json!({
        "version": "2.0", "rawPath": "/", "body": request("hi").to_string(),
        "requestContext": { "http": { "method": "POST", "path": "/" } }
    });
    for event in [request("hi"), http] {
        assert_eq!(warn_line(&stage, &event, "waiting").await, None);
    }
    assert_eq!(stage.calls(), 2);
}

#[tokio::test]
async fn records_without_a_result_are_not_warned_of() {
    let stage = stage_with(&[]).await;
    let dry_run = records(&[sqs("a", "jobs", &with(request("hi"), "dryRun", json!(true)))]);
    let deleted = with(s3(), "eventName", json!("ObjectRemoved:Delete"));
    for event in [records(&[]), dry_run, records(&[deleted])] {
        assert_eq!(warn_line(&stage, &event, "no result").await, None, "{event}");
    }
    // Refused before a provider is called; the queue delivers it again.
    let refused = records(&[sqs("a", "jobs", &json!({ "provider": "openai" }))]);
    assert_eq!(stage.ask(&refused).await.1.get("warnings"), None);
    assert_eq!(stage.calls(), 0);
    // Paid for, and the reply is lost with the error.
    stage.simulator.script(vec![Step::status(400)]);
    let (_, line) = stage.ask(&records(&[sqs("a", "jobs", &request("hi"))])).await;
    assert_eq!((&line["message"], &line["warningCount"]), (&json!("failed"), &json!(1)), "{line}");
}

/// A request's own warnings may quote it, so that only the operator's is spelled out below debug.
#[tokio::test]
async fn the_warnings_of_a_request_stay_counted_only() {
    let stage = stage_with(&[]).await;
    let odd = with(request("hi"), "nonsense", json!(1));
    let event = records(&[sqs("a", "jobs", &odd)]);
    let answered = stage.answered(&event, Duration::from_secs(20)).await;
    for (level, spelled_out) in [(LogLevel::Info, 1), (LogLevel::Debug, 2)] {
        let line: Value = serde_json::from_str(&answered.line.to_json(level).unwrap()).unwrap();
        assert_eq!(line["warningCount"], 2, "{line}");
        assert_eq!(line["warnings"].as_array().unwrap().len(), spelled_out, "{line}");
    }
}
