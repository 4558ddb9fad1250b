//! Tests the field `cost` of the `full` object, which is computed from the token counts of every
//! call. The simulator replies with scripted bodies.

use std::sync::Arc;
use std::time::Duration;

use llm_exe::bytes::Bytes;
use llm_exe::http::{Request, Response};
use llm_exe::ports::PortFuture;
use llm_exe::providers::provider;
use llm_exe::transport::{HttpClient, HttpError, HttpTransport};
use llm_exe::{Deadline, Endpoints, Rules, Runner};
use llm_exe_simulator::Simulator;
use serde_json::{Value, json};

use crate::common::{FixedKey, endpoints, signer};

/// Sends the requests to the providers' own base URLs to a simulator.
struct Forwarding {
    simulator: String,
    client: HttpClient,
}

impl HttpTransport for Forwarding {
    fn send(
        &self,
        mut request: Request<Bytes>,
        deadline: Deadline,
    ) -> PortFuture<'_, Result<Response<Bytes>, HttpError>> {
        let path = request.uri().path_and_query().unwrap().as_str();
        *request.uri_mut() = format!("{}{path}", self.simulator).parse().unwrap();
        self.client.send(request, deadline)
    }
}

/// Runs a request with a script, and returns the `full` object.
async fn run(script: Value, fields: Value) -> Value {
    let mut own = Endpoints::new();
    own.set_region("eu-central-1").unwrap();
    run_with(|_| own.clone(), script, fields).await
}

async fn run_with(
    endpoints: impl Fn(&Simulator) -> Endpoints,
    script: Value,
    fields: Value,
) -> Value {
    let simulator = Simulator::start().await.unwrap();
    simulator.script_json(script).unwrap();
    let forwarding = Forwarding { simulator: simulator.url(), client: HttpClient::default() };
    let runner = Runner::new(endpoints(&simulator), Arc::new(FixedKey), Rules::default())
        .with_signer(signer())
        .with_http_transport(Arc::new(forwarding));
    let mut request = json!({ "provider": "openai", "message": "Hi", "return": "full" });
    request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let run = runner.run(Deadline::after(Duration::from_secs(30)), request).await;
    run.with_envelope().outcome.unwrap()
}

fn reply(body: Value) -> Value {
    json!({ "then": { "status": 200, "body": body } })
}

/// Returns a response of chat completions.
fn completion(model: &str, text: &str, usage: Value) -> Value {
    reply(json!({
        "model": model, "usage": usage,
        "choices": [{ "message": { "content": text }, "finish_reason": "stop" }]
    }))
}

/// Returns the amounts of a cost as texts: all, input, cached input, cache write, output. Without
/// the feature `exact-numbers`, small numbers have an exponent.
fn amounts(full: &Value) -> [String; 5] {
    ["usd", "input", "cachedInput", "cacheWrite", "output"].map(|name| {
        let amount = &full["cost"][name];
        amount.as_f64().map_or(amount.to_string(), |amount| amount.to_string())
    })
}

fn cost_warnings(full: &Value) -> Vec<&str> {
    let warnings = full["warnings"].as_array().unwrap().iter();
    warnings.filter_map(Value::as_str).filter(|text| text.starts_with("cost: ")).collect()
}

