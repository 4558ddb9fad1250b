//! Tests fallbacks and the operator's rules against the simulator. The cases are in
//! `cases/fallbacks.json`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use llm_exe::providers::{Provider, Providers};
use llm_exe::{Deadline, Plan, Rules, Run, Runner};
use llm_exe_simulator::Simulator;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::common::{FixedKey, endpoints, read_cases};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    name: String,
    request: Value,
    script: Value,
    result: Option<Value>,
    error: Option<String>,
    #[serde(default)]
    message_contains: String,
    called_models: Vec<String>,
    replied_by: Option<String>,
    passed_over: Option<Vec<[String; 3]>>,
    #[serde(default)]
    warnings: Vec<String>,
    deadline_ms: Option<u64>,
}

fn runner(simulator: &Simulator, rules: Rules) -> Runner {
    Runner::new(endpoints(simulator), Arc::new(FixedKey), rules)
}

/// Returns the models of all received calls, in order.
fn called_models(simulator: &Simulator) -> Vec<String> {
    let calls = simulator.journal();
    calls.iter().map(|call| call.body["model"].as_str().unwrap_or("?").to_owned()).collect()
}

#[tokio::test]
async fn fallbacks_handle_the_scripted_responses() {
    let cases: Vec<Case> = read_cases("fallbacks.json");
    let mut wrong = Vec::new();
    for case in &cases {
        let simulator = Simulator::start().await.unwrap();
        simulator.script_json(case.script.clone()).unwrap();
        let mut request = json!({
            "provider": "openai", "model": "gpt-4o-mini", "message": "hi", "return": "full",
            "options": {"numOfAttempts": 2, "maxDelay": 1},
            "fallbacks": [
                {"provider": "anthropic", "model": "claude-sonnet-4-5"},
                {"provider": "xai", "model": "grok-4.3"},
            ],
        });
        request.as_object_mut().unwrap().extend(case.request.as_object().unwrap().clone());
        let deadline = Deadline::after(Duration::from_millis(case.deadline_ms.unwrap_or(30_000)));
        let run = runner(&simulator, Rules::default()).run(deadline, request).await;
        let run = run.with_envelope();
        if let Some(difference) = difference(case, &run, &called_models(&simulator)) {
            wrong.push(format!("{}: {difference}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn difference(case: &Case, run: &Run, called: &[String]) -> Option<String> {
    if called != case.called_models {
        return Some(format!("called {called:?}: {:?}", run.outcome));
    }
    match (&run.outcome, &case.error) {
        (Ok(full), None) => {
            let passed_over: Vec<[String; 3]> = full["passedOver"]
                .as_array()?
                .iter()
                .map(|target| {
                    assert!(!target["errorMessage"].as_str().unwrap().is_empty());
                    ["provider", "model", "errorType"]
                        .map(|name| target[name].as_str().unwrap().to_owned())
                })
                .collect();
            let same = Some(&full["result"]) == case.result.as_ref()
                && full["provider"].as_str() == case.replied_by.as_deref()
                && Some(passed_over) == case.passed_over
                && case.warnings.iter().all(|warning| run.report.warnings.contains(warning));
            (!same).then(|| format!("returned {full}"))
        }
        (Err(error), Some(kind)) => {
            let same =
                error.kind().name() == kind && error.message().contains(&case.message_contains);
            (!same).then(|| format!("failed with {}: {error}", error.kind()))
        }
        (outcome, _) => Some(format!("{outcome:?}")),
    }
}

#[tokio::test]
async fn request_makes_at_most_500_calls() {
    let simulator = Simulator::start().await.unwrap();
    simulator.script_json(json!([{"times": 1000, "then": {"status": 503}}])).unwrap();
    let fallback = json!({"provider": "anthropic", "model": "claude-sonnet-4-5"});
    let request = json!({
        "provider": "openai", "model": "gpt-4o-mini", "message": "hi",
        "options": {"numOfAttempts": 10, "maxDelay": 0},
        "fallbacks": vec![fallback; 20],
    });
    let rules = Rules::default();
    let mut plan = Plan::from_value(request, &rules).unwrap();
    // A request has at most 20 fallbacks, but a plan of a program can have more.
    plan.fallbacks = vec![plan.fallbacks[0].clone(); 60];
    let deadline = Deadline::after(Duration::from_secs(60));
    let run = runner(&simulator, rules).run_plan(deadline, &plan).await;
    let error = run.outcome.unwrap_err();
    assert_eq!(error.kind().name(), "LimitExceeded", "{error}");
    assert!(error.message().contains("500 provider calls"), "{error}");
    assert_eq!(simulator.journal().len(), 500);
}

#[test]
fn number_of_fallbacks_is_limited() {
    let fallback = json!({"provider": "anthropic", "model": "claude-sonnet-4-5"});
    for (count, is_valid) in [(20, true), (21, false), (100_000, false)] {
        let request = json!({
            "provider": "openai", "model": "m", "message": "hi",
            "fallbacks": vec![&fallback; count],
        });
        match Plan::from_value(request, &Rules::default()) {
            Ok(_) => assert!(is_valid, "{count}"),
            Err(error) => {
                let expected = format!("fallbacks: expected at most 20 fallbacks, got {count}");
                assert_eq!((error.message(), is_valid), (expected.as_str(), false));
            }
        }
    }
}

#[tokio::test]
async fn fallbacks_share_one_deadline() {
    let simulator = Simulator::start().await.unwrap();
    simulator.script_json(json!([{"times": 99, "then": {"fault": "hang"}}])).unwrap();
    let fallback = json!({"provider": "anthropic", "model": "claude-sonnet-4-5"});
    let request = json!({
        "provider": "openai", "model": "gpt-4o-mini", "message": "hi", "fallbacks": [fallback],
    });
    let started = Instant::now();
    let deadline = Deadline::after(Duration::from_millis(600));
    let run = runner(&simulator, Rules::default()).run(deadline, request).await;
    let error = run.outcome.unwrap_err();
    assert_eq!(error.kind().name(), "Timeout", "{error}");
    assert_eq!(called_models(&simulator), ["gpt-4o-mini", "claude-sonnet-4-5"]);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn operator_rules_apply_to_fallbacks() {
    let simulator = Simulator::start().await.unwrap();
    let rules = Rules {
        allowed_models: Some("openai:gpt-4o*".parse().unwrap()),
        max_tokens_ceiling: Some(100),
        ..Rules::default()
    };
    let runner = runner(&simulator, rules);
    let deadline = Deadline::after(Duration::from_secs(10));
    let run = |fields: Value| {
        let mut request = json!({"provider": "openai", "model": "gpt-4o-mini", "message": "hi"});
        request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        runner.run(deadline, request)
    };
    let rejected = run(json!({
        "model": "gpt-5",
        "options": {"maxTokens": 101},
        "fallbacks": [{"provider": "openai", "model": "o3", "options": {"maxTokens": 500}}],
    }));
    let message = rejected.await.outcome.unwrap_err().to_string();
    for part in [
        "model: \"gpt-5\" of openai is not allowed by the setting ALLOWED_MODELS",
        "options.maxTokens: expected at most 100 (the setting MAX_TOKENS_CEILING), got 101",
        "fallbacks[0].model: \"o3\" of openai is not allowed",
        "fallbacks[0].options.maxTokens: expected at most 100",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert!(simulator.journal().is_empty());
    run(json!({})).await.outcome.unwrap();
    run(json!({"options": {"maxTokens": 20}})).await.outcome.unwrap();
    let sent = simulator.journal();
    let sent: Vec<&Value> = sent.iter().map(|call| &call.body["max_completion_tokens"]).collect();
    assert_eq!(sent, [100, 20]);
}

#[tokio::test]
async fn openai_compatible_provider_is_configured_by_one_row() {
    let simulator = Simulator::start().await.unwrap();
    let url = format!("{}/v1", simulator.url());
    let inhouse = Provider::openai_compatible("inhouse", url).key_name("KeyInhouse");
    let providers = Providers::with([inhouse]).unwrap();
    let runner = runner(&simulator, Rules { providers, ..Rules::default() });
    let request = json!({
        "provider": "inhouse", "model": "meta-llama/Llama-4", "message": "hi", "output": "json",
        "options": {"maxTokens": 50},
        "schema": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
    });
    let run = runner.run(Deadline::after(Duration::from_secs(10)), request).await;
    assert!(run.outcome.unwrap()["a"].is_i64());
    let call = &simulator.journal()[0];
    assert_eq!(call.path, "/v1/chat/completions");
    assert_eq!(call.header("authorization"), Some("[present]"));
    assert_eq!(call.body["max_tokens"], 50);
    assert_eq!(call.body["response_format"]["type"], "json_schema");
}
