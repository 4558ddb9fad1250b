//! Tests for `idempotencyKey`, which makes repeated and concurrent calls run the request only once.

use std::sync::Arc;
use std::time::Duration;

use llm_exe::ErrorKind;
use llm_exe_simulator::Step;
use serde_json::{Value, json};

use super::fixture::{PREFIX, TestFunction, WriteBehavior, kind, reply, request, slow_reply, with};

fn keyed(text: &str, key: &str) -> Value {
    with(request(text), "idempotencyKey", json!(key))
}

#[tokio::test]
async fn invalid_key_is_rejected() {
    let function = TestFunction::new().await;
    for key in [json!(""), json!(5), json!(["a"]), json!("x".repeat(256))] {
        let (outcome, _) =
            function.invoke(&with(request("hi"), "idempotencyKey", key.clone())).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{key}");
        assert!(error.message().starts_with("idempotencyKey: "), "{error}");
    }
    assert_eq!(function.calls(), 0);
    let without = TestFunction::with(&[]).await;
    let error = without.invoke(&keyed("hi", "k")).await.0.unwrap_err();
    assert!(error.message().contains("RESULT_PREFIX"), "{error}");
    assert_eq!((error.kind(), without.calls()), (ErrorKind::InvalidRequest, 0));
}

#[tokio::test]
async fn repeated_call_returns_the_first_result() {
    let function = TestFunction::new().await;
    function.simulator.script(vec![reply("one"), reply("two")]);
    assert_eq!(function.invoke(&keyed("hi", "k")).await.0.unwrap(), "one");
    let (outcome, line) = function.invoke(&keyed("hi", "k")).await;
    assert_eq!(outcome.unwrap(), "one");
    assert_eq!(line["replayed"], 1);
    assert_eq!(line.get("attempts"), None);
    // A call with a different key is run separately.
    assert_eq!(function.invoke(&keyed("hi", "other")).await.0.unwrap(), "two");
    assert_eq!(function.calls(), 2);
    let names = function.store.names();
    assert!(
        names.iter().all(|name| name.starts_with("s3://stored/results/idempotency/")),
        "{names:?}"
    );
    assert_eq!(names.len(), 2);
}

#[tokio::test]
async fn full_result_of_a_repeat_is_marked_as_replayed() {
    let function = TestFunction::new().await;
    let event = with(keyed("hi", "k"), "return", json!("full"));
    let first = function.invoke(&event).await.0.unwrap();
    let again = function.invoke(&event).await.0.unwrap();
    assert_eq!((first.get("replayed"), &again["replayed"]), (None, &json!(true)));
    assert_eq!((&first["result"], &first["usage"]), (&again["result"], &again["usage"]));
}

#[tokio::test]
async fn order_of_fields_does_not_matter() {
    let function = TestFunction::new().await;
    let first = json!({"provider": "openai", "model": "m", "message": "hi", "idempotencyKey": "k"});
    let again = json!({"idempotencyKey": "k", "message": "hi", "model": "m", "provider": "openai"});
    let first = function.invoke(&first).await.0.unwrap();
    assert_eq!(function.invoke(&again).await.0.unwrap(), first);
    let (outcome, _) = function.invoke(&keyed("something else", "k")).await;
    assert_eq!(kind(&outcome), ErrorKind::IdempotencyConflict);
    assert_eq!(function.calls(), 1);
}

/// The two functions represent two processes that share only the store.
#[tokio::test]
async fn concurrent_calls_run_once() {
    let first = TestFunction::new().await;
    let second = TestFunction::with_store(&[PREFIX], Arc::clone(&first.store)).await;
    first.simulator.script(vec![slow_reply(400)]);
    second.simulator.script(vec![slow_reply(400)]);
    let event = keyed("hi", "k");
    let calls =
        [first.invoke(&event), second.invoke(&event), first.invoke(&event), second.invoke(&event)];
    let outcomes = futures_util::future::join_all(calls).await;
    let texts: Vec<Value> = outcomes.into_iter().map(|(outcome, _)| outcome.unwrap()).collect();
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    assert_eq!(first.calls() + second.calls(), 1);
}

/// Lambda may deliver an asynchronous event twice at the same time, with the same request id.
#[tokio::test]
async fn concurrent_deliveries_of_one_event_run_once() {
    let first = TestFunction::new().await;
    let second = TestFunction::with_store(&[PREFIX], Arc::clone(&first.store)).await;
    first.simulator.script(vec![slow_reply(400)]);
    second.simulator.script(vec![slow_reply(400)]);
    let (event, time) = (keyed("hi", "k"), Duration::from_secs(10));
    let (first_handled, second_handled) =
        tokio::join!(first.handle_as("a", &event, time), second.handle_as("a", &event, time));
    assert_eq!(first_handled.response().unwrap(), second_handled.response().unwrap());
    assert_eq!(first.calls() + second.calls(), 1);
}

/// The store writes the result, but its response is lost.
#[tokio::test]
async fn lost_response_of_the_last_write_is_not_a_replay() {
    let function = TestFunction::new().await;
    function.store.inject(&[WriteBehavior::Write, WriteBehavior::UnmetWritten]);
    let event = with(keyed("hi", "k"), "return", json!("full"));
    assert_eq!(function.invoke(&event).await.0.unwrap().get("replayed"), None);
    assert_eq!(function.invoke(&event).await.0.unwrap()["replayed"], true);
    assert_eq!(function.calls(), 1);
}

