//! Tests conversations with tools, from the bytes of a reply to the bytes of the next request.
//!
//! `cases/conversations/<provider>.json` contains conversations by name. Each turn adds messages,
//! and has the bytes of the request that results from them, the bytes of the provider's reply, and
//! what is read from it. Requests and replies are compared byte for byte, with their white space.
//!
//! `scripts/update` rewrites the requests, the warnings and what is read; review the difference.

use std::collections::{BTreeMap, BTreeSet};

use llm_exe::chat::{
    Chat, Media, Message, Part, Reply, Role, Structure, Tool, ToolCall, ToolChoice, ToolContent,
    ToolResult,
};
use llm_exe::providers::{ProviderRow, build_request, provider};
use llm_exe::wire::WireReply;
use llm_exe_simulator::Simulator;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::common;

/// A conversation. Its fields apply to all turns.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Case {
    model: String,
    /// `responses` for the Responses API of a provider that also has chat completions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    effort: Option<String>,
    /// The schema of the reply, if it is sent in the API's field for structured output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schema: Option<Value>,
    tools: Vec<CaseTool>,
    /// `none`, `required`, or the name of a tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tool_choice: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    turns: Vec<Turn>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseTool {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    parameters: Value,
}

/// A request and its reply. If the provider or the model is not that of the conversation, earlier
/// assistant turns are built from their parts.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Turn {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// The messages that are added to the conversation, after the reply of the previous turn.
    add: Vec<AddedMessage>,
    /// The expected error, instead of a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The expected body of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// The body of the response. The last turn may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stop_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reply_warnings: Vec<String>,
    /// The expected parts of the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parts: Option<Value>,
}

/// A message. Its parts are in the order of the fields.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AddedMessage {
    role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    calls: Vec<AddedCall>,
    /// Results of calls of the latest assistant message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    results: Vec<AddedResult>,
    /// The position of the call of each result. By default, they are in the order of the calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    order: Vec<usize>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AddedCall {
    id: String,
    name: String,
    arguments: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum AddedResult {
    Text(String),
    Json(Value),
    Error(String),
}

impl AddedMessage {
    /// Returns the message. `history` contains the calls that `results` belong to.
    fn to_message(&self, history: &[Message]) -> Message {
        let mut parts = Vec::new();
        parts.extend(self.text.clone().map(Part::Text));
        parts.extend(self.image.clone().map(|url| Part::Media(Media::new(url))));
        parts.extend(
            self.calls
                .iter()
                .map(|call| Part::ToolCall(ToolCall::new(&call.id, &call.name, &call.arguments))),
        );
        let latest = history.iter().rev().find(|message| message.role == Role::Assistant);
        let calls: Vec<&ToolCall> = latest.into_iter().flat_map(Message::tool_calls).collect();
        for (index, result) in self.results.iter().enumerate() {
            // Without a call, there is nothing to return the result for.
            let position = self.order.get(index).copied().unwrap_or(index);
            let Some(call) = calls.get(position) else { continue };
            parts.push(Part::ToolResult(match result {
                AddedResult::Text(text) => ToolResult::new(call, ToolContent::Text(text.clone())),
                AddedResult::Json(value) => ToolResult::new(call, ToolContent::Json(value.clone())),
                AddedResult::Error(text) => ToolResult::error(call, text),
            }));
        }
        Message::new(Role::from_name(&self.role).expect(&self.role), parts)
    }
}

impl Case {
    fn chat(&self) -> Chat {
        let mut chat = Chat::new(&self.model, Vec::new());
        chat.sampling.effort.clone_from(&self.effort);
        if let Some(schema) = &self.schema {
            let (name, schema) = ("answer".to_owned(), schema.clone());
            chat.structure = Structure::Native { name, schema, strict: true };
        }
        chat.tools = self
            .tools
            .iter()
            .map(|tool| {
                let made = Tool::new(&tool.name, tool.parameters.clone());
                match &tool.description {
                    Some(text) => made.with_description(text),
                    None => made,
                }
            })
            .collect();
        chat.tool_choice = match self.tool_choice.as_deref() {
            None => ToolChoice::Auto,
            Some("none") => ToolChoice::None,
            Some("required") => ToolChoice::Required,
            Some(name) => ToolChoice::Named(name.to_owned()),
        };
        chat.parallel_tool_calls = self.parallel_tool_calls.unwrap_or(true);
        chat
    }

    /// Runs the conversation and returns it with what actually happened.
    fn run(&self, row: &'static ProviderRow) -> Case {
        let mut chat = self.chat();
        let turns = self.turns.iter().map(|turn| turn.run(row, &mut chat, self));
        Case { turns: turns.collect(), tools: self.tools.iter().map(copy).collect(), ..copy(self) }
    }
}

