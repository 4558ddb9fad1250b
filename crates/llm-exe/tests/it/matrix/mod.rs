//! Checks docs/matrix.md: what is sent for each feature of a request to each model.
//!
//! `scripts/matrix` and `scripts/update` rewrite the page. `scripts/matrix --live` sends the same
//! requests to the providers and prints what differs.

mod cell;
mod live;
mod page;
mod rows;

use std::collections::BTreeMap;
use std::sync::Arc;

use llm_exe::providers::{PROVIDERS, provider};
use llm_exe_simulator::{ScriptedResponse, Simulator, Step, When};
use serde_json::json;

use crate::common::{provider_names, root, simulator_url, update};
use cell::TOOL;
use live::Live;

const KEY: &str = "a-key-that-must-not-be-printed";

#[tokio::test]
async fn matrix_is_up_to_date() {
    let path = root().join("docs/matrix.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let expected = page::page(&page).await;
    if update() {
        std::fs::write(&path, &expected).unwrap();
        return;
    }
    assert!(page == expected, "docs/matrix.md is out of date; run scripts/matrix");
}

/// Compares the providers in `MATRIX_PROVIDERS`, or all, with the matrix. `scripts/matrix --live`
/// runs this test with the user's keys.
#[tokio::test]
#[ignore = "calls the providers with the keys in the environment"]
#[allow(clippy::disallowed_methods, reason = "the user's settings are in the environment")]
#[allow(clippy::print_stdout, reason = "scripts/matrix shows the output")]
async fn providers_are_as_in_the_matrix() {
    let look_up = |name: &str| std::env::var(name).ok();
    let names = look_up("MATRIX_PROVIDERS").unwrap_or_default();
    let names: Vec<String> = names.split_whitespace().map(str::to_owned).collect();
    let unknown: Vec<&String> = names.iter().filter(|name| provider(name).is_none()).collect();
    let known = provider_names();
    assert!(unknown.is_empty(), "unknown providers {unknown:?}; known are {known:?}");
    let names = if names.is_empty() { known } else { names };
    let differences =
        Live::new(Arc::new(look_up)).compare(&names, &mut |line| println!("{line}")).await;
    assert_eq!(differences, Some(0), "the number of differences, which the table above contains");
}

/// Compares providers that a simulator replaces with the matrix. Returns what is printed.
async fn compare(simulator: &Simulator, providers: &[&str]) -> String {
    let mut settings = BTreeMap::new();
    for row in PROVIDERS {
        settings.insert(row.base_url_setting.to_owned(), simulator_url(simulator, row));
        let variables = row.key().map(|key| key.environment.into_owned()).unwrap_or_default();
        settings.extend(variables.into_iter().map(|name| (name.into_owned(), KEY.to_owned())));
    }
    for (name, value) in [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ] {
        settings.insert(name.to_owned(), value.to_owned());
    }
    let mut live = Live::new(Arc::new(move |name| settings.get(name).cloned()));
    live.assume_all_apis();
    let mut printed = String::new();
    let providers: Vec<String> = providers.iter().map(|name| (*name).to_owned()).collect();
    live.compare(&providers, &mut |line| printed.extend([line, "\n"])).await;
    printed
}

#[tokio::test]
async fn simulator_is_as_in_the_matrix() {
    let simulator = Simulator::start().await.unwrap();
    let calls_tool = When { prompt_contains: Some("Call the tool".to_owned()), ..When::default() };
    let call = Step::tool_call(TOOL, json!({ "currency": "JPY" }));
    simulator.script(vec![call.when(calls_tool).times(u32::MAX)]);
    let names = PROVIDERS.iter().map(|row| row.name).collect::<Vec<_>>();
    let printed = compare(&simulator, &names).await;
    assert!(printed.ends_with("\nno differences\n"), "{printed}");
    let calls = simulator.journal().len();
    assert!(calls > 300 && printed.starts_with(&format!("{calls} calls to ")), "{printed}");
}

#[tokio::test]
async fn differences_are_printed_without_keys() {
    let rejected = |message: &str| {
        let body = json!({ "error": { "message": message, "type": "invalid_request_error" } });
        Step::new(ScriptedResponse::Status { status: 400, headers: Vec::new(), body: Some(body) })
    };
    let simulator = Simulator::start().await.unwrap();
    // The calls are those of the columns from the text to the image.
    simulator.script(vec![
        rejected(&format!("Incorrect key {KEY}")),
        Step::text("EUR"),
        Step::text("I do not know it."),
        rejected(&format!("tools | response_format of {KEY}")),
        rejected("Unsupported parameter: 'reasoning_effort' is not supported with this model."),
    ]);
    let printed = compare(&simulator, &["openrouter"]).await;
    let mut lines = printed.lines();
    let summary = "6 calls to openrouter, with at most 8320 output tokens in total";
    assert_eq!(lines.next(), Some(summary));
    let rows: Vec<&str> = lines.skip(2).collect();
    let expected = [
        "text | Chat Completions | ProviderRejected: openrouter anthropic/claude-opus-5: the \
         provider rejected the request (400): Incorrect key [redacted] |",
        "schema | Chat Completions, strict | OutputInvalid: openrouter anthropic/claude-opus-5: \
         the reply is not valid JSON at line 1, column 1: expected a value (stop reason stop; the \
         reply begins with \"EUR\") |",
        "tools | Chat Completions | the model did not call the tool: \"I do not know it.\" |",
        "tools and schema | Chat Completions, strict | ProviderRejected: openrouter \
         anthropic/claude-opus-5: the provider rejected the request (400): tools / \
         response_format of [redacted] |",
        "effort | Chat Completions | the provider rejected options.effort: dropped if it is \
         \"low\" |",
    ];
    let model = "| openrouter | `anthropic/claude-opus-5` |";
    assert_eq!(rows, expected.map(|row| format!("{model} {row}")));
    assert!(!printed.contains(KEY));
}

#[tokio::test]
async fn providers_without_keys_are_skipped() {
    let live = Live::new(Arc::new(|_| None));
    let mut printed = Vec::new();
    let mut print = |line: &str| printed.push(line.to_owned());
    assert_eq!(live.compare(&provider_names(), &mut print).await, None);
    for expected in [
        "openai: skipped; set OPENAI_API_KEY or OPEN_AI_API_KEY",
        "ollama: skipped; set OLLAMA_ENDPOINT",
        "amazon: skipped; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY and AWS_REGION",
        "azure: skipped; set AZURE_OPENAI_API_KEY and AZURE_OPENAI_ENDPOINT",
        "0 calls to no provider, with at most 0 output tokens in total",
        "nothing was compared",
    ] {
        assert!(printed.iter().any(|line| line == expected), "{expected}: {printed:#?}");
    }
    assert_eq!(printed.len(), PROVIDERS.len() + 2);
}
