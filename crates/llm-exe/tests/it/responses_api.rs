//! Tests requests that are sent to the Responses API.

use std::sync::Arc;
use std::time::Duration;

use llm_exe::providers::ApiMode;
use llm_exe::{Deadline, ErrorKind, Rules, Run, Runner};
use llm_exe_simulator::{Simulator, Step};
use serde_json::{Value, json};

use crate::common::{FixedKey, endpoints, signer};

fn runner(simulator: &Simulator, mode: ApiMode) -> Runner {
    let mut endpoints = endpoints(simulator);
    endpoints.set_api_mode(mode);
    Runner::new(endpoints, Arc::new(FixedKey), Rules::default()).with_signer(signer())
}

async fn run(runner: &Runner, request: Value) -> Run {
    runner.run(Deadline::after(Duration::from_secs(30)), request).await
}

fn request(model: &str) -> Value {
    json!({ "provider": "openai", "model": model, "message": "Hi" })
}

fn paths(simulator: &Simulator) -> Vec<String> {
    simulator.journal().into_iter().map(|call| call.path).collect()
}

#[tokio::test]
async fn texts_and_values_are_returned_with_their_tokens_and_cost() {
    let simulator = Simulator::start().await.unwrap();
    let runner = runner(&simulator, ApiMode::Responses);
    for provider in ["openai", "azure"] {
        let mut request = request("gpt-6-sol");
        request["provider"] = json!(provider);
        let text = run(&runner, request.clone()).await;
        assert!(text.outcome.unwrap().as_str().unwrap().contains("Hi"));
        request["output"] = json!("json");
        request["schema"] = json!({
            "type": "object", "properties": { "a": { "type": "integer" } }, "required": ["a"]
        });
        let value = run(&runner, request).await;
        assert!(value.outcome.unwrap()["a"].is_i64());
        assert_eq!(value.report.usage.reasoning_tokens, 64);
    }
    assert_eq!(paths(&simulator)[..2], ["/v1/responses", "/v1/responses"]);
    assert_eq!(paths(&simulator)[2..], ["/azure/v1/responses", "/azure/v1/responses"]);
}

/// Each kind of token has its own price: 2 dollars per million tokens of the prompt, 0.2 from the
/// cache, 2.5 into it for 30 minutes and 5 for 12 hours, and 10 of the reply.
#[tokio::test]
async fn cost_is_computed_from_the_token_counts() {
    let simulator = Simulator::start().await.unwrap();
    let usage = json!({
        "input_tokens": 100_000,
        "input_tokens_details": {
            "cached_tokens": 30_000, "cache_write_tokens": 20_000,
            "cache_write_tokens_details": { "ttl_30m_tokens": 15_000, "ttl_12h_tokens": 5_000 }
        },
        "output_tokens": 10_000, "output_tokens_details": { "reasoning_tokens": 6_000 },
        "total_tokens": 110_000
    });
    let script = json!([{ "then": { "text": "Hello", "usage": usage } }]);
    simulator.script_json(script).unwrap();
    let mut request = request("gpt-6-sol");
    request["return"] = json!("full");
    let run = run(&runner(&simulator, ApiMode::Responses), request).await;
    let full = run.with_envelope().outcome.unwrap();
    let tokens = json!({
        "inputTokens": 50_000, "outputTokens": 4_000, "cachedInputTokens": 30_000,
        "cacheWriteTokens": 20_000, "reasoningTokens": 6_000, "totalTokens": 110_000
    });
    assert_eq!(full["usage"], tokens);
    let amounts = ["usd", "input", "cachedInput", "cacheWrite", "output"];
    let amounts = amounts.map(|name| full["cost"][name].to_string());
    assert_eq!(amounts, ["0.2685", "0.1", "0.006", "0.0625", "0.1"]);
}

