//! Tests `options.maxCost` against a provider that uses as many tokens as each request permits.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use llm_exe::bytes::Bytes;
use llm_exe::http::{Request, Response};
use llm_exe::ports::PortFuture;
use llm_exe::transport::{HttpError, HttpTransport};
use llm_exe::{Client, Deadline, Endpoints, ErrorKind, Plan, Rules, Run, Runner};
use serde_json::{Value, json};

use crate::common::FixedKey;

/// The price of gpt-4o in dollars per token.
const INPUT: f64 = 2.5e-6;
const OUTPUT: f64 = 10e-6;

/// Imitates OpenAI. The output of each reply is as long as its request permits.
#[derive(Clone, Default)]
struct Provider {
    requests: Arc<Mutex<Vec<Value>>>,
    /// Whether the model calls all tools in each turn.
    calls_tools: bool,
    /// Whether no response arrives.
    breaks: bool,
    running: Arc<Mutex<(usize, usize)>>,
}

impl Provider {
    fn reply(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        self.requests.lock().unwrap().push(body.clone());
        if self.breaks {
            return Err(HttpError::IncompleteResponse("broken".to_owned()));
        }
        let is_tool_request = body.get("tools").is_some();
        let calls = body["tools"].as_array().into_iter().flatten().enumerate().map(|(id, tool)| {
            let function = json!({ "name": tool["function"]["name"], "arguments": "{}" });
            json!({ "id": format!("c{id}"), "type": "function", "function": function })
        });
        let calls: Vec<Value> = calls.collect();
        let message = match self.calls_tools && is_tool_request {
            true => json!({ "role": "assistant", "content": null, "tool_calls": calls }),
            false => json!({ "role": "assistant", "content": "Hi" }),
        };
        let reason = if message["tool_calls"].is_array() { "tool_calls" } else { "stop" };
        let output = body["max_completion_tokens"].as_u64().unwrap_or(16_000);
        let reply = json!({
            "id": "r", "model": "gpt-4o-2024-08-06",
            "choices": [{ "index": 0, "finish_reason": reason, "message": message }],
            "usage": { "prompt_tokens": request.body().len() / 4, "completion_tokens": output }
        });
        Ok(Response::new(Bytes::from(reply.to_string())))
    }

    fn limits(&self) -> Vec<Option<u64>> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|body| body["max_completion_tokens"].as_u64()).collect()
    }

    /// The maximum number of calls that ran at the same time.
    fn max_running(&self) -> usize {
        self.running.lock().unwrap().1
    }
}

impl HttpTransport for Provider {
    fn send(
        &self,
        request: Request<Bytes>,
        _: Deadline,
    ) -> PortFuture<'_, Result<Response<Bytes>, HttpError>> {
        Box::pin(async move {
            {
                let mut running = self.running.lock().unwrap();
                running.0 += 1;
                running.1 = running.1.max(running.0);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.running.lock().unwrap().0 -= 1;
            self.reply(&request)
        })
    }
}

async fn run(provider: &Provider, fields: Value) -> Run {
    let client = Client::builder().key("openai", "k").key("anthropic", "k");
    let client = client.http(provider.clone()).build().unwrap();
    let mut request = json!({ "provider": "openai", "model": "gpt-4o", "message": "Hi" });
    request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    client.run(request).await
}

fn cost(run: &Run) -> f64 {
    run.report.cost().and_then(|cost| cost.usd()).map_or(0.0, |usd| usd.parse().unwrap())
}

/// Tools that are requests of their own.
fn tools(count: usize, options: &Value) -> Vec<Value> {
    let tool = |index| {
        let request = json!({
            "provider": "openai", "model": "gpt-4o", "message": "Hi", "options": options
        });
        json!({ "name": format!("t{index}"), "description": "d", "run": { "request": request } })
    };
    (0..count).map(tool).collect()
}

#[tokio::test]
async fn the_output_limit_is_lowered_to_what_the_limit_pays_for() {
    for (options, expected) in [
        (json!({ "maxCost": 0.01 }), 900..=1000),
        (json!({ "maxCost": 0.01, "maxTokens": 5000 }), 900..=1000),
        (json!({ "maxCost": 0.01, "maxTokens": 50 }), 50..=50),
        (json!({ "maxCost": 0.001, "maxTokens": 20 }), 20..=20),
    ] {
        let provider = Provider::default();
        let run = run(&provider, json!({ "options": options })).await;
        assert_eq!(run.outcome.as_ref().unwrap(), "Hi", "{options}");
        let limits = provider.limits();
        assert!(
            limits.len() == 1 && expected.contains(&limits[0].unwrap()),
            "{options} {limits:?}"
        );
        assert!(cost(&run) <= options["maxCost"].as_f64().unwrap(), "{options} {}", cost(&run));
        let is_lowered = run.report.warnings.iter().any(|text| text.contains("lowered to what"));
        assert_eq!(is_lowered, *expected.end() == 1000, "{options} {:?}", run.report.warnings);
    }
    // A limit above what models generate is not sent.
    let provider = Provider::default();
    run(&provider, json!({ "options": { "maxCost": 100 } })).await.outcome.unwrap();
    assert_eq!(provider.limits(), [None]);
}