/// Returns a request and a response for every dialect that reports token counts, and the amounts.
/// The prices of these models are not expected to change: they are old, or will be shut down.
fn priced_responses() -> Vec<(Value, Value, [&'static str; 5])> {
    vec![
        (
            json!({ "model": "gpt-4o" }),
            completion(
                "gpt-4o-2024-11-20",
                "a",
                json!({
                    "prompt_tokens": 1000, "completion_tokens": 100,
                    "prompt_tokens_details": { "cached_tokens": 400 }
                }),
            ),
            ["0.003", "0.0015", "0.0005", "0", "0.001"],
        ),
        // The model that replied decides, not the alias that was requested.
        (
            json!({ "model": "gpt-4o-latest" }),
            completion("gpt-4o-mini", "a", json!({ "prompt_tokens": 10, "completion_tokens": 10 })),
            ["0.0000075", "0.0000015", "0", "0", "0.000006"],
        ),
        (
            json!({ "provider": "anthropic", "model": "claude-opus-4-5" }),
            reply(json!({
                "model": "claude-opus-4-5-20251101", "stop_reason": "end_turn",
                "content": [{ "type": "text", "text": "a" }],
                "usage": {
                    "input_tokens": 100, "output_tokens": 10, "cache_read_input_tokens": 1000,
                    "cache_creation_input_tokens": 30,
                    "cache_creation": {
                        "ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20
                    }
                }
            })),
            ["0.0015125", "0.0005", "0.0005", "0.0002625", "0.00025"],
        ),
        (
            json!({ "provider": "google", "model": "gemini-2.5-pro" }),
            reply(json!({
                "modelVersion": "gemini-2.5-pro",
                "candidates": [
                    { "content": { "parts": [{ "text": "a" }] }, "finishReason": "STOP" }
                ],
                "usageMetadata": {
                    "promptTokenCount": 100, "candidatesTokenCount": 10, "thoughtsTokenCount": 90,
                    "totalTokenCount": 200
                }
            })),
            ["0.001125", "0.000125", "0", "0", "0.001"],
        ),
        (
            json!({ "provider": "amazon", "model": "us.amazon.nova-lite-v1:0" }),
            reply(json!({
                "output": { "message": { "role": "assistant", "content": [{ "text": "a" }] } },
                "stopReason": "end_turn",
                "usage": { "inputTokens": 100, "outputTokens": 10, "totalTokens": 110 }
            })),
            ["0.0000084", "0.000006", "0", "0", "0.0000024"],
        ),
        (
            json!({ "provider": "amazon:anthropic", "model": "us.anthropic.claude-opus-4-5" }),
            reply(json!({
                "model": "claude-opus-4-5-20251101", "stop_reason": "end_turn",
                "content": [{ "type": "text", "text": "a" }],
                "usage": { "input_tokens": 100, "output_tokens": 10 }
            })),
            ["0.000825", "0.00055", "0", "0", "0.000275"],
        ),
    ]
}

#[tokio::test]
async fn cost_is_computed_from_the_response_of_every_dialect() {
    for (fields, step, expected) in priced_responses() {
        let full = run(json!([step]), fields.clone()).await;
        assert_eq!(amounts(&full), expected, "{fields}");
        assert_eq!(full["cost"].get("estimate"), None, "{fields}");
        assert_eq!(cost_warnings(&full), [""; 0], "{fields}");
        assert_eq!(full["cost"]["priceDate"].as_str().unwrap().len(), 10, "{fields}");
    }
}

#[tokio::test]
async fn cost_contains_repairs_and_each_call_has_its_own_tier() {
    // Together, the calls have more than the 200,000 tokens from which the price is twice as high.
    let usage =
        json!({ "prompt_tokens": 150_000, "completion_tokens": 0, "total_tokens": 150_000 });
    let script = json!([
        completion("grok-4.3", "no list", usage.clone()),
        completion("grok-4.3", r#"{"a": 1}"#, usage),
    ]);
    let fields = json!({ "provider": "xai", "model": "grok-4.3", "output": "json", "schema": {
        "type": "object", "properties": { "a": { "type": "integer" } }, "required": ["a"]
    } });
    let full = run(script, fields).await;
    assert_eq!((&full["attempts"], amounts(&full)[0].as_str()), (&json!(2), "0.375"));
    let above =
        json!({ "prompt_tokens": 300_000, "completion_tokens": 0, "total_tokens": 300_000 });
    let script = json!([completion("grok-4.3", "a", above)]);
    let full = run(script, json!({ "provider": "xai", "model": "grok-4.3" })).await;
    assert_eq!(amounts(&full)[0], "0.75");
}

#[tokio::test]
async fn tiers_of_service_change_the_cost() {
    let usage = json!({ "prompt_tokens": 1000, "completion_tokens": 100 });
    let mut step = completion("gpt-5.1", "a", usage);
    for (tier, expected) in
        [("default", "0.00225"), ("flex", "0.001125"), ("priority", "0.0045"), ("scale", "0.00225")]
    {
        step["then"]["body"]["service_tier"] = json!(tier);
        let full = run(json!([step.clone()]), json!({ "model": "gpt-5.1" })).await;
        assert_eq!(amounts(&full)[0], expected, "{tier}");
        let is_estimate = full["cost"].get("estimate").is_some();
        assert_eq!(is_estimate, tier == "scale", "{tier}");
    }
}

#[tokio::test]
async fn cost_without_a_price_is_null() {
    let unknown =
        completion("gpt-9-sol", "a", json!({ "prompt_tokens": 1, "completion_tokens": 1 }));
    let full = run(json!([unknown]), json!({ "model": "gpt-9-sol" })).await;
    assert_eq!(amounts(&full), ["null"; 5]);
    assert_eq!(cost_warnings(&full), ["cost: the price of openai gpt-9-sol is not known"]);

    // A known price does not help if another call of the sum has none, or if nothing is counted.
    let usage = json!({ "prompt_tokens": 1, "completion_tokens": 1 });
    let fields = json!({ "model": "gpt-4o", "output": "json", "schema": { "type": "object" } });
    let script =
        json!([completion("gpt-4o", "x", usage.clone()), completion("other", "{}", usage)]);
    let full = run(script, fields.clone()).await;
    assert_eq!((&full["result"], amounts(&full)[0].as_str()), (&json!({}), "null"));
    assert_eq!(cost_warnings(&full), ["cost: the price of openai other is not known"]);

    let full = run(json!([completion("gpt-4o", "{}", Value::Null)]), fields).await;
    assert_eq!(amounts(&full)[0], "null");
    let expected = "cost: the response of openai gpt-4o contains no token counts";
    assert_eq!(cost_warnings(&full), [expected]);
}

#[tokio::test]
async fn a_call_without_a_response_makes_the_cost_an_estimate() {
    let usage = json!({ "prompt_tokens": 1000, "completion_tokens": 0 });
    let fields = json!({
        "model": "gpt-5.1", "options": { "timeout": 300 },
        "fallbacks": [{ "provider": "openai", "model": "gpt-4o", "options": { "timeout": 20_000 } }]
    });
    let slow = json!({ "then": { "fault": "hang" } });
    let script = json!([slow, completion("gpt-4o", "a", usage.clone())]);
    let full = run(script, fields.clone()).await;
    assert_eq!((&full["cost"]["estimate"], amounts(&full)[0].as_str()), (&json!(true), "0.0025"));
    // The provider aborted a reply, and the response does not count its tokens.
    let choice = json!({ "message": { "content": "a" }, "finish_reason": "error" });
    let aborted = reply(json!({ "model": "gpt-5.1", "choices": [choice] }));
    let script = json!([aborted, completion("gpt-4o", "a", usage.clone())]);
    let full = run(script, fields.clone()).await;
    assert_eq!((&full["cost"]["estimate"], amounts(&full)[0].as_str()), (&json!(true), "0.0025"));
    // A refused call is not billed.
    let refused = json!({ "then": { "status": 503, "body": { "error": { "message": "busy" } } } });
    let script = json!([refused, completion("gpt-5.1", "a", usage)]);
    let full = run(script, fields).await;
    assert_eq!((full["cost"].get("estimate"), amounts(&full)[0].as_str()), (None, "0.00125"));
}

#[tokio::test]
async fn the_cost_of_another_server_is_an_estimate() {
    let usage = json!({ "prompt_tokens": 1000, "completion_tokens": 100 });
    let script = json!([completion("gpt-4o", "a", usage)]);
    let fields = json!({ "model": "gpt-4o" });
    let same_url = |_: &Simulator| {
        let mut endpoints = Endpoints::new();
        endpoints.set(provider("openai").unwrap(), "https://api.openai.com/v1/").unwrap();
        endpoints
    };
    let full = run_with(same_url, script.clone(), fields.clone()).await;
    assert_eq!((full["cost"].get("estimate"), amounts(&full)[0].as_str()), (None, "0.0035"));
    let full = run_with(endpoints, script, fields).await;
    assert_eq!((&full["cost"]["estimate"], amounts(&full)[0].as_str()), (&json!(true), "0.0035"));
}

#[tokio::test]
async fn a_dry_run_costs_nothing() {
    let full = run(json!([]), json!({ "model": "gpt-9-sol", "dryRun": true })).await;
    assert_eq!(amounts(&full), ["0"; 5]);
    assert_eq!(full["cost"]["priceDate"], Value::Null);
}
