//! Runs each case of `cases/malformed_replies.json`: a successful response that is not as the
//! provider documents it. Its text and its calls are used if they are readable, and the
//! conversation can continue.

use std::sync::Arc;
use std::time::Duration;

use llm_exe::chat::{Chat, Message, Role, Tool, ToolContent, ToolResult};
use llm_exe::providers::{ProviderRow, provider};
use llm_exe::{Deadline, Rules, Runner};
use llm_exe_simulator::Simulator;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::common::{FixedKey, dialect, endpoints, read_cases, send, signer};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    provider: String,
    /// `responses` for the Responses API of the provider.
    api: Option<String>,
    body: Value,
    #[serde(default)]
    text: String,
    /// The names of the tool calls.
    #[serde(default)]
    calls: Vec<String>,
    #[serde(default)]
    warnings: Vec<String>,
    /// The number of tokens.
    #[serde(default)]
    tokens: u64,
    error: Option<String>,
}

fn model(provider: &str) -> &'static str {
    match provider {
        "openai" => "gpt-4o",
        "anthropic" => "claude-sonnet-4-5",
        "amazon" => "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "google" => "gemini-3.5-flash",
        _ => "qwen3",
    }
}

/// Runs a case and returns how it differs from what is expected.
async fn run(case: &Case, row: &'static ProviderRow) -> Result<(), String> {
    let simulator = Simulator::start().await.unwrap();
    simulator.script_json(json!([{"then": {"json": case.body}}])).unwrap();
    let mut chat = Chat::new(model(row.name), vec![Message::text(Role::User, "hi")]);
    chat.tools = vec![Tool::new("get_rate", json!({"type": "object", "properties": {}}))];
    let dialect = dialect(row, case.api.as_deref());
    let response = send(&simulator, row, dialect, &chat).await;
    let reply = match (dialect.read_reply(&response, &chat), &case.error) {
        (Ok(reply), None) => reply,
        (Err(error), Some(expected)) => {
            let error = format!("{}: {}", error.kind(), error.message());
            return if error == *expected { Ok(()) } else { Err(error) };
        }
        (result, _) => return Err(format!("{result:?}")),
    };
    let calls: Vec<&str> = reply.tool_calls().map(|call| call.name.as_str()).collect();
    let (text, tokens) = (reply.text(), reply.usage.total_tokens);
    if text != case.text || calls != case.calls || tokens != case.tokens {
        return Err(format!("{text:?}, {calls:?}, {tokens} tokens"));
    }
    if reply.warnings != case.warnings {
        return Err(format!("{:?}", reply.warnings));
    }
    let results: Vec<ToolResult> = reply
        .tool_calls()
        .map(|call| ToolResult::new(call, ToolContent::Text("1.1".to_owned())))
        .collect();
    chat.messages.push(reply.to_message());
    if !results.is_empty() {
        chat.messages.push(Message::tool_results(results));
    }
    chat.messages.push(Message::text(Role::User, "Go on."));
    let response = send(&simulator, row, dialect, &chat).await;
    match response.status {
        200 => Ok(()),
        _ => Err(format!("the next request: {}", String::from_utf8_lossy(&response.body))),
    }
}

#[tokio::test]
async fn readable_parts_are_used_and_the_conversation_continues() {
    let cases: Vec<Case> = read_cases("malformed_replies.json");
    let mut failures = Vec::new();
    for case in &cases {
        if let Err(difference) = run(case, provider(&case.provider).unwrap()).await {
            failures.push(format!("{}: {}: {difference}", case.provider, case.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn run_returns_the_text_with_a_warning_and_names_the_error_of_a_gateway() {
    let simulator = Simulator::start().await.unwrap();
    let message = json!({"role": "assistant", "content": "Hi", "tool_calls": [{"id": "a"}]});
    let body = json!({"choices": [{"message": message, "finish_reason": "stop"}], "usage": 7});
    let error = json!({"error": {"message": "no capacity for test-key", "code": 502}});
    let script = json!([{"then": {"json": body}}, {"then": {"json": error}}]);
    simulator.script_json(script).unwrap();
    let runner = Runner::new(endpoints(&simulator), Arc::new(FixedKey), Rules::default())
        .with_signer(signer());
    let request = json!({"provider": "openai", "model": "gpt-4o", "message": "hi"});
    let deadline = Deadline::after(Duration::from_secs(10));
    let run = runner.run(deadline, request.clone()).await;
    assert_eq!(run.outcome.unwrap(), "Hi");
    let expected = [
        "the reply contains an unreadable tool call, which was skipped",
        "the token counts of the reply are unreadable",
    ];
    assert_eq!(run.report.warnings, expected);
    let error = runner.run(deadline, request).await.outcome.unwrap_err();
    assert_eq!(error.kind().name(), "ProviderUnavailable");
    assert!(error.message().ends_with(": no capacity for [redacted]"), "{error}");
    assert!(!error.for_log().contains("no capacity"), "{}", error.for_log());
}