#[tokio::test]
async fn a_default_of_the_dialect_is_not_raised() {
    let provider = Provider::default();
    let fields = json!({
        "provider": "anthropic", "model": "claude-sonnet-4-5", "options": { "maxCost": 1 }
    });
    drop(run(&provider, fields).await);
    let body = provider.requests.lock().unwrap()[0].clone();
    assert_eq!(body["max_tokens"], 4096);
}

#[tokio::test]
async fn a_call_that_the_limit_does_not_pay_for_is_not_made() {
    for fields in [
        json!({ "options": { "maxCost": 0.002 } }),
        json!({ "options": { "maxCost": 0.01 }, "message": "word ".repeat(4000) }),
        json!({
            "options": { "maxCost": 0.0125 },
            "message": [{ "role": "user", "content": [
                { "type": "image_url", "image_url": { "url": "https://example.com/a.png" } }
            ] }]
        }),
    ] {
        let provider = Provider::default();
        let run = run(&provider, fields).await;
        let error = run.outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
        assert!(error.message().contains("options.maxCost of 0.0"), "{error}");
        assert_eq!((provider.limits().len(), run.report.attempts), (0, 0));
    }
}

#[tokio::test]
async fn every_model_needs_a_known_price() {
    let unknown = json!({ "provider": "openai", "model": "gpt-unknown", "message": "Hi" });
    let fields = json!({
        "model": "gpt-unknown",
        "options": { "maxCost": 1 },
        "fallbacks": [{ "provider": "ollama", "model": "qwen3", "options": { "maxCost": 2 } }],
        "tools": [{ "name": "t", "description": "d", "run": { "request": unknown } }]
    });
    let provider = Provider::default();
    let error = run(&provider, fields).await.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    let mut paths: Vec<&str> = error.problems().iter().map(|problem| &*problem.path).collect();
    paths.sort_unstable();
    let expected = [
        "fallbacks[0].model",
        "fallbacks[0].options.maxCost",
        "model",
        "tools[0].run.request.model",
    ];
    assert_eq!(paths, expected, "{error}");
    assert!(provider.limits().is_empty());
}

#[tokio::test]
async fn a_loop_ends_at_the_limit() {
    let provider = Provider { calls_tools: true, ..Provider::default() };
    let options = json!({ "maxCost": 0.05, "maxTokens": 400 });
    let tools = tools(2, &json!({ "maxTokens": 100 }));
    let fields = json!({ "options": options, "maxTurns": 50, "tools": tools });
    let run = run(&provider, fields).await;
    assert_eq!(run.outcome.as_ref().unwrap_err().kind(), ErrorKind::LimitExceeded);
    assert!(run.report.attempts > 3, "{}", run.report.attempts);
    assert!(cost(&run) <= 0.05 && cost(&run) > 0.03, "{}", cost(&run));
}

#[tokio::test]
async fn concurrent_calls_share_the_limit() {
    for (max_tokens, max_running) in [(json!(300), 2..=10), (Value::Null, 1..=1)] {
        let provider = Provider { calls_tools: true, ..Provider::default() };
        let fields = json!({
            "options": { "maxCost": 0.2, "maxTokens": 300 },
            "maxTurns": 2,
            "tools": tools(8, &json!({ "maxTokens": max_tokens }))
        });
        let run = run(&provider, fields).await;
        assert!(cost(&run) <= 0.2, "{max_tokens} {}", cost(&run));
        let running = provider.max_running();
        assert!(max_running.contains(&running), "{max_tokens} {running}");
    }
}

#[tokio::test]
async fn a_call_waits_only_for_calls_that_can_leave_more() {
    for (max_cost, options, expected_limits) in [
        // The own limit of each tool does not grow when a call of another tool ends.
        (1.0, json!({ "maxCost": 0.005 }), 400..=500),
        // Without maxTokens, the maximum of the model is reserved, and no limit is sent.
        (1.0, json!({}), 0..=0),
    ] {
        let provider = Provider { calls_tools: true, ..Provider::default() };
        let fields = json!({
            "options": { "maxCost": max_cost, "maxTokens": 300 },
            "maxTurns": 2,
            "tools": tools(4, &options)
        });
        let run = run(&provider, fields).await;
        assert!(cost(&run) <= max_cost, "{options} {}", cost(&run));
        assert_eq!(provider.max_running(), 4, "{options}");
        let limits = provider.limits();
        let limits = limits[1..5].iter().map(|limit| limit.unwrap_or(0));
        assert!(limits.clone().all(|limit| expected_limits.contains(&limit)), "{options}");
        let is_lowered = run.report.warnings.iter().any(|text| text.contains("is lowered"));
        assert_eq!(is_lowered, expected_limits != (0..=0), "{:?}", run.report.warnings);
    }
}

