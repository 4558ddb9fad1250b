//! Checks that a dependency on llm-exe does not change how serde deserializes numbers in the types
//! of the program.

#![cfg(test)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;

use llm_exe::parsers::PARSERS;
use serde::Deserialize;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Circle { r: f64 },
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Float(f64),
    Text(String),
}

#[derive(Debug, PartialEq, Deserialize)]
struct Flattened {
    #[serde(flatten)]
    rest: HashMap<String, f64>,
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
