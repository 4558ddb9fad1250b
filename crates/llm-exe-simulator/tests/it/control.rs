//! Tests the journal, the control endpoints and the format of replies, and how unknown paths, wrong
//! methods and oversized bodies are rejected.

use std::collections::BTreeMap;

use llm_exe_simulator::Simulator;
use serde_json::{Value, json};

use crate::client::{KEY, Reply, call, headers, path, send};

async fn control(simulator: &Simulator, method: &str, name: &str, body: &str) -> Reply {
    let path = format!("/_simulator/{name}");
    send(simulator.address(), method, &path, &BTreeMap::new(), body.as_bytes()).await
}

fn openai_request(text: &str) -> Value {
    json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]})
}

#[tokio::test]
async fn journal_has_every_call_but_no_key() {
    let simulator = Simulator::start().await.unwrap();
    call(&simulator, "openai", &openai_request("one")).await;
    call(&simulator, "anthropic", &json!({"model": "m"})).await;
    let address = simulator.address();
    let path = format!("/nowhere?key={KEY}");
    send(address, "GET", &path, &headers("openai"), b"").await;
    let journal = control(&simulator, "GET", "journal", "").await.json();
    let calls = journal.as_array().unwrap();
    assert_eq!(calls.len(), 3);
    assert_eq!(calls[0]["sequence"], 1);
    assert_eq!(calls[0]["dialect"], "openai");
    assert_eq!(calls[0]["path"], "/v1/chat/completions");
    assert_eq!(calls[0]["headers"]["authorization"], "[present]");
    assert_eq!(calls[0]["body"], openai_request("one"));
    assert_eq!(calls[0]["answered"], json!({"status": 200}));
    assert_eq!(calls[1]["headers"]["x-api-key"], "[present]");
    assert_eq!(calls[1]["answered"], json!({"status": 400}));
    assert_eq!(calls[2]["dialect"], Value::Null);
    assert_eq!(calls[2]["path"], "/nowhere?key=[present]");
    assert_eq!(calls[2]["answered"], json!({"status": 404}));
    assert!(!journal.to_string().contains(KEY));
    let connections: Vec<u64> = simulator.journal().iter().map(|call| call.connection).collect();
    assert_eq!(connections, [1, 2, 3]);
    assert_eq!(control(&simulator, "DELETE", "journal", "").await.status, 200);
    assert!(simulator.journal().is_empty());
}

#[tokio::test]
async fn script_can_be_posted_and_deleted() {
    let simulator = Simulator::start().await.unwrap();
    assert_eq!(control(&simulator, "GET", "health", "").await.status, 200);
    let step = json!([{"times": 2, "then": {"text": "scripted"}}]).to_string();
    assert_eq!(control(&simulator, "POST", "script", &step).await.json()["steps"], 1);
    assert!(call(&simulator, "openai", &openai_request("a")).await.text.contains("scripted"));
    assert_eq!(control(&simulator, "DELETE", "script", "").await.status, 200);
    assert!(!call(&simulator, "openai", &openai_request("a")).await.text.contains("scripted"));
    assert_eq!(control(&simulator, "PUT", "script", "").await.status, 405);
    assert_eq!(control(&simulator, "GET", "else", "").await.status, 404);
}