#[tokio::test]
async fn a_runner_without_the_price_of_the_plan_makes_no_call() {
    let prices = json!({ "openai:gpt-new": { "input": 1, "output": 2 } });
    let rules = Rules { prices: prices.to_string().parse().unwrap(), ..Rules::default() };
    let request = json!({
        "provider": "openai", "model": "gpt-new", "message": "Hi", "options": { "maxCost": 1 }
    });
    let plan = Plan::from_value(request, &rules).unwrap();
    let provider = Provider::default();
    let runner = Runner::new(Endpoints::default(), Arc::new(FixedKey), Rules::default())
        .with_http_transport(Arc::new(provider.clone()));
    let run = runner.run_plan(Deadline::after(Duration::from_secs(9)), &plan).await;
    let error = run.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    assert!(error.message().contains("the price of gpt-new of openai is not known"), "{error}");
    assert!(provider.limits().is_empty());
}

#[tokio::test]
async fn a_tool_can_have_a_lower_limit() {
    let provider = Provider { calls_tools: true, ..Provider::default() };
    let fields = json!({
        "options": { "maxCost": 1, "maxTokens": 300 },
        "maxTurns": 2,
        "tools": tools(1, &json!({ "maxCost": 0.005 }))
    });
    drop(run(&provider, fields).await);
    let limits = provider.limits();
    assert!((400..=500).contains(&limits[1].unwrap()), "{limits:?}");
}

#[tokio::test]
async fn a_call_without_a_response_counts_as_reserved() {
    let provider = Provider { breaks: true, calls_tools: true, ..Provider::default() };
    let fields = json!({
        "options": { "maxCost": 0.02, "maxTokens": 1000 },
        "fallbacks": [{ "provider": "openai", "model": "gpt-4o" }]
    });
    let run = run(&provider, fields).await;
    // The first call may be billed, so the second one has less than half of the limit.
    let limits = provider.limits();
    assert_eq!((limits[0], limits.len()), (Some(1000), 2), "{:?}", run.outcome);
    assert!(limits[1].unwrap() < 1000, "{limits:?}");
}

#[tokio::test]
async fn prices_are_those_of_the_model() {
    let provider = Provider::default();
    let run = run(&provider, json!({ "options": { "maxTokens": 10, "maxCost": 1 } })).await;
    let input = provider.requests.lock().unwrap()[0].to_string().len() / 4;
    let expected = 10.0 * OUTPUT + input as f64 * INPUT;
    assert!((cost(&run) - expected).abs() < 1e-9, "{} {expected}", cost(&run));
}

#[tokio::test]
async fn own_prices_take_precedence() {
    // The reply is of the model gpt-4o-2024-08-06.
    for (model, prices, input, output) in [
        ("gpt-new", json!({ "openai:gpt-new": { "input": 1, "output": 20 } }), 1.0, 20.0),
        ("gpt-4o", json!({ "openai:gpt-4o*": { "input": 5, "output": 10.5 } }), 5.0, 10.5),
        ("gpt-4o", json!({ "openai:gpt-4o": { "input": 5, "output": 10.5 } }), 5.0, 10.5),
        (
            "gpt-4o",
            json!({
                "openai:gpt-4o-2024*": { "input": 7, "output": 8 },
                "openai:*": { "input": 0, "output": 0 }
            }),
            7.0,
            8.0,
        ),
        ("gpt-4o", json!({ "anthropic:*": { "input": 7, "output": 8 } }), 2.5, 10.0),
    ] {
        let provider = Provider::default();
        let rules = Rules { prices: prices.to_string().parse().unwrap(), ..Rules::default() };
        let runner = Runner::new(Endpoints::default(), Arc::new(FixedKey), rules)
            .with_http_transport(Arc::new(provider.clone()));
        let request = json!({
            "provider": "openai", "model": model, "message": "Hi",
            "options": { "maxCost": 1, "maxTokens": 10 }
        });
        let run = runner.run(Deadline::after(Duration::from_secs(9)), request).await;
        assert_eq!(run.outcome.as_ref().unwrap(), "Hi");
        let tokens = provider.requests.lock().unwrap()[0].to_string().len() / 4;
        let expected = (tokens as f64 * input + 10.0 * output) / 1e6;
        assert!((cost(&run) - expected).abs() < 1e-9, "{model}: {} {expected}", cost(&run));
        assert!(!run.report.cost().unwrap().is_estimate(), "{model}");
    }
}
