//! Tests that malformed and unusual replies to `output: "json"` never result in a wrong value.
//!
//! `cases/torture.json` contains replies with the expected result or error. The cases were written
//! by hand and checked with a second validator. Each reply is sent in the response format of every
//! dialect, both as text and as the input of a forced tool.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use llm_exe::providers::{ApiMode, PROVIDERS, ProviderRow};
use llm_exe::{Deadline, Endpoints, Rules, Runner};
use llm_exe_aws::{EnvironmentCredentials, SigV4Signer};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::common::{FixedKey, read_supported_cases};

#[derive(Deserialize)]
struct Case {
    name: String,
    schema: Value,
    reply: String,
    #[serde(default)]
    truncated: bool,
    expect: Expected,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Expected {
    Result(Value),
    Error(String),
}

/// The state of a fake provider.
#[derive(Clone, Default)]
struct FakeProvider {
    /// The text of the next reply.
    text: String,
    /// Whether the next response reports a truncated reply.
    truncated: bool,
    /// The number of requests that were received.
    requests: usize,
    /// The number of requests that forced a tool.
    forced_tools: usize,
}

/// Returns one model for each way of making the provider's models follow a schema.
fn models(row: &ProviderRow, dialect: &str) -> &'static [&'static str] {
    match row.name {
        "amazon:openai" => return &["us.openai.gpt-6-luna", "openai.gpt-oss-120b-1:0"],
        "amazon:nova" => return &["amazon.nova-lite-v1:0"],
        "amazon:meta" => return &["meta.llama3-1-70b-instruct-v1:0"],
        _ => {}
    }
    match dialect {
        "openai" | "openai-responses" => &["gpt-4o-mini", "gpt-3.5-turbo", "gpt-4"],
        "anthropic" => &["claude-sonnet-4-5", "claude-3-haiku-20240307", "claude-2.1"],
        "gemini" => &["gemini-2.5-flash"],
        "ollama" => &["llama3.2"],
        "bedrock-anthropic" => {
            &["anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic.claude-3-haiku-20240307-v1:0"]
        }
        "converse" => &[
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "amazon.nova-lite-v1:0",
            "meta.llama3-1-70b-instruct-v1:0",
        ],
        other => panic!("no models for the dialect {other}; add them to tests/it/torture.rs"),
    }
}

/// Returns the name of the tool that a request forces the model to call, if any.
fn forced_tool(dialect: &str, request: &Value) -> Option<String> {
    let pointer = match dialect {
        "openai" => "/tool_choice/function/name",
        "openai-responses" => "/tool_choice/name",
        "anthropic" | "bedrock-anthropic" => "/tool_choice/name",
        "gemini" => "/toolConfig/functionCallingConfig/allowedFunctionNames/0",
        "converse" => "/toolConfig/toolChoice/tool/name",
        _ => return None,
    };
    Some(request.pointer(pointer)?.as_str()?.to_owned())
}

/// Returns the body of a successful response. It contains the text of the reply, or a call to
/// `tool` with that text as its input.
#[expect(clippy::too_many_lines, reason = "one branch for each dialect")]
fn response_body(dialect: &str, provider: &FakeProvider, tool: Option<&str>) -> String {
    let input = RawValue::from_string(provider.text.trim().to_owned()).ok();
    let text = serde_json::to_string(&provider.text).unwrap();
    let end = |complete: &str, cut: &str| json!(if provider.truncated { cut } else { complete });
    match (dialect, tool, input) {
        ("openai", Some(name), _) => {
            let end = end("tool_calls", "length");
            format!(
                r#"{{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{{
                "index":0,"finish_reason":{end},"message":{{"role":"assistant","content":null,
                "tool_calls":[{{"id":"t","type":"function","function":{{"name":"{name}",
                "arguments":{text}}}}}]}}}}],"usage":{{"prompt_tokens":1,"completion_tokens":1,
                "total_tokens":2}}}}"#
            )
        }
        ("openai", ..) => {
            let end = end("stop", "length");
            format!(
                r#"{{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{{
                "index":0,"finish_reason":{end},"message":{{"role":"assistant",
                "content":{text}}}}}],"usage":{{"prompt_tokens":1,"completion_tokens":1,
                "total_tokens":2}}}}"#
            )
        }
        ("openai-responses", ..) => {
            let (status, reason) = match provider.truncated {
                true => ("incomplete", r#"{"reason":"max_output_tokens"}"#),
                false => ("completed", "null"),
            };
            format!(
                r#"{{"id":"r","object":"response","status":"{status}",
                "incomplete_details":{reason},"error":null,"model":"m","output":[{{"id":"i",
                "type":"message","role":"assistant","status":"{status}","content":[{{
                "type":"output_text","text":{text},"annotations":[]}}]}}],
                "usage":{{"input_tokens":1,"output_tokens":1,"total_tokens":2}}}}"#
            )
        }
        ("anthropic" | "bedrock-anthropic", tool, input) => {
            let (block, end) = match (tool, input) {
                (Some(name), Some(input)) => (
                    format!(r#"{{"type":"tool_use","id":"t","name":"{name}","input":{input}}}"#),
                    end("tool_use", "max_tokens"),
                ),
                _ => (format!(r#"{{"type":"text","text":{text}}}"#), end("end_turn", "max_tokens")),
            };
            format!(
                r#"{{"id":"m","type":"message","role":"assistant","model":"m","content":[{block}],
                "stop_reason":{end},"stop_sequence":null,
                "usage":{{"input_tokens":1,"output_tokens":1}}}}"#
            )
        }
        ("gemini", tool, input) => {
            let part = match (tool, input) {
                (Some(name), Some(input)) => {
                    format!(r#"{{"functionCall":{{"name":"{name}","args":{input}}}}}"#)
                }
                _ => format!(r#"{{"text":{text}}}"#),
            };
            let end = end("STOP", "MAX_TOKENS");
            format!(
                r#"{{"candidates":[{{"content":{{"role":"model","parts":[{part}]}},"index":0,
                "finishReason":{end}}}],"usageMetadata":{{"promptTokenCount":1,
                "candidatesTokenCount":1,"totalTokenCount":2}},"modelVersion":"m"}}"#
            )
        }
        ("ollama", ..) => {
            let end = end("stop", "length");
            format!(
                r#"{{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{{
                "role":"assistant","content":{text}}},"done":true,"done_reason":{end},
                "prompt_eval_count":1,"eval_count":1}}"#
            )
        }
        ("converse", tool, input) => {
            let (block, end) = match (tool, input) {
                (Some(name), Some(input)) => (
                    format!(r#"{{"toolUse":{{"toolUseId":"t","name":"{name}","input":{input}}}}}"#),
                    end("tool_use", "max_tokens"),
                ),
                _ => (format!(r#"{{"text":{text}}}"#), end("end_turn", "max_tokens")),
            };
            format!(
                r#"{{"output":{{"message":{{"role":"assistant","content":[{block}]}}}},
                "stopReason":{end},"usage":{{"inputTokens":1,"outputTokens":1,"totalTokens":2}},
                "metrics":{{"latencyMs":1}}}}"#
            )
        }
        (other, ..) => panic!("no body for the dialect {other}; add it to tests/it/torture.rs"),
    }
}

