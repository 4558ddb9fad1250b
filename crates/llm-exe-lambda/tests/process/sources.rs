//! Invokes the function with event fixtures that contain a valid request. The function responds to
//! each supported source in its format and rejects events from other sources.

use serde_json::{Value, json};

use crate::backend::Backend;
use crate::harness::{REPLY, Response, event, request};

/// The name of each fixture and the name of its source in the log.
const SUPPORTED: &[(&str, &str)] = &[
    ("sqs", "sqs"),
    ("sns", "sns"),
    ("s3", "s3"),
    ("eventbridge", "eventbridge"),
    ("function-url", "http"),
    ("http-api", "http"),
    ("rest", "rest"),
    ("alb", "alb"),
];

/// The name of each fixture and the name of its source in the error message.
const UNSUPPORTED: &[(&str, &str)] = &[("kinesis", "aws:kinesis"), ("dynamodb", "aws:dynamodb")];

/// The key of the object in the S3 notification.
const KEY: &str = "hello.json";

/// Returns the fixture with a valid request as the body of the event or of each record.
fn with_request(name: &str) -> Value {
    let request = request();
    let text = request.to_string();
    let mut event = event(name, &json!({}));
    let body = |record: &mut Value| match name {
        "sqs" => record["body"] = json!(text),
        "sns" => record["Sns"]["Message"] = json!(text),
        "s3" => {
            record["s3"]["bucket"]["name"] = json!("prompts");
            record["s3"]["object"]["key"] = json!(KEY);
        }
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

/// Checks that the response to a fixture has the format of its event source.
fn check_response(name: &str, response: Response) {
    match name {
        "sqs" => assert_eq!(response.result(), json!({ "batchItemFailures": [] })),
        "sns" | "s3" => {
            let response = response.result();
            assert_eq!(response.as_array().map(Vec::len), Some(1), "{response}");
            let item = &response[0];
            assert_eq!((&item["status"], &item["result"]), (&json!("ok"), &json!(REPLY)), "{item}");
        }
        "eventbridge" => assert_eq!(response.result(), json!(REPLY)),
        _ => {
            let (status, _, body) = response.http();
            assert_eq!((status, body.as_str()), (200, REPLY), "{name}");
        }
    }
}

#[tokio::test]
async fn every_source_gets_its_response() {
    let backend = Backend::new().await;
    backend.aws.put("prompts", KEY, request().to_string());
    let function = backend.function(&[]).await;
    for (index, (name, _)) in SUPPORTED.iter().enumerate() {
        check_response(name, function.invoke(&with_request(name)).await);
        assert_eq!(backend.prompts().len(), index + 1, "{name}");
    }
    // EventBridge Pipes delivers the same batch as an array. Its results are already stored, so
    // nothing is run.
    let response = function.invoke(&with_request("sqs")["Records"]).await.result();
    assert_eq!(response, json!({ "batchItemFailures": [] }));
    assert_eq!(backend.prompts().len(), SUPPORTED.len());
    let lines = function.stop().await.lines();
    for ((name, source), line) in SUPPORTED.iter().zip(&lines) {
        assert_eq!(line["source"], json!(source), "{name}");
    }
    assert_eq!(lines[SUPPORTED.len()]["source"], json!("pipes"));
}

#[tokio::test]
async fn unsupported_sources_are_rejected_by_name() {
    let backend = Backend::new().await;
    let function = backend.function(&[]).await;
    for (name, source) in UNSUPPORTED {
        let event = with_request(name);
        for event in [&event, &event["Records"]] {
            let (error_type, message) = function.invoke(event).await.failure();
            assert_eq!(error_type, "InvalidRequest", "{name}");
            assert!(message.contains(source), "{name}: {message}");
        }
    }
    // An array of requests is not an event from EventBridge Pipes.
    let (error_type, _) = function.invoke(&json!([request()])).await.failure();
    assert_eq!(error_type, "InvalidRequest");
    assert!(backend.prompts().is_empty());
    function.assert_works("events of other sources").await;
    for line in &function.stop().await.lines()[..5] {
        assert_eq!(line["source"], json!("unsupported"), "{line}");
    }
}

#[tokio::test]
async fn empty_batch_has_no_failures() {
    let backend = Backend::new().await;
    let function = backend.function(&[]).await;
    let response = function.invoke(&json!({ "Records": [] })).await.result();
    assert_eq!(response, json!({ "batchItemFailures": [] }));
    assert!(backend.prompts().is_empty());
    function.stop().await;
}

#[tokio::test]
async fn events_in_data_are_not_interpreted() {
    let backend = Backend::new().await;
    let function = backend.function(&[]).await;
    for (name, _) in SUPPORTED.iter().chain(UNSUPPORTED) {
        let mut request = request();
        request["data"] = event(name, &json!({}));
        assert_eq!(function.invoke(&request).await.result(), json!(REPLY), "{name}");
    }
    function.stop().await;
}
