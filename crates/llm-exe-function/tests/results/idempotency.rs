//! `idempotencyKey`: one call, however often it is asked for.

use std::sync::Arc;
use std::time::Duration;

use llm_exe::ErrorKind;
use llm_exe_simulator::Step;
use serde_json::{Value, json};

use crate::stage::{Deed, Stage, kind, request, says, slowly, with};

const PREFIX: (&str, &str) = ("RESULT_PREFIX", "s3://kept/here");

fn keyed(text: &str, key: &str) -> Value {
    with(request(text), "idempotencyKey", json!(key))
}

#[tokio::test]
async fn what_can_be_no_key_is_refused() {
    let stage = Stage::new().await;
    for key in [json!(""), json!(5), json!(["a"]), json!("x".repeat(256))] {
        let (outcome, _) = stage.ask(&with(request("hi"), "idempotencyKey", key.clone())).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{key}");
        assert!(error.message().starts_with("idempotencyKey: "), "{error}");
    }
    assert_eq!(stage.calls(), 0);
    let without = Stage::with(&[]).await;
    let error = without.ask(&keyed("hi", "k")).await.0.unwrap_err();
    assert!(error.message().contains("RESULT_PREFIX"), "{error}");
    assert_eq!((error.kind(), without.calls()), (ErrorKind::InvalidRequest, 0));
}

#[tokio::test]
async fn a_repeated_call_is_answered_by_the_first_one() {
    let stage = Stage::new().await;
    stage.simulator.script(vec![says("one"), says("two")]);
    assert_eq!(stage.ask(&keyed("hi", "k")).await.0.unwrap(), "one");
    let (outcome, line) = stage.ask(&keyed("hi", "k")).await;
    assert_eq!(outcome.unwrap(), "one");
    assert_eq!(line["replayed"], 1);
    assert_eq!(line.get("attempts"), None);
    // Another key is another call.
    assert_eq!(stage.ask(&keyed("hi", "other")).await.0.unwrap(), "two");
    assert_eq!(stage.calls(), 2);
    let names = stage.memory.names();
    assert!(names.iter().all(|name| name.starts_with("s3://kept/here/idempotency/")), "{names:?}");
    assert_eq!(names.len(), 2);
}

#[tokio::test]
async fn a_full_answer_says_that_it_is_one_from_before() {
    let stage = Stage::new().await;
    let event = with(keyed("hi", "k"), "return", json!("full"));
    let first = stage.ask(&event).await.0.unwrap();
    let again = stage.ask(&event).await.0.unwrap();
    assert_eq!((first.get("replayed"), &again["replayed"]), (None, &json!(true)));
    assert_eq!((&first["result"], &first["usage"]), (&again["result"], &again["usage"]));
}

#[tokio::test]
async fn the_order_of_fields_is_no_other_request() {
    let stage = Stage::new().await;
    let first = json!({"provider": "openai", "model": "m", "message": "hi", "idempotencyKey": "k"});
    let again = json!({"idempotencyKey": "k", "message": "hi", "model": "m", "provider": "openai"});
    let first = stage.ask(&first).await.0.unwrap();
    assert_eq!(stage.ask(&again).await.0.unwrap(), first);
    let (outcome, _) = stage.ask(&keyed("something else", "k")).await;
    assert_eq!(kind(&outcome), ErrorKind::IdempotencyConflict);
    assert_eq!(stage.calls(), 1);
}

/// Also where they are two processes that know of each other through the store alone.
#[tokio::test]
async fn two_at_once_make_one_call() {
    let first = Stage::new().await;
    let second = Stage::over(&[PREFIX], Arc::clone(&first.memory)).await;
    first.simulator.script(vec![slowly(400)]);
    second.simulator.script(vec![slowly(400)]);
    let event = keyed("hi", "k");
    let asked = [first.ask(&event), second.ask(&event), first.ask(&event), second.ask(&event)];
    let answers = futures_util::future::join_all(asked).await;
    let texts: Vec<Value> = answers.into_iter().map(|(outcome, _)| outcome.unwrap()).collect();
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    assert_eq!(first.calls() + second.calls(), 1);
}

/// Lambda may deliver an asynchronous event twice at once, under one id.
#[tokio::test]
async fn one_event_twice_at_once_makes_one_call() {
    let first = Stage::new().await;
    let second = Stage::over(&[PREFIX], Arc::clone(&first.memory)).await;
    first.simulator.script(vec![slowly(400)]);
    second.simulator.script(vec![slowly(400)]);
    let (event, time) = (keyed("hi", "k"), Duration::from_secs(10));
    let (one, other) =
        tokio::join!(first.answered_as("a", &event, time), second.answered_as("a", &event, time));
    assert_eq!(one.outcome.unwrap(), other.outcome.unwrap());
    assert_eq!(first.calls() + second.calls(), 1);
}