impl Turn {
    fn run(&self, row: &'static ProviderRow, chat: &mut Chat, case: &Case) -> Turn {
        let row = self.provider.as_deref().map_or(row, |name| provider(name).expect(name));
        let dialect = common::dialect(row, case.api.as_deref());
        chat.model = self.model.clone().unwrap_or(case.model.clone());
        for added in &self.add {
            let message = added.to_message(&chat.messages);
            chat.messages.push(message);
        }
        let mut turn: Turn = copy(self);
        turn.warnings.clear();
        (turn.error, turn.request) = (None, None);
        let endpoint = row.endpoint(None, Some("eu-central-1"));
        match build_request(dialect, &endpoint, chat) {
            Ok(built) => {
                let bytes = built.request.body.to_bytes().unwrap();
                turn.request = Some(serde_json::from_slice(&bytes).unwrap());
                turn.warnings = built.warnings;
                check_dry_run(&bytes, &built.request.to_json()["body"]);
            }
            Err(error) => turn.error = Some(error.to_string()),
        }
        if let Some(body) = &self.reply {
            let body = body.get().to_owned().into();
            let wire = WireReply { status: 200, headers: http::HeaderMap::new(), body };
            let reply = dialect.read_reply(&wire, chat).unwrap();
            turn.stop_reason = Some(reply.stop_reason.name().to_owned());
            turn.parts = Some(parts(&reply));
            turn.reply_warnings.clone_from(&reply.warnings);
            chat.messages.push(reply.to_message());
        }
        turn
    }
}

/// Checks that a dry run shows what is sent.
fn check_dry_run(bytes: &[u8], shown: &Value) {
    let sent: Value = serde_json::from_slice(bytes).unwrap();
    assert_eq!(sent.to_string(), shown.to_string());
}

fn parts(reply: &Reply) -> Value {
    let part = |part: &Part| match part {
        Part::Text(text) => json!({ "text": text }),
        Part::ToolCall(call) => json!({ "call": call }),
        other => panic!("a reply contains {other:?}"),
    };
    reply.parts.iter().map(part).collect()
}

/// Copies a value with all bytes of its raw JSON.
fn copy<T: Serialize + for<'de> Deserialize<'de>>(value: &T) -> T {
    serde_json::from_str(to_raw_value(value).unwrap().get()).unwrap()
}

#[test]
fn recorded_conversations_are_up_to_date() {
    let folder = common::cases().join("conversations");
    let mut failures = Vec::new();
    let mut tested = BTreeSet::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().replace("amazon-", "amazon:");
        let row = provider(&name).expect(&name);
        let text = std::fs::read_to_string(&path).unwrap();
        let cases: BTreeMap<String, Case> =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let actual: BTreeMap<&String, Case> =
            cases.iter().map(|(case_name, case)| (case_name, case.run(row))).collect();
        // Pretty printing keeps the bytes of raw JSON.
        let actual = format!("{}\n", serde_json::to_string_pretty(&actual).unwrap());
        if common::update() {
            std::fs::write(&path, actual).unwrap();
        } else if let Some((line, (actual, expected))) =
            actual.lines().zip(text.lines()).enumerate().find(|(_, (a, b))| a != b)
        {
            let line = line + 1;
            failures.push(format!("{name}: line {line}: expected\n{expected}\ngot\n{actual}"));
        } else if actual.len() != text.len() {
            failures.push(format!("{name}: the file has a different number of lines"));
        }
        tested.insert(name);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let dialects = ["openai", "anthropic", "google", "ollama", "amazon"];
    for name in dialects.into_iter().chain(["xai", "deepseek", "amazon:anthropic", "amazon:nova"]) {
        assert!(tested.contains(name), "{name} has no conversations");
    }
}

/// The simulator shares no code with the client, so it is an independent check of the requests.
#[tokio::test]
async fn simulator_accepts_the_requests() {
    let mut failures = Vec::new();
    for entry in common::cases().join("conversations").read_dir().unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap();
        let cases: BTreeMap<String, Case> = common::read_cases(&format!("conversations/{file}"));
        let name = path.file_stem().unwrap().to_str().unwrap().replace("amazon-", "amazon:");
        let simulator = Simulator::start().await.unwrap();
        for (case_name, case) in &cases {
            let mut chat = case.chat();
            for (index, turn) in case.turns.iter().enumerate() {
                let row = provider(turn.provider.as_deref().unwrap_or(&name)).unwrap();
                let dialect = common::dialect(row, case.api.as_deref());
                turn.run(provider(&name).unwrap(), &mut chat, case);
                if turn.reply.is_some() {
                    chat.messages.pop();
                }
                if turn.error.is_none() {
                    let response = common::send(&simulator, row, dialect, &chat).await;
                    if response.status != 200 {
                        let body = String::from_utf8_lossy(&response.body).into_owned();
                        failures.push(format!("{name}: {case_name}, turn {index}: {body}"));
                    }
                }
                if let Some(body) = &turn.reply {
                    let body = body.get().to_owned().into();
                    let wire = WireReply { status: 200, headers: http::HeaderMap::new(), body };
                    chat.messages.push(dialect.read_reply(&wire, &chat).unwrap().to_message());
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