/// A call that waits for a killed process may time out. After the deadline of that process, the key
/// is free again.
#[tokio::test]
async fn killed_process_holds_the_key_until_its_deadline() {
    let function = TestFunction::new().await;
    function.simulator.script(vec![Step::fault(llm_exe_simulator::Fault::Hang)]);
    let event = keyed("hi", "k");
    // Dropping the future simulates that the process is killed during the call.
    let killed = function.handle(&event, Duration::from_millis(1500));
    assert!(tokio::time::timeout(Duration::from_millis(300), killed).await.is_err());
    let early = function.handle(&event, Duration::from_millis(500)).await;
    assert_eq!(kind(&early.response()), ErrorKind::Timeout);
    assert_eq!(function.calls(), 1);
    let started = std::time::Instant::now();
    assert!(function.invoke(&event).await.0.is_ok());
    assert!(started.elapsed() < Duration::from_millis(5000), "{:?}", started.elapsed());
    assert_eq!(function.calls(), 2);
}

#[tokio::test]
async fn only_retryable_errors_are_retried() {
    let function = TestFunction::new().await;
    function.simulator.script(vec![Step::status(500), reply("now"), Step::status(400)]);
    let (outcome, _) = function.invoke(&keyed("hi", "k")).await;
    assert_eq!(kind(&outcome), ErrorKind::ProviderUnavailable);
    // The key still belongs to the first request.
    let (outcome, _) = function.invoke(&keyed("something else", "k")).await;
    assert_eq!(kind(&outcome), ErrorKind::IdempotencyConflict);
    assert_eq!(function.invoke(&keyed("hi", "k")).await.0.unwrap(), "now");
    assert_eq!(function.invoke(&keyed("hi", "k")).await.0.unwrap(), "now");
    for _ in 0..2 {
        let (outcome, _) = function.invoke(&keyed("hi", "bad")).await;
        assert_eq!(kind(&outcome), ErrorKind::ProviderRejected);
    }
    assert_eq!(function.calls(), 3);
}

/// A request that is rejected before a provider is called may be corrected and sent again with the
/// same key.
#[tokio::test]
async fn invalid_request_does_not_use_its_key() {
    let function = TestFunction::new().await;
    let bad = with(keyed("hi", "k"), "output", json!("yaml"));
    assert_eq!(kind(&function.invoke(&bad).await.0), ErrorKind::InvalidRequest);
    assert!(function.invoke(&keyed("hi", "k")).await.0.is_ok());
    // A dry run stores nothing.
    let dry = with(keyed("another", "k"), "dryRun", json!(true));
    assert!(function.invoke(&dry).await.0.is_ok());
    assert_eq!((function.calls(), function.store.names().len()), (1, 1));
}

#[tokio::test]
async fn failing_store_is_reported_before_the_provider_is_called() {
    let function = TestFunction::new().await;
    function.store.inject(&[WriteBehavior::Fail]);
    let (outcome, line) = function.invoke(&keyed("hi", "k")).await;
    assert_eq!(kind(&outcome), ErrorKind::ResultUnavailable);
    assert_eq!((line["errorType"].as_str(), function.calls()), (Some("ResultUnavailable"), 0));
    // A result that was paid for is returned even if it can't be stored.
    function.store.inject(&[WriteBehavior::Write, WriteBehavior::Fail]);
    let (outcome, line) = function.invoke(&keyed("hi", "k")).await;
    assert!(outcome.is_ok());
    assert!(line["warnings"].to_string().contains("could not be stored"), "{line}");
}

/// The store writes the object of the key, but its response is lost.
#[tokio::test]
async fn lost_response_of_the_first_write_does_not_block_the_call() {
    let function = TestFunction::new().await;
    function.store.inject(&[WriteBehavior::UnmetWritten]);
    assert!(function.invoke(&keyed("hi", "k")).await.0.is_ok());
    assert_eq!(function.calls(), 1);
    function.store.inject(&[WriteBehavior::FailWritten]);
    assert_eq!(kind(&function.invoke(&keyed("hi", "l")).await.0), ErrorKind::ResultUnavailable);
    assert_eq!(function.calls(), 1);
}

#[tokio::test]
async fn different_callers_do_not_share_keys() {
    let function = TestFunction::new().await;
    let called_by = |arn: &str| {
        json!({
            "version": "2.0", "rawPath": "/",
            "requestContext": {
                "http": { "method": "POST" },
                "authorizer": { "iam": { "userArn": arn } }
            },
            "body": keyed("hi", "k").to_string()
        })
    };
    for arn in ["arn:aws:iam::123456789012:user/a", "arn:aws:iam::123456789012:user/b"] {
        for _ in 0..2 {
            assert_eq!(function.invoke(&called_by(arn)).await.0.unwrap()["statusCode"], 200);
        }
    }
    assert_eq!(function.calls(), 2);
    assert!(function.invoke(&keyed("hi", "k")).await.0.is_ok());
    assert_eq!(function.calls(), 3);
}
