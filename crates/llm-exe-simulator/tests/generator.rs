//! Generated values, judged by another implementation of JSON Schema: `cases/schemas.json`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use llm_exe_simulator::value_for;
use serde_json::{Value, json};

#[test]
fn values_satisfy_their_schemas() {
    let schemas: Vec<Value> = serde_json::from_str(include_str!("cases/schemas.json")).unwrap();
    assert!(schemas.len() >= 60, "{}", schemas.len());
    let mut wrong = Vec::new();
    for schema in &schemas {
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(schema)
            .unwrap_or_else(|error| panic!("{error}: {schema}"));
        match value_for(schema) {
            None => wrong.push(format!("no value for {schema}")),
            Some(value) => {
                assert_eq!(value_for(schema), Some(value.clone()), "not the same twice");
                if let Err(error) = validator.validate(&value) {
                    wrong.push(format!("{error}\n  {value}\n  {schema}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), schemas.len(), wrong.join("\n"));
}

#[test]
fn nothing_satisfies_these() {
    let schemas = [
        json!(false),
        json!({"type": "integer", "minimum": 2, "maximum": 1}),
        json!({"type": "string", "minLength": 3, "maxLength": 2}),
        json!({"enum": [1, 2], "type": "string"}),
        json!({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}),
        json!({"$ref": "https://example.com/other.json"}),
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}),
    ];
    for schema in schemas {
        assert_eq!(value_for(&schema), None, "{schema}");
    }
}

#[test]
fn optional_recursion_is_left_out() {
    let tree = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "left": {"$ref": "#"},
            "children": {"type": "array", "items": {"$ref": "#"}},
        },
        "required": ["name", "children"],
    });
    assert_eq!(value_for(&tree), Some(json!({"name": "simulated name", "children": []})));
}

#[test]
fn many_references_to_each_other_come_to_an_end() {
    let names: Vec<String> = (0..40).map(|number| format!("n{number}")).collect();
    let branches: Vec<Value> =
        names.iter().map(|name| json!({"$ref": format!("#/$defs/{name}")})).collect();
    let node = json!({
        "type": "object",
        "properties": {"a": {"anyOf": branches}, "b": {"anyOf": branches}},
        "required": ["a", "b"],
    });
    let definitions: serde_json::Map<String, Value> =
        names.into_iter().map(|name| (name, node.clone())).collect();
    let schema = json!({"$ref": "#/$defs/n0", "$defs": definitions});
    assert_eq!(value_for(&schema), None);
}
