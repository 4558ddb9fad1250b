//! Tests that a reply of Gemini is continued only by the same request with its token.

use llm_exe_simulator::Simulator;
use serde_json::{Value, json};

use crate::client::{Reply, headers, send};

fn body(fields: Value) -> Value {
    let mut body = json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

async fn call(simulator: &Simulator, model: &str, body: &Value) -> Reply {
    let path = format!("/v1beta/models/{model}:generateContent");
    let body = body.to_string();
    send(simulator.address(), "POST", &path, &headers("gemini"), body.as_bytes()).await
}

fn token(reply: &Reply) -> Value {
    reply.json().pointer("/candidates/0/continuationToken").cloned().unwrap_or_default()
}

#[tokio::test]
async fn only_the_same_request_continues_a_reply() {
    let simulator = Simulator::start().await.unwrap();
    let paused = json!({"then": {"text": "a", "stopReason": "CONTINUATION"}, "times": 2});
    simulator.script_json(json!([paused])).unwrap();
    let model = "gemini-4-hydrogen";
    let first = token(&call(&simulator, model, &body(json!({}))).await);
    let second = call(&simulator, model, &body(json!({ "continuationToken": first }))).await;
    let second = token(&second);
    assert!(first.is_string() && second.is_string() && first != second);
    let last = call(&simulator, model, &body(json!({ "continuationToken": second }))).await;
    assert_eq!((last.status, token(&last)), (200, Value::Null), "{}", last.text);
    let config = json!({"maxOutputTokens": 9});
    let cut = first.as_str().unwrap().split_at(20).0;
    for (model, fields, expected) in [
        (model, json!({"continuationToken": first, "generationConfig": config}), "another body"),
        (model, json!({"continuationToken": cut}), "is invalid"),
        (model, json!({"continuationToken": ""}), "is invalid"),
        (model, json!({"continuationToken": 7}), "TYPE_STRING"),
        ("gemini-3.5-flash", json!({"continuationToken": first}), "Unknown name"),
    ] {
        let reply = call(&simulator, model, &body(fields.clone())).await;
        assert_eq!(reply.status, 400, "{fields}");
        assert!(reply.text.contains(expected), "{fields}: {}", reply.text);
    }
}