/// Invalid scripts, each with a part of the expected error message.
const INVALID_SCRIPTS: &[(&str, &str)] = &[
    ("{", "not valid JSON"),
    ("{}", "an array of steps"),
    ("[{}]", "step[0]: missing field `then`"),
    (r#"[{"then": {}}]"#, "got none"),
    (r#"[{"then": {"text": "a", "status": 200}}]"#, "got status, text"),
    (r#"[{"then": {"text": "a"}, "if": {}}]"#, "unknown field `if`"),
    (r#"[{"then": {"text": "a"}}, {"then": {"text": 1}}]"#, "step[1]"),
    (r#"[{"then": {"text": "a", "reason": "b"}}]"#, "unknown field `reason`"),
    (r#"[{"then": {"status": 42}}]"#, "then.status"),
    (r#"[{"then": {"status": 429, "headers": {"a b": "c"}}}]"#, "then.headers"),
    (r#"[{"then": {"fault": "explode"}}]"#, "unknown fault \"explode\""),
    (r#"[{"then": {"fault": "slow"}}]"#, "then.milliseconds"),
    (r#"[{"then": {"fault": "hang", "milliseconds": 5}}]"#, "then.milliseconds"),
    (r#"[{"then": {"fault": "redirect"}}]"#, "then.location"),
    (r#"[{"then": {"empty": false}}]"#, "then.empty"),
    (r#"[{"times": 0, "then": {"text": "a"}}]"#, "times"),
    (r#"[{"when": {"dialect": "x"}, "then": {"text": "a"}}]"#, "when.dialect"),
    (r#"[{"when": {"modell": "x"}, "then": {"text": "a"}}]"#, "unknown field `modell`"),
    (r#"[{"when": {"model": "x"}, "then": {"fault": "dropEarly"}}]"#, "dropEarly"),
];

#[tokio::test]
async fn invalid_scripts_are_rejected_with_a_reason() {
    let simulator = Simulator::start().await.unwrap();
    for (script, reason) in INVALID_SCRIPTS {
        let reply = control(&simulator, "POST", "script", script).await;
        assert_eq!(reply.status, 400, "{script}");
        let message = reply.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(reason), "{script}: {message}");
    }
    let error = simulator.script_json(json!([{"then": {"fault": "explode"}}])).unwrap_err();
    assert!(error.to_string().starts_with("step[0]: then.fault"), "{error}");
    // No step of an invalid script is used.
    assert!(
        !call(&simulator, "openai", &openai_request("a")).await.text.contains("\"content\":\"a\"")
    );
}

#[tokio::test]
async fn unknown_paths_and_methods_get_the_dialects_error() {
    let simulator = Simulator::start().await.unwrap();
    let cases = [
        ("openai", "POST", "/v1/completions", 404),
        ("openai", "POST", "/v1/chat/completions/", 404),
        ("openai", "GET", "/v1/chat/completions", 405),
        ("anthropic", "POST", "/messages", 404),
        ("anthropic", "PUT", "/v1/messages", 405),
        ("gemini", "POST", "/v1beta/models/:generateContent", 404),
        ("gemini", "POST", "/v1beta/models/a/b:generateContent", 404),
        ("gemini", "POST", "/v1beta/models/gemini-2.5-flash:countTokens", 404),
        ("gemini", "GET", "/v1beta/models/gemini-2.5-flash:generateContent", 405),
        ("ollama", "GET", "/api/chat", 405),
    ];
    for (dialect, method, path, status) in cases {
        let reply = send(simulator.address(), method, path, &headers(dialect), b"").await;
        assert_eq!(reply.status, status, "{method} {path}");
        let body = reply.json();
        let has_dialects_format = match dialect {
            "openai" => body["error"].get("code").is_some(),
            "gemini" => body["error"]["code"] == status,
            "ollama" => body["error"].is_string(),
            _ => body["type"] == "error",
        };
        assert!(has_dialects_format, "{}", reply.text);
    }
}

#[tokio::test]
async fn too_large_body_is_rejected() {
    let simulator = Simulator::start().await.unwrap();
    let body = vec![b' '; 32 * 1024 * 1024 + 1];
    let headers = headers("anthropic");
    let reply = send(simulator.address(), "POST", path("anthropic"), &headers, &body).await;
    assert_eq!(reply.status, 413);
    assert_eq!(reply.json()["error"]["type"], "request_too_large");
}

#[tokio::test]
async fn openai_replies_are_complete() {
    let simulator = Simulator::start().await.unwrap();
    let reply = call(&simulator, "openai", &openai_request("12345678")).await.json();
    assert_eq!(reply["object"], "chat.completion");
    assert!(reply["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert!(reply["created"].as_u64().unwrap() > 1_700_000_000);
    let choice = &reply["choices"][0];
    assert_eq!(choice["finish_reason"], "stop");
    assert_eq!(choice["message"]["role"], "assistant");
    let text = choice["message"]["content"].as_str().unwrap();
    assert_eq!(reply["usage"]["prompt_tokens"], 2);
    assert_eq!(reply["usage"]["completion_tokens"], text.len().div_ceil(4));

    let mut limited = openai_request("a");
    limited["max_completion_tokens"] = json!(3);
    let reply = call(&simulator, "openai", &limited).await.json();
    assert_eq!(reply["choices"][0]["message"]["content"], "Simulated re");
    assert_eq!(reply["choices"][0]["finish_reason"], "length");
    assert_eq!(reply["usage"]["completion_tokens"], 3);

    let mut stopped = openai_request("a");
    stopped["stop"] = json!([" reply"]);
    let reply = call(&simulator, "openai", &stopped).await.json();
    assert_eq!(reply["choices"][0]["message"]["content"], "Simulated");
    assert_eq!(reply["choices"][0]["finish_reason"], "stop");

    let schema = json!({"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}});
    let mut forced = openai_request("a");
    forced["tools"] =
        json!([{"type": "function", "function": {"name": "f", "parameters": schema}}]);
    forced["tool_choice"] = json!("required");
    let reply = call(&simulator, "openai", &forced).await.json();
    let call = &reply["choices"][0]["message"]["tool_calls"][0];
    assert_eq!(call["function"], json!({"name": "f", "arguments": "{\"n\":3}"}));
    assert_eq!(reply["choices"][0]["finish_reason"], "tool_calls");
}

#[tokio::test]
async fn anthropic_replies_are_complete() {
    let simulator = Simulator::start().await.unwrap();
    let plain = json!({
        "model": "claude-sonnet-4-5", "max_tokens": 2000,
        "messages": [{"role": "user", "content": "12345678"}],
    });
    let with = |name: &str, value: Value| {
        let mut body = plain.clone();
        body[name] = value;
        body
    };
    let reply = call(&simulator, "anthropic", &plain).await.json();
    assert_eq!((&reply["type"], &reply["role"]), (&json!("message"), &json!("assistant")));
    assert_eq!(reply["stop_reason"], "end_turn");
    let text = reply["content"][0]["text"].as_str().unwrap();
    assert_eq!(reply["usage"]["input_tokens"], 2);
    assert_eq!(reply["usage"]["output_tokens"], text.len().div_ceil(4));

    let reply = call(&simulator, "anthropic", &with("max_tokens", json!(3))).await.json();
    assert_eq!(reply["content"][0]["text"], "Simulated re");
    assert_eq!(reply["stop_reason"], "max_tokens");

    let reply = call(&simulator, "anthropic", &with("stop_sequences", json!([" reply"]))).await;
    let reply = reply.json();
    assert_eq!(reply["content"][0]["text"], "Simulated");
    assert_eq!(
        (&reply["stop_reason"], &reply["stop_sequence"]),
        (&json!("stop_sequence"), &json!(" reply"))
    );

    let thinking = json!({"type": "enabled", "budget_tokens": 1024});
    let reply = call(&simulator, "anthropic", &with("thinking", thinking)).await.json();
    assert_eq!(reply["content"][0]["type"], "thinking");
    assert_eq!(reply["content"][1]["type"], "text");
    assert_eq!(reply["usage"]["output_tokens_details"]["thinking_tokens"], 5);

    let schema = json!({"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}});
    let mut forced = with("tools", json!([{"name": "f", "input_schema": schema}]));
    forced["tool_choice"] = json!({"type": "tool", "name": "f"});
    let reply = call(&simulator, "anthropic", &forced).await.json();
    assert_eq!(reply["content"][0]["input"], json!({"n": 3}));
    assert_eq!(reply["stop_reason"], "tool_use");
}

#[tokio::test]
async fn gemini_replies_are_complete() {
    let simulator = Simulator::start().await.unwrap();
    let with = |config: Value| {
        let contents = json!([{"role": "user", "parts": [{"text": "12345678"}]}]);
        json!({"contents": contents, "generationConfig": config})
    };
    let reply = call(&simulator, "gemini", &with(json!({}))).await.json();
    assert_eq!(reply["modelVersion"], "gemini-2.5-flash");
    assert_eq!(reply["responseId"], "sim000001");
    let candidate = &reply["candidates"][0];
    assert_eq!((&candidate["finishReason"], &candidate["index"]), (&json!("STOP"), &json!(0)));
    assert_eq!(candidate["content"]["role"], "model");
    let text = candidate["content"]["parts"][0]["text"].as_str().unwrap();
    let output = text.len().div_ceil(4);
    assert_eq!(reply["usageMetadata"]["promptTokenCount"], 2);
    assert_eq!(reply["usageMetadata"]["candidatesTokenCount"], output);
    assert_eq!(reply["usageMetadata"]["totalTokenCount"], output + 2);

    let reply = call(&simulator, "gemini", &with(json!({"maxOutputTokens": 3}))).await.json();
    let candidate = &reply["candidates"][0];
    assert_eq!(candidate["content"]["parts"][0]["text"], "Simulated re");
    assert_eq!(candidate["finishReason"], "MAX_TOKENS");

    let reply =
        call(&simulator, "gemini", &with(json!({"stopSequences": [" reply"]}))).await.json();
    assert_eq!(reply["candidates"][0]["content"]["parts"][0]["text"], "Simulated");
    assert_eq!(reply["candidates"][0]["finishReason"], "STOP");

    let thinking = json!({"thinkingConfig": {"thinkingBudget": 100, "includeThoughts": true}});
    let reply = call(&simulator, "gemini", &with(thinking)).await.json();
    let parts = &reply["candidates"][0]["content"]["parts"];
    assert_eq!((&parts[0]["thought"], parts[1].get("thought")), (&json!(true), None));
    assert_eq!(reply["usageMetadata"]["thoughtsTokenCount"], 5);

    let schema = json!({"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}});
    let function = json!({"name": "f", "parametersJsonSchema": schema});
    let mut forced = with(json!({}));
    forced["tools"] = json!([{"functionDeclarations": [function]}]);
    forced["toolConfig"] = json!({"functionCallingConfig": {"mode": "ANY"}});
    let reply = call(&simulator, "gemini", &forced).await.json();
    let call = &reply["candidates"][0]["content"]["parts"][0]["functionCall"];
    assert_eq!((&call["name"], &call["args"]), (&json!("f"), &json!({"n": 3})));
}

#[tokio::test]
async fn ollama_replies_are_complete() {
    let simulator = Simulator::start().await.unwrap();
    let messages = json!([{"role": "user", "content": "12345678"}]);
    let plain = json!({"model": "qwen3", "stream": false, "messages": messages});
    let with = |name: &str, value: Value| {
        let mut body = plain.clone();
        body[name] = value;
        body
    };
    let reply = call(&simulator, "ollama", &plain).await.json();
    assert_eq!((&reply["model"], &reply["done"]), (&json!("qwen3"), &json!(true)));
    assert_eq!(
        (&reply["done_reason"], &reply["message"]["role"]),
        (&json!("stop"), &json!("assistant"))
    );
    let text = reply["message"]["content"].as_str().unwrap();
    assert_eq!(reply["prompt_eval_count"], 2);
    assert_eq!(reply["eval_count"], text.len().div_ceil(4));

    let reply =
        call(&simulator, "ollama", &with("options", json!({"num_predict": 3}))).await.json();
    assert_eq!(reply["message"]["content"], "Simulated re");
    assert_eq!(reply["done_reason"], "length");

    let reply = call(&simulator, "ollama", &with("options", json!({"stop": [" reply"]}))).await;
    assert_eq!(reply.json()["message"]["content"], "Simulated");

    let reply = call(&simulator, "ollama", &with("think", json!(true))).await.json();
    assert_eq!(reply["message"]["thinking"], "Simulated thinking.");

    let reply = call(&simulator, "ollama", &with("messages", json!([]))).await.json();
    assert_eq!((&reply["done_reason"], &reply["message"]["content"]), (&json!("load"), &json!("")));
}
