//! Tests that objects and notifications that the function wrote are not run as requests, because
//! that would cause endless loops.

use serde_json::{Value, json};

use crate::backend::{Backend, batch, batch_with, failures, message, request_for};
use crate::harness::{Function, event};

/// Returns an S3 notification for a newly created object.
fn created(bucket: &str, key: &str) -> Value {
    let arn = format!("arn:aws:s3:::{bucket}");
    let mut event = event("s3", &json!({}));
    let s3 = &mut event["Records"][0]["s3"];
    s3["bucket"] = json!({ "name": bucket, "arn": arn });
    s3["object"] = json!({ "key": key, "size": 5, "eTag": "e", "sequencer": "1" });
    event
}

/// Runs a record and returns the key of the object with its result.
async fn store_result(backend: &Backend, function: &Function, bucket: &str) -> String {
    let response = function.invoke(&batch_with(["a"])).await.result();
    assert!(failures(&response).is_empty());
    let objects = backend.aws.objects();
    let key = objects.keys().find_map(|name| name.strip_prefix(&format!("{bucket}/")));
    key.unwrap_or_else(|| panic!("no object in {bucket}: {:?}", objects.keys())).to_owned()
}

#[tokio::test]
async fn object_below_the_result_prefix_is_skipped() {
    let backend = Backend::new().await;
    let function = backend.function(&[("CONFIG_BUCKETS", "stored")]).await;
    let key = store_result(&backend, &function, "stored").await;
    backend.aws.clear_calls();
    let notification = created("stored", &key);
    let response = function.invoke(&notification).await.result();
    assert_eq!(response[0]["status"], "skipped", "{response}");
    // The notification is also recognized inside other events.
    let nested = batch([message("m", None, &notification)]);
    assert!(failures(&function.invoke(&nested).await.result()).is_empty());
    let bus = json!({
        "version": "0", "id": "e1", "detail-type": "Object Created", "source": "aws.s3",
        "account": "123456789012", "time": "2026-11-22T00:00:00Z", "region": "us-east-1",
        "resources": ["arn:aws:s3:::stored"],
        "detail": { "bucket": { "name": "stored" }, "object": { "key": key, "sequencer": "1" } }
    });
    assert_eq!(function.invoke(&bus).await.result(), json!({ "status": "skipped" }));
    assert_eq!((backend.aws.calls().len(), backend.prompts().len()), (0, 1));
    let lines = function.stop().await.lines();
    assert!(lines[1..].iter().all(|line| line["skipped"] == 1), "{lines:?}");
}

/// Results outside of the result prefix are recognized by their metadata.
#[tokio::test]
async fn object_with_result_metadata_is_skipped() {
    let backend = Backend::new().await;
    let other_function = backend.function(&[("RESULT_PREFIX", "s3://theirs/results")]).await;
    let key = store_result(&backend, &other_function, "theirs").await;
    let name = format!("theirs/{key}");
    let metadata = backend.aws.objects()[&name].metadata.get("llm-exe").cloned();
    assert_eq!(metadata.as_deref(), Some("result"));

    let function = backend.function(&[("CONFIG_BUCKETS", "theirs")]).await;
    let response = function.invoke(&created("theirs", &key)).await.result();
    assert_eq!(response[0]["status"], "skipped", "{response}");
    assert_eq!(backend.prompts().len(), 1);
    // A stored result can't be used as a config.
    let (kind, message) =
        function.invoke(&json!({ "bucket": "theirs", "key": key })).await.failure();
    assert_eq!(kind, "ConfigForbidden", "{message}");
    // A copy without the metadata is treated as a config, but it is not a valid one.
    let body = backend.aws.objects()[&name].body.clone();
    backend.aws.put("theirs", "copy.json", body);
    let (kind, message) = function.invoke(&created("theirs", "copy.json")).await.failure();
    assert_ne!(kind, "ConfigForbidden", "{message}");
    // A valid config is run.
    backend.aws.put("theirs", "good.json", request_for("b").to_string());
    let response = function.invoke(&created("theirs", "good.json")).await.result();
    assert_eq!((&response[0]["status"], backend.prompts().len()), (&json!("ok"), 2), "{response}");
    other_function.stop().await;
    function.stop().await;
}

#[tokio::test]
async fn own_event_is_skipped() {
    let backend = Backend::new().await;
    let bus = "arn:aws:events:us-east-1:123456789012:event-bus/results";
    let function = backend.function(&[("RESULT_DESTINATION", bus)]).await;
    assert!(failures(&function.invoke(&batch_with(["a"])).await.result()).is_empty());
    let sent = backend.aws.events().remove(0);
    // A rule on the event bus would deliver the event in this format. It is skipped even if its
    // detail is a request.
    for detail in [sent.detail, request_for("b")] {
        let event = json!({
            "version": "0", "id": sent.id, "detail-type": sent.detail_type, "source": sent.source,
            "account": "123456789012", "time": "2026-11-22T00:00:00Z", "region": "us-east-1",
            "resources": [], "detail": detail
        });
        assert_eq!(function.invoke(&event).await.result(), json!({ "status": "skipped" }));
        let nested = batch([message("m", None, &event)]);
        assert!(failures(&function.invoke(&nested).await.result()).is_empty());
    }
    assert_eq!((backend.prompts().len(), backend.aws.events().len()), (1, 1));
    function.stop().await;
}

/// Sending the result of a message to its own queue would cause an endless loop.
#[tokio::test]
async fn result_is_not_sent_to_the_queue_of_the_message() {
    let backend = Backend::new().await;
    let own = "https://sqs.us-east-1.amazonaws.com/123456789012/jobs";
    let function = backend.function(&[("RESULT_DESTINATION", own)]).await;
    assert_eq!(failures(&function.invoke(&batch_with(["a"])).await.result()), ["a"]);
    assert_eq!((backend.prompts().len(), backend.aws.messages().len()), (0, 0));
    let lines = function.stop().await.lines();
    assert_eq!(lines[0]["errorType"], "ConfigForbidden", "{}", lines[0]);
}
