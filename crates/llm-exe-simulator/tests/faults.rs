//! Each scripted fault and each scripted answer, as a client meets it on the wire.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use llm_exe_simulator::{Fault, Simulator, Step, When};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::{ask, headers, parse, path, raw, request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const DIALECTS: [&str; 4] = ["openai", "anthropic", "gemini", "ollama"];

fn good(dialect: &str) -> Value {
    match dialect {
        "openai" => json!({
            "model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}],
        }),
        "gemini" => json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}),
        "ollama" => json!({
            "model": "llama3.2", "stream": false, "messages": [{"role": "user", "content": "hi"}],
        }),
        _ => json!({
            "model": "claude-sonnet-4-5", "max_tokens": 100,
            "messages": [{"role": "user", "content": "hi"}],
        }),
    }
}

fn good_request(dialect: &str) -> Vec<u8> {
    let body = good(dialect).to_string();
    request("POST", path(dialect), &headers(dialect), body.as_bytes())
}

async fn started(script: Value) -> Simulator {
    let simulator = Simulator::start().await.unwrap();
    simulator.script_json(script).unwrap();
    simulator
}

fn fault(simulator: &Simulator) -> Option<String> {
    simulator.journal().last().unwrap().answered.fault.clone()
}

#[tokio::test]
async fn statuses_in_the_providers_shape() {
    let simulator = Simulator::start().await.unwrap();
    let shapes: [(&str, u16, &str); 10] = [
        ("openai", 429, "rate_limit_exceeded"),
        ("openai", 500, "server_error"),
        ("openai", 401, "invalid_api_key"),
        ("anthropic", 429, "rate_limit_error"),
        ("anthropic", 500, "api_error"),
        ("anthropic", 529, "overloaded_error"),
        ("gemini", 429, "RESOURCE_EXHAUSTED"),
        ("gemini", 503, "UNAVAILABLE"),
        ("ollama", 429, "scripted"),
        ("ollama", 500, "scripted"),
    ];
    for (dialect, status, word) in shapes {
        simulator.script(vec![Step::status(status).header("retry-after", "1")]);
        let reply = ask(&simulator, dialect, &good(dialect)).await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.headers["retry-after"], "1");
        assert!(reply.json()["error"].to_string().contains(word), "{}", reply.text);
        assert_eq!(ask(&simulator, dialect, &good(dialect)).await.status, 200);
    }
}

#[tokio::test]
async fn a_status_has_the_body_and_type_that_the_script_says() {
    let script = json!([{"then": {
        "status": 503, "headers": {"content-type": "application/problem+json"}, "body": {"a": 1},
    }}]);
    let simulator = started(script).await;
    let reply = ask(&simulator, "openai", &good("openai")).await;
    assert_eq!((reply.status, reply.text.as_str()), (503, "{\"a\":1}"));
    assert_eq!(reply.headers["content-type"], "application/problem+json");
}

#[tokio::test]
async fn faults_go_before_refusals_and_answers_behind() {
    let script = json!([{"then": {"status": 500}}, {"then": {"text": "scripted"}}]);
    let simulator = started(script).await;
    let bad = json!({"model": "gpt-4o-mini", "messages": []});
    assert_eq!(ask(&simulator, "openai", &bad).await.status, 500);
    assert_eq!(ask(&simulator, "openai", &bad).await.status, 400);
    let reply = ask(&simulator, "openai", &good("openai")).await;
    assert_eq!(reply.json()["choices"][0]["message"]["content"], "scripted");
}

#[tokio::test]
async fn hangs_until_the_client_leaves() {
    let simulator = started(json!([{"then": {"fault": "hang"}}])).await;
    let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
    stream.write_all(&good_request("openai")).await.unwrap();
    let mut buffer = [0; 16];
    let read = tokio::time::timeout(Duration::from_millis(200), stream.read(&mut buffer)).await;
    assert!(read.is_err());
    assert_eq!(fault(&simulator).as_deref(), Some("hang"));
    assert_eq!(simulator.journal()[0].answered.status, None);
}

#[tokio::test]
async fn drops_without_an_answer() {
    for name in ["drop", "dropEarly"] {
        let simulator = started(json!([{"then": {"fault": name}}])).await;
        let reply = raw(simulator.address(), &good_request("openai")).await;
        assert!(reply.map_or(true, |reply| reply.is_empty()));
        let call = simulator.journal().pop().unwrap();
        assert_eq!(call.answered.fault.as_deref(), Some(name));
        // An early drop doesn't know the body.
        assert_eq!(call.body.is_null(), name == "dropEarly");
        assert_eq!(ask(&simulator, "openai", &good("openai")).await.status, 200);
    }
}

