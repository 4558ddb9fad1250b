//! Tests for responses that are too large for their event source.

use std::time::Duration;

use llm_exe::ErrorKind;
use serde_json::{Value, json};

use super::fixture::{PREFIX, TestFunction, WriteBehavior, kind, reply, request, with};

const MEBIBYTE: usize = 1024 * 1024;

fn post_event(request: &Value) -> Value {
    json!({
        "version": "2.0", "rawPath": "/invoke",
        "requestContext": { "http": { "method": "POST" } },
        "body": request.to_string()
    })
}

#[tokio::test]
async fn large_response_without_a_prefix_is_an_error() {
    let function = TestFunction::with(&[]).await;
    function.simulator.script(vec![reply(&"x".repeat(6 * MEBIBYTE)).times(2)]);
    let (outcome, line) = function.invoke(&request("hi")).await;
    assert_eq!(kind(&outcome), ErrorKind::ResultTooLarge);
    assert_eq!(line["errorType"], "ResultTooLarge");
    let response = function.invoke(&post_event(&request("hi"))).await.0.unwrap();
    assert_eq!(response["statusCode"], 502);
    assert!(response["body"].as_str().unwrap().contains("ResultTooLarge"));
}

#[tokio::test]
async fn large_response_is_replaced_by_a_url() {
    let function = TestFunction::with(&[PREFIX]).await;
    let text = "x".repeat(6 * MEBIBYTE);
    function.simulator.script(vec![reply(&text)]);
    let response = function.invoke(&request("hi")).await.0.unwrap();
    let url = response["resultUrl"].as_str().unwrap();
    assert!(url.starts_with("s3://stored/results/results/"), "{url}");
    assert_eq!(function.store.names(), [url]);
    assert_eq!(function.store.only(), json!(text));
}

#[tokio::test]
async fn url_is_returned_over_http_as_json() {
    let function = TestFunction::with(&[PREFIX, ("OFFLOAD_RESULTS_OVER", "5000")]).await;
    function.simulator.script(vec![
        reply(&"x".repeat(4000)),
        reply(&"\u{1}".repeat(900)),
        reply("ok"),
    ]);
    let response = function.invoke(&post_event(&request("short"))).await.0.unwrap();
    assert_eq!(response["body"], "x".repeat(4000));
    // Each of the 900 control characters is escaped as six bytes, so the response is larger than
    // the limit of 5,000 bytes.
    let response = function.invoke(&post_event(&request("long"))).await.0.unwrap();
    assert_eq!(
        (&response["statusCode"], &response["headers"]["content-type"]),
        (&json!(200), &json!("application/json"))
    );
    let body: Value = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
    assert!(body["resultUrl"].is_string(), "{body}");
    assert_eq!(function.store.only(), json!("\u{1}".repeat(900)));
}

#[tokio::test]
async fn failing_store_is_reported() {
    let function = TestFunction::with(&[PREFIX, ("OFFLOAD_RESULTS_OVER", "5000")]).await;
    function.simulator.script(vec![reply(&"x".repeat(6000)).times(2)]);
    function.store.inject(&[WriteBehavior::Fail]);
    assert_eq!(kind(&function.invoke(&request("hi")).await.0), ErrorKind::ResultUnavailable);
    function.store.inject(&[WriteBehavior::Fail]);
    assert_eq!(function.invoke(&post_event(&request("hi"))).await.0.unwrap()["statusCode"], 503);
}

#[tokio::test]
async fn large_result_of_a_call_with_a_key_is_paid_for_once() {
    let function = TestFunction::with(&[PREFIX, ("OFFLOAD_RESULTS_OVER", "5000")]).await;
    function.simulator.script(vec![reply(&"x".repeat(6000))]);
    let event = with(request("hi"), "idempotencyKey", json!("k"));
    for _ in 0..2 {
        let handled = function.handle(&event, Duration::from_secs(5)).await;
        assert!(handled.response().unwrap()["resultUrl"].is_string());
    }
    assert_eq!(function.calls(), 1);
}
