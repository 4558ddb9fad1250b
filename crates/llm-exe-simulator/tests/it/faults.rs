//! Tests each scripted fault and each scripted reply as a client receives it.

use std::time::{Duration, Instant};

use llm_exe_simulator::{Fault, Simulator, Step, When};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{TIMEOUT, call, headers, parse, path, request_bytes, send_bytes};

const DIALECTS: [&str; 4] = ["openai", "anthropic", "gemini", "ollama"];

fn valid_body(dialect: &str) -> Value {
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

fn valid_request(dialect: &str) -> Vec<u8> {
    let body = valid_body(dialect).to_string();
    request_bytes("POST", path(dialect), &headers(dialect), body.as_bytes())
}

async fn start(script: Value) -> Simulator {
    let simulator = Simulator::start().await.unwrap();
    simulator.script_json(script).unwrap();
    simulator
}

fn last_fault(simulator: &Simulator) -> Option<String> {
    simulator.journal().last().unwrap().answered.fault.clone()
}

#[tokio::test]
async fn scripted_status_has_the_providers_error_body() {
    let simulator = Simulator::start().await.unwrap();
    let cases: [(&str, u16, &str); 10] = [
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
    for (dialect, status, error_type) in cases {
        simulator.script(vec![Step::status(status).header("retry-after", "1")]);
        let reply = call(&simulator, dialect, &valid_body(dialect)).await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.headers["retry-after"], "1");
        assert!(reply.json()["error"].to_string().contains(error_type), "{}", reply.text);
        assert_eq!(call(&simulator, dialect, &valid_body(dialect)).await.status, 200);
    }
}

#[tokio::test]
async fn scripted_status_has_the_scripted_body_and_headers() {
    let script = json!([{"then": {
        "status": 503, "headers": {"content-type": "application/problem+json"}, "body": {"a": 1},
    }}]);
    let simulator = start(script).await;
    let reply = call(&simulator, "openai", &valid_body("openai")).await;
    assert_eq!((reply.status, reply.text.as_str()), (503, "{\"a\":1}"));
    assert_eq!(reply.headers["content-type"], "application/problem+json");
}

#[tokio::test]
async fn faults_take_precedence_over_rejections_and_replies_do_not() {
    let script = json!([{"then": {"status": 500}}, {"then": {"text": "scripted"}}]);
    let simulator = start(script).await;
    let invalid = json!({"model": "gpt-4o-mini", "messages": []});
    assert_eq!(call(&simulator, "openai", &invalid).await.status, 500);
    assert_eq!(call(&simulator, "openai", &invalid).await.status, 400);
    let reply = call(&simulator, "openai", &valid_body("openai")).await;
    assert_eq!(reply.json()["choices"][0]["message"]["content"], "scripted");
}

#[tokio::test]
async fn hang_never_responds() {
    let simulator = start(json!([{"then": {"fault": "hang"}}])).await;
    let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
    stream.write_all(&valid_request("openai")).await.unwrap();
    let mut buffer = [0; 16];
    let read = tokio::time::timeout(Duration::from_millis(200), stream.read(&mut buffer)).await;
    assert!(read.is_err());
    assert_eq!(last_fault(&simulator).as_deref(), Some("hang"));
    assert_eq!(simulator.journal()[0].answered.status, None);
}

#[tokio::test]
async fn drop_closes_the_connection_without_a_response() {
    for name in ["drop", "dropEarly"] {
        let simulator = start(json!([{"then": {"fault": name}}])).await;
        let reply = send_bytes(simulator.address(), &valid_request("openai")).await;
        assert!(reply.map_or(true, |reply| reply.is_empty()));
        let last = simulator.journal().pop().unwrap();
        assert_eq!(last.answered.fault.as_deref(), Some(name));
        // With `dropEarly`, the server does not read the body.
        assert_eq!(last.body.is_null(), name == "dropEarly");
        assert_eq!(call(&simulator, "openai", &valid_body("openai")).await.status, 200);
    }
}

#[tokio::test]
async fn drop_early_does_not_wait_for_the_body() {
    let script = json!([{"when": {"dialect": "anthropic"}, "then": {"fault": "dropEarly"}}]);
    let simulator = start(script).await;
    assert_eq!(call(&simulator, "openai", &valid_body("openai")).await.status, 200);
    let whole = valid_request("anthropic");
    let head = &whole[..whole.len() - 10];
    assert!(send_bytes(simulator.address(), head).await.map_or(true, |reply| reply.is_empty()));
}

#[tokio::test]
async fn truncate_sends_half_of_the_body() {
    for dialect in DIALECTS {
        let simulator = start(json!([{"then": {"fault": "truncate"}}])).await;
        let reply = send_bytes(simulator.address(), &valid_request(dialect)).await.unwrap();
        let reply = parse(&reply);
        let announced: usize = reply.headers["content-length"].parse().unwrap();
        assert_eq!((reply.status, reply.text.len()), (200, announced / 2));
        assert_eq!(last_fault(&simulator).as_deref(), Some("truncate"));
    }
}

#[tokio::test]
async fn bad_json_is_a_complete_http_response() {
    let simulator = start(json!([{"then": {"fault": "badJson"}}])).await;
    let reply = call(&simulator, "openai", &valid_body("openai")).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["content-length"], reply.text.len().to_string());
    assert!(serde_json::from_str::<Value>(&reply.text).is_err());
}

