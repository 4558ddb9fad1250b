//! Converts schemas of older drafts to draft 2020-12, the only draft that Anthropic accepts in the
//! schemas of tools (anthropics/claude-code#5486). The forms of other providers have no `$schema`,
//! so they are of this draft too.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::keywords::{change_subschemas, is_named};
use super::merge::READABLE;
use super::reference::{push_step, unescape_step, with_pointers};
use super::validate::Draft;

/// Keywords that constrain values, and the draft that introduced them. Validators of earlier drafts
/// ignore them.
const INTRODUCED: &[(&str, Draft)] = &[
    ("const", Draft::Draft6),
    ("contains", Draft::Draft6),
    ("propertyNames", Draft::Draft6),
    ("if", Draft::Draft7),
    ("then", Draft::Draft7),
    ("else", Draft::Draft7),
    ("dependentRequired", Draft::Draft201909),
    ("dependentSchemas", Draft::Draft201909),
    ("minContains", Draft::Draft201909),
    ("maxContains", Draft::Draft201909),
    ("unevaluatedItems", Draft::Draft201909),
    ("unevaluatedProperties", Draft::Draft201909),
    ("prefixItems", Draft::Draft202012),
];

/// Returns the schema in draft 2020-12, with pointers in place of other references. The result
/// accepts the same values, except that a `$recursiveRef` always refers to the root.
pub fn to_draft_2020_12(schema: &Value) -> Cow<'_, Value> {
    let draft = Draft::detect(schema);
    let schema = with_pointers(schema);
    match &*schema {
        Value::Object(rules) if draft != Draft::Draft202012 => {
            let mut converted = rules.clone();
            convert(&mut converted, &schema, draft);
            Cow::Owned(Value::Object(converted))
        }
        _ => schema,
    }
}

fn convert(rules: &mut Map<String, Value>, root: &Value, draft: Draft) {
    let has_reference = rules.get("$ref").is_some_and(Value::is_string);
    // References of these drafts ignore all other keywords. Definitions can be their targets.
    let is_ignored = |key: &str| {
        let is_sibling = has_reference
            && draft.ignores_ref_siblings()
            && !["$ref", "$defs", "definitions"].contains(&key)
            && !READABLE.contains(&key);
        is_sibling || INTRODUCED.iter().any(|(keyword, since)| *keyword == key && draft < *since)
    };
    let has_list_of_items = rules.get("items").is_some_and(Value::is_array);
    for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        if let Some(Value::Bool(is_exclusive)) = rules.get(exclusive).cloned() {
            rules.shift_remove(exclusive);
            if is_exclusive && let Some(limit) = rules.shift_remove(bound) {
                rules.insert(exclusive.to_owned(), limit);
            }
        }
    }
    let mut converted = Map::new();
    for (key, value) in std::mem::take(rules) {
        match (key.as_str(), value) {
            ("$schema", _) => {}
            (key, _) if is_ignored(key) => {}
            ("$ref", Value::String(reference)) => {
                let reference = converted_pointer(root, &reference).unwrap_or(reference);
                converted.insert(key, json!(reference));
            }
            ("id", Value::String(id)) if draft == Draft::Draft4 => insert_id(&mut converted, &id),
            ("$id", Value::String(id)) => insert_id(&mut converted, &id),
            ("$recursiveAnchor", _) => {}
            ("$recursiveRef", _) => drop(converted.insert("$ref".to_owned(), json!("#"))),
            ("items", value @ Value::Array(_)) => {
                converted.insert("prefixItems".to_owned(), value);
            }
            ("additionalItems", value) if has_list_of_items => {
                converted.insert("items".to_owned(), value);
            }
            ("additionalItems", _) => {}
            ("dependencies", Value::Object(all)) => insert_dependencies(&mut converted, all),
            (_, value) => drop(converted.insert(key, value)),
        }
    }
    *rules = converted;
    change_subschemas(rules, &mut |inner| convert(inner, root, draft));
}

