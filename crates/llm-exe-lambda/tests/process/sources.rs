//! Events of sources that are not served: refused by name, and nobody is called.

use serde_json::json;

use crate::harness::{Function, event, request};

/// The fixture and the name under which it is refused.
const REFUSED: &[(&str, &str)] = &[("kinesis", "aws:kinesis"), ("dynamodb", "aws:dynamodb")];

const SERVED: &[&str] = &["sqs", "sns", "s3", "eventbridge", "rest", "alb"];

#[tokio::test]
async fn other_sources_are_refused_by_name() {
    let function = Function::start().await;
    for (name, told) in REFUSED {
        let event = event(name, &json!({}));
        let (error_type, message) = function.invoke(&event).await.failure();
        assert_eq!(error_type, "InvalidRequest", "{name}");
        assert!(message.contains(told), "{name}: {message}");
        assert!(function.simulator.journal().is_empty(), "{name}");
        // As EventBridge Pipes hands a batch on.
        let (error_type, message) = function.invoke(&event["Records"]).await.failure();
        assert_eq!(error_type, "InvalidRequest", "{name}");
        assert!(message.contains(told), "{name}: {message}");
    }
    let (error_type, _) = function.invoke(&json!([])).await.failure();
    assert_eq!(error_type, "InvalidRequest");
    function.is_well("events of other sources").await;
    for line in function.stop().await.lines() {
        assert!(line["source"] == "unsupported" || line["source"] == "direct", "{line}");
    }
}

#[tokio::test]
async fn an_empty_batch_has_no_failures() {
    let function = Function::start().await;
    let answer = function.invoke(&json!({ "Records": [] })).await.result();
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    function.stop().await;
}

/// What looks like another source within `data` is the template's business.
#[tokio::test]
async fn data_may_look_like_another_source() {
    let function = Function::start().await;
    for name in SERVED.iter().chain(REFUSED.iter().map(|(name, _)| name)) {
        let mut request = request();
        request["data"] = event(name, &json!({}));
        function.invoke(&request).await.result();
    }
    function.stop().await;
}
