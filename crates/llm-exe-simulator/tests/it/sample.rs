//! Generates values for the schemas in `cases/schemas.json` and validates them with an independent
//! implementation of JSON Schema.

use llm_exe_simulator::value_for;
use serde_json::{Value, json};

#[test]
fn values_satisfy_their_schemas() {
    let schemas: Vec<Value> = serde_json::from_str(include_str!("../cases/schemas.json")).unwrap();
    assert!(schemas.len() >= 60, "{}", schemas.len());
    let mut failures = Vec::new();
    for schema in &schemas {
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(schema)
            .unwrap_or_else(|error| panic!("{error}: {schema}"));
        match value_for(schema) {
            None => failures.push(format!("no value for {schema}")),
            Some(value) => {
                assert_eq!(value_for(schema), Some(value.clone()), "values differ: {schema}");
                if let Err(error) = validator.validate(&value) {
                    failures.push(format!("{error}\n  {value}\n  {schema}"));
                }
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        schemas.len(),
        failures.join("\n")
    );
}

#[test]
fn unsatisfiable_schemas_have_no_value() {
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
fn optional_recursive_properties_are_omitted() {
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
fn mutually_recursive_references_terminate() {
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