#[tokio::test]
async fn drops_before_a_body_that_never_comes() {
    let script = json!([{"when": {"dialect": "anthropic"}, "then": {"fault": "dropEarly"}}]);
    let simulator = started(script).await;
    assert_eq!(ask(&simulator, "openai", &good("openai")).await.status, 200);
    let whole = good_request("anthropic");
    let head = &whole[..whole.len() - 10];
    assert!(raw(simulator.address(), head).await.map_or(true, |reply| reply.is_empty()));
}

#[tokio::test]
async fn truncates() {
    for dialect in DIALECTS {
        let simulator = started(json!([{"then": {"fault": "truncate"}}])).await;
        let reply = raw(simulator.address(), &good_request(dialect)).await.unwrap();
        let reply = parse(&reply);
        let promised: usize = reply.headers["content-length"].parse().unwrap();
        assert_eq!((reply.status, reply.text.len()), (200, promised / 2));
        assert_eq!(fault(&simulator).as_deref(), Some("truncate"));
    }
}

#[tokio::test]
async fn bad_json_is_whole_to_http() {
    let simulator = started(json!([{"then": {"fault": "badJson"}}])).await;
    let reply = ask(&simulator, "openai", &good("openai")).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["content-length"], reply.text.len().to_string());
    assert!(serde_json::from_str::<Value>(&reply.text).is_err());
}

#[tokio::test]
async fn slow_is_late_but_right() {
    let simulator = started(json!([{"then": {"fault": "slow", "milliseconds": 150}}])).await;
    let start = Instant::now();
    let reply = ask(&simulator, "anthropic", &good("anthropic")).await;
    assert!(start.elapsed() >= Duration::from_millis(150));
    assert_eq!(reply.status, 200);
    assert_eq!(simulator.journal()[0].answered.to_string(), "200 slow");
}

#[tokio::test]
async fn endless_goes_on() {
    let simulator = started(json!([{"then": {"fault": "endless"}}])).await;
    let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
    stream.write_all(&good_request("openai")).await.unwrap();
    let mut buffer = vec![0; 1024 * 1024];
    let read = tokio::time::timeout(support::PATIENCE, stream.read_exact(&mut buffer)).await;
    read.unwrap().unwrap();
    assert!(buffer.starts_with(b"HTTP/1.1 200"));
    assert!(String::from_utf8_lossy(&buffer[..400]).contains("transfer-encoding: chunked"));
}

#[tokio::test]
async fn html_and_redirect() {
    let script = json!([
        {"then": {"fault": "html"}},
        {"then": {"fault": "redirect", "location": "https://example.com/"}},
    ]);
    let simulator = started(script).await;
    let html = ask(&simulator, "openai", &good("openai")).await;
    assert_eq!((html.status, html.headers["content-type"].as_str()), (502, "text/html"));
    assert!(html.text.starts_with("<html>"));
    let redirect = ask(&simulator, "openai", &good("openai")).await;
    assert_eq!(redirect.status, 307);
    assert_eq!(redirect.headers["location"], "https://example.com/");
}

#[tokio::test]
async fn closes_an_idle_connection_unannounced() {
    let script = json!([{"then": {"fault": "closeIdle", "milliseconds": 30}}]);
    let simulator = started(script).await;
    // This request asks for the connection to be kept, so that only the fault can end it.
    let reply = raw(simulator.address(), &good_request("openai")).await.unwrap();
    let reply = parse(&reply);
    assert_eq!(reply.status, 200);
    assert!(!reply.headers.contains_key("connection"));
    assert_eq!(reply.headers["content-length"], reply.text.len().to_string());
}

