//! Tests the Lambda binary with API keys in moto's Parameter Store. `./scripts/test` runs these
//! tests and sets `MOTO_SERVER` to the path of `moto_server`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "a test fails by panicking; the harness is shared"
)]

#[path = "../process/harness.rs"]
mod harness;
#[path = "../../../llm-exe-aws/tests/moto/server.rs"]
mod server;

use llm_exe_simulator::Step;
use serde_json::{Value, json};

use harness::{ANTHROPIC_KEY, Function, OPENAI_KEY, REPLY, Response, event, request};
use server::Moto;

const PARAMETER: &str = "/LlmExeLambda/Secret/KeyOpenAI";
const ENDPOINT: &str = "/LlmExeLambda/Secret/KeyEndpoint";

async fn function(moto: &Moto, additional: &[(&str, &str)]) -> Function {
    let url = moto.url();
    let mut variables = vec![
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("AWS_SESSION_TOKEN", "a.session.token"),
        ("AWS_ENDPOINT_URL_SSM", url.as_str()),
    ];
    variables.extend(additional);
    Function::with(&variables).await
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn key_is_fetched_and_refreshed_after_it_was_rejected() {
    let moto = Moto::start().await;
    let function = function(&moto, &[]).await;
    let (kind, message) = function.invoke(&request()).await.failure();
    assert_eq!(kind, "SecretNotFound");
    for expected in ["OPENAI_API_KEY", PARAMETER, "npm run update-secrets"] {
        assert!(message.contains(expected), "{message}");
    }
    // Once the parameter exists, the same process reads the key and ignores the trailing line
    // break.
    moto.secret(PARAMETER, &format!("{OPENAI_KEY}\n")).await;
    assert_eq!(function.invoke(&request()).await, Response::Result(json!(REPLY)));

    // If the provider rejects the key and Parameter Store has no newer one, the error is returned
    // after one call.
    function.simulator.clear();
    function.simulator.script(vec![Step::status(401).times(2)]);
    let (kind, _) = function.invoke(&request()).await.failure();
    assert_eq!((kind.as_str(), function.simulator.journal().len()), ("ProviderAuthFailed", 1));

    // If the key has been replaced, the new key is used after the provider rejects the old one.
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    moto.secret(PARAMETER, ANTHROPIC_KEY).await;
    function.simulator.clear();
    function.simulator.script(vec![Step::status(401)]);
    assert_eq!(function.invoke(&request()).await, Response::Result(json!(REPLY)));
    assert_eq!(function.simulator.journal().len(), 2);
    function.stop().await;
}

fn called_with(key: &str) -> Value {
    let mut event = event("function-url", &Value::Null);
    event["headers"]["x-api-key"] = json!(key);
    event["body"] = json!(request().to_string());
    event
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn endpoint_key_is_refreshed_when_a_callers_key_does_not_match() {
    let moto = Moto::start().await;
    moto.secret(ENDPOINT, "the.first.key").await;
    let key = ("OPENAI_API_KEY", OPENAI_KEY);
    let function = function(&moto, &[key, ("ENDPOINT_AUTH", "API_KEY")]).await;
    assert_eq!(function.invoke(&called_with("the.first.key")).await.http().0, 200);
    moto.secret(ENDPOINT, "the.second.key").await;
    // The function still has the first key in its cache.
    assert_eq!(function.invoke(&called_with("the.first.key")).await.http().0, 200);
    assert_eq!(function.invoke(&called_with("the.second.key")).await.http().0, 200);
    assert_eq!(function.invoke(&called_with("the.first.key")).await.http().0, 401);
    // The key was refreshed a moment ago. The function does not read it again yet, so it rejects
    // even the new key.
    moto.secret(ENDPOINT, "the.third.key").await;
    assert_eq!(function.invoke(&called_with("the.third.key")).await.http().0, 401);
    function.stop().await;
}

#[tokio::test]
#[ignore = "needs moto; ./scripts/test runs it"]
async fn parameter_store_is_not_called_if_a_variable_sets_the_key() {
    let nowhere = ("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:1");
    let moto = Moto::start().await;
    let function = function(&moto, &[nowhere, ("OPENAI_API_KEY", OPENAI_KEY)]).await;
    assert_eq!(function.invoke(&request()).await, Response::Result(json!(REPLY)));
    let mut anthropic_request = request();
    anthropic_request["provider"] = json!("anthropic");
    anthropic_request["model"] = json!("claude-3-5-haiku-latest");
    let (kind, message) = function.invoke(&anthropic_request).await.failure();
    assert_eq!(kind, "SecretUnavailable", "{message}");
    assert!(message.contains("/LlmExeLambda/Secret/KeyAnthropic"), "{message}");
    function.stop().await;
}
