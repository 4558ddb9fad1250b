//! Tests scripted tool calls in every dialect, and that a turn of the model must be sent back as it
//! was received.

use std::collections::BTreeMap;

use llm_exe_simulator::Simulator;
use serde_json::{Value, json};

use crate::client::{Reply, headers, send};

/// A dialect with a model that reasons.
struct Api {
    name: &'static str,
    path: &'static str,
    /// A request with the tool `get_order`, a user message and reasoning.
    request: Value,
    /// The field with the messages, and the field with the maximum number of tokens.
    messages: &'static str,
    max_tokens: &'static str,
    /// The path of the model's turn in a reply.
    turn: &'static str,
    /// The path of the stop reason in a reply, and its value if the reply was cut off.
    stop: &'static str,
    cut_off: &'static str,
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"id": {"type": "integer"}}})
}

fn openai() -> Api {
    let function = json!({"name": "get_order", "parameters": schema()});
    Api {
        name: "openai",
        path: "/v1/chat/completions",
        request: json!({
            "model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}],
            "tools": [{"type": "function", "function": function}],
        }),
        messages: "/messages",
        max_tokens: "/max_completion_tokens",
        turn: "/choices/0/message",
        stop: "/choices/0/finish_reason",
        cut_off: "length",
    }
}

fn responses() -> Api {
    let tool = json!({
        "type": "function", "name": "get_order", "parameters": schema(), "strict": false,
    });
    Api {
        name: "openai",
        path: "/v1/responses",
        request: json!({
            "model": "gpt-5.1", "input": [{"role": "user", "content": "Hi"}], "tools": [tool],
            "store": false, "include": ["reasoning.encrypted_content"],
            "reasoning": {"effort": "low"},
        }),
        messages: "/input",
        max_tokens: "/max_output_tokens",
        turn: "/output",
        stop: "/incomplete_details/reason",
        cut_off: "max_output_tokens",
    }
}

fn anthropic() -> Api {
    Api {
        name: "anthropic",
        path: "/v1/messages",
        request: json!({
            "model": "claude-opus-5-5", "max_tokens": 1000,
            "messages": [{"role": "user", "content": "Hi"}],
            "tools": [{"name": "get_order", "input_schema": schema()}],
            "thinking": {"type": "adaptive"},
        }),
        messages: "/messages",
        max_tokens: "/max_tokens",
        turn: "/content",
        stop: "/stop_reason",
        cut_off: "max_tokens",
    }
}

fn invoke() -> Api {
    let mut request = anthropic().request;
    request.as_object_mut().unwrap().remove("model");
    request["anthropic_version"] = json!("bedrock-2023-05-31");
    Api {
        name: "bedrock-anthropic",
        path: "/model/us.anthropic.claude-opus-5-5/invoke",
        request,
        ..anthropic()
    }
}

fn converse() -> Api {
    let tool = json!({"name": "get_order", "inputSchema": {"json": schema()}});
    Api {
        name: "converse",
        path: "/model/us.anthropic.claude-opus-5-5/converse",
        request: json!({
            "messages": [{"role": "user", "content": [{"text": "Hi"}]}],
            "toolConfig": {"tools": [{"toolSpec": tool}]},
            "inferenceConfig": {"maxTokens": 1000},
            "additionalModelRequestFields": {"thinking": {"type": "adaptive"}},
        }),
        messages: "/messages",
        max_tokens: "/inferenceConfig/maxTokens",
        turn: "/output/message/content",
        stop: "/stopReason",
        cut_off: "max_tokens",
    }
}

fn gemini() -> Api {
    Api {
        name: "gemini",
        path: "/v1beta/models/gemini-3-pro-preview:generateContent",
        request: json!({
            "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
            "tools": [{"functionDeclarations": [{"name": "get_order", "parameters": schema()}]}],
            "generationConfig": {"maxOutputTokens": 1000},
        }),
        messages: "/contents",
        max_tokens: "/generationConfig/maxOutputTokens",
        turn: "/candidates/0/content/parts",
        stop: "/candidates/0/finishReason",
        cut_off: "MAX_TOKENS",
    }
}

