//! Who is told of a result, and who may be.

use llm_exe::ErrorKind;
use llm_exe_simulator::Step;
use serde_json::{Value, json};

use crate::stage::{Deed, Stage, kind, request, says, with};

const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/results";
const ALLOWED: (&str, &str) = (
    "RESULT_DESTINATION_OVERRIDE",
    "https://sqs.eu-west-1.amazonaws.com/123456789012/,s3://mine/a/",
);

fn to(destination: &str) -> Value {
    with(request("hi"), "destination", json!(destination))
}

#[tokio::test]
async fn nobody_is_told_whom_the_operator_does_not_allow() {
    let none = Stage::with(&[]).await;
    assert_eq!(kind(&none.ask(&to(QUEUE)).await.0), ErrorKind::ConfigForbidden);
    let some = Stage::with(&[ALLOWED]).await;
    for destination in [
        "https://sqs.eu-west-1.amazonaws.com/123456789013/results",
        "https://sqs.eu-west-1.amazonaws.com.evil.example/123456789012/results",
        "arn:aws:events:eu-west-1:123456789012:event-bus/a",
        "s3://mine/b/c",
        "s3://mine/abc",
        "s3://mine2/a/b",
    ] {
        let error = some.ask(&to(destination)).await.0.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigForbidden, "{destination}");
        assert!(error.message().contains("RESULT_DESTINATION_OVERRIDE"), "{error}");
    }
    for destination in ["", "queue", "http://a/b", "s3://mine/a/../b", "s3://Mine/a"] {
        let error = some.ask(&to(destination)).await.0.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{destination}");
        assert!(error.message().contains("destination: "), "{error}");
    }
    assert_eq!((none.calls(), some.calls()), (0, 0));
}

#[tokio::test]
async fn a_caller_that_names_a_queue_has_it_told() {
    let stage = Stage::with(&[ALLOWED]).await;
    stage.simulator.script(vec![says("one"), Step::status(400)]);
    assert_eq!(stage.ask(&to(QUEUE)).await.0.unwrap(), "one");
    assert_eq!(kind(&stage.ask(&to(QUEUE)).await.0), ErrorKind::ProviderRejected);
    // Nobody asked for it to be told.
    stage.ask(&request("hi")).await.0.unwrap();
    let told = stage.memory.told.lock().unwrap().clone();
    assert_eq!(told.len(), 2);
    let (queue, note) = &told[0];
    assert_eq!(
        (queue.as_str(), &note["status"], &note["result"]),
        (QUEUE, &json!("ok"), &json!("one"))
    );
    assert_eq!(note["source"], "direct");
    assert!(note["id"].as_str().unwrap().starts_with("call-"));
    assert!(note["usage"]["totalTokens"].as_u64().unwrap() > 0);
    assert_eq!(told[1].1["error"]["type"], "ProviderRejected");
    assert_eq!(told[1].1["error"]["retryable"], false);
}

#[tokio::test]
async fn objects_of_the_callers_own_are_written() {
    let stage = Stage::with(&[ALLOWED]).await;
    stage.simulator.script(vec![says("one")]);
    stage.ask(&to("s3://mine/a/b")).await.0.unwrap();
    let names = stage.memory.names();
    assert!(names[0].starts_with("s3://mine/a/b/") && names[0].ends_with(".json"), "{names:?}");
    assert_eq!(stage.memory.only()["result"], "one");
}

#[tokio::test]
async fn a_destination_that_can_not_be_told_fails_the_call() {
    let stage = Stage::with(&[ALLOWED]).await;
    *stage.memory.refuses_to_tell.lock().unwrap() = true;
    stage.simulator.script(vec![says("one"), Step::status(400)]);
    assert_eq!(kind(&stage.ask(&to(QUEUE)).await.0), ErrorKind::ResultUnavailable);
    // A failure before stays what it is.
    assert_eq!(kind(&stage.ask(&to(QUEUE)).await.0), ErrorKind::ProviderRejected);
}

#[tokio::test]
async fn what_is_too_long_to_be_told_is_put_aside() {
    let long = "x".repeat(300 * 1024);
    let without = Stage::with(&[ALLOWED]).await;
    without.simulator.script(vec![says(&long)]);
    assert_eq!(kind(&without.ask(&to(QUEUE)).await.0), ErrorKind::ResultTooLarge);
    let stage = Stage::with(&[ALLOWED, ("RESULT_PREFIX", "s3://kept/here")]).await;
    stage.simulator.script(vec![says(&long)]);
    assert!(stage.ask(&to(QUEUE)).await.0.is_ok());
    let told = stage.memory.told.lock().unwrap()[0].1.clone();
    assert_eq!(told.get("result"), None);
    let url = told["resultUrl"].as_str().unwrap();
    assert_eq!(stage.memory.names(), [url]);
    assert_eq!(stage.memory.only(), json!(long));
}

#[tokio::test]
async fn what_is_under_the_result_prefix_is_nobodys_destination() {
    let stage = Stage::with(&[
        ("RESULT_PREFIX", "s3://mine/a/own"),
        ("RESULT_DESTINATION_OVERRIDE", "s3://mine/"),
    ])
    .await;
    for destination in ["s3://mine/a/own", "s3://mine/a/own/records"] {
        let outcome = stage.ask(&to(destination)).await.0;
        assert_eq!(kind(&outcome), ErrorKind::ConfigForbidden, "{destination}");
    }
    assert_eq!(stage.calls(), 0);
    assert!(stage.ask(&to("s3://mine/a/others")).await.0.is_ok());
}

/// Nobody was asked, so there is nothing to tell.
#[tokio::test]
async fn a_dry_run_is_told_to_nobody() {
    let stage = Stage::with(&[ALLOWED]).await;
    assert!(stage.ask(&with(to(QUEUE), "dryRun", json!(true))).await.0.is_ok());
    assert!(stage.memory.told.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_keyed_result_is_told_where_it_is() {
    let stage = Stage::with(&[ALLOWED, ("RESULT_PREFIX", "s3://kept/here")]).await;
    let long = "x".repeat(300 * 1024);
    stage.simulator.script(vec![says(&long)]);
    stage.memory.will(&[Deed::Write, Deed::Fail]);
    let event = with(to(QUEUE), "idempotencyKey", json!("k"));
    assert_eq!(stage.ask(&event).await.0.unwrap(), long.as_str());
    let told = stage.memory.told.lock().unwrap()[0].1.clone();
    let url = told["resultUrl"].as_str().unwrap();
    let body = stage.memory.objects.lock().unwrap()[url].0.clone();
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), json!(long));
}

/// Told again, for the first time may have been the one that was lost.
#[tokio::test]
async fn a_repeated_call_is_told_again_and_by_the_same_name() {
    let stage = Stage::with(&[ALLOWED, ("RESULT_PREFIX", "s3://kept/here")]).await;
    let event = with(to(QUEUE), "idempotencyKey", json!("k"));
    for _ in 0..2 {
        stage.ask(&event).await.0.unwrap();
    }
    assert_eq!(stage.calls(), 1);
    let told = stage.memory.told.lock().unwrap().clone();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].1["noteId"], told[1].1["noteId"]);
}
