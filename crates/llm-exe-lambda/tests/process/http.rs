//! Tests the routes, authorization, bodies and responses of HTTP events, with the cases in
//! `cases/http.json`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::harness::{
    ANTHROPIC_KEY, ENDPOINT_KEY, Function, OPENAI_KEY, event, merge, post_event, request,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    name: String,
    /// The value of the setting `ENDPOINT_AUTH`. The special value "API_KEY without" means
    /// `API_KEY` with no endpoint key configured.
    auth: String,
    /// The name of the event fixture.
    event: String,
    /// A JSON merge patch for the event fixture.
    #[serde(default)]
    patch: Value,
    /// The request body. By default, it is a valid request.
    body: Option<String>,
    /// Whether the body is encoded as base64, as AWS does for a plain `curl -d` request.
    #[serde(default)]
    base64: bool,
    status: u64,
    /// Expected headers of the response.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The expected `error.type`.
    error: Option<String>,
    /// Expected parts of the response's body.
    #[serde(default)]
    contains: Vec<String>,
    /// The expected body of the response.
    is: Option<String>,
    /// The expected number of provider calls.
    calls: usize,
}

impl Case {
    fn event(&self) -> Value {
        let mut event = event(&self.event, &self.patch);
        if event.get("body").is_some() {
            let body = self.body.clone().unwrap_or_else(|| request().to_string());
            event["body"] = json!(if self.base64 { STANDARD.encode(body) } else { body });
            event["isBase64Encoded"] = json!(self.base64);
        }
        event
    }

    async fn check(&self, function: &Function) {
        let name = &self.name;
        function.simulator.clear();
        let (status, headers, body) = function.invoke(&self.event()).await.http();
        assert_eq!(status, self.status, "{name}: {body}");
        for (header, value) in &self.headers {
            assert_eq!(headers.get(header), Some(value), "{name}: {headers:?}");
        }
        if let Some(error) = &self.error {
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body["error"]["type"], json!(error), "{name}: {body}");
            assert!(body["error"]["requestId"].is_string(), "{name}: {body}");
            assert_eq!(headers["content-type"], "application/json", "{name}");
        }
        for part in &self.contains {
            assert!(body.contains(part), "{name}: {part:?} is not in: {body}");
        }
        if let Some(expected) = &self.is {
            assert_eq!(body, *expected, "{name}");
        }
        assert_eq!(function.simulator.journal().len(), self.calls, "{name}");
    }
}

async fn function(auth: &str) -> Function {
    let mut variables = vec![("OPENAI_API_KEY", OPENAI_KEY), ("ANTHROPIC_API_KEY", ANTHROPIC_KEY)];
    match auth {
        "default" => {}
        "API_KEY without" => variables.push(("ENDPOINT_AUTH", "API_KEY")),
        auth => {
            variables.push(("ENDPOINT_AUTH", auth));
            variables.push(("ENDPOINT_API_KEY", ENDPOINT_KEY));
        }
    }
    Function::with(&variables).await
}

#[tokio::test]
async fn every_case_gets_its_response() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../cases/http.json")).unwrap();
    let mut functions: BTreeMap<&str, Function> = BTreeMap::new();
    for case in &cases {
        if !functions.contains_key(case.auth.as_str()) {
            functions.insert(&case.auth, function(&case.auth).await);
        }
        case.check(&functions[case.auth.as_str()]).await;
    }
    for (auth, function) in functions {
        let count = cases.iter().filter(|case| case.auth == auth).count();
        let lines = function.stop().await.lines();
        assert_eq!(lines.len(), count, "{auth}");
        assert!(lines.iter().all(|line| line["source"] == "http"), "{auth}");
    }
}

#[tokio::test]
async fn health_and_schema_are_returned() {
    let function = function("default").await;
    let get = |path: &str| {
        let http = json!({ "method": "GET", "path": path });
        event("function-url", &json!({ "rawPath": path, "requestContext": { "http": http } }))
    };
    let (_, _, body) = function.invoke(&get("/health")).await.http();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body, json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }));
    let (_, _, body) = function.invoke(&get("/schema")).await.http();
    let body: Value = serde_json::from_str(&body).unwrap();
    for field in ["provider", "providor", "model", "message", "output", "schema", "data"] {
        assert!(body["properties"].get(field).is_some(), "{field}: {body}");
    }
    for line in function.stop().await.lines() {
        assert_eq!(line["httpStatus"], json!(200), "{line}");
    }
}

#[tokio::test]
async fn unauthorized_caller_is_rejected_before_the_body_is_parsed() {
    let function = function("default").await;
    for body in ["", "{", "[]", "\u{0}", "not JSON"] {
        let event = event("function-url", &json!({ "body": body }));
        let (status, _, body) = function.invoke(&event).await.http();
        assert_eq!(status, 401, "{body}");
    }
    function.stop().await;
}

#[tokio::test]
async fn body_above_six_megabytes_is_too_large() {
    const LIMIT: usize = 6 * 1024 * 1024;
    let function = function("NONE").await;
    let mut request = request();
    request["data"] = json!({ "a": "" });
    let size_without_data = request.to_string().len();
    for (size, is_base64, expected) in
        [(LIMIT, false, 200), (LIMIT, true, 200), (LIMIT + 1, false, 413), (LIMIT + 1, true, 413)]
    {
        request["data"]["a"] = json!("a".repeat(size - size_without_data));
        let body = request.to_string();
        assert_eq!(body.len(), size);
        let mut event = post_event(&json!({}));
        let body = if is_base64 { STANDARD.encode(&body) } else { body };
        merge(&mut event, &json!({ "body": body, "isBase64Encoded": is_base64 }));
        let (status, _, body) = function.invoke(&event).await.http();
        assert_eq!(status, expected, "{size} bytes, base64 {is_base64}: {body:.300}");
        if expected == 413 {
            assert!(body.contains("RequestTooLarge"), "{body:.300}");
        }
    }
    function.assert_works("large bodies").await;
    function.stop().await;
}
