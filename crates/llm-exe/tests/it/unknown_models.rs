//! Runs requests with one feature each against models that no table describes, so that everything
//! is sent and the rejections are learned. The names are aliases, whose models only the simulator
//! knows.

use std::sync::Arc;
use std::time::Duration;

use llm_exe::providers::capability_of;
use llm_exe::{Deadline, Rules, Run, Runner};
use llm_exe_simulator::Simulator;
use serde_json::{Value, json};

use crate::common::{FixedKey, endpoints, signer};

/// The providers with models that reject different parts of requests.
const MODELS: &[(&str, &str, &[&str])] = &[
    (
        "openai",
        "acme--",
        &[
            "gpt-3.5-turbo",
            "gpt-4",
            "gpt-4o",
            "gpt-4o-search-preview",
            "gpt-4.1",
            "gpt-5",
            "gpt-5-chat-latest",
            "gpt-5.1",
            "gpt-5.2",
            "gpt-5.4",
            "gpt-5.6-sol",
            "gpt-6-sol",
            "gpt-6-astra",
            "gpt-6.2-sol",
            "o3-mini",
            "o4-mini",
        ],
    ),
    ("xai", "acme--", &["grok-2", "grok-3-mini", "grok-4", "grok-4.3", "grok-4.7"]),
    ("deepseek", "acme--", &["deepseek-chat", "deepseek-reasoner", "deepseek-v4-flash"]),
    (
        "anthropic",
        "acme--",
        &[
            "claude-3-haiku",
            "claude-3-7-sonnet",
            "claude-opus-4-1",
            "claude-haiku-4-5",
            "claude-opus-4-5",
            "claude-sonnet-4-6",
            "claude-opus-4-7",
            "claude-sonnet-5",
            "claude-opus-5",
            "claude-haiku-5-5",
            "claude-sonnet-5-5",
            "claude-opus-5-5",
            "claude-fable-5-2",
        ],
    ),
    (
        "google",
        "acme--",
        &[
            "gemini-1.5-pro",
            "gemini-2.0-flash",
            "gemini-2.5-pro",
            "gemini-2.5-flash-lite",
            "gemini-3-pro",
            "gemini-3.5-flash",
            "gemini-3.8-flash",
            "gemini-4-argon",
            "gemini-4-hydrogen",
        ],
    ),
    ("ollama", "acme--", &["llama3.1", "qwen3", "gemma3", "gpt-oss"]),
    (
        "amazon:anthropic",
        "anthropic.acme--",
        &["claude-3-haiku", "claude-haiku-4-5", "claude-opus-4-7", "claude-opus-5-5"],
    ),
    (
        "amazon",
        "acme--",
        &[
            "amazon.nova-lite-v1:0",
            "amazon.nova-2-lite-v1:0",
            "meta.llama3-3-70b-instruct-v1:0",
            "mistral.mistral-large-2407-v1:0",
            "cohere.command-r-v1:0",
            "deepseek.r1-v1:0",
            "openai.gpt-oss-120b-1:0",
            "openai.gpt-6-sol",
            "qwen.qwen3-32b-v1:0",
            "anthropic.claude-haiku-4-5",
            "anthropic.claude-opus-5-5",
        ],
    ),
];

/// Returns requests with one feature each.
fn features() -> Vec<(String, Value)> {
    let object = |closed: bool| {
        let mut schema = json!({
            "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"]
        });
        schema["additionalProperties"] = json!(!closed);
        json!({ "output": "json", "schema": schema })
    };
    let mut features = vec![
        ("text".to_owned(), json!({})),
        ("closed schema".to_owned(), object(true)),
        ("open schema".to_owned(), object(false)),
    ];
    let options = [
        ("temperature", json!(0.5)),
        ("topP", json!(0.5)),
        ("topK", json!(20)),
        ("stopSequences", json!(["END"])),
        ("frequencyPenalty", json!(0.5)),
        ("presencePenalty", json!(0.5)),
        ("seed", json!(7)),
        ("maxTokens", json!(2_000_000)),
    ];
    let efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
    let efforts = efforts.map(|effort| ("effort", json!(effort)));
    for (name, value) in options.into_iter().chain(efforts) {
        features.push((format!("{name} {value}"), json!({ "options": { name: value } })));
    }
    features
}

async fn run(runner: &Runner, request: &Value) -> Run {
    runner.run(Deadline::after(Duration::from_secs(30)), request.clone()).await
}

/// Returns how the runs of a request differ from what is expected.
async fn difference(provider: &str, model: &str, feature: &Value) -> Option<String> {
    let simulator = Simulator::start().await.unwrap();
    let endpoints = endpoints(&simulator);
    let runner = Runner::new(endpoints, Arc::new(FixedKey), Rules::default()).with_signer(signer());
    let mut request = json!({ "provider": provider, "model": model, "message": "Give a name." });
    request.as_object_mut().unwrap().extend(feature.as_object().unwrap().clone());
    let first = run(&runner, &request).await;
    if let Err(error) = &first.outcome {
        return Some(format!("after {} attempts: {error}", first.report.attempts));
    }
    let rejected = first.report.attempts - 1;
    let changed = first.report.changed.len();
    // All calls before the last one were rejected, so they are not billed.
    let calls = simulator.journal();
    let statuses: Vec<Option<u16>> = calls.iter().map(|call| call.answered.status).collect();
    let billed = statuses.iter().filter(|status| **status == Some(200)).count();
    if rejected > 3 || billed != 1 || (rejected > 0) != (changed > 0) {
        return Some(format!("{statuses:?}, {:?}", first.report.changed));
    }
    let second = run(&runner, &request).await;
    (second.outcome.is_err() || second.report.attempts != 1)
        .then(|| format!("the second request needs {} attempts", second.report.attempts))
}

#[tokio::test]
async fn every_rejection_of_an_unknown_model_is_learned() {
    let mut wrong = Vec::new();
    let mut learned = 0;
    for (provider, alias, models) in MODELS {
        for model in *models {
            let name = format!("{alias}{model}");
            let row = capability_of(provider, &name).unwrap();
            assert_eq!(row.1, "*", "{provider} {name} is described by a table");
            for (feature, fields) in features() {
                match difference(provider, &name, &fields).await {
                    Some(difference) => {
                        wrong.push(format!("{provider} {model}, {feature}: {difference}"));
                    }
                    None => learned += 1,
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        wrong.len() + learned,
        wrong.join("\n")
    );
    assert!(learned > 900, "{learned}");
}