fn ollama() -> Api {
    let function = json!({"name": "get_order", "description": "", "parameters": schema()});
    Api {
        name: "ollama",
        path: "/api/chat",
        request: json!({
            "model": "qwen3", "stream": false, "messages": [{"role": "user", "content": "Hi"}],
            "tools": [{"type": "function", "function": function}], "options": {},
        }),
        messages: "/messages",
        max_tokens: "/options/num_predict",
        turn: "/message",
        stop: "/done_reason",
        cut_off: "length",
    }
}

impl Api {
    async fn send(&self, simulator: &Simulator, body: &Value) -> Reply {
        let headers: BTreeMap<_, _> = headers(self.name);
        let body = body.to_string();
        send(simulator.address(), "POST", self.path, &headers, body.as_bytes()).await
    }

    /// Returns the names and arguments of the calls in a reply. Arguments are a string in the
    /// dialects that have one, and otherwise an object.
    fn calls(&self, reply: &Value) -> Vec<(String, Value)> {
        let turn = reply.pointer(self.turn).unwrap();
        let items = turn.get("tool_calls").unwrap_or(turn).as_array().unwrap();
        let call = |item: &Value| {
            let wrapped = ["function", "functionCall", "toolUse"].into_iter();
            let call = wrapped.filter_map(|name| item.get(name)).next().unwrap_or(item);
            let arguments = ["arguments", "args", "input"].into_iter();
            let arguments = arguments.filter_map(|name| call.get(name)).next()?;
            Some((call["name"].as_str()?.to_owned(), arguments.clone()))
        };
        items.iter().filter_map(call).collect()
    }

    fn has_string_arguments(&self) -> bool {
        self.name == "openai"
    }
}

fn all() -> [Api; 7] {
    [openai(), responses(), anthropic(), invoke(), converse(), gemini(), ollama()]
}

/// Returns the JSON blocks in the chapter about tool calls of docs/simulator.md.
fn documented_scripts() -> Vec<Value> {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/simulator.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let (_, chapter) = docs.split_once("\n## Tool calls\n").unwrap();
    let (chapter, _) = chapter.split_once("\n## ").unwrap();
    let blocks = chapter.split("```json\n").skip(1).map(|text| text.split("```").next().unwrap());
    blocks.map(|block| serde_json::from_str(block).unwrap()).collect()
}