#[tokio::test]
async fn failed_responses_are_errors_of_their_code() {
    use ErrorKind::{OutputRefused, ProviderRateLimited, ProviderRejected, ProviderUnavailable};
    for (code, attempts, kind) in [
        ("server_error", 3, ProviderUnavailable),
        ("rate_limit_exceeded", 3, ProviderRateLimited),
        ("invalid_prompt", 1, OutputRefused),
        ("bio_policy", 1, OutputRefused),
        ("misalignment_policy_violation", 1, OutputRefused),
        ("image_content_policy_violation", 1, OutputRefused),
        ("invalid_image_url", 1, ProviderRejected),
        ("image_too_large", 1, ProviderRejected),
        ("failed_to_download_image", 1, ProviderRejected),
        ("data_residency_mismatch", 1, ProviderRejected),
        ("vector_store_timeout", 1, ProviderUnavailable),
        ("a_new_code", 1, ProviderUnavailable),
    ] {
        let simulator = Simulator::start().await.unwrap();
        let body = json!({
            "id": "resp_1", "object": "response", "status": "failed", "output": [], "usage": null,
            "error": { "code": code, "message": "It did not work.", "param": null, "type": null }
        });
        simulator.script_json(json!([{ "times": 5, "then": { "json": body } }])).unwrap();
        let run = run(&runner(&simulator, ApiMode::Responses), request("gpt-5.5")).await;
        let error = run.outcome.unwrap_err();
        assert_eq!((error.kind(), run.report.attempts), (kind, attempts), "{code}: {error}");
        assert!(error.message().contains("It did not work."), "{code}: {error}");
    }
}

#[tokio::test]
async fn a_failed_response_is_followed_by_a_reply() {
    let simulator = Simulator::start().await.unwrap();
    let error = json!({ "code": "server_error", "message": "overloaded" });
    let body = json!({ "status": "failed", "error": error, "output": [] });
    simulator.script_json(json!([{ "then": { "json": body } }])).unwrap();
    let run = run(&runner(&simulator, ApiMode::Responses), request("gpt-5.5")).await;
    assert_eq!((run.outcome.is_ok(), run.report.attempts), (true, 2));
}

#[tokio::test]
async fn a_failed_response_with_token_counts_is_not_retried() {
    let simulator = Simulator::start().await.unwrap();
    let body = json!({
        "status": "failed", "error": { "code": "server_error", "message": "overloaded" },
        "output": [], "usage": { "input_tokens": 7, "output_tokens": 2, "total_tokens": 9 }
    });
    simulator.script_json(json!([{ "then": { "json": body } }])).unwrap();
    let run = run(&runner(&simulator, ApiMode::Responses), request("gpt-5.5")).await;
    assert_eq!(run.outcome.unwrap_err().kind(), ErrorKind::ProviderUnavailable);
    assert_eq!((run.report.attempts, run.report.usage.total_tokens), (1, 9));
}

#[tokio::test]
async fn repairs_send_the_reasoning_back() {
    let simulator = Simulator::start().await.unwrap();
    simulator.script(vec![Step::text("2 or 3").times(2), Step::text("3")]);
    let mut request = request("gpt-6-sol");
    request["output"] = json!("number");
    request["outputOptions"] = json!({ "repairs": 2 });
    let run = run(&runner(&simulator, ApiMode::Responses), request).await;
    assert_eq!(run.outcome.unwrap(), 3);
    let calls = simulator.journal();
    let types = calls[2].body["input"].as_array().unwrap().iter().map(|item| &item["type"]);
    let user = &json!(null);
    let (reasoning, message) = (&json!("reasoning"), &json!("message"));
    let expected = [user, reasoning, message, user, reasoning, message, user];
    assert_eq!(types.collect::<Vec<_>>(), expected);
    // The simulator verifies that the items have not changed.
    assert_eq!(calls[2].body["input"][1], calls[1].body["input"][1]);
}

#[tokio::test]
async fn a_simulator_gets_the_requests_that_the_provider_would_get() {
    let simulator = Simulator::start().await.unwrap();
    let mut endpoints = endpoints(&simulator);
    let models = ["gpt-5-pro", "gpt-4o"];
    for is_stand_in in [false, true] {
        if is_stand_in {
            endpoints.assume_all_apis();
        }
        let (endpoints, key) = (endpoints.clone(), Arc::new(FixedKey));
        let runner = Runner::new(endpoints, key, Rules::default());
        for model in models {
            let run = run(&runner, request(model)).await;
            assert_eq!(run.outcome.is_ok(), is_stand_in || model == "gpt-4o", "{model}");
        }
    }
    let chat = "/v1/chat/completions";
    assert_eq!(paths(&simulator), [chat, "/v1/responses", chat]);
}

