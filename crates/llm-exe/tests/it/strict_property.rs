//! Tests that a schema rewritten for OpenAI's strict mode accepts the same values as the original,
//! and that other rewritten schemas accept at least the values that the original accepts.

use llm_exe::schema::{Schema, closed, open, strict, to_draft_2020_12, tool_input};
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
    (name, siblings, any::<bool>()).prop_map(|(name, mut siblings, in_all_of)| {
        let reference = json!(format!("#/$defs/{name}"));
        match in_all_of {
            true => siblings["allOf"] = json!([{ "$ref": reference }]),
            false => siblings["$ref"] = reference,
        }
        siblings
    })
}

/// Removes the recursive definitions if the schema does not need them, because only strict mode
/// supports recursion.
fn without_recursion(mut schema: Value) -> Value {
    let property = schema["properties"]["p"].to_string();
    if !property.contains("Node") && !property.contains("Union") {
        let definitions = schema["$defs"].as_object_mut().unwrap();
        definitions.retain(|name, _| name != "Node" && name != "Union");
    }
    schema
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn other_rewritten_schemas_accept_all_valid_values(schema in schema()) {
        let schema = without_recursion(schema);
        let original = compiled(&schema);
        let converted = Some(to_draft_2020_12(&schema).into_owned());
        for rewritten in [closed(&schema), open(&schema), tool_input(&schema), converted] {
            let Some(rewritten) = rewritten else { continue };
            let form = compiled(&rewritten);
            for value in values() {
                prop_assert!(
                    !original.is_valid(&value) || form.is_valid(&value),
                    "{} for {} rewritten as {}", value, schema, rewritten
                );
            }
        }
    }
}

#[test]
fn many_generated_schemas_can_be_rewritten() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let rewrites: [fn(&Value) -> Option<Value>; 3] = [strict, closed, open];
    for rewrite in rewrites {
        let count = (0..200).filter(|_| {
            let schema = schema().new_tree(&mut runner).unwrap().current();
            rewrite(&without_recursion(schema)).is_some()
        });
        assert!(count.count() > 60);
    }
}