#[tokio::test]
async fn documented_tool_calls_work_in_every_dialect() {
    let scripts = documented_scripts();
    let [script, cut_off] = &scripts[..] else {
        panic!("expected two scripts: {scripts:?}");
    };
    for api in all() {
        let simulator = Simulator::start().await.unwrap();
        simulator.script_json(script.clone()).unwrap();
        let mut replies = Vec::new();
        for _ in 0..4 {
            let reply = api.send(&simulator, &api.request).await;
            assert_eq!(reply.status, 200, "{}: {}", api.path, reply.text);
            replies.push(reply.json());
        }
        let arguments = |text: &str| match api.has_string_arguments() {
            true => json!(text),
            false => serde_json::from_str(text).unwrap_or_else(|_| json!({})),
        };
        let call = |name: &str, text: &str| (name.to_owned(), arguments(text));
        let parallel = [call("get_order", r#"{"id":5}"#), call("get_order", r#"{"id":6}"#)];
        assert_eq!(api.calls(&replies[0]), parallel, "{}", api.path);
        assert!(replies[0].to_string().contains("I'll look."), "{}", api.path);
        assert_eq!(api.calls(&replies[1]), [call("get_order", r#"{"id":"#)], "{}", api.path);
        assert_eq!(api.calls(&replies[2]), [call("no_such_tool", "{}")], "{}", api.path);
        assert!(replies[3].to_string().contains("It is on its way."), "{}", api.path);

        simulator.script_json(cut_off.clone()).unwrap();
        let mut request = api.request.clone();
        let (parent, name) = api.max_tokens.rsplit_once('/').unwrap();
        request.pointer_mut(parent).unwrap()[name] = json!(16);
        let reply = api.send(&simulator, &request).await.json();
        assert_eq!(reply.pointer(api.stop), Some(&json!(api.cut_off)), "{}: {reply}", api.path);
        let calls = api.calls(&reply);
        let arguments = calls[0].1.as_str().unwrap_or("{");
        assert!(serde_json::from_str::<Value>(arguments).is_err(), "{}: {calls:?}", api.path);
        if !api.has_string_arguments() {
            assert_eq!(calls[0].1, json!({}), "{}", api.path);
        }
    }
}

/// Sends the first turn of the model back, changed by `edit`, with the result of its call.
async fn send_back(api: &Api, edit: impl FnOnce(&mut Value)) -> Reply {
    let simulator = Simulator::start().await.unwrap();
    let call = json!({"toolCall": {"name": "get_order", "arguments": {"id": 5}}});
    simulator.script_json(json!([{"then": call}])).unwrap();
    let reply = api.send(&simulator, &api.request).await.json();
    let mut turn = reply.pointer(api.turn).unwrap_or_else(|| panic!("{reply}")).clone();
    let calls = turn.as_array().unwrap().clone();
    edit(&mut turn);
    let mut request = api.request.clone();
    let messages = request.pointer_mut(api.messages).unwrap().as_array_mut().unwrap();
    let last = calls.last().unwrap();
    match api.messages {
        "/input" => {
            messages.extend(turn.as_array().unwrap().iter().cloned());
            messages.push(json!({
                "type": "function_call_output", "call_id": last["call_id"], "output": "540",
            }));
        }
        "/contents" => {
            let response = json!({
                "id": last["functionCall"]["id"], "name": "get_order", "response": {"output": 540},
            });
            messages.push(json!({"role": "model", "parts": turn}));
            messages.push(json!({"role": "user", "parts": [{"functionResponse": response}]}));
        }
        _ => {
            let result = match api.name {
                "converse" => json!({"toolResult": {
                    "toolUseId": last["toolUse"]["toolUseId"], "content": [{"text": "540"}],
                }}),
                _ => json!({
                    "type": "tool_result", "tool_use_id": last["id"], "content": "540",
                }),
            };
            messages.push(json!({"role": "assistant", "content": turn}));
            messages.push(json!({"role": "user", "content": [result]}));
        }
    }
    api.send(&simulator, &request).await
}

/// A change of the model's turn, and a part of the error.
type Edit = (fn(&mut Value), &'static str);

fn remove_first(turn: &mut Value) {
    turn.as_array_mut().unwrap().remove(0);
}

#[tokio::test]
async fn edited_turns_are_rejected_and_unchanged_ones_accepted() {
    let claude: [Edit; 2] = [
        (|turn| turn[0]["thinking"] = json!("Other."), "thinking"),
        (|turn| turn[0]["signature"] = json!("c2ltdWxhdGVk0000"), "signature"),
    ];
    let converse_edits: [Edit; 1] = [(
        |turn| turn[0]["reasoningContent"]["reasoningText"]["text"] = json!("Other."),
        "thinking",
    )];
    let gemini_edits: [Edit; 3] = [
        (|turn| turn[0]["functionCall"]["args"]["id"] = json!(6), "Corrupted thought signature"),
        (|turn| turn[0]["thoughtSignature"] = json!("c2ltdWxhdGVkIHRob3VnaHQgAAAA"), "Corrupted"),
        (
            |turn| drop(turn[0].as_object_mut().unwrap().remove("thoughtSignature")),
            "missing a thought_signature",
        ),
    ];
    let responses_edits: [Edit; 4] = [
        (remove_first, "without its required 'reasoning' item: 'rs_sim"),
        (|turn| turn.as_array_mut().unwrap().swap(0, 1), "required"),
        (|turn| turn[0]["encrypted_content"] = json!("gAAAAsim0000"), "could not be verified"),
        (|turn| turn[0]["id"] = json!("rs_other"), "could not be verified"),
    ];
    for (api, edits) in [
        (anthropic(), &claude[..]),
        (invoke(), &claude),
        (converse(), &converse_edits),
        (gemini(), &gemini_edits),
        (responses(), &responses_edits),
    ] {
        let unchanged = send_back(&api, |_| {}).await;
        assert_eq!(unchanged.status, 200, "{}: {}", api.path, unchanged.text);
        for (index, (edit, expected)) in edits.iter().enumerate() {
            let reply = send_back(&api, edit).await;
            assert_eq!(reply.status, 400, "{} {index}: {}", api.path, reply.text);
            assert!(reply.text.contains(expected), "{} {index}: {}", api.path, reply.text);
        }
    }
}