/// Reads the next request and returns its body, or `None` when the connection ends.
fn read_request(stream: &mut TcpStream) -> Option<Value> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 8192]);
    loop {
        match stream.read(&mut chunk) {
            Ok(count) if count > 0 => bytes.extend(&chunk[..count]),
            _ => return None,
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_lowercase();
        let length = head.split("content-length: ").nth(1)?.lines().next()?.trim();
        if body.len() >= length.parse::<usize>().ok()? {
            return serde_json::from_str(body).ok();
        }
    }
}

/// Starts a fake provider that responds to every request as `provider` specifies. Returns its base
/// URL.
fn start(dialect: &'static str, provider: Arc<Mutex<FakeProvider>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let provider = Arc::clone(&provider);
            std::thread::spawn(move || {
                while let Some(request) = read_request(&mut stream) {
                    let tool = forced_tool(dialect, &request);
                    let body = {
                        let mut provider = provider.lock().unwrap();
                        provider.requests += 1;
                        provider.forced_tools += usize::from(tool.is_some());
                        response_body(dialect, &provider, tool.as_deref())
                    };
                    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
                    let response = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
                    if stream.write_all(response.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn replies_result_in_the_expected_value_or_error() {
    let cases: Vec<Case> = read_supported_cases("torture.json");
    assert!(cases.len() >= 157, "{} cases", cases.len());
    let mut failures = Vec::new();
    let main_apis = PROVIDERS.iter().map(|row| (row, row.dialect, ApiMode::Auto));
    let openai = llm_exe::providers::provider("openai").unwrap();
    let responses = (openai, openai.responses().unwrap(), ApiMode::Responses);
    for (row, dialect, mode) in main_apis.chain([responses]) {
        let dialect = dialect.name();
        let provider = Arc::new(Mutex::new(FakeProvider::default()));
        let mut endpoints = Endpoints::new();
        endpoints.set(row, &start(dialect, Arc::clone(&provider))).unwrap();
        endpoints.set_api_mode(mode);
        endpoints.set_region("eu-central-1").unwrap();
        let credentials = EnvironmentCredentials::new(|_| Some("AKIAIOSFODNN7EXAMPLE".to_owned()));
        let runner = Runner::new(endpoints, Arc::new(FixedKey), Rules::default())
            .with_signer(Arc::new(SigV4Signer::new(Arc::new(credentials))));
        for model in models(row, dialect) {
            for case in &cases {
                {
                    let mut provider = provider.lock().unwrap();
                    provider.text.clone_from(&case.reply);
                    provider.truncated = case.truncated;
                }
                let request = json!({
                    "provider": row.name, "model": model, "message": "hi", "output": "json",
                    "schema": case.schema, "outputOptions": {"repairs": 0},
                });
                let run = runner.run(Deadline::after(Duration::from_secs(30)), request).await;
                let is_expected = match (&run.outcome, &case.expect) {
                    // Comparing the JSON as text also compares the order of the keys and every
                    // digit.
                    (Ok(value), Expected::Result(result)) => {
                        let [actual, expected] = [value, result].map(Value::to_string);
                        actual == expected
                    }
                    (Err(error), Expected::Error(kind)) => error.kind().name() == kind,
                    _ => false,
                };
                if !is_expected {
                    failures.push(format!("{model}: {}: {:?}", case.name, run.outcome));
                }
            }
        }
        let provider = provider.lock().unwrap().clone();
        assert_eq!(provider.requests, cases.len() * models(row, dialect).len(), "{}", row.name);
        // Ensures that replies were also tested as the input of a tool.
        let forces_tools = dialect.contains("anthropic") || row.name == "amazon";
        assert!(!forces_tools || provider.forced_tools > 100, "{}", row.name);
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}
