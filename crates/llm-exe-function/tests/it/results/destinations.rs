//! Tests that results are sent to the destination that a request names.

use llm_exe::ErrorKind;
use llm_exe_simulator::Step;
use serde_json::{Value, json};

use super::fixture::{QUEUE, TestFunction, WriteBehavior, kind, reply, request, with};

const ALLOWED: (&str, &str) = (
    "RESULT_DESTINATION_OVERRIDE",
    "https://sqs.eu-west-1.amazonaws.com/123456789012/,s3://mine/a/",
);

fn request_to(destination: &str) -> Value {
    with(request("hi"), "destination", json!(destination))
}

#[tokio::test]
async fn destination_must_be_valid_and_allowed() {
    let without = TestFunction::with(&[]).await;
    assert_eq!(kind(&without.invoke(&request_to(QUEUE)).await.0), ErrorKind::ConfigForbidden);
    let function = TestFunction::with(&[ALLOWED]).await;
    for destination in [
        "https://sqs.eu-west-1.amazonaws.com/123456789013/results",
        "https://sqs.eu-west-1.amazonaws.com.evil.example/123456789012/results",
        "arn:aws:events:eu-west-1:123456789012:event-bus/a",
        "s3://mine/b/c",
        "s3://mine/abc",
        "s3://mine2/a/b",
    ] {
        let error = function.invoke(&request_to(destination)).await.0.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigForbidden, "{destination}");
        assert!(error.message().contains("RESULT_DESTINATION_OVERRIDE"), "{error}");
    }
    for destination in ["", "queue", "http://a/b", "s3://mine/a/../b", "s3://Mine/a"] {
        let error = function.invoke(&request_to(destination)).await.0.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{destination}");
        assert!(error.message().contains("destination: "), "{error}");
    }
    assert_eq!((without.calls(), function.calls()), (0, 0));
}

#[tokio::test]
async fn results_and_errors_are_sent_to_a_queue() {
    let function = TestFunction::with(&[ALLOWED]).await;
    function.simulator.script(vec![reply("one"), Step::status(400)]);
    assert_eq!(function.invoke(&request_to(QUEUE)).await.0.unwrap(), "one");
    assert_eq!(kind(&function.invoke(&request_to(QUEUE)).await.0), ErrorKind::ProviderRejected);
    // The result of a request without a destination is not sent.
    function.invoke(&request("hi")).await.0.unwrap();
    let notifications = function.store.notifications.lock().unwrap().clone();
    assert_eq!(notifications.len(), 2);
    let (queue, notification) = &notifications[0];
    assert_eq!(
        (queue.as_str(), &notification["status"], &notification["result"]),
        (QUEUE, &json!("ok"), &json!("one"))
    );
    assert_eq!(notification["source"], "direct");
    assert!(notification["id"].as_str().unwrap().starts_with("call-"));
    assert!(notification["usage"]["totalTokens"].as_u64().unwrap() > 0);
    assert_eq!(notifications[1].1["error"]["type"], "ProviderRejected");
    assert_eq!(notifications[1].1["error"]["retryable"], false);
}

#[tokio::test]
async fn result_is_written_below_an_s3_destination() {
    let function = TestFunction::with(&[ALLOWED]).await;
    function.simulator.script(vec![reply("one")]);
    function.invoke(&request_to("s3://mine/a/b")).await.0.unwrap();
    let names = function.store.names();
    assert!(names[0].starts_with("s3://mine/a/b/") && names[0].ends_with(".json"), "{names:?}");
    assert_eq!(function.store.only()["result"], "one");
}

#[tokio::test]
async fn failure_to_send_fails_the_call() {
    let function = TestFunction::with(&[ALLOWED]).await;
    *function.store.sending_fails.lock().unwrap() = true;
    function.simulator.script(vec![reply("one"), Step::status(400)]);
    assert_eq!(kind(&function.invoke(&request_to(QUEUE)).await.0), ErrorKind::ResultUnavailable);
    // The error of the request takes precedence over the failure to send it.
    assert_eq!(kind(&function.invoke(&request_to(QUEUE)).await.0), ErrorKind::ProviderRejected);
}

#[tokio::test]
async fn large_result_is_stored_and_its_url_is_sent() {
    let long = "x".repeat(300 * 1024);
    let without = TestFunction::with(&[ALLOWED]).await;
    without.simulator.script(vec![reply(&long)]);
    assert_eq!(kind(&without.invoke(&request_to(QUEUE)).await.0), ErrorKind::ResultTooLarge);
    let function = TestFunction::with(&[ALLOWED, ("RESULT_PREFIX", "s3://stored/results")]).await;
    function.simulator.script(vec![reply(&long)]);
    assert!(function.invoke(&request_to(QUEUE)).await.0.is_ok());
    let notifications = function.store.notifications.lock().unwrap()[0].1.clone();
    assert_eq!(notifications.get("result"), None);
    let url = notifications["resultUrl"].as_str().unwrap();
    assert_eq!(function.store.names(), [url]);
    assert_eq!(function.store.only(), json!(long));
}

#[tokio::test]
async fn destination_below_the_result_prefix_is_rejected() {
    let function = TestFunction::with(&[
        ("RESULT_PREFIX", "s3://mine/a/own"),
        ("RESULT_DESTINATION_OVERRIDE", "s3://mine/"),
    ])
    .await;
    for destination in ["s3://mine/a/own", "s3://mine/a/own/records"] {
        let outcome = function.invoke(&request_to(destination)).await.0;
        assert_eq!(kind(&outcome), ErrorKind::ConfigForbidden, "{destination}");
    }
    assert_eq!(function.calls(), 0);
    assert!(function.invoke(&request_to("s3://mine/a/other")).await.0.is_ok());
}

#[tokio::test]
async fn dry_run_sends_nothing() {
    let function = TestFunction::with(&[ALLOWED]).await;
    assert!(function.invoke(&with(request_to(QUEUE), "dryRun", json!(true))).await.0.is_ok());
    assert!(function.store.notifications.lock().unwrap().is_empty());
}

#[tokio::test]
async fn large_result_of_a_call_with_a_key_is_sent_as_url() {
    let function = TestFunction::with(&[ALLOWED, ("RESULT_PREFIX", "s3://stored/results")]).await;
    let long = "x".repeat(300 * 1024);
    function.simulator.script(vec![reply(&long)]);
    function.store.inject(&[WriteBehavior::Write, WriteBehavior::Fail]);
    let event = with(request_to(QUEUE), "idempotencyKey", json!("k"));
    assert_eq!(function.invoke(&event).await.0.unwrap(), long.as_str());
    let notifications = function.store.notifications.lock().unwrap()[0].1.clone();
    let url = notifications["resultUrl"].as_str().unwrap();
    let body = function.store.objects.lock().unwrap()[url].0.clone();
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), json!(long));
}

/// A repeated call sends the notification again, because the first notification may have been lost.
#[tokio::test]
async fn repeated_call_sends_the_same_notification_again() {
    let function = TestFunction::with(&[ALLOWED, ("RESULT_PREFIX", "s3://stored/results")]).await;
    let event = with(request_to(QUEUE), "idempotencyKey", json!("k"));
    for _ in 0..2 {
        function.invoke(&event).await.0.unwrap();
    }
    assert_eq!(function.calls(), 1);
    let notifications = function.store.notifications.lock().unwrap().clone();
    assert_eq!(notifications.len(), 2);
    assert_eq!(notifications[0].1["notificationId"], notifications[1].1["notificationId"]);
}