#[tokio::test]
async fn scripted_answers() {
    let simulator = Simulator::start().await.unwrap();
    let usage = json!({"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3});
    let script = json!([
        {"then": {"text": "cut", "stopReason": "length", "usage": usage}},
        {"then": {"toolCall": {"name": "f", "arguments": {"a": 1}}}},
        {"then": {"refusal": "no"}},
        {"then": {"empty": true}},
        {"then": {"json": {"any": "thing"}}},
    ]);
    simulator.script_json(script.clone()).unwrap();
    let mut bodies = Vec::new();
    for _ in 0..5 {
        bodies.push(ask(&simulator, "openai", &good("openai")).await.json());
    }
    assert_eq!(bodies[0]["choices"][0]["finish_reason"], "length");
    assert_eq!(bodies[0]["usage"], usage);
    let choice = &bodies[1]["choices"][0];
    assert_eq!(choice["message"]["tool_calls"][0]["function"]["arguments"], "{\"a\":1}");
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(bodies[2]["choices"][0]["message"]["refusal"], "no");
    assert_eq!(bodies[3]["choices"][0]["message"]["content"], "");
    assert_eq!(bodies[4], json!({"any": "thing"}));

    simulator.script_json(script).unwrap();
    let mut bodies = Vec::new();
    for _ in 0..5 {
        bodies.push(ask(&simulator, "anthropic", &good("anthropic")).await.json());
    }
    assert_eq!(bodies[0]["stop_reason"], "length");
    assert_eq!(bodies[1]["content"][0]["input"], json!({"a": 1}));
    assert_eq!(bodies[1]["stop_reason"], "tool_use");
    assert_eq!(bodies[2]["stop_reason"], "refusal");
    assert_eq!(bodies[3]["content"], json!([]));
    assert_eq!(bodies[4], json!({"any": "thing"}));
}

#[tokio::test]
async fn scripted_answers_without_a_shape_for_all() {
    let simulator = Simulator::start().await.unwrap();
    let script = json!([
        {"then": {"text": "cut", "stopReason": "MAX_TOKENS", "usage": {"promptTokenCount": 1}}},
        {"then": {"toolCall": {"name": "f", "arguments": {"a": 1}}}},
        {"then": {"refusal": "no"}},
        {"then": {"empty": true}},
    ]);
    let mut bodies = Vec::new();
    for dialect in ["gemini", "ollama"] {
        simulator.script_json(script.clone()).unwrap();
        for _ in 0..4 {
            bodies.push(ask(&simulator, dialect, &good(dialect)).await.json());
        }
    }
    let candidate = |at: usize| bodies[at]["candidates"][0].clone();
    assert_eq!(candidate(0)["finishReason"], "MAX_TOKENS");
    assert_eq!(bodies[0]["usageMetadata"], json!({"promptTokenCount": 1}));
    assert_eq!(candidate(1)["content"]["parts"][0]["functionCall"]["args"], json!({"a": 1}));
    assert_eq!(
        (&candidate(2)["finishReason"], &candidate(2)["finishMessage"]),
        (&json!("SAFETY"), &json!("no"))
    );
    assert_eq!(candidate(3)["content"], json!({"role": "model"}));

    assert_eq!(bodies[4]["done_reason"], "MAX_TOKENS");
    let call = &bodies[5]["message"]["tool_calls"][0]["function"];
    assert_eq!(call, &json!({"name": "f", "arguments": {"a": 1}}));
    assert_eq!(bodies[6]["message"]["content"], "no");
    assert_eq!(
        (&bodies[7]["message"]["content"], &bodies[7]["done_reason"]),
        (&json!(""), &json!("stop"))
    );
}

#[tokio::test]
async fn steps_wait_for_their_calls() {
    let simulator = Simulator::start().await.unwrap();
    let model = Some("claude-haiku-4-5".to_owned());
    let words = Some("needle".to_owned());
    simulator.script(vec![
        Step::status(404).when(When { model, ..When::default() }),
        Step::text("found").when(When { prompt_contains: words, ..When::default() }).times(2),
        Step::fault(Fault::Html).when(When { dialect: Some("openai".into()), ..When::default() }),
    ]);
    let mut hay = good("anthropic");
    assert!(ask(&simulator, "anthropic", &hay).await.text.contains("Simulated reply"));
    hay["system"] = json!("a needle in here");
    for expected in [true, true, false] {
        assert_eq!(ask(&simulator, "anthropic", &hay).await.text.contains("found"), expected);
    }
    assert_eq!(ask(&simulator, "openai", &good("openai")).await.status, 502);
    hay["model"] = json!("claude-haiku-4-5");
    assert_eq!(ask(&simulator, "anthropic", &hay).await.status, 404);
    assert_eq!(ask(&simulator, "anthropic", &hay).await.status, 200);
}

#[test]
fn works_on_a_current_thread_runtime_and_stops_when_dropped() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let simulator = Simulator::start().await.unwrap();
        let address = simulator.address();
        let mut kept = TcpStream::connect(address).await.unwrap();
        kept.write_all(&good_request("openai")).await.unwrap();
        let mut buffer = [0; 4096];
        assert!(kept.read(&mut buffer).await.unwrap() > 0);
        drop(simulator);
        let rest = tokio::time::timeout(support::PATIENCE, kept.read(&mut buffer)).await.unwrap();
        assert!(matches!(rest, Ok(0) | Err(_)));
        assert!(TcpStream::connect(address).await.is_err());
    });
}
