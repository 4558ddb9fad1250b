//! Never a wrong answer passed as right: `cases/torture.json`, replies to `output: "json"` with
//! what must become of them, thought out by hand and cross-checked with another validator, in the
//! success body of every provider's dialect, as text and as the input of a forced tool.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use llm_exe::ports::PortFuture;
use llm_exe::providers::{PROVIDERS, ProviderRow};
use llm_exe::{Deadline, Endpoints, Error, Executor, KeyName, Keys, Rules, Secret};
use llm_exe_aws::{EnvironmentCredentials, SigV4Signer};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

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

/// What the stand-in for a provider answers next.
#[derive(Clone, Default)]
struct Said {
    text: String,
    truncated: bool,
    /// How often it was asked, and how often a tool was forced.
    asked: usize,
    forced: usize,
}

/// Models of a dialect, one for each way in which it may be told the schema.
fn models(row: &ProviderRow) -> &'static [&'static str] {
    match row.name {
        "amazon:nova" => return &["amazon.nova-lite-v1:0"],
        "amazon:meta" => return &["meta.llama3-1-70b-instruct-v1:0"],
        _ => {}
    }
    match row.dialect.name() {
        "openai" => &["gpt-4o-mini", "gpt-3.5-turbo", "gpt-4"],
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
        other => panic!("no models of the dialect {other}; add it to tests/torture.rs"),
    }
}

/// The tool that a request forces, if it does.
fn forced_tool(dialect: &str, asked: &Value) -> Option<String> {
    let place = match dialect {
        "openai" => "/tool_choice/function/name",
        "anthropic" | "bedrock-anthropic" => "/tool_choice/name",
        "gemini" => "/toolConfig/functionCallingConfig/allowedFunctionNames/0",
        "converse" => "/toolConfig/toolChoice/tool/name",
        _ => return None,
    };
    Some(asked.pointer(place)?.as_str()?.to_owned())
}

/// The body of a 200 that says `text`, or calls the tool with it.
fn body(dialect: &str, said: &Said, tool: Option<&str>) -> String {
    let input = RawValue::from_string(said.text.trim().to_owned()).ok();
    let text = serde_json::to_string(&said.text).unwrap();
    let end = |usual: &str, cut: &str| json!(if said.truncated { cut } else { usual });
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
        (other, ..) => panic!("no body of the dialect {other}; add it to tests/torture.rs"),
    }
}

/// A request's body, or nothing where the connection ends.
fn request(stream: &mut TcpStream) -> Option<Value> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 8192]);
    loop {
        match stream.read(&mut piece) {
            Ok(count) if count > 0 => bytes.extend(&piece[..count]),
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

/// Stands in for a provider: whatever is asked, it says what it is told to.
fn stand_in(row: &'static ProviderRow, said: Arc<Mutex<Said>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let said = Arc::clone(&said);
            std::thread::spawn(move || {
                while let Some(asked) = request(&mut stream) {
                    let dialect = row.dialect.name();
                    let tool = forced_tool(dialect, &asked);
                    let body = {
                        let mut said = said.lock().unwrap();
                        said.asked += 1;
                        said.forced += usize::from(tool.is_some());
                        body(dialect, &said, tool.as_deref())
                    };
                    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
                    let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
                    if stream.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    format!("http://{address}")
}

struct OneKey;

impl Keys for OneKey {
    fn get<'a>(&'a self, _: &'a KeyName) -> PortFuture<'a, Result<Secret, Error>> {
        Box::pin(std::future::ready(Ok(Secret::new("test-key").unwrap())))
    }
}

#[tokio::test]
async fn no_wrong_answer_is_passed_as_right() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("cases/torture.json")).unwrap();
    assert!(cases.len() >= 160, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for row in PROVIDERS {
        let said = Arc::new(Mutex::new(Said::default()));
        let mut endpoints = Endpoints::new();
        endpoints.set(row, &stand_in(row, Arc::clone(&said))).unwrap();
        endpoints.set_region("eu-central-1").unwrap();
        let credentials = EnvironmentCredentials::new(|_| Some("AKIAIOSFODNN7EXAMPLE".to_owned()));
        let executor = Executor::new(endpoints, Arc::new(OneKey), Rules::default())
            .with_signer(Arc::new(SigV4Signer::new(Arc::new(credentials))));
        for model in models(row) {
            for case in &cases {
                {
                    let mut said = said.lock().unwrap();
                    said.text.clone_from(&case.reply);
                    said.truncated = case.truncated;
                }
                let request = json!({
                    "provider": row.name, "model": model, "message": "hi", "output": "json",
                    "schema": case.schema, "outputOptions": {"repairs": 0},
                });
                let run = executor.run(Deadline::after(Duration::from_secs(30)), request).await;
                let right = match (&run.outcome, &case.expect) {
                    // As text, so that the order of keys and every digit count.
                    (Ok(value), Expected::Result(result)) => {
                        let [ours, theirs] = [value, result].map(Value::to_string);
                        ours == theirs
                    }
                    (Err(error), Expected::Error(kind)) => error.kind().name() == kind,
                    _ => false,
                };
                if !right {
                    wrong.push(format!("{model}: {}: {:?}", case.name, run.outcome));
                }
            }
        }
        let said = said.lock().unwrap().clone();
        assert_eq!(said.asked, cases.len() * models(row).len(), "{}", row.name);
        // Otherwise no case was tried as a tool's input.
        let forces = row.dialect.name().contains("anthropic") || row.name == "amazon";
        assert!(!forces || said.forced > 100, "{}: {}", row.name, said.forced);
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
