//! Checks that the simulator rejects the requests in `cases/rejected.json` and accepts those in
//! `cases/accepted.json`, as the real services do.

use std::collections::BTreeMap;

use llm_exe_simulator::Simulator;
use serde::Deserialize;
use serde_json::Value;

use crate::client::{self, KEY, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    dialect: String,
    /// Replaces the default path.
    path: Option<String>,
    /// Replaces default headers. A value of null removes the header.
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
    /// Replaces the model in the default path.
    model: Option<String>,
    body: Value,
    status: u16,
    /// A substring of the expected error.
    contains: Option<String>,
    /// The expected start of the reply's text.
    text: Option<String>,
}

fn cases(json: &str) -> Vec<Case> {
    serde_json::from_str(json).unwrap()
}

async fn send(simulator: &Simulator, case: &Case) -> Reply {
    let mut headers = client::headers(&case.dialect);
    for (name, value) in &case.headers {
        match value {
            Some(value) => {
                let (day, time) = client::now();
                let value = value.replace("{day}", &day).replace("{time}", &time);
                headers.insert(name.clone(), value);
            }
            None => drop(headers.remove(name)),
        }
    }
    // Send a string unchanged, so that a case can have a body that is not valid JSON.
    let body = match &case.body {
        Value::String(raw) => raw.clone(),
        json => json.to_string(),
    };
    let path = case.path.as_deref().unwrap_or_else(|| client::path(&case.dialect));
    let path = match &case.model {
        Some(model) => path.replace("gemini-2.5-flash", model),
        None => path.to_owned(),
    };
    client::send(simulator.address(), "POST", &path, &headers, body.as_bytes()).await
}

#[tokio::test]
async fn invalid_requests_are_rejected() {
    let simulator = Simulator::start().await.unwrap();
    let cases = cases(include_str!("../cases/rejected.json"));
    let mut failures = Vec::new();
    for case in &cases {
        let reply = send(&simulator, case).await;
        let body = reply.json();
        let error = body.get("error").cloned().unwrap_or_default();
        let contains = case.contains.as_deref().unwrap();
        let error_type = reply.headers.get("x-amzn-errortype").cloned().unwrap_or_default();
        // AWS checks signatures in front of all APIs.
        let dialect = if error_type.is_empty() { case.dialect.as_str() } else { "converse" };
        let error_text = match (dialect, &error) {
            ("bedrock-anthropic" | "converse", _) => format!("{} {error_type}", body["message"]),
            (_, Value::String(message)) => message.clone(),
            _ => ["message", "type", "code", "param", "status", "details"]
                .map(|name| error[name].to_string())
                .join(" "),
        };
        let error_text = error_text.replace("\\\"", "\"");
        let has_dialects_format = match dialect {
            "openai" => {
                ["message", "type", "param", "code"].iter().all(|it| error.get(it).is_some())
            }
            "gemini" => error["code"] == reply.status && error["status"].is_string(),
            "ollama" => error.is_string() && body.as_object().unwrap().len() == 1,
            "bedrock-anthropic" | "converse" => {
                body["message"].is_string() && !error_type.is_empty()
            }
            _ => body["type"] == "error" && body.get("request_id").is_some(),
        };
        let has_request_id = ["x-request-id", "request-id", "x-amzn-requestid"]
            .iter()
            .any(|name| reply.headers.contains_key(*name));
        if reply.status != case.status
            || !error_text.contains(contains)
            || !has_dialects_format
            || !has_request_id
        {
            failures.push(format!("{}: {} {}", case.name, reply.status, reply.text));
        }
        assert!(!reply.text.contains(KEY), "{}", case.name);
    }
    let report = failures.join("\n");
    assert!(failures.is_empty(), "{} of {}:\n{report}", failures.len(), cases.len());
    assert!(cases.len() > 150, "{}", cases.len());
    let journal = simulator.journal();
    assert_eq!(journal.len(), cases.len());
    assert!(!serde_json::to_string(&journal).unwrap().contains(KEY));
}

#[tokio::test]
async fn valid_requests_are_accepted() {
    let simulator = Simulator::start().await.unwrap();
    for case in cases(include_str!("../cases/accepted.json")) {
        let reply = send(&simulator, &case).await;
        assert_eq!(reply.status, case.status, "{}: {}", case.name, reply.text);
        let body = reply.json();
        let text = match case.dialect.as_str() {
            "openai" => body.pointer("/choices/0/message/content").unwrap().as_str(),
            "gemini" => body.pointer("/candidates/0/content/parts/0/text").unwrap().as_str(),
            "ollama" => body["message"]["content"].as_str(),
            "converse" => {
                let content = body.pointer("/output/message/content").unwrap();
                content.as_array().unwrap().last().unwrap()["text"].as_str()
            }
            _ => body["content"].as_array().unwrap().last().unwrap()["text"].as_str(),
        };
        let expected = case.text.as_deref().unwrap();
        assert!(text.unwrap().starts_with(expected), "{}: {}", case.name, reply.text);
    }
}

/// Sends the requests of conversations with tools, which the client's tests record.
#[tokio::test]
async fn recorded_conversations_are_accepted() {
    let simulator = Simulator::start().await.unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../llm-exe/tests/cases/conversations");
    let mut failures = Vec::new();
    let mut count = 0;
    for (provider, dialect) in [
        ("anthropic", "anthropic"),
        ("amazon-anthropic", "bedrock-anthropic"),
        ("amazon", "converse"),
        ("amazon-nova", "converse"),
    ] {
        let text = std::fs::read_to_string(format!("{folder}/{provider}.json")).unwrap();
        let conversations: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
        for (name, conversation) in conversations {
            for (index, turn) in conversation["turns"].as_array().unwrap().iter().enumerate() {
                let Some(body) = turn.get("request") else { continue };
                let field = |name: &str| turn.get(name).and_then(Value::as_str);
                let model = field("model").or(conversation["model"].as_str()).unwrap();
                let dialect = field("provider").map_or(dialect, |_| "converse");
                let path = match dialect {
                    "bedrock-anthropic" => format!("/model/{}/invoke", model.replace(':', "%3A")),
                    "converse" => format!("/model/{}/converse", model.replace(':', "%3A")),
                    _ => client::path(dialect).to_owned(),
                };
                let (headers, body) = (client::headers(dialect), body.to_string());
                let address = simulator.address();
                let reply = client::send(address, "POST", &path, &headers, body.as_bytes()).await;
                if reply.status != 200 {
                    failures.push(format!("{provider}: {name}, turn {index}: {}", reply.text));
                }
                count += 1;
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(count > 50, "{count}");
}
