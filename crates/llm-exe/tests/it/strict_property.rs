//! Tests that a schema rewritten for OpenAI's strict mode accepts the same values as the original.

use llm_exe::schema::{Schema, strict};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};

fn compiled(schema: &Value) -> Schema {
    Schema::compile(schema.as_object().unwrap().clone()).unwrap()
}

/// Generates a schema that refers to a definition, with or without keywords next to the reference.
fn reference() -> impl Strategy<Value = Value> {
    let name = select(vec!["Closed", "Score", "Word", "Alias", "List", "Node", "Choice", "Union"]);
    let siblings = select(vec![
        json!({}),
        json!({ "description": "d" }),
        json!({ "title": "t", "default": null }),
        json!({ "type": "object" }),
        json!({ "type": ["object", "null"] }),
        json!({ "minimum": 3 }),
        json!({ "maximum": 3 }),
        json!({ "enum": [2, 5, "a"] }),
        json!({ "const": null }),
        json!({ "required": ["y"] }),
        json!({ "required": ["x"] }),
        json!({ "enum": [[1], 2] }),
        json!({ "enum": ["a", null], "type": "string" }),
        json!({ "properties": { "y": { "type": "integer" } } }),
        json!({ "additionalProperties": false }),
        json!({ "anyOf": [{ "type": "integer" }, { "type": "null" }] }),
        json!({ "items": { "type": "integer" } }),
        json!({ "maxItems": 1 }),
        json!({ "pattern": "^a" }),
    ]);
    (name, siblings).prop_map(|(name, mut siblings)| {
        siblings["$ref"] = json!(format!("#/$defs/{name}"));
        siblings
    })
}

fn literals() -> impl Strategy<Value = Value> {
    let values = select(vec![json!("a"), json!(1), json!(2.5), json!(true), json!(null)]);
    proptest::collection::vec(values, 1..4).prop_map(|values| match values.as_slice() {
        [value] => json!({ "const": value }),
        values => json!({ "enum": values }),
    })
}

fn schema() -> impl Strategy<Value = Value> {
    let draft = select(vec![
        None,
        Some("https://json-schema.org/draft/2019-09/schema"),
        Some("http://json-schema.org/draft-07/schema#"),
    ]);
    (prop_oneof![reference(), literals()], draft).prop_map(|(property, draft)| {
        let mut schema = json!({
            "type": "object", "properties": { "p": property }, "required": ["p"],
            "additionalProperties": false,
            "$defs": {
                "Closed": {
                    "type": "object", "properties": { "x": { "type": "string" } },
                    "required": ["x"], "additionalProperties": false
                },
                "Score": { "type": "integer", "maximum": 9 },
                "Word": { "type": "string" },
                "Alias": { "$ref": "#/$defs/Score", "minimum": 1 },
                "List": { "type": "array", "items": { "type": ["integer", "string"] } },
                "Union": { "anyOf": [{ "$ref": "#/$defs/Closed" }, { "$ref": "#/$defs/Node" }] },
                "Choice": { "anyOf": [{ "$ref": "#/$defs/Word" }, { "type": "integer" }] },
                "Node": {
                    "type": "object", "required": ["next"], "additionalProperties": false,
                    "properties": { "next": { "anyOf": [
                        { "$ref": "#/$defs/Node", "description": "the next one" },
                        { "type": "null" }
                    ] } }
                }
            }
        });
        if let Some(draft) = draft {
            schema["$schema"] = json!(draft);
        }
        schema
    })
}

fn values() -> Vec<Value> {
    let inner = [
        json!(null),
        json!(true),
        json!(0),
        json!(2),
        json!(5),
        json!(30),
        json!(2.5),
        json!("a"),
        json!("b"),
        json!({}),
        json!({ "x": "a" }),
        json!({ "x": "a", "y": 1 }),
        json!({ "x": 1 }),
        json!([]),
        json!([1]),
        json!([1, "a"]),
        json!({ "next": null }),
        json!({ "next": { "next": null } }),
        json!({ "next": { "next": 1 } }),
    ];
    let mut values: Vec<Value> = inner.into_iter().map(|value| json!({ "p": value })).collect();
    values.extend([json!({}), json!(null), json!({ "p": 2, "q": 2 })]);
    values
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn the_rewritten_schema_accepts_the_same_values(schema in schema()) {
        let original = compiled(&schema);
        if let Some(rewritten) = strict(&schema) {
            let strict = compiled(&rewritten);
            for value in values() {
                prop_assert_eq!(
                    original.is_valid(&value), strict.is_valid(&value),
                    "{} for {} rewritten as {}", value, schema, rewritten
                );
            }
        }
    }
}

#[test]
fn many_generated_schemas_can_be_rewritten() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let count = |runner: &mut proptest::test_runner::TestRunner| {
        (0..200).filter(|_| strict(&schema().new_tree(runner).unwrap().current()).is_some()).count()
    };
    assert!(count(&mut runner) > 60);
}
