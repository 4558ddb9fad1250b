//! Tests the function's deadline and the shorter deadline for callers behind API Gateway.

use std::time::{Duration, Instant};

use llm_exe_simulator::{Fault, Step};
use serde_json::{Value, json};

use crate::harness::{Function, OPENAI_KEY, event, merge, post_event, request};

const LAMBDA: Duration = Duration::from_secs(20);

async fn function_with_short_http_deadline() -> Function {
    Function::with(&[
        ("OPENAI_API_KEY", OPENAI_KEY),
        ("ENDPOINT_AUTH", "NONE"),
        ("HTTP_DEADLINE_SECONDS", "2"),
    ])
    .await
}

fn through_api(request: &Value) -> Value {
    event("http-api", &json!({ "body": request.to_string() }))
}

#[tokio::test]
async fn callers_behind_a_gateway_get_a_response_before_it_times_out() {
    let function = function_with_short_http_deadline().await;
    let custom_domain = json!({ "requestContext": { "domainName": "api.example.com" } });
    let mut with_custom_domain = through_api(&request());
    merge(&mut with_custom_domain, &custom_domain);
    for event in [through_api(&request()), with_custom_domain] {
        function.simulator.clear();
        function.simulator.script(vec![Step::fault(Fault::Hang)]);
        let started = Instant::now();
        let (status, _, body) = function.invoke_within(&event, LAMBDA).await.http();
        let elapsed = started.elapsed();
        assert_eq!(status, 504, "{body}");
        // The function responds early enough to leave time for sending the response.
        assert!(elapsed >= Duration::from_millis(1400), "{elapsed:?}");
        assert!(elapsed < Duration::from_millis(2000), "{elapsed:?}");
    }
    function.stop().await;
}

#[tokio::test]
async fn function_url_waits_until_the_function_times_out() {
    let function = function_with_short_http_deadline().await;
    for domain in
        ["abc.lambda-url.us-east-1.on.aws", "abc.lambda-url.cn-north-1.on.amazonwebservices.com.cn"]
    {
        function.simulator.script(vec![Step::fault(Fault::Slow(Duration::from_millis(2200)))]);
        let mut event = post_event(&request());
        merge(&mut event, &json!({ "requestContext": { "domainName": domain } }));
        let (status, _, body) = function.invoke_within(&event, LAMBDA).await.http();
        assert_eq!(status, 200, "{body}");
    }
    function.stop().await;
}

#[tokio::test]
async fn direct_caller_waits_until_the_function_times_out() {
    let function = function_with_short_http_deadline().await;
    function.simulator.script(vec![Step::fault(Fault::Slow(Duration::from_millis(2200)))]);
    function.invoke_within(&request(), LAMBDA).await.result();
    function.stop().await;
}

#[tokio::test]
async fn gateway_deadline_does_not_extend_the_function_deadline() {
    let function =
        Function::with(&[("OPENAI_API_KEY", OPENAI_KEY), ("ENDPOINT_AUTH", "NONE")]).await;
    function.simulator.script(vec![Step::fault(Fault::Hang)]);
    let response = function.invoke_within(&through_api(&request()), Duration::from_secs(1)).await;
    let (status, _, body) = response.http();
    assert_eq!(status, 504, "{body}");
    function.stop().await;
}

/// If a retried request runs out of time, the function returns the last error from the provider.
#[tokio::test]
async fn retries_and_repairs_end_with_the_deadline() {
    let function = Function::start().await;
    function.simulator.script(vec![Step::status(500).times(9)]);
    let mut patient = request();
    let options =
        json!({ "options": { "maxDelay": 60000, "numOfAttempts": 10, "jitter": "none" } });
    merge(&mut patient, &options);
    let within = Duration::from_millis(2200);
    let (error_type, message) = function.invoke_within(&patient, within).await.failure();
    assert_eq!(error_type, "ProviderUnavailable", "{message}");
    function.assert_works("retries until the deadline").await;

    // The deadline also applies to the repair of an invalid reply.
    function.simulator.clear();
    function.simulator.script(vec![Step::text("no JSON"), Step::fault(Fault::Hang)]);
    let mut repaired = request();
    let json = json!({ "output": "json", "schema": { "type": "object", "required": ["a"] } });
    merge(&mut repaired, &json);
    let within = Duration::from_millis(1200);
    let (error_type, message) = function.invoke_within(&repaired, within).await.failure();
    assert_eq!(error_type, "Timeout", "{message}");
    assert_eq!(function.simulator.journal().len(), 2);
    function.stop().await;
}
