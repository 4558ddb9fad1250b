//! What we wrote ourselves never starts a run: no bucket, no bus and no queue feeds itself.

use serde_json::{Value, json};

use crate::harness::{Function, event};
use crate::world::{World, batch, batch_of, failures, message, saying};

/// A notification that an object was created.
fn created(bucket: &str, key: &str) -> Value {
    let arn = format!("arn:aws:s3:::{bucket}");
    let mut event = event("s3", &json!({}));
    let s3 = &mut event["Records"][0]["s3"];
    s3["bucket"] = json!({ "name": bucket, "arn": arn });
    s3["object"] = json!({ "key": key, "size": 5, "eTag": "e", "sequencer": "1" });
    event
}

/// Runs a record, and returns the key of the object that keeps its result.
async fn written(world: &World, function: &Function, bucket: &str) -> String {
    let answer = function.invoke(&batch_of(["a"])).await.result();
    assert!(failures(&answer).is_empty());
    let objects = world.aws.objects();
    let key = objects.keys().find_map(|name| name.strip_prefix(&format!("{bucket}/")));
    key.unwrap_or_else(|| panic!("nothing in {bucket}: {:?}", objects.keys())).to_owned()
}

#[tokio::test]
async fn an_object_under_the_prefix_starts_nothing() {
    let world = World::new().await;
    let function = world.function(&[("CONFIG_BUCKETS", "kept")]).await;
    let key = written(&world, &function, "kept").await;
    world.aws.clear_calls();
    let told = created("kept", &key);
    let answer = function.invoke(&told).await.result();
    assert_eq!(answer[0]["status"], "skipped", "{answer}");
    // However it is wrapped.
    let wrapped = batch([message("m", None, &told)]);
    assert!(failures(&function.invoke(&wrapped).await.result()).is_empty());
    let bus = json!({
        "version": "0", "id": "e1", "detail-type": "Object Created", "source": "aws.s3",
        "account": "123456789012", "time": "2026-11-22T00:00:00Z", "region": "us-east-1",
        "resources": ["arn:aws:s3:::kept"],
        "detail": { "bucket": { "name": "kept" }, "object": { "key": key, "sequencer": "1" } }
    });
    assert_eq!(function.invoke(&bus).await.result(), json!({ "status": "skipped" }));
    assert_eq!((world.aws.calls().len(), world.asked().len()), (0, 1));
    let lines = function.stop().await.lines();
    assert!(lines[1..].iter().all(|line| line["skipped"] == 1), "{lines:?}");
}

/// Beside the prefix, an object of ours is known by its mark.
#[tokio::test]
async fn an_object_that_we_marked_is_never_run() {
    let world = World::new().await;
    let other = world.function(&[("RESULT_PREFIX", "s3://theirs/results")]).await;
    let key = written(&world, &other, "theirs").await;
    let name = format!("theirs/{key}");
    let mark = world.aws.objects()[&name].metadata.get("llm-exe").cloned();
    assert_eq!(mark.as_deref(), Some("result"));

    let function = world.function(&[("CONFIG_BUCKETS", "theirs")]).await;
    let answer = function.invoke(&created("theirs", &key)).await.result();
    assert_eq!(answer[0]["status"], "skipped", "{answer}");
    assert_eq!(world.asked().len(), 1);
    // As a pointer of a caller's it is forbidden.
    let (kind, message) =
        function.invoke(&json!({ "bucket": "theirs", "key": key })).await.failure();
    assert_eq!(kind, "ConfigForbidden", "{message}");
    // The same bytes of somebody else's are a config like any other: a bad one.
    let body = world.aws.objects()[&name].body.clone();
    world.aws.put("theirs", "copy.json", body);
    let (kind, message) = function.invoke(&created("theirs", "copy.json")).await.failure();
    assert_ne!(kind, "ConfigForbidden", "{message}");
    // And a good one is run.
    world.aws.put("theirs", "good.json", saying("b").to_string());
    let answer = function.invoke(&created("theirs", "good.json")).await.result();
    assert_eq!((&answer[0]["status"], world.asked().len()), (&json!("ok"), 2), "{answer}");
    other.stop().await;
    function.stop().await;
}

#[tokio::test]
async fn an_event_that_we_sent_starts_nothing() {
    let world = World::new().await;
    let bus = "arn:aws:events:us-east-1:123456789012:event-bus/results";
    let function = world.function(&[("RESULT_DESTINATION", bus)]).await;
    assert!(failures(&function.invoke(&batch_of(["a"])).await.result()).is_empty());
    let sent = world.aws.events().remove(0);
    // As a rule on that bus would deliver it, even with a request in it.
    for detail in [sent.detail, saying("b")] {
        let event = json!({
            "version": "0", "id": sent.id, "detail-type": sent.detail_type, "source": sent.source,
            "account": "123456789012", "time": "2026-11-22T00:00:00Z", "region": "us-east-1",
            "resources": [], "detail": detail
        });
        assert_eq!(function.invoke(&event).await.result(), json!({ "status": "skipped" }));
        let wrapped = batch([message("m", None, &event)]);
        assert!(failures(&function.invoke(&wrapped).await.result()).is_empty());
    }
    assert_eq!((world.asked().len(), world.aws.events().len()), (1, 1));
    function.stop().await;
}

/// A queue that is told of the results of its own messages would be told for ever.
#[tokio::test]
async fn the_queue_that_a_message_came_from_is_never_told() {
    let world = World::new().await;
    let own = "https://sqs.us-east-1.amazonaws.com/123456789012/jobs";
    let function = world.function(&[("RESULT_DESTINATION", own)]).await;
    assert_eq!(failures(&function.invoke(&batch_of(["a"])).await.result()), ["a"]);
    assert_eq!((world.asked().len(), world.aws.messages().len()), (0, 0));
    let lines = function.stop().await.lines();
    assert_eq!(lines[0]["errorType"], "ConfigForbidden", "{}", lines[0]);
}
