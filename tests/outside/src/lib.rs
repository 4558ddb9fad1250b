//! Checks that a dependency on llm-exe does not change how serde deserializes numbers in the types
//! of the program, and that such types can be extracted from replies.

#![cfg(test)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;

use llm_exe::Client;
use llm_exe::bytes::Bytes;
use llm_exe::http::{Request, Response};
use llm_exe::parsers::PARSERS;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
enum Tagged {
    Circle { r: f64 },
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Untagged {
    Float(f64),
    Text(String),
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Flattened {
    #[serde(flatten)]
    rest: HashMap<String, f64>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Shapes {
    #[serde(flatten)]
    first: Tagged,
    second: Option<Untagged>,
}

/// Extracts a value from a reply of a fake provider.
async fn extract<T: DeserializeOwned + JsonSchema>(reply: &Value) -> T {
    let message = json!({"message": {"content": reply.to_string()}, "done_reason": "stop"});
    let body = Bytes::from(message.to_string());
    let http = move |_: Request<Bytes>| Ok(Response::new(body.clone()));
    let client = Client::builder().http(http).build().unwrap();
    client.request("ollama:qwen3").user("Hi").extract().await.unwrap()
}

#[tokio::test]
async fn types_with_numbers_are_extracted() {
    let circle = json!({"kind": "Circle", "r": 1.5});
    assert_eq!(extract::<Tagged>(&json!({"result": circle})).await, Tagged::Circle { r: 1.5 });
    assert_eq!(extract::<Tagged>(&circle).await, Tagged::Circle { r: 1.5 });
    let list = extract::<Vec<Untagged>>(&json!({"result": [1.5, "a"]})).await;
    assert_eq!(list, [Untagged::Float(1.5), Untagged::Text("a".to_owned())]);
    assert_eq!(extract::<Flattened>(&json!({"a": 1.5})).await.rest["a"], 1.5);
    let second = Some(Untagged::Float(2.5));
    let shapes = extract::<Shapes>(&json!({"kind": "Circle", "r": 1.5, "second": 2.5})).await;
    assert_eq!(shapes, Shapes { first: Tagged::Circle { r: 1.5 }, second });
    let shapes = extract::<Shapes>(&json!({"kind": "Circle", "r": 1.5, "second": null})).await;
    assert_eq!(shapes.second, None);
}

#[test]
fn types_with_numbers_deserialize() {
    // Without a use of llm-exe, the crate would not be linked.
    assert!(!PARSERS.is_empty());

    let tagged: Tagged = serde_json::from_str(r#"{"kind":"Circle","r":1.5}"#).unwrap();
    assert_eq!(tagged, Tagged::Circle { r: 1.5 });
    let untagged: Vec<Untagged> = serde_json::from_str(r#"[1.5,"a"]"#).unwrap();
    assert_eq!(untagged, [Untagged::Float(1.5), Untagged::Text("a".to_owned())]);
    let flattened: Flattened = serde_json::from_str(r#"{"a":1.5}"#).unwrap();
    assert_eq!(flattened.rest["a"], 1.5);
    let map: HashMap<String, f64> = serde_json::from_str(r#"{"a":1.5}"#).unwrap();
    assert_eq!(map["a"], 1.5);
}
