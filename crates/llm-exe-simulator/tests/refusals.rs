//! What the services refuse and what they accept, as data: `cases/{refusals,accepted}.json`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use llm_exe_simulator::Simulator;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use support::{KEY, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    dialect: String,
    /// Another model's path.
    path: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
    /// The model, in the dialects that have it in the path.
    model: Option<String>,
    body: Value,
    status: u16,
    contains: Option<String>,
    answer: Option<String>,
}

fn cases(json: &str) -> Vec<Case> {
    serde_json::from_str(json).unwrap()
}

async fn send(simulator: &Simulator, case: &Case) -> Reply {
    let mut headers = support::headers(&case.dialect);
    for (name, value) in &case.headers {
        match value {
            Some(value) => {
                let (day, time) = support::now();
                let value = value.replace("{day}", &day).replace("{time}", &time);
                headers.insert(name.clone(), value);
            }
            None => drop(headers.remove(name)),
        }
    }
    // A string stands for a body that isn't JSON.
    let body = match &case.body {
        Value::String(raw) => raw.clone(),
        json => json.to_string(),
    };
    let path = case.path.as_deref().unwrap_or_else(|| support::path(&case.dialect));
    let path = match &case.model {
        Some(model) => path.replace("gemini-2.5-flash", model),
        None => path.to_owned(),
    };
    support::send(simulator.address(), "POST", &path, &headers, body.as_bytes()).await
}

#[tokio::test]
async fn refuses() {
    let simulator = Simulator::start().await.unwrap();
    let cases = cases(include_str!("cases/refusals.json"));
    let mut wrong = Vec::new();
    for case in &cases {
        let reply = send(&simulator, case).await;
        let body = reply.json();
        let error = body.get("error").cloned().unwrap_or_default();
        let contains = case.contains.as_deref().unwrap();
        let named = reply.headers.get("x-amzn-errortype").cloned().unwrap_or_default();
        let said = match (case.dialect.as_str(), &error) {
            ("bedrock-anthropic" | "converse", _) => format!("{} {named}", body["message"]),
            (_, Value::String(message)) => message.clone(),
            _ => ["message", "type", "code", "param", "status", "details"]
                .map(|name| error[name].to_string())
                .join(" "),
        };
        let said = said.replace("\\\"", "\"");
        let shaped = match case.dialect.as_str() {
            "openai" => {
                ["message", "type", "param", "code"].iter().all(|it| error.get(it).is_some())
            }
            "gemini" => error["code"] == reply.status && error["status"].is_string(),
            "ollama" => error.is_string() && body.as_object().unwrap().len() == 1,
            "bedrock-anthropic" | "converse" => body["message"].is_string() && !named.is_empty(),
            _ => body["type"] == "error" && body.get("request_id").is_some(),
        };
        let id = ["x-request-id", "request-id", "x-amzn-requestid"]
            .iter()
            .any(|it| reply.headers.contains_key(*it));
        if reply.status != case.status || !said.contains(contains) || !shaped || !id {
            wrong.push(format!("{}: {} {}", case.name, reply.status, reply.text));
        }
        assert!(!reply.text.contains(KEY), "{}", case.name);
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.len() > 150, "{}", cases.len());
    let journal = simulator.journal();
    assert_eq!(journal.len(), cases.len());
    assert!(!serde_json::to_string(&journal).unwrap().contains(KEY));
}

#[tokio::test]
async fn accepts() {
    let simulator = Simulator::start().await.unwrap();
    for case in cases(include_str!("cases/accepted.json")) {
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
        let answer = case.answer.as_deref().unwrap();
        assert!(text.unwrap().starts_with(answer), "{}: {}", case.name, reply.text);
    }
}