/// Converts a pointer to a subschema whose keyword gets another name. Returns `None` if the pointer
/// does not change.
fn converted_pointer(root: &Value, reference: &str) -> Option<String> {
    const RENAMED: &[&str] = &["/items/", "/additionalItems", "/dependencies/"];
    if !RENAMED.iter().any(|renamed| reference.contains(renamed)) {
        return None;
    }
    let mut pointer = "#".to_owned();
    let mut value = root;
    let mut is_name = false;
    for step in reference.strip_prefix("#/")?.split('/') {
        let step = unescape_step(step);
        let inner = match value {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
            value => value.get(&step)?,
        };
        let sent = match step.as_str() {
            "items" if !is_name && inner.is_array() => "prefixItems",
            "additionalItems" if !is_name => "items",
            "dependencies" if !is_name => "dependentSchemas",
            step => step,
        };
        push_step(&mut pointer, sent);
        is_name = !is_name && is_named(&step);
        value = inner;
    }
    Some(pointer)
}

/// Inserts an `$id`. One with only a fragment is the anchor of draft 2020-12.
fn insert_id(rules: &mut Map<String, Value>, id: &str) {
    match id.strip_prefix('#') {
        Some(anchor) => rules.insert("$anchor".to_owned(), json!(anchor)),
        None => rules.insert("$id".to_owned(), json!(id)),
    };
}

/// Inserts the `dependencies` of older drafts, which contain lists of properties and schemas.
fn insert_dependencies(rules: &mut Map<String, Value>, all: Map<String, Value>) {
    let (lists, schemas): (Map<_, _>, Map<_, _>) =
        all.into_iter().partition(|(_, value)| value.is_array());
    for (keyword, of_kind) in [("dependentRequired", lists), ("dependentSchemas", schemas)] {
        if !of_kind.is_empty() {
            rules.insert(keyword.to_owned(), Value::Object(of_kind));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::to_draft_2020_12;

    #[test]
    fn keywords_of_older_drafts_are_converted() {
        for (schema, expected) in [
            (
                json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "array",
                    "items": [{"type": "string"}], "additionalItems": {"$id": "#a"}}),
                json!({"type": "array", "prefixItems": [{"type": "string"}],
                    "items": {"$anchor": "a"}}),
            ),
            (
                json!({"$schema": "http://json-schema.org/draft-04/schema#", "id": "a.json",
                    "properties": {"id": {"minimum": 1, "exclusiveMinimum": true},
                        "b": {"maximum": 1, "exclusiveMaximum": false}}}),
                json!({"$id": "a.json",
                    "properties": {"id": {"exclusiveMinimum": 1}, "b": {"maximum": 1}}}),
            ),
            (
                json!({"$schema": "http://json-schema.org/draft-07/schema#",
                    "properties": {"a": {"$ref": "#/definitions/A", "minimum": 1,
                        "description": "d"}},
                    "dependencies": {"a": ["b"], "b": {"additionalItems": {}}}}),
                json!({"properties": {"a": {"$ref": "#/definitions/A", "description": "d"}},
                    "dependentRequired": {"a": ["b"]}, "dependentSchemas": {"b": {}}}),
            ),
            (
                json!({"$schema": "https://json-schema.org/draft/2019-09/schema",
                    "$recursiveAnchor": true, "items": {"$recursiveRef": "#", "minItems": 1}}),
                json!({"items": {"$ref": "#", "minItems": 1}}),
            ),
            (json!({"items": [{}]}), json!({"items": [{}]})),
            (
                json!({"$schema": "http://json-schema.org/draft-04/schema#", "const": 1,
                    "properties": {"const": {"if": {"const": 1}, "then": {"minimum": 2}}}}),
                json!({"properties": {"const": {}}}),
            ),
            (
                json!({"$schema": "http://json-schema.org/draft-07/schema#", "if": {"const": 1},
                    "prefixItems": [{}], "dependentRequired": {"a": ["b"]}}),
                json!({"if": {"const": 1}}),
            ),
            (
                json!({"$schema": "http://json-schema.org/draft-07/schema#", "properties": {
                    "items": {"items": [{"type": "string"}], "additionalItems": {}},
                    "a": {"$ref": "#/properties/items/items/0"},
                    "b": {"$ref": "#/properties/items/additionalItems"},
                    "c": {"$ref": "#/dependencies/d"}},
                    "dependencies": {"d": {"minProperties": 2}}}),
                json!({"properties": {
                    "items": {"prefixItems": [{"type": "string"}], "items": {}},
                    "a": {"$ref": "#/properties/items/prefixItems/0"},
                    "b": {"$ref": "#/properties/items/items"},
                    "c": {"$ref": "#/dependentSchemas/d"}},
                    "dependentSchemas": {"d": {"minProperties": 2}}}),
            ),
        ] {
            assert_eq!(*to_draft_2020_12(&schema), expected);
        }
    }
}
