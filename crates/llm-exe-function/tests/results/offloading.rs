//! Answers that are too large for who asked.

use std::time::Duration;

use llm_exe::ErrorKind;
use serde_json::{Value, json};

use crate::stage::{Deed, Stage, kind, request, says, with};

const PREFIX: (&str, &str) = ("RESULT_PREFIX", "s3://kept/here");
const MEBIBYTE: usize = 1024 * 1024;

fn posted(request: &Value) -> Value {
    json!({
        "version": "2.0", "rawPath": "/invoke",
        "requestContext": { "http": { "method": "POST" } },
        "body": request.to_string()
    })
}

#[tokio::test]
async fn without_a_prefix_it_is_too_large() {
    let stage = Stage::with(&[]).await;
    stage.simulator.script(vec![says(&"x".repeat(6 * MEBIBYTE)).times(2)]);
    let (outcome, line) = stage.ask(&request("hi")).await;
    assert_eq!(kind(&outcome), ErrorKind::ResultTooLarge);
    assert_eq!(line["errorType"], "ResultTooLarge");
    let answer = stage.ask(&posted(&request("hi"))).await.0.unwrap();
    assert_eq!(answer["statusCode"], 502);
    assert!(answer["body"].as_str().unwrap().contains("ResultTooLarge"));
}

#[tokio::test]
async fn with_one_its_place_is_the_answer() {
    let stage = Stage::with(&[PREFIX]).await;
    let text = "x".repeat(6 * MEBIBYTE);
    stage.simulator.script(vec![says(&text)]);
    let answer = stage.ask(&request("hi")).await.0.unwrap();
    let url = answer["resultUrl"].as_str().unwrap();
    assert!(url.starts_with("s3://kept/here/results/"), "{url}");
    assert_eq!(stage.memory.names(), [url]);
    assert_eq!(stage.memory.only(), json!(text));
}

#[tokio::test]
async fn over_http_it_is_told_as_json() {
    let stage = Stage::with(&[PREFIX, ("OFFLOAD_RESULTS_OVER", "5000")]).await;
    stage.simulator.script(vec![says(&"x".repeat(4000)), says(&"\u{1}".repeat(900)), says("ok")]);
    let answer = stage.ask(&posted(&request("short"))).await.0.unwrap();
    assert_eq!(answer["body"], "x".repeat(4000));
    // Of 900 bytes, JSON in JSON makes more than 5,000.
    let answer = stage.ask(&posted(&request("long"))).await.0.unwrap();
    assert_eq!(
        (&answer["statusCode"], &answer["headers"]["content-type"]),
        (&json!(200), &json!("application/json"))
    );
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert!(body["resultUrl"].is_string(), "{body}");
    assert_eq!(stage.memory.only(), json!("\u{1}".repeat(900)));
}

#[tokio::test]
async fn a_store_that_fails_is_named() {
    let stage = Stage::with(&[PREFIX, ("OFFLOAD_RESULTS_OVER", "5000")]).await;
    stage.simulator.script(vec![says(&"x".repeat(6000)).times(2)]);
    stage.memory.will(&[Deed::Fail]);
    assert_eq!(kind(&stage.ask(&request("hi")).await.0), ErrorKind::ResultUnavailable);
    stage.memory.will(&[Deed::Fail]);
    assert_eq!(stage.ask(&posted(&request("hi"))).await.0.unwrap()["statusCode"], 503);
}

#[tokio::test]
async fn a_keyed_answer_is_put_aside_each_time_and_asked_for_once() {
    let stage = Stage::with(&[PREFIX, ("OFFLOAD_RESULTS_OVER", "5000")]).await;
    stage.simulator.script(vec![says(&"x".repeat(6000))]);
    let event = with(request("hi"), "idempotencyKey", json!("k"));
    for _ in 0..2 {
        let answered = stage.answered(&event, Duration::from_secs(5)).await;
        assert!(answered.outcome.unwrap()["resultUrl"].is_string());
    }
    assert_eq!(stage.calls(), 1);
}
