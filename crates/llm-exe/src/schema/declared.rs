//! Collects the properties that a schema declares.

use std::collections::HashSet;

use serde_json::Value;

use super::reference::{referenced, with_pointers};

/// Returns the names in `properties` of a schema and of the schemas that apply to the same value:
/// targets of references, branches of `allOf`, `anyOf` and `oneOf`, and `then` and `else`.
pub(super) fn declared_properties(schema: &Value) -> HashSet<String> {
    let root = with_pointers(schema);
    let mut names = HashSet::new();
    let (mut open, mut visited) = (vec![&*root], HashSet::new());
    while let Some(node) = open.pop() {
        // Each subschema is visited once, so cycles of references end.
        if !visited.insert(std::ptr::from_ref(node)) {
            continue;
        }
        let properties = node.get("properties").and_then(Value::as_object);
        names.extend(properties.into_iter().flat_map(|properties| properties.keys().cloned()));
        let reference = node.get("$ref").and_then(Value::as_str);
        open.extend(reference.and_then(|reference| referenced(&root, reference)));
        for keyword in ["allOf", "anyOf", "oneOf"] {
            open.extend(node.get(keyword).and_then(Value::as_array).into_iter().flatten());
        }
        open.extend(["then", "else"].into_iter().filter_map(|keyword| node.get(keyword)));
    }
    names
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::declared_properties;

    fn declared(schema: &Value) -> Vec<String> {
        let mut names: Vec<String> = declared_properties(schema).into_iter().collect();
        names.sort();
        names
    }

    #[test]
    fn names_are_those_of_all_schemas_for_the_same_value() {
        let a = json!({ "properties": { "a": { "properties": { "inner": true } } } });
        let b = json!({ "properties": { "b": true } });
        for (schema, expected) in [
            (json!({}), &[][..]),
            (json!({ "properties": { "a": a }, "anyOf": [b] }), &["a", "b"]),
            (json!({ "allOf": [{ "allOf": [{ "oneOf": [a, b] }] }] }), &["a", "b"]),
            (json!({ "if": a, "then": b, "else": { "$ref": "#/then" } }), &["b"]),
            (json!({ "$ref": "#/$defs/A%20a", "$defs": { "A a": a, "B": b } }), &["a"]),
            (json!({ "$ref": "#x", "$defs": { "X": { "$anchor": "x", "anyOf": [a] } } }), &["a"]),
            (json!({ "allOf": [{ "$ref": "#" }], "properties": { "a": true } }), &["a"]),
            (json!({ "$ref": "#/$defs/X", "$defs": { "X": { "$ref": "#/$defs/X" } } }), &[]),
            (json!({ "items": a, "not": b, "additionalProperties": a }), &[]),
        ] {
            assert_eq!(declared(&schema), expected, "{schema}");
        }
    }
}