#[tokio::test]
async fn slow_response_is_delayed_but_correct() {
    let simulator = start(json!([{"then": {"fault": "slow", "milliseconds": 150}}])).await;
    let started_at = Instant::now();
    let reply = call(&simulator, "anthropic", &valid_body("anthropic")).await;
    assert!(started_at.elapsed() >= Duration::from_millis(150));
    assert_eq!(reply.status, 200);
    assert_eq!(simulator.journal()[0].answered.to_string(), "200 slow");
}

#[tokio::test]
async fn endless_body_does_not_end() {
    let simulator = start(json!([{"then": {"fault": "endless"}}])).await;
    let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
    stream.write_all(&valid_request("openai")).await.unwrap();
    let mut buffer = vec![0; 1024 * 1024];
    let read = tokio::time::timeout(TIMEOUT, stream.read_exact(&mut buffer)).await;
    read.unwrap().unwrap();
    assert!(buffer.starts_with(b"HTTP/1.1 200"));
    assert!(String::from_utf8_lossy(&buffer[..400]).contains("transfer-encoding: chunked"));
}

#[tokio::test]
async fn html_and_redirect_are_sent() {
    let script = json!([
        {"then": {"fault": "html"}},
        {"then": {"fault": "redirect", "location": "https://example.com/"}},
    ]);
    let simulator = start(script).await;
    let html = call(&simulator, "openai", &valid_body("openai")).await;
    assert_eq!((html.status, html.headers["content-type"].as_str()), (502, "text/html"));
    assert!(html.text.starts_with("<html>"));
    let redirect = call(&simulator, "openai", &valid_body("openai")).await;
    assert_eq!(redirect.status, 307);
    assert_eq!(redirect.headers["location"], "https://example.com/");
}

#[tokio::test]
async fn idle_connection_is_closed_without_announcement() {
    let script = json!([{"then": {"fault": "closeIdle", "milliseconds": 30}}]);
    let simulator = start(script).await;
    // The request does not ask the server to close the connection, so only the fault can close it.
    let reply = send_bytes(simulator.address(), &valid_request("openai")).await.unwrap();
    let reply = parse(&reply);
    assert_eq!(reply.status, 200);
    assert!(!reply.headers.contains_key("connection"));
    assert_eq!(reply.headers["content-length"], reply.text.len().to_string());
}

#[tokio::test]
async fn scripted_replies_have_the_dialects_format() {
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
        bodies.push(call(&simulator, "openai", &valid_body("openai")).await.json());
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
        bodies.push(call(&simulator, "anthropic", &valid_body("anthropic")).await.json());
    }
    assert_eq!(bodies[0]["stop_reason"], "length");
    assert_eq!(bodies[1]["content"][0]["input"], json!({"a": 1}));
    assert_eq!(bodies[1]["stop_reason"], "tool_use");
    assert_eq!(bodies[2]["stop_reason"], "refusal");
    assert_eq!(bodies[3]["content"], json!([]));
    assert_eq!(bodies[4], json!({"any": "thing"}));
}

#[tokio::test]
async fn scripted_replies_work_where_the_dialect_lacks_a_format() {
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
            bodies.push(call(&simulator, dialect, &valid_body(dialect)).await.json());
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
async fn steps_wait_for_matching_calls() {
    let simulator = Simulator::start().await.unwrap();
    let model = Some("claude-haiku-4-5".to_owned());
    let prompt_contains = Some("needle".to_owned());
    simulator.script(vec![
        Step::status(404).when(When { model, ..When::default() }),
        Step::text("found").when(When { prompt_contains, ..When::default() }).times(2),
        Step::fault(Fault::Html).when(When { dialect: Some("openai".into()), ..When::default() }),
    ]);
    let mut body = valid_body("anthropic");
    assert!(call(&simulator, "anthropic", &body).await.text.contains("Simulated reply"));
    body["system"] = json!("a needle in here");
    for expected in [true, true, false] {
        assert_eq!(call(&simulator, "anthropic", &body).await.text.contains("found"), expected);
    }
    assert_eq!(call(&simulator, "openai", &valid_body("openai")).await.status, 502);
    body["model"] = json!("claude-haiku-4-5");
    assert_eq!(call(&simulator, "anthropic", &body).await.status, 404);
    assert_eq!(call(&simulator, "anthropic", &body).await.status, 200);
}

#[test]
fn simulator_runs_on_a_current_thread_runtime_and_stops_when_dropped() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let simulator = Simulator::start().await.unwrap();
        let address = simulator.address();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&valid_request("openai")).await.unwrap();
        let mut buffer = [0; 4096];
        assert!(stream.read(&mut buffer).await.unwrap() > 0);
        drop(simulator);
        let rest = tokio::time::timeout(TIMEOUT, stream.read(&mut buffer)).await.unwrap();
        assert!(matches!(rest, Ok(0) | Err(_)));
        assert!(TcpStream::connect(address).await.is_err());
    });
}
