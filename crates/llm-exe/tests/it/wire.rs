//! Tests the requests that are sent to providers and how their responses are read.
//!
//! `cases/wire/<provider>.json` contains requests, each with the resulting wire request or error.
//! `cases/replies/*.json` contains responses, each with the reply that is read from it.
//!
//! `UPDATE=1 cargo test -p llm-exe --test it wire::` rewrites the wire cases; review the diff.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use llm_exe::providers::{Dialect, PROVIDERS, provider};
use llm_exe::wire::WireReply;
use llm_exe::{Deadline, Endpoints, Executor, Rules};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::common::{NoKeys, cases, read_cases, update, wire_cases, wire_file};

/// Performs a dry run of a request and returns the fields of its wire case.
async fn dry_run(request: &Value) -> Map<String, Value> {
    let mut dry_request = request.clone();
    dry_request["dryRun"] = json!(true);
    dry_request["return"] = json!("full");
    let mut endpoints = Endpoints::new();
    endpoints.set_region("eu-central-1").unwrap();
    let executor = Executor::new(endpoints, Arc::new(NoKeys), Rules::default());
    let run = executor.run(Deadline::after(Duration::from_secs(5)), dry_request).await;
    let mut case = Map::new();
    case.insert("request".to_owned(), request.clone());
    match run.outcome {
        Ok(full) => {
            case.insert("wire".to_owned(), full["result"].clone());
            case.insert("warnings".to_owned(), full["warnings"].clone());
        }
        Err(error) => {
            case.insert("error".to_owned(), json!(format!("{}: {error}", error.kind())));
        }
    }
    case
}

#[tokio::test]
async fn requests_become_the_recorded_wire_requests() {
    let mut failures = Vec::new();
    for row in PROVIDERS {
        let recorded = wire_cases(row.name);
        assert!(recorded.len() >= 10, "{} has {} cases", row.name, recorded.len());
        let is_sorted = recorded.keys().is_sorted() || update();
        assert!(is_sorted, "{}: cases are not sorted; run with UPDATE=1", row.name);
        let mut actual = Map::new();
        for (name, case) in &recorded {
            actual.insert(name.clone(), Value::Object(dry_run(&case["request"]).await));
        }
        if update() {
            actual.sort_keys();
            let path = cases().join(wire_file(row.name));
            std::fs::write(path, format!("{:#}\n", Value::Object(actual))).unwrap();
            continue;
        }
        for (name, actual) in &actual {
            // Comparing the JSON as text also compares the order of the keys.
            let (actual, expected) = (format!("{actual:#}"), format!("{:#}", recorded[name]));
            if actual != expected {
                failures.push(format!("{}: {name}: {actual}", row.name));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A file of response cases that apply to one or more providers.
#[derive(Deserialize)]
struct ReplyFile {
    providers: Vec<String>,
    cases: Vec<ReplyCase>,
}

#[derive(Deserialize)]
struct ReplyCase {
    name: String,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    body: Value,
    expected: Value,
}

fn ok() -> u16 {
    200
}

/// Reads the response in a case and returns the fields that the case compares.
fn read_case(dialect: &dyn Dialect, case: &ReplyCase) -> Value {
    let body = match &case.body {
        Value::String(text) => text.clone(),
        body => body.to_string(),
    };
    let headers = case
        .headers
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.as_str().unwrap().parse().unwrap()));
    let wire = WireReply { status: case.status, headers: headers.collect(), body: body.into() };
    if case.status != 200 {
        let failure = dialect.read_failure(&wire);
        return json!({
            "kind": failure.kind.name(),
            "message": failure.message,
            "retry": failure.retry,
        });
    }
    match dialect.read_reply(&wire) {
        Ok(reply) => json!({
            "text": reply.text(),
            "stopReason": reply.stop_reason.name(),
            "refusal": reply.refusal(),
            "usage": reply.usage,
            "model": reply.model,
            "tool": reply.tool_arguments("answer"),
        }),
        Err(error) => json!({"error": format!("{}: {error}", error.kind())}),
    }
}

#[test]
fn responses_are_read_as_recorded() {
    let mut failures = Vec::new();
    let mut tested = BTreeSet::new();
    for entry in cases().join("replies").read_dir().unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let file: ReplyFile = read_cases(&format!("replies/{name}"));
        for name in file.providers {
            let dialect = provider(&name).unwrap().dialect;
            for case in &file.cases {
                let actual = read_case(dialect, case);
                if actual != case.expected {
                    failures.push(format!("{name}: {}: {actual:#}", case.name));
                }
            }
            tested.insert(name);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let providers: BTreeSet<String> = PROVIDERS.iter().map(|row| row.name.to_owned()).collect();
    assert_eq!(tested, providers, "each provider is tested");
}
