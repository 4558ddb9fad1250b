//! Tests how schemas are rewritten for dialects. The cases are in
//! `cases/schemas/{strict,closed,open}.json`.

use llm_exe::schema::{closed, open, strict};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Case {
    name: String,
    schema: Value,
    /// The rewritten schema, or null if the schema can't be rewritten.
    form: Value,
}

fn check(cases: &str, rewrite: fn(&Value) -> Option<Value>) {
    let cases: Vec<Case> = serde_json::from_str(cases).unwrap();
    let mut mismatches = Vec::new();
    for case in cases {
        let actual = rewrite(&case.schema).unwrap_or(Value::Null);
        // The JSON is compared as text, so that the order of keys matters.
        let (actual, expected) = (actual.to_string(), case.form.to_string());
        if actual != expected {
            mismatches.push(format!("{}: {actual}", case.name));
        }
    }
    assert!(mismatches.is_empty(), "{}", mismatches.join("\n"));
}

#[test]
fn schemas_are_rewritten_for_strict_mode() {
    check(include_str!("../cases/schemas/strict.json"), strict);
}

#[test]
fn schemas_are_rewritten_with_closed_objects() {
    check(include_str!("../cases/schemas/closed.json"), closed);
}

#[test]
fn schemas_are_rewritten_with_open_objects() {
    check(include_str!("../cases/schemas/open.json"), open);
}