/// Returns a server that rejects the first request with this message, and the outcome of a run.
async fn run_rejected(mode: ApiMode, request: Value, message: &str) -> (Simulator, Run) {
    let simulator = Simulator::start().await.unwrap();
    let rejection = json!({ "status": 400, "body": { "error": { "message": message } } });
    simulator.script_json(json!([{ "then": rejection }])).unwrap();
    let run = run(&runner(&simulator, mode), request).await;
    (simulator, run)
}

const REJECTION: &str =
    "This model is only supported in v1/responses and not in v1/chat/completions.";

#[tokio::test]
async fn a_rejection_of_chat_completions_is_an_error_if_the_operator_requires_them() {
    let (simulator, run) = run_rejected(ApiMode::Chat, request("gpt-4o"), REJECTION).await;
    assert_eq!(run.outcome.unwrap_err().kind(), ErrorKind::ProviderRejected);
    assert_eq!(paths(&simulator), ["/v1/chat/completions"]);
}

#[tokio::test]
async fn the_switch_to_the_responses_api_is_reported_and_remembered() {
    let simulator = Simulator::start().await.unwrap();
    let rejection = json!({ "status": 400, "body": { "error": { "message": REJECTION } } });
    simulator.script_json(json!([{ "then": rejection }])).unwrap();
    let runner = runner(&simulator, ApiMode::Auto);
    let mut warnings = Vec::new();
    for (attempts, learned) in [(2, 1), (1, 0)] {
        let run = run(&runner, request("gpt-4o")).await;
        run.outcome.unwrap();
        assert_eq!((run.report.attempts, run.report.learned.len()), (attempts, learned));
        warnings.push(run.report.warnings);
    }
    let expected = "api is Responses instead of chat completions for gpt-4o: the provider requires \
                    that API";
    assert_eq!(warnings, [[expected], [expected]]);
    // Other models are not affected.
    run(&runner, request("gpt-4.1")).await.outcome.unwrap();
    let (chat, responses) = ("/v1/chat/completions", "/v1/responses");
    assert_eq!(paths(&simulator), [chat, responses, responses, chat]);
}

#[tokio::test]
async fn the_api_does_not_change_after_a_completed_turn() {
    let simulator = Simulator::start().await.unwrap();
    let rejection = json!({ "status": 400, "body": { "error": { "message": REJECTION } } });
    let script = json!([{ "then": { "text": "2 or 3" } }, { "then": rejection }]);
    simulator.script_json(script).unwrap();
    let mut request = request("gpt-4o");
    request["output"] = json!("number");
    request["outputOptions"] = json!({ "repairs": 1 });
    let run = run(&runner(&simulator, ApiMode::Auto), request).await;
    assert_eq!(run.outcome.unwrap_err().kind(), ErrorKind::ProviderRejected);
    assert_eq!(paths(&simulator), ["/v1/chat/completions"; 2]);
}

#[tokio::test]
async fn a_quoted_text_of_the_request_does_not_change_the_api() {
    let mut quoted = request("gpt-4o");
    quoted["message"] = json!("Shall I use /v1/responses?");
    for message in [
        "Input not allowed: Shall I use /v1/responses?",
        "could not process input 'Please use /v1/responses for all of it'",
    ] {
        let (simulator, run) = run_rejected(ApiMode::Auto, quoted.clone(), message).await;
        assert_eq!(run.outcome.unwrap_err().kind(), ErrorKind::ProviderRejected, "{message}");
        assert_eq!(paths(&simulator), ["/v1/chat/completions"]);
    }
}

#[tokio::test]
async fn a_server_without_the_responses_api_is_reported_with_the_setting() {
    let simulator = Simulator::start().await.unwrap();
    let then = json!({ "status": 404, "body": { "detail": "Not Found" } });
    simulator.script_json(json!([{ "then": then }])).unwrap();
    let run = run(&runner(&simulator, ApiMode::Responses), request("llama-5")).await;
    let error = run.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ProviderRejected);
    let expected = "if the server has only chat completions, set OPENAI_API_MODE to chat or auto";
    assert!(error.message().contains(expected), "{error}");
}
