//! The forms of a schema that dialects accept: `cases/schemas/{strict,closed,open}.json`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use llm_exe::schema::{closed, open, strict};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Case {
    name: String,
    schema: Value,
    /// Null where the dialect can't take the schema.
    form: Value,
}

fn check(cases: &str, form: fn(&Value) -> Option<Value>) {
    let cases: Vec<Case> = serde_json::from_str(cases).unwrap();
    let mut wrong = Vec::new();
    for case in cases {
        let made = form(&case.schema).unwrap_or(Value::Null);
        // As text, so that the order of keys counts.
        let (made, expected) = (made.to_string(), case.form.to_string());
        if made != expected {
            wrong.push(format!("{}: {made}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn strict_mode_gets_a_schema_only_where_it_accepts_the_same() {
    check(include_str!("cases/schemas/strict.json"), strict);
}

#[test]
fn closed_schemas_say_all_that_the_dialect_can_say() {
    check(include_str!("cases/schemas/closed.json"), closed);
}

#[test]
fn open_schemas_say_all_that_the_dialect_can_say() {
    check(include_str!("cases/schemas/open.json"), open);
}
