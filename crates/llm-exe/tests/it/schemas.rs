//! Tests how schemas are rewritten for the providers. The cases are in
//! `cases/schemas/{strict,closed,open,tool_input}.json`.

use llm_exe::schema::{closed, open, strict, tool_input};
use serde::Deserialize;
use serde_json::{Map, Value, json};

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

#[test]
fn schemas_are_rewritten_for_the_input_of_a_tool() {
    check("schemas/tool_input.json", tool_input);
}

/// Returns a closed object with these properties, all of which are required.
fn object(properties: impl Iterator<Item = (String, Value)>) -> Value {
    let properties: Map<String, Value> = properties.collect();
    let required: Vec<&String> = properties.keys().collect();
    json!({
        "type": "object", "required": required, "additionalProperties": false,
        "properties": properties
    })
}

#[test]
fn strict_mode_has_limits_of_size() {
    let literals = |values: usize, chars: usize| {
        let values: Vec<String> = (0..values).map(|index| format!("{index:0chars$}")).collect();
        object(std::iter::once(("a".to_owned(), json!({"type": "string", "enum": values}))))
    };
    let names = |chars: usize| {
        object((0..50).map(|index| (format!("{index:0chars$}"), json!({"type": "null"}))))
    };
    let definitions = |chars: usize| {
        let mut schema = names(chars);
        schema["$defs"] = json!({ "d": { "const": "12345" } });
        schema
    };
    for (schema, fits) in [
        (literals(1000, 15), true),
        (literals(1001, 1), false),
        (literals(250, 61), true),
        (literals(251, 59), true),
        (literals(251, 60), false),
        (names(2400), true),
        (names(2401), false),
        (definitions(2399), true),
        (definitions(2400), false),
    ] {
        assert_eq!(strict(&schema).is_some(), fits, "{}", schema.to_string().len());
    }
}
