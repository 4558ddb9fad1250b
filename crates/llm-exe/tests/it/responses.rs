//! Runs each case of `cases/responses.json`: responses that a provider really sends although they
//! are not in its reference, such as an error with status 200, and what the caller gets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use llm_exe::providers::{Provider, Providers};
use llm_exe::transport::HttpError;
use llm_exe::{Deadline, Endpoints, Rules, Run, Runner};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::common::{FixedKey, provider_field, read_cases, signer};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    name: String,
    /// A provider, or `local` for a server from `OPENAI_COMPATIBLE_PROVIDERS`.
    provider: String,
    /// Fields of the request.
    #[serde(default)]
    request: Map<String, Value>,
    /// The responses in order. The last one is repeated.
    responses: Vec<CannedResponse>,
    #[serde(default = "one")]
    calls: usize,
    result: Option<Value>,
    error: Option<String>,
    /// A text of the error message that is also logged.
    #[serde(default)]
    message: String,
    /// A text of the error message that is not logged.
    #[serde(default)]
    quote: String,
    /// A text that the error message must not contain.
    lacks: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
    /// The total number of tokens in the report.
    tokens: Option<u64>,
    /// The wait in seconds that the caller is asked for.
    retry_after: Option<f64>,
    #[serde(default)]
    min_milliseconds: u64,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct CannedResponse {
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    /// A text is sent as it is, any other value as JSON.
    #[serde(default)]
    body: Value,
    /// The bytes of the body, as hexadecimal digits.
    hex: Option<String>,
}

fn one() -> usize {
    1
}

fn ok() -> u16 {
    200
}

impl CannedResponse {
    fn to_http(&self) -> Response<Bytes> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value.as_str().unwrap());
        }
        let body = match (&self.hex, &self.body) {
            (Some(hex), _) => {
                let digits = hex.as_bytes().chunks(2);
                let byte = |pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
                digits.map(byte).collect()
            }
            (None, Value::String(text)) => Bytes::from(text.clone()),
            (None, body) => Bytes::from(body.to_string()),
        };
        response.body(body).unwrap()
    }
}

/// Runs a case. Returns its outcome and the number of calls.
async fn run(case: &Case) -> (Run, usize) {
    let calls = Arc::new(AtomicUsize::new(0));
    let (count, responses) = (Arc::clone(&calls), case.responses.clone());
    let transport = move |_: Request<Bytes>| -> Result<Response<Bytes>, HttpError> {
        let index = count.fetch_add(1, Ordering::Relaxed).min(responses.len() - 1);
        Ok(responses[index].to_http())
    };
    let local = Provider::openai_compatible("local", "http://127.0.0.1:9/v1");
    let providers = Providers::with([local]).unwrap();
    let rules = Rules { providers, ..Rules::default() };
    let mut endpoints = Endpoints::new();
    endpoints.set_region("eu-central-1").unwrap();
    let runner = Runner::new(endpoints, Arc::new(FixedKey), rules)
        .with_signer(signer())
        .with_http_transport(Arc::new(transport));
    let model = match case.provider.as_str() {
        "local" => "m".to_owned(),
        provider => provider_field(provider, "model"),
    };
    let mut request = json!({
        "provider": case.provider, "model": model, "message": "hi",
        "options": {"maxDelay": 1},
    });
    request.as_object_mut().unwrap().extend(case.request.clone());
    let run = runner.run(Deadline::after(Duration::from_secs(20)), request).await;
    (run, calls.load(Ordering::Relaxed))
}

fn difference(case: &Case, run: &Run, calls: usize) -> Option<String> {
    if calls != case.calls {
        return Some(format!("{calls} calls, {:?}", run.outcome));
    }
    let has_warning =
        |text: &String| run.report.warnings.iter().any(|warning| warning.contains(text));
    if !case.warnings.iter().all(has_warning) {
        return Some(format!("warnings {:?}", run.report.warnings));
    }
    let tokens = run.report.usage.total_tokens;
    if case.tokens.is_some_and(|expected| expected != tokens) {
        return Some(format!("{tokens} tokens"));
    }
    match (&run.outcome, &case.error) {
        (Ok(value), None) if case.result.as_ref() == Some(value) => None,
        (Err(error), Some(kind)) => {
            let (message, logged) = (error.message(), error.for_log());
            let wait = error.retry_after().map(|wait| wait.as_secs_f64());
            let lacks = |text: &String| !message.contains(text.as_str());
            let is_expected = error.kind().name() == kind
                && message.contains(&case.message)
                && logged.contains(&case.message)
                && message.contains(&case.quote)
                && (case.quote.is_empty() || !logged.contains(&case.quote))
                && case.lacks.as_ref().is_none_or(lacks)
                && (case.retry_after.is_none() || wait == case.retry_after);
            (!is_expected)
                .then(|| format!("{}: {message}; logged: {logged}; wait {wait:?}", error.kind()))
        }
        (outcome, _) => Some(format!("{outcome:?}")),
    }
}

#[tokio::test]
async fn undocumented_responses_are_handled() {
    let cases: Vec<Case> = read_cases("responses.json");
    let mut wrong = Vec::new();
    for case in &cases {
        let started = Instant::now();
        let (run, calls) = run(case).await;
        let is_early = started.elapsed() < Duration::from_millis(case.min_milliseconds);
        let early = is_early.then(|| "did not wait".to_owned());
        if let Some(difference) = difference(case, &run, calls).or(early) {
            wrong.push(format!("{}: {}: {difference}", case.provider, case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
