//! Runs conversations with tools against the simulator, with every provider that supports them.

use std::sync::Arc;
use std::time::Duration;

use llm_exe::providers::{PROVIDERS, ProviderRow};
use llm_exe::{Deadline, Rules, Run, Runner};
use llm_exe_simulator::{Simulator, Step};
use serde_json::{Value, json};

use crate::common::{FixedKey, endpoints, provider_field, signer};

fn tool(name: &str) -> Value {
    json!({
        "name": name,
        "description": "Returns the exchange rate of a currency.",
        "parameters": {
            "type": "object",
            "properties": { "currency": { "type": "string" } },
            "required": ["currency"]
        }
    })
}

fn request(row: &ProviderRow, fields: Value) -> Value {
    let model = provider_field(row.name, "model");
    let mut request = json!({
        "provider": row.name,
        "model": model,
        "message": [{ "role": "user", "content": "What is 1 EUR in USD?" }],
        "strictVariables": true
    });
    request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    request
}

async fn run(simulator: &Simulator, request: Value) -> Run {
    let rules = Rules { strict_options: true, ..Rules::default() };
    let runner = Runner::new(endpoints(simulator), Arc::new(FixedKey), rules).with_signer(signer());
    runner.run(Deadline::after(Duration::from_secs(30)), request).await
}

fn result(run: Run, context: &str) -> Value {
    run.outcome.unwrap_or_else(|error| panic!("{context}: {}: {error}", error.kind()))
}

/// Returns the built-in providers whose example model can call tools.
fn providers_with_tools() -> impl Iterator<Item = &'static ProviderRow> {
    PROVIDERS.iter().filter(|row| {
        let model = provider_field(row.name, "model");
        row.dialect.capabilities(&model).tools
    })
}

#[test]
fn most_providers_have_an_example_model_with_tools() {
    assert!(providers_with_tools().count() > 12);
}

#[tokio::test]
async fn a_call_is_handed_back_and_its_result_continues_the_conversation() {
    for row in providers_with_tools() {
        let simulator = Simulator::start().await.unwrap();
        let name = row.name;
        simulator.script(vec![
            Step::tool_call("get_rate", json!({ "currency": "EUR" })),
            Step::text("One euro is 1.08 dollars."),
        ]);
        let request = request(row, json!({ "tools": [tool("get_rate")] }));
        let handed_back = result(run(&simulator, request.clone()).await, name);
        assert_eq!(handed_back["status"], "toolCalls", "{name}");
        let call = &handed_back["toolCalls"][0];
        assert_eq!(call["name"], "get_rate", "{name}");
        assert_eq!(call["arguments"], json!({ "currency": "EUR" }), "{name}");

        // Step Functions and JavaScript write JSON again, with other spaces and key orders.
        let conversation = handed_back["conversation"].clone();
        let mut continued = request;
        continued["conversation"] = sorted(conversation);
        continued["toolResults"] = json!([{ "id": call["id"], "result": { "usd": 1.08 } }]);
        let run = run(&simulator, continued).await;
        assert_eq!(run.report.attempts, 1, "{name}");
        assert_eq!(result(run, name), "One euro is 1.08 dollars.", "{name}");
        let journal = simulator.journal();
        let second = serde_json::to_string(&journal[1].body).unwrap();
        assert!(second.contains("1.08"), "{name}: {second}");
    }
}

/// Returns a value with the keys of its objects in alphabetical order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> = fields.into_iter().collect();
            fields.sort_by(|(first, _), (second, _)| first.cmp(second));
            fields.into_iter().map(|(name, value)| (name, sorted(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

#[tokio::test]
async fn the_request_of_a_tool_runs_with_the_declared_arguments() {
    for row in providers_with_tools() {
        let simulator = Simulator::start().await.unwrap();
        let name = row.name;
        let arguments = json!({ "currency": "EUR" });
        simulator.script(vec![
            Step::tool_call("get_rate", arguments.clone()),
            Step::text("1.08"),
            Step::text("One euro is 1.08 dollars."),
        ]);
        let mut tool = tool("get_rate");
        tool["run"]["request"] = json!({
            "provider": row.name,
            "model": provider_field(row.name, "model"),
            "message": [{ "role": "user", "content": "Rate of {{currency}} at {{place}}?" }],
            "data": { "place": "Frankfurt" }
        });
        let run = run(&simulator, request(row, json!({ "tools": [tool] }))).await;
        let report = run.report.clone();
        assert_eq!(result(run, name), "One euro is 1.08 dollars.", "{name}");
        assert_eq!(report.attempts, 3, "{name}");
        let runs: Vec<_> = report.tool_runs.iter().collect();
        assert_eq!(runs.len(), 1, "{name}");
        let arguments_text = arguments.to_string();
        assert_eq!((runs[0].turn, &*runs[0].name), (1, "get_rate"), "{name}");
        assert_eq!(runs[0].arguments.replace(' ', ""), arguments_text, "{name}");
        assert_eq!(runs[0].outcome.as_deref(), Ok("1.08"), "{name}");
        let nested = serde_json::to_string(&simulator.journal()[1].body).unwrap();
        assert!(nested.contains("Rate of EUR at Frankfurt?"), "{name}: {nested}");
    }
}
