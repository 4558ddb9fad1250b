//! Tests the requests that are sent to providers and how their responses are read.
//!
//! `cases/wire/<provider>.json` contains requests (`cases`), each with the resulting wire request
//! or error, and responses (`replies`), each with the reply that is read from it.
//!
//! `scripts/update` rewrites the cases; review the difference.

use std::sync::Arc;
use std::time::Duration;

use llm_exe::chat::Chat;
use llm_exe::providers::{ApiMode, Dialect, PROVIDERS};
use llm_exe::wire::WireReply;
use llm_exe::{Deadline, Endpoints, Rules, Runner};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::common::{
    NoKeys, cases, dialect, provider_data, provider_field, update, wire_cases, wire_file,
};

/// Performs a dry run of a case's request, and returns the fields of the case.
async fn dry_run(recorded: &Value) -> Map<String, Value> {
    let request = &recorded["request"];
    let mut dry_request = request.clone();
    dry_request["dryRun"] = json!(true);
    dry_request["return"] = json!("full");
    let mut endpoints = Endpoints::new();
    endpoints.set_region("eu-central-1").unwrap();
    endpoints.allow_missing_region();
    let mode = recorded.get("apiMode").map(|mode| mode.as_str().unwrap());
    endpoints.set_api_mode(mode.map_or(ApiMode::Auto, |name| ApiMode::from_name(name).unwrap()));
    let runner = Runner::new(endpoints, Arc::new(NoKeys), Rules::default());
    let run = runner.run(Deadline::after(Duration::from_secs(5)), dry_request).await;
    let mut case = Map::new();
    case.extend(mode.map(|mode| ("apiMode".to_owned(), json!(mode))));
    case.insert("request".to_owned(), request.clone());
    match run.with_envelope().outcome {
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
async fn recorded_wire_requests_are_up_to_date() {
    let mut failures = Vec::new();
    for row in PROVIDERS {
        let recorded = wire_cases(row.name);
        let (file, count) = (wire_file(row.name), recorded.len());
        assert!(count >= 10, "{}: has {count} cases; at least 10 are needed", file.display());
        let is_sorted = recorded.keys().is_sorted() || update();
        assert!(is_sorted, "{}: cases are not sorted; run scripts/update", row.name);
        let mut actual = Map::new();
        for (name, case) in &recorded {
            actual.insert(name.clone(), Value::Object(dry_run(case).await));
        }
        if update() {
            actual.sort_keys();
            let mut data = provider_data(row.name);
            data.insert("cases".to_owned(), Value::Object(actual));
            std::fs::write(wire_file(row.name), format!("{:#}\n", Value::Object(data))).unwrap();
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

#[derive(Deserialize)]
struct ReplyCase {
    name: String,
    /// `responses` for the Responses API of the provider.
    api: Option<String>,
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
    let model = case.body.get("model").and_then(Value::as_str).unwrap_or("m");
    match dialect.read_reply(&wire, &Chat::new(model, Vec::new())) {
        Ok(reply) => json!({
            "text": reply.text(),
            "stopReason": reply.stop_reason.name(),
            "refusal": reply.refusal,
            "usage": reply.usage,
            "model": reply.model,
            "tool": reply.tool_arguments("answer"),
        }),
        Err(error) => json!({"error": format!("{}: {error}", error.kind())}),
    }
}

/// Returns the response cases of a provider. Providers with the same dialect can share them: their
/// field `repliesOf` names the provider whose file contains the cases.
fn reply_cases(provider: &str) -> Vec<ReplyCase> {
    let mut data = provider_data(provider);
    if let Some(Value::String(other)) = data.get("repliesOf") {
        data = provider_data(other);
    }
    let cases = data.shift_remove("replies").unwrap_or_else(|| {
        panic!("{}: the field replies is missing", wire_file(provider).display());
    });
    serde_json::from_value(cases).unwrap()
}

#[test]
fn responses_are_read_as_recorded() {
    let mut failures = Vec::new();
    for row in PROVIDERS {
        let cases = reply_cases(row.name);
        assert!(cases.len() >= 5, "{} has {} replies, of at least 5", row.name, cases.len());
        // Providers that share the cases may have only the main API.
        let has_api = |case: &&ReplyCase| case.api.is_none() || row.responses().is_some();
        for case in cases.iter().filter(has_api) {
            let actual = read_case(dialect(row, case.api.as_deref()), case);
            if actual != case.expected {
                failures.push(format!("{}: {}: {actual:#}", row.name, case.name));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_data_file_belongs_to_a_provider_and_has_the_type_of_its_bodies() {
    for row in PROVIDERS {
        // The script `wire-types/check.mjs` reads this field.
        assert_ne!(provider_field(row.name, "bodyType"), "", "{}", row.name);
    }
    for entry in cases().join("wire").read_dir().unwrap() {
        let path = entry.unwrap().path();
        let is_known = PROVIDERS.iter().any(|row| wire_file(row.name) == path);
        assert!(is_known, "{}: no row of PROVIDERS has this name", path.display());
    }
}
