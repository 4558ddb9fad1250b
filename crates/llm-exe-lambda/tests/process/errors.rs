//! Runs the error cases in `cases/errors.json` as direct events and through a function URL. After
//! each error, the same process must handle the next request.

use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::harness::{
    ANTHROPIC_KEY, Function, OPENAI_KEY, Response, merge, post_event, request, response,
};

/// Each error type with its HTTP status and whether it is retryable.
const KINDS: &[(&str, u64, bool)] = &[
    ("InvalidRequest", 400, false),
    ("PromptInvalid", 400, false),
    ("ConfigForbidden", 403, false),
    ("ProviderRejected", 422, false),
    ("ProviderRateLimited", 429, true),
    ("ProviderAuthFailed", 502, false),
    ("ProviderUnavailable", 503, true),
    ("OutputInvalid", 502, true),
    ("OutputTruncated", 502, false),
    ("OutputRefused", 502, false),
    ("SecretNotFound", 500, false),
    ("Timeout", 504, true),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    script: Option<Value>,
    /// Fields that are merged into a valid request.
    #[serde(default)]
    request: Value,
    /// A request that replaces the valid request.
    replace: Option<Value>,
    /// The invocation timeout in milliseconds.
    timeout: Option<u64>,
    error: Option<Failure>,
    /// The expected `retry-after` header of the HTTP response.
    retry_after: Option<String>,
    result: Option<Value>,
    /// The expected `attempts` field of a `full` result.
    attempts: Option<u64>,
    /// The expected number of provider calls.
    calls: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Failure {
    r#type: String,
    #[serde(default)]
    contains: Vec<String>,
}

impl Case {
    fn request(&self) -> Value {
        let mut request = self.replace.clone().unwrap_or_else(request);
        if self.request.is_object() {
            merge(&mut request, &self.request);
        }
        request
    }

    /// Scripts the simulated provider and invokes the function. Returns the response and the
    /// request id.
    async fn invoke(&self, function: &Function, event: &Value) -> (Response, String) {
        function.simulator.clear();
        if let Some(script) = &self.script {
            function.simulator.script_json(script.clone()).unwrap();
        }
        let timeout = Duration::from_millis(self.timeout.unwrap_or(20_000));
        let invocation = function.invoke_bytes(event.to_string(), timeout).await;
        if let Some(calls) = self.calls {
            let journal = function.simulator.journal();
            assert_eq!(journal.len(), calls, "{}: {journal:#?}", self.name);
        }
        (response(&invocation), invocation.request_id)
    }

    fn check_direct(&self, response: Response) {
        let name = &self.name;
        let Some(error) = &self.error else {
            return self.check_result(&response.result());
        };
        let (error_type, message) = response.failure();
        assert_eq!(error_type, error.r#type, "{name}: {message}");
        error.check(name, &message);
    }

    fn check_http(&self, response: Response, request_id: &str) {
        let name = &self.name;
        let (status, headers, body) = response.http();
        let Some(error) = &self.error else {
            assert_eq!(status, 200, "{name}: {body}");
            let is_text = headers["content-type"].starts_with("text/plain");
            let result = if is_text { json!(body) } else { serde_json::from_str(&body).unwrap() };
            return self.check_result(&result);
        };
        let body: Value = serde_json::from_str(&body).unwrap();
        let actual = &body["error"];
        let kind = KINDS.iter().find(|(kind, _, _)| *kind == error.r#type).unwrap();
        assert_eq!(actual["type"], json!(kind.0), "{name}: {body}");
        assert_eq!(status, kind.1, "{name}: {body}");
        assert_eq!(actual["retryable"], json!(kind.2), "{name}");
        assert_eq!(actual["requestId"], json!(request_id), "{name}");
        let fields: Vec<&String> = actual.as_object().unwrap().keys().collect();
        let (fields, details) = fields.split_at(5);
        assert_eq!(fields, ["type", "message", "retryable", "problems", "requestId"], "{name}");
        match kind.0 {
            "InvalidRequest" | "PromptInvalid" | "ConfigForbidden" | "SecretNotFound" => {
                assert!(details.is_empty(), "{name}: {details:?}");
            }
            _ => assert_eq!(details, ["provider", "model", "attempts", "usage", "cost"], "{name}"),
        }
        assert_eq!(body.as_object().unwrap().len(), 1, "{name}");
        assert_eq!(headers["content-type"], "application/json", "{name}");
        assert_eq!(headers.get("retry-after"), self.retry_after.as_ref(), "{name}");
        error.check(name, actual["message"].as_str().unwrap());
    }

    fn check_result(&self, result: &Value) {
        if let Some(expected) = &self.result {
            assert_eq!(result, expected, "{}", self.name);
        }
        if let Some(attempts) = self.attempts {
            assert_eq!(result["attempts"], json!(attempts), "{}: {result}", self.name);
        }
    }
}

impl Failure {
    fn check(&self, name: &str, message: &str) {
        for part in &self.contains {
            assert!(message.contains(part), "{name}: {part:?} is not in: {message}");
        }
        assert!(!message.is_empty() && message.len() < 2_000, "{name}: {message}");
    }
}

#[tokio::test]
async fn every_case_returns_its_error() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../cases/errors.json")).unwrap();
    let function = Function::start().await;
    let mut expected: HashMap<String, Option<String>> = HashMap::new();
    for case in &cases {
        let error_type = case.error.as_ref().map(|error| error.r#type.clone());
        let request = case.request();
        let (response, id) = case.invoke(&function, &request).await;
        case.check_direct(response);
        expected.insert(id, error_type.clone());
        function.assert_works(&case.name).await;
        let (response, id) = case.invoke(&function, &post_event(&request)).await;
        case.check_http(response, &id);
        expected.insert(id, error_type);
        function.assert_works(&case.name).await;
    }
    let output = function.stop().await;
    for line in output.lines() {
        let id = line["requestId"].as_str().unwrap();
        if let Some(error_type) = expected.remove(id) {
            assert_eq!(line["errorType"], json!(error_type), "{line}");
        }
    }
    assert!(expected.is_empty(), "invocations without a log line: {expected:?}");
    assert_eq!(output.stderr, "");
}

#[tokio::test]
async fn refused_connection_is_provider_unavailable() {
    let unused = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", unused.local_addr().unwrap());
    drop(unused);
    let keys = [("OPENAI_API_KEY", OPENAI_KEY), ("OPENAI_BASE_URL", url.as_str())];
    let function = Function::with(&keys).await;
    let (error_type, message) = function.invoke(&request()).await.failure();
    assert_eq!(error_type, "ProviderUnavailable", "{message}");
    assert!(message.contains("connect"), "{message}");
    let lines = function.stop().await.lines();
    assert_eq!(lines[0]["attempts"], json!(3), "{}", lines[0]);
}

#[tokio::test]
async fn missing_key_fails_only_the_provider_that_needs_it() {
    let function = Function::with(&[("ANTHROPIC_API_KEY", ANTHROPIC_KEY)]).await;
    let (error_type, message) = function.invoke(&request()).await.failure();
    assert_eq!(error_type, "SecretNotFound");
    assert!(message.contains("OPENAI_API_KEY"), "{message}");
    assert!(function.simulator.journal().is_empty());
    let mut anthropic_request = request();
    merge(
        &mut anthropic_request,
        &json!({ "provider": "anthropic", "model": "claude-sonnet-4-6" }),
    );
    function.invoke(&anthropic_request).await.result();
    let lines = function.stop().await.lines();
    assert_eq!(lines[0]["level"], json!("ERROR"));
    assert_eq!(lines[1]["level"], json!("INFO"));
}

#[tokio::test]
async fn second_variable_of_a_key_is_read_if_the_first_is_empty() {
    let keys = [("OPENAI_API_KEY", ""), ("OPEN_AI_API_KEY", OPENAI_KEY)];
    let function = Function::with(&keys).await;
    assert_eq!(function.invoke(&request()).await, Response::Result(json!(crate::harness::REPLY)));
    function.stop().await;
}

#[tokio::test]
async fn invalid_key_is_not_quoted() {
    let key = format!("{OPENAI_KEY} and more");
    let function = Function::with(&[("OPENAI_API_KEY", &key)]).await;
    let (error_type, message) = function.invoke(&request()).await.failure();
    assert_eq!(error_type, "SecretNotFound");
    assert!(message.contains("OPENAI_API_KEY"), "{message}");
    function.stop().await;
}
