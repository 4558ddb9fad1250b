//! The contract of errors: each situation of `cases/errors.json`, as a direct event and through a
//! function URL, on one process that stays good for the next invocation.

use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::harness::{ANTHROPIC_KEY, Answer, Function, OPENAI_KEY, answer, merge, posted, request};

/// From spec/errors.md: type, HTTP status, whether a retry helps.
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
    /// Merged into a request that is fine.
    #[serde(default)]
    request: Value,
    /// Instead of a request that is fine.
    replace: Option<Value>,
    /// Lambda's time for the invocation, in milliseconds.
    timeout: Option<u64>,
    error: Option<Failure>,
    /// The `retry-after` of the HTTP response.
    retry_after: Option<String>,
    result: Option<Value>,
    /// What the `full` answer says.
    attempts: Option<u64>,
    /// How often the provider was called.
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

    /// Invokes with the script anew; the answer and the invocation's id.
    async fn invoke(&self, function: &Function, event: &Value) -> (Answer, String) {
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
        (answer(&invocation), invocation.request_id)
    }

    fn check_direct(&self, answer: Answer) {
        let name = &self.name;
        let Some(error) = &self.error else {
            return self.check_result(&answer.result());
        };
        let (error_type, message) = answer.failure();
        assert_eq!(error_type, error.r#type, "{name}: {message}");
        error.check(name, &message);
    }

    fn check_http(&self, answer: Answer, request_id: &str) {
        let name = &self.name;
        let (status, headers, body) = answer.http();
        let Some(error) = &self.error else {
            assert_eq!(status, 200, "{name}: {body}");
            let text = headers["content-type"].starts_with("text/plain");
            let result = if text { json!(body) } else { serde_json::from_str(&body).unwrap() };
            return self.check_result(&result);
        };
        let body: Value = serde_json::from_str(&body).unwrap();
        let told = &body["error"];
        let kind = KINDS.iter().find(|(kind, _, _)| *kind == error.r#type).unwrap();
        assert_eq!(told["type"], json!(kind.0), "{name}: {body}");
        assert_eq!(status, kind.1, "{name}: {body}");
        assert_eq!(told["retryable"], json!(kind.2), "{name}");
        assert_eq!(told["requestId"], json!(request_id), "{name}");
        let fields: Vec<&String> = told.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["type", "message", "retryable", "requestId"], "{name}");
        assert_eq!(body.as_object().unwrap().len(), 1, "{name}");
        assert_eq!(headers["content-type"], "application/json", "{name}");
        assert_eq!(headers.get("retry-after"), self.retry_after.as_ref(), "{name}");
        error.check(name, told["message"].as_str().unwrap());
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
async fn every_situation_has_its_error() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../cases/errors.json")).unwrap();
    let function = Function::start().await;
    let mut expected: HashMap<String, Option<String>> = HashMap::new();
    for case in &cases {
        let error_type = case.error.as_ref().map(|error| error.r#type.clone());
        let request = case.request();
        let (answer, id) = case.invoke(&function, &request).await;
        case.check_direct(answer);
        expected.insert(id, error_type.clone());
        function.is_well(&case.name).await;
        let (answer, id) = case.invoke(&function, &posted(&request)).await;
        case.check_http(answer, &id);
        expected.insert(id, error_type);
        function.is_well(&case.name).await;
    }
    let printed = function.stop().await;
    for line in printed.lines() {
        let id = line["requestId"].as_str().unwrap();
        if let Some(error_type) = expected.remove(id) {
            assert_eq!(line["errorType"], json!(error_type), "{line}");
        }
    }
    assert!(expected.is_empty(), "invocations without a line: {expected:?}");
    assert_eq!(printed.stderr, "");
}

#[tokio::test]
async fn nobody_listens() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", free.local_addr().unwrap());
    drop(free);
    let keys = [("OPENAI_API_KEY", OPENAI_KEY), ("OPENAI_BASE_URL", url.as_str())];
    let function = Function::with(&keys).await;
    let (error_type, message) = function.invoke(&request()).await.failure();
    assert_eq!(error_type, "ProviderUnavailable", "{message}");
    assert!(message.contains("connect"), "{message}");
    let lines = function.stop().await.lines();
    assert_eq!(lines[0]["attempts"], json!(3), "{}", lines[0]);
}

#[tokio::test]
async fn a_missing_key_fails_only_the_provider_that_needs_it() {
    let function = Function::with(&[("ANTHROPIC_API_KEY", ANTHROPIC_KEY)]).await;
    let (error_type, message) = function.invoke(&request()).await.failure();
    assert_eq!(error_type, "SecretNotFound");
    assert!(message.contains("OPENAI_API_KEY"), "{message}");
    assert!(function.simulator.journal().is_empty());
    let mut other = request();
    merge(&mut other, &json!({ "provider": "anthropic", "model": "claude-sonnet-4-6" }));
    function.invoke(&other).await.result();
    let lines = function.stop().await.lines();
    assert_eq!(lines[0]["level"], json!("ERROR"));
    assert_eq!(lines[1]["level"], json!("INFO"));
}

#[tokio::test]
async fn the_second_name_of_a_key_is_read_where_the_first_is_empty() {
    let keys = [("OPENAI_API_KEY", ""), ("OPEN_AI_API_KEY", OPENAI_KEY)];
    let function = Function::with(&keys).await;
    assert_eq!(function.invoke(&request()).await, Answer::Result(json!(crate::harness::REPLY)));
    function.stop().await;
}

#[tokio::test]
async fn a_key_that_fits_no_header_is_not_quoted() {
    let key = format!("{OPENAI_KEY} and more");
    let function = Function::with(&[("OPENAI_API_KEY", &key)]).await;
    let (error_type, message) = function.invoke(&request()).await.failure();
    assert_eq!(error_type, "SecretNotFound");
    assert!(message.contains("OPENAI_API_KEY"), "{message}");
    function.stop().await;
}
