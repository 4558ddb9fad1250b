//! Events of sources that are not served yet: refused by name, and nobody is called.

use serde_json::{Value, json};

use crate::harness::{Function, event, request};

/// The fixture and the name under which it is refused.
const SOURCES: &[(&str, &str)] = &[
    ("sqs", "aws:sqs"),
    ("sns", "aws:sns"),
    ("s3", "aws:s3"),
    ("kinesis", "aws:kinesis"),
    ("dynamodb", "aws:dynamodb"),
    ("eventbridge", "EventBridge"),
    ("rest", "REST API"),
    ("alb", "load balancer"),
];

/// The fixture with a good request wherever a body could stand.
fn loaded(name: &str) -> Value {
    let request = request();
    let text = request.to_string();
    let mut event = event(name, &json!({}));
    let body = |record: &mut Value| match name {
        "sqs" => record["body"] = json!(text),
        "sns" => record["Sns"]["Message"] = json!(text),
        _ => {}
    };
    if let Some(records) = event.get_mut("Records").and_then(Value::as_array_mut) {
        records.iter_mut().for_each(body);
    } else if name == "eventbridge" {
        event["detail"] = request;
    } else {
        event["body"] = json!(text);
    }
    event
}

#[tokio::test]
async fn other_sources_are_refused_by_name() {
    let function = Function::start().await;
    for (name, told) in SOURCES {
        let event = loaded(name);
        let (error_type, message) = function.invoke(&event).await.failure();
        assert_eq!(error_type, "InvalidRequest", "{name}");
        assert!(message.contains(told), "{name}: {message}");
        assert!(function.simulator.journal().is_empty(), "{name}");
        if let Some(records) = event.get("Records") {
            // As EventBridge Pipes hands a batch on.
            let (error_type, message) = function.invoke(records).await.failure();
            assert_eq!(error_type, "InvalidRequest", "{name}");
            assert!(message.contains(told), "{name}: {message}");
        }
    }
    let (error_type, _) = function.invoke(&json!({ "Records": [] })).await.failure();
    assert_eq!(error_type, "InvalidRequest");
    function.is_well("events of other sources").await;
    for line in function.stop().await.lines() {
        assert!(line["source"] == "unsupported" || line["source"] == "direct", "{line}");
    }
}

/// What looks like another source within `data` is the template's business.
#[tokio::test]
async fn data_may_look_like_another_source() {
    let function = Function::start().await;
    for (name, _) in SOURCES {
        let mut request = request();
        request["data"] = event(name, &json!({}));
        function.invoke(&request).await.result();
    }
    function.stop().await;
}
