//! Converts schemas of older drafts to draft 2020-12, the only draft that Anthropic accepts in the
//! schemas of tools (anthropics/claude-code#5486).

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::keywords::change_subschemas;
use super::merge::READABLE;
use super::validate::Draft;

/// Returns the schema in draft 2020-12. The result accepts the same values, except that a
/// `$recursiveRef` always refers to the root.
pub fn to_draft_2020_12(schema: &Value) -> Cow<'_, Value> {
    let draft = Draft::detect(schema);
    match schema {
        Value::Object(rules) if draft != Draft::Draft202012 => {
            let mut rules = rules.clone();
            convert(&mut rules, draft);
            Cow::Owned(Value::Object(rules))
        }
        _ => Cow::Borrowed(schema),
    }
}

fn convert(rules: &mut Map<String, Value>, draft: Draft) {
    let has_reference = rules.get("$ref").is_some_and(Value::is_string);
    // References of these drafts ignore all other keywords. Definitions can be their targets.
    let is_ignored = |key: &str| {
        has_reference
            && draft.ignores_ref_siblings()
            && !["$ref", "$defs", "definitions"].contains(&key)
            && !READABLE.contains(&key)
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
        match (key.as_str(), &value) {
            ("$schema", _) => {}
            (key, _) if is_ignored(key) => {}
            ("id", Value::String(id)) if draft == Draft::Draft4 => insert_id(&mut converted, id),
            ("$id", Value::String(id)) => insert_id(&mut converted, id),
            ("$recursiveAnchor", _) => {}
            ("$recursiveRef", _) => drop(converted.insert("$ref".to_owned(), json!("#"))),
            ("items", Value::Array(_)) => drop(converted.insert("prefixItems".to_owned(), value)),
            ("additionalItems", _) if has_list_of_items => {
                converted.insert("items".to_owned(), value);
            }
            ("additionalItems", _) => {}
            ("dependencies", Value::Object(all)) => insert_dependencies(&mut converted, all),
            _ => drop(converted.insert(key, value)),
        }
    }
    *rules = converted;
    change_subschemas(rules, &mut |inner| convert(inner, draft));
}

/// Inserts an `$id`. One with only a fragment is the anchor of draft 2020-12.
fn insert_id(rules: &mut Map<String, Value>, id: &str) {
    match id.strip_prefix('#') {
        Some(anchor) => rules.insert("$anchor".to_owned(), json!(anchor)),
        None => rules.insert("$id".to_owned(), json!(id)),
    };
}

/// Inserts the `dependencies` of older drafts, which contain lists of properties and schemas.
fn insert_dependencies(rules: &mut Map<String, Value>, all: &Map<String, Value>) {
    for (keyword, is_list) in [("dependentRequired", true), ("dependentSchemas", false)] {
        let of_kind = all.iter().filter(|(_, value)| value.is_array() == is_list);
        let of_kind: Map<String, Value> =
            of_kind.map(|(name, value)| (name.clone(), value.clone())).collect();
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
        ] {
            assert_eq!(*to_draft_2020_12(&schema), expected);
        }
    }
}