/// An answer that was written although that was not heard is the first one, not one from before.
#[tokio::test]
async fn a_lost_answer_of_the_last_write_is_no_replay() {
    let stage = Stage::new().await;
    stage.memory.will(&[Deed::Write, Deed::UnmetWritten]);
    let event = with(keyed("hi", "k"), "return", json!("full"));
    assert_eq!(stage.ask(&event).await.0.unwrap().get("replayed"), None);
    assert_eq!(stage.ask(&event).await.0.unwrap()["replayed"], true);
    assert_eq!(stage.calls(), 1);
}

/// Whoever waits for a holder that never answers is told so in time, and the key is free when the
/// holder's own time has passed.
#[tokio::test]
async fn a_dead_holder_blocks_no_longer_than_its_deadline() {
    let stage = Stage::new().await;
    stage.simulator.script(vec![Step::fault(llm_exe_simulator::Fault::Hang)]);
    let event = keyed("hi", "k");
    // Killed: its future is dropped in the midst of the call.
    let killed = stage.answered(&event, Duration::from_millis(1500));
    assert!(tokio::time::timeout(Duration::from_millis(300), killed).await.is_err());
    let early = stage.answered(&event, Duration::from_millis(500)).await;
    assert_eq!(kind(&early.outcome), ErrorKind::Timeout);
    assert_eq!(stage.calls(), 1);
    let started = std::time::Instant::now();
    assert!(stage.ask(&event).await.0.is_ok());
    assert!(started.elapsed() < Duration::from_millis(5000), "{:?}", started.elapsed());
    assert_eq!(stage.calls(), 2);
}

#[tokio::test]
async fn a_failure_that_may_pass_is_tried_again_and_another_is_not() {
    let stage = Stage::new().await;
    stage.simulator.script(vec![Step::status(500), says("now"), Step::status(400)]);
    let (outcome, _) = stage.ask(&keyed("hi", "k")).await;
    assert_eq!(kind(&outcome), ErrorKind::ProviderUnavailable);
    // It is still that request's key.
    let (outcome, _) = stage.ask(&keyed("something else", "k")).await;
    assert_eq!(kind(&outcome), ErrorKind::IdempotencyConflict);
    assert_eq!(stage.ask(&keyed("hi", "k")).await.0.unwrap(), "now");
    assert_eq!(stage.ask(&keyed("hi", "k")).await.0.unwrap(), "now");
    for _ in 0..2 {
        let (outcome, _) = stage.ask(&keyed("hi", "bad")).await;
        assert_eq!(kind(&outcome), ErrorKind::ProviderRejected);
    }
    assert_eq!(stage.calls(), 3);
}

/// A request that was refused before anybody was asked may be mended under its key.
#[tokio::test]
async fn a_malformed_request_does_not_use_up_its_key() {
    let stage = Stage::new().await;
    let bad = with(keyed("hi", "k"), "output", json!("yaml"));
    assert_eq!(kind(&stage.ask(&bad).await.0), ErrorKind::InvalidRequest);
    assert!(stage.ask(&keyed("hi", "k")).await.0.is_ok());
    // A dry run asks nobody, and keeps nothing.
    let dry = with(keyed("another", "k"), "dryRun", json!(true));
    assert!(stage.ask(&dry).await.0.is_ok());
    assert_eq!((stage.calls(), stage.memory.names().len()), (1, 1));
}

#[tokio::test]
async fn a_store_that_fails_is_named_before_anything_is_paid() {
    let stage = Stage::new().await;
    stage.memory.will(&[Deed::Fail]);
    let (outcome, line) = stage.ask(&keyed("hi", "k")).await;
    assert_eq!(kind(&outcome), ErrorKind::ResultUnavailable);
    assert_eq!((line["errorType"].as_str(), stage.calls()), (Some("ResultUnavailable"), 0));
    // What was paid for is given, kept or not.
    stage.memory.will(&[Deed::Write, Deed::Fail]);
    let (outcome, line) = stage.ask(&keyed("hi", "k")).await;
    assert!(outcome.is_ok());
    assert!(line["warnings"].to_string().contains("is not kept"), "{line}");
}

/// A try that was written although its answer was lost is known as one's own.
#[tokio::test]
async fn a_lost_answer_of_the_store_is_no_other_holder() {
    let stage = Stage::new().await;
    stage.memory.will(&[Deed::UnmetWritten]);
    assert!(stage.ask(&keyed("hi", "k")).await.0.is_ok());
    assert_eq!(stage.calls(), 1);
    stage.memory.will(&[Deed::FailWritten]);
    assert_eq!(kind(&stage.ask(&keyed("hi", "l")).await.0), ErrorKind::ResultUnavailable);
    assert_eq!(stage.calls(), 1);
}

#[tokio::test]
async fn callers_of_an_endpoint_do_not_share_keys() {
    let stage = Stage::new().await;
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
            assert_eq!(stage.ask(&called_by(arn)).await.0.unwrap()["statusCode"], 200);
        }
    }
    assert_eq!(stage.calls(), 2);
    assert!(stage.ask(&keyed("hi", "k")).await.0.is_ok());
    assert_eq!(stage.calls(), 3);
}
