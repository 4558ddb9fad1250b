//! Resolves references within a schema.

use std::borrow::Cow;
use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::keywords::{change_subschemas, each_subschema};

/// Returns the subschema that a reference such as `#/$defs/a` refers to. Returns `None` for anchors
/// and for references to other documents; see [`with_pointers`].
pub(crate) fn referenced<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    match reference.strip_prefix('#')? {
        "" => Some(root),
        pointer => root.pointer(&percent_decode_str(pointer).decode_utf8().ok()?),
    }
}

/// Returns the schema with JSON pointers in place of references by `$anchor` and `$id`, which no
/// provider resolves, and with decoded pointers, because not every provider decodes them. Other
/// references are not changed.
pub(crate) fn with_pointers(schema: &Value) -> Cow<'_, Value> {
    let Some(rules) = schema.as_object() else { return Cow::Borrowed(schema) };
    let must_change = |reference: &str| {
        referenced(schema, reference).is_none() || decode_pointer(reference).is_some()
    };
    if !any_reference(rules, &must_change) {
        return Cow::Borrowed(schema);
    }
    let mut names = Names::default();
    names.add(rules, String::new());
    let mut changed = rules.clone();
    names.replace_references(&mut changed);
    Cow::Owned(Value::Object(changed))
}

/// Returns a percent-encoded JSON pointer without the encoding. Returns `None` if there is none, or
/// if a provider that decodes the result again would get another pointer.
fn decode_pointer(reference: &str) -> Option<String> {
    let decode = |text: &str| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
    let decoded = decode(reference.strip_prefix('#').filter(|path| path.starts_with('/'))?)?;
    let is_stable = decode(&decoded).as_ref() == Some(&decoded);
    let decoded = format!("#{decoded}");
    (is_stable && decoded != reference).then_some(decoded)
}

/// Returns whether a schema contains a reference that satisfies a condition. Values that are not
/// schemas are searched too.
fn any_reference<'a>(rules: &'a Map<String, Value>, condition: &impl Fn(&'a str) -> bool) -> bool {
    fn any<'a>(value: &'a Value, condition: &impl Fn(&'a str) -> bool) -> bool {
        match value {
            Value::Object(rules) => any_reference(rules, condition),
            Value::Array(items) => items.iter().any(|item| any(item, condition)),
            _ => false,
        }
    }
    rules.get("$ref").and_then(Value::as_str).is_some_and(condition)
        || rules.values().any(|inner| any(inner, condition))
}

/// The JSON pointers of subschemas by the references that name them: `#anchor` or an `$id`.
#[derive(Default)]
struct Names(HashMap<String, String>);

impl Names {
    /// Adds the names of a subschema and of the subschemas in it.
    fn add(&mut self, rules: &Map<String, Value>, pointer: String) {
        let name = |keyword: &str| rules.get(keyword).and_then(Value::as_str);
        if let Some(id) = name("$id") {
            // Pointers in an embedded resource are relative to it.
            let is_relative = |reference: &str| reference.starts_with('#');
            if pointer.is_empty() || id.starts_with('#') || !any_reference(rules, &is_relative) {
                self.0.insert(id.trim_end_matches('#').to_owned(), pointer.clone());
            }
        }
        if let Some(anchor) = name("$anchor") {
            self.0.insert(format!("#{anchor}"), pointer.clone());
        }
        each_subschema(rules, &mut |path, inner| self.add(inner, format!("{pointer}/{path}")));
    }

    /// Replaces the references by name in a schema, decodes pointers, and removes the anchors.
    fn replace_references(&self, rules: &mut Map<String, Value>) {
        if let Some(Value::String(reference)) = rules.get_mut("$ref") {
            if let Some(pointer) = self.find_pointer(reference) {
                *reference = format!("#{pointer}");
            }
            if let Some(decoded) = decode_pointer(reference) {
                *reference = decoded;
            }
        }
        change_subschemas(rules, &mut |inner| self.replace_references(inner));
        rules.shift_remove("$anchor");
    }

    /// Returns the pointer of the subschema that a reference names.
    fn find_pointer(&self, reference: &str) -> Option<String> {
        if let Some(pointer) = self.0.get(reference) {
            return Some(pointer.clone());
        }
        let (id, fragment) = reference.split_once('#').filter(|(id, _)| !id.is_empty())?;
        let pointer = self.0.get(id)?;
        match fragment {
            "" => Some(pointer.clone()),
            path if path.starts_with('/') => Some(format!("{pointer}{path}")),
            anchor => self.0.get(&format!("#{anchor}")).cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::json;

    use super::{referenced, with_pointers};

    #[test]
    fn names_are_replaced_with_pointers() {
        let schema = json!({
            "$id": "https://example.com/root",
            "properties": {
                "a": {"$ref": "#item"}, "b": {"$ref": "item.json"}, "c": {"$ref": "#old"},
                "d": {"$ref": "https://example.com/root#/$defs/x~1y"}, "e": {"$ref": "#"},
                "f": {"$ref": "other.json"}
            },
            "$defs": {
                "x/y": {"$anchor": "item", "type": "string"},
                "z": {"$id": "item.json", "type": "integer"},
                "old": {"$id": "#old"}
            }
        });
        let changed = with_pointers(&schema);
        let reference = |name: &str| changed["properties"][name]["$ref"].as_str().unwrap();
        let references: Vec<&str> = ["a", "b", "c", "d", "e", "f"].map(reference).to_vec();
        let expected = ["#/$defs/x~1y", "#/$defs/z", "#/$defs/old", "#/$defs/x~1y", "#"];
        assert_eq!(references[..5], expected);
        assert_eq!(references[5], "other.json");
        assert!(changed["$defs"]["x/y"].get("$anchor").is_none());
        for name in ["a", "b", "c", "d"] {
            assert!(referenced(&changed, reference(name)).is_some(), "{name}");
        }
    }

    #[test]
    fn pointers_are_decoded_unless_that_is_ambiguous() {
        let schema = json!({
            "properties": {
                "a": {"$ref": "#/$defs/a%20b"}, "b": {"$ref": "#/%24defs/na%C3%AFve"},
                "c": {"$ref": "#/$defs/100%25"}, "d": {"$ref": "#/$defs/%2541"}
            },
            "$defs": {"a b": {}, "naïve": {}, "100%": {}, "%41": {}}
        });
        let changed = with_pointers(&schema);
        let expected = ["#/$defs/a b", "#/$defs/naïve", "#/$defs/100%", "#/$defs/%2541"];
        for (name, expected) in ["a", "b", "c", "d"].iter().zip(expected) {
            assert_eq!(changed["properties"][name]["$ref"], expected);
            assert!(referenced(&changed, expected).is_some(), "{expected}");
        }
    }

    #[test]
    fn pointers_without_an_encoding_are_not_changed() {
        let schema = json!({
            "properties": {"a": {"$ref": "#/$defs/a b"}, "$ref": {"type": "string"}},
            "$defs": {"a b": {"type": "string"}}
        });
        assert!(matches!(with_pointers(&schema), Cow::Borrowed(_)));
    }

    #[test]
    fn an_embedded_resource_with_its_own_pointers_is_not_replaced() {
        let schema = json!({
            "properties": {"a": {"$ref": "item.json"}},
            "$defs": {"z": {"$id": "item.json", "$ref": "#/$defs/y"}}
        });
        assert_eq!(with_pointers(&schema)["properties"]["a"]["$ref"], "item.json");
    }
}
