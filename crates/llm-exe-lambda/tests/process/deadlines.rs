//! Deadlines: the function's own, and the shorter one of callers behind an API Gateway.

use std::time::{Duration, Instant};

use llm_exe_simulator::{Fault, Step};
use serde_json::{Value, json};

use crate::harness::{Function, OPENAI_KEY, event, merge, posted, request};

const LAMBDA: Duration = Duration::from_secs(20);

async fn hurried() -> Function {
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
async fn callers_behind_a_gateway_are_answered_within_its_time() {
    let function = hurried().await;
    let custom = json!({ "requestContext": { "domainName": "api.example.com" } });
    let mut behind_a_name = through_api(&request());
    merge(&mut behind_a_name, &custom);
    for event in [through_api(&request()), behind_a_name] {
        function.simulator.clear();
        function.simulator.script(vec![Step::fault(Fault::Hang)]);
        let started = Instant::now();
        let (status, _, body) = function.invoke_within(&event, LAMBDA).await.http();
        let took = started.elapsed();
        assert_eq!(status, 504, "{body}");
        // With some time left for the way back.
        assert!(took >= Duration::from_millis(1400), "{took:?}");
        assert!(took < Duration::from_millis(2000), "{took:?}");
    }
    function.stop().await;
}

#[tokio::test]
async fn a_function_url_waits_as_long_as_the_function() {
    let function = hurried().await;
    for domain in
        ["abc.lambda-url.us-east-1.on.aws", "abc.lambda-url.cn-north-1.on.amazonwebservices.com.cn"]
    {
        function.simulator.script(vec![Step::fault(Fault::Slow(Duration::from_millis(2200)))]);
        let mut event = posted(&request());
        merge(&mut event, &json!({ "requestContext": { "domainName": domain } }));
        let (status, _, body) = function.invoke_within(&event, LAMBDA).await.http();
        assert_eq!(status, 200, "{body}");
    }
    function.stop().await;
}

#[tokio::test]
async fn a_direct_caller_waits_as_long_as_the_function() {
    let function = hurried().await;
    function.simulator.script(vec![Step::fault(Fault::Slow(Duration::from_millis(2200)))]);
    function.invoke_within(&request(), LAMBDA).await.result();
    function.stop().await;
}

/// The gateway's time does not lengthen the function's.
#[tokio::test]
async fn the_earlier_deadline_holds() {
    let function =
        Function::with(&[("OPENAI_API_KEY", OPENAI_KEY), ("ENDPOINT_AUTH", "NONE")]).await;
    function.simulator.script(vec![Step::fault(Fault::Hang)]);
    let answer = function.invoke_within(&through_api(&request()), Duration::from_secs(1)).await;
    let (status, _, body) = answer.http();
    assert_eq!(status, 504, "{body}");
    function.stop().await;
}

/// Retries and the re-ask end with the deadline too, and what the provider said is told.
#[tokio::test]
async fn retries_end_with_the_deadline() {
    let function = Function::start().await;
    function.simulator.script(vec![Step::status(500).times(9)]);
    let mut patient = request();
    let options =
        json!({ "options": { "maxDelay": 60000, "numOfAttempts": 10, "jitter": "none" } });
    merge(&mut patient, &options);
    let within = Duration::from_millis(2200);
    let (error_type, message) = function.invoke_within(&patient, within).await.failure();
    assert_eq!(error_type, "ProviderUnavailable", "{message}");
    function.is_well("retries until the deadline").await;

    // The re-ask is held to the deadline as well.
    function.simulator.clear();
    function.simulator.script(vec![Step::text("no JSON"), Step::fault(Fault::Hang)]);
    let mut mended = request();
    let json = json!({ "output": "json", "schema": { "type": "object", "required": ["a"] } });
    merge(&mut mended, &json);
    let within = Duration::from_millis(1200);
    let (error_type, message) = function.invoke_within(&mended, within).await.failure();
    assert_eq!(error_type, "Timeout", "{message}");
    assert_eq!(function.simulator.journal().len(), 2);
    function.stop().await;
}
