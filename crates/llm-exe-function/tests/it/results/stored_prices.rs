//! Tests for prices in an S3 object.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use llm_exe::ErrorKind;
use serde_json::{Value, json};

use super::fixture::{TestFunction, request, with};

const VARIABLES: [(&str, &str); 2] =
    [("PRICES", "prices.json"), ("AWS_S3_FILES_BUCKET_NAME", "configs")];

const PLACE: &str = "s3://configs/prices.json";

async fn function(prices: Option<Value>) -> TestFunction {
    let function = TestFunction::with(&VARIABLES).await;
    if let Some(prices) = prices {
        function.store.put(PLACE, &prices);
    }
    function
}

fn prices() -> Value {
    json!({ "openai:gpt-4o-*": { "input": 1000, "output": 2000 } })
}

fn fetches(function: &TestFunction) -> usize {
    function.store.fetches.load(Ordering::Relaxed)
}

#[tokio::test]
async fn prices_are_fetched_once_when_the_first_cost_is_computed() {
    let function = function(Some(prices())).await;
    let (_, line) = function.invoke(&json!({})).await;
    assert_eq!((line["level"].as_str(), fetches(&function)), (Some("WARN"), 0));
    let request = request("Hi");
    let calls = [function.invoke(&request), function.invoke(&request), function.invoke(&request)];
    for (outcome, line) in futures_util::future::join_all(calls).await {
        outcome.unwrap();
        let tokens = |name: &str| line[name].as_f64().unwrap();
        let expected = (tokens("inputTokens") + 2.0 * tokens("outputTokens")) / 1000.0;
        assert!((line["costUsd"].as_f64().unwrap() - expected).abs() < 1e-9, "{line}");
        assert_eq!((line.get("pricesError"), &line["level"]), (None, &json!("INFO")));
    }
    assert_eq!(fetches(&function), 1);
    // Other models have their list prices.
    let (_, line) = function.invoke(&with(request, "model", json!("gpt-4.1-mini"))).await;
    assert!(line["costUsd"].as_f64().unwrap() > 0.0, "{line}");
}

#[tokio::test]
async fn unreadable_prices_make_costs_null_but_calls_succeed() {
    let misspelled = json!({ "opnai:*": { "input": 1, "output": 1 } });
    for (prices, expected) in [
        (None, "the object does not exist"),
        (Some(json!([])), "s3://configs/prices.json: expected a JSON object of prices"),
        (Some(misspelled), "unknown provider in \"opnai:*\" (did you mean openai?)"),
    ] {
        let function = function(prices).await;
        for (body, warnings) in
            [(request("Hi"), 0), (with(request("Hi"), "return", json!("full")), 1)]
        {
            let (outcome, line) = function.invoke(&body).await;
            let result = outcome.unwrap();
            assert_eq!((&line["cost"]["usd"], &line["level"]), (&Value::Null, &json!("WARN")));
            assert!(line.get("costUsd").is_none(), "{line}");
            let error = line["pricesError"].as_str().unwrap();
            assert!(error.contains("PRICES") && error.contains(expected), "{error}");
            let texts = result.get("warnings").map_or(0, |it| it.as_array().unwrap().len());
            assert_eq!(
                (texts, line["warningCount"].as_u64().unwrap_or(0)),
                (warnings, warnings as u64)
            );
            if warnings > 0 {
                assert!(result["warnings"][0].as_str().unwrap().contains(expected), "{result}");
                assert_eq!(result["cost"]["usd"], Value::Null);
            }
        }
        assert_eq!(fetches(&function), 1, "a failure is remembered");
    }
}

#[tokio::test]
async fn result_waits_a_bounded_time_for_the_prices() {
    let function = function(Some(prices())).await;
    *function.store.fetch_time.lock().unwrap() = Duration::from_secs(30);
    let started = Instant::now();
    let request = request("Hi");
    let (first, second) = tokio::join!(function.invoke(&request), function.invoke(&request));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    for (outcome, line) in [first, second] {
        outcome.unwrap();
        assert!(line["pricesError"].as_str().unwrap().contains("in time"), "{line}");
    }
}

#[tokio::test]
async fn limited_cost_needs_the_prices_before_the_first_call() {
    let limited = with(request("Hi"), "options", json!({ "maxCost": 5, "numOfAttempts": 1 }));
    let with_prices = function(Some(prices())).await;
    let (outcome, line) = with_prices.invoke(&limited).await;
    outcome.unwrap();
    assert!(line["costUsd"].as_f64().unwrap() > 0.0, "{line}");
    let without_prices = function(None).await;
    let error = without_prices.invoke(&limited).await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigUnavailable, "{error}");
    assert_eq!((without_prices.calls(), fetches(&without_prices)), (0, 1));
}
