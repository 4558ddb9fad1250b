//! Tests how schemas are rewritten for the providers. The cases are in
//! `cases/schemas/{strict,closed,open}.json`.

use llm_exe::schema::{closed, open, strict};
use serde::Deserialize;
use serde_json::Value;

use crate::common::read_cases;

#[derive(Deserialize)]
struct Case {
    name: String,
    schema: Value,
    /// The rewritten schema, or null if the schema can't be rewritten.
    form: Value,
}

fn check(path: &str, rewrite: fn(&Value) -> Option<Value>) {
    let mut mismatches = Vec::new();
    for case in read_cases::<Vec<Case>>(path) {
        let actual = rewrite(&case.schema).unwrap_or(Value::Null);
        // Comparing the JSON as text also compares the order of the keys.
        let (actual, expected) = (actual.to_string(), case.form.to_string());
        if actual != expected {
            mismatches.push(format!("{}: {actual}", case.name));
        }
    }
    assert!(mismatches.is_empty(), "{}", mismatches.join("\n"));
}

#[test]
fn schemas_are_rewritten_for_strict_mode() {
    check("schemas/strict.json", strict);
}

#[test]
fn schemas_are_rewritten_with_closed_objects() {
    check("schemas/closed.json", closed);
}

#[test]
fn schemas_are_rewritten_with_open_objects() {
    check("schemas/open.json", open);
}
