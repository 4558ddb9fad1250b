//! The coercions that are no guess: `"42"` where a number must stand, `"true"` where a boolean
//! must, defaults where a property is missing, and unknown properties of closed objects dropped.
//!
//! They apply in properties, items, `$ref`s and `additionalProperties` schemas, never inside
//! combinators: there, what fits depends on what else fits.

use serde_json::{Map, Number, Value};

use super::referenced;

/// The most `$ref`s and levels that are followed; deeper values are left as they are.
const DEPTH: usize = 200;

/// The most defaults that are filled in: a default inside a default, by references, can double
/// with each level.
const MOST_DEFAULTS: usize = 1000;

/// Mends a value in place, as far as the schema allows without guessing.
pub(crate) fn coerce(root: &Value, value: &mut Value) {
    let mut coercer = Coercer { root, defaults_left: MOST_DEFAULTS };
    coercer.node(root, value, 0);
}

struct Coercer<'a> {
    root: &'a Value,
    defaults_left: usize,
}

impl Coercer<'_> {
    fn node(&mut self, schema: &Value, value: &mut Value, depth: usize) {
        let Some(rules) = schema.as_object() else {
            return;
        };
        if depth > DEPTH {
            return;
        }
        if let Some(target) =
            rules.get("$ref").and_then(Value::as_str).and_then(|name| referenced(self.root, name))
        {
            self.node(target, value, depth + 1);
        }
        if let Value::String(text) = value
            && let Some(coerced) = coerced(rules, text)
        {
            *value = coerced;
        }
        match value {
            Value::Object(fields) => self.object(rules, fields, depth),
            Value::Array(items) => self.list(rules, items, depth),
            _ => {}
        }
    }

    fn object(
        &mut self,
        rules: &Map<String, Value>,
        fields: &mut Map<String, Value>,
        depth: usize,
    ) {
        let none = Map::new();
        let properties = rules.get("properties").and_then(Value::as_object).unwrap_or(&none);
        for (name, property) in properties {
            if self.defaults_left > 0
                && !fields.contains_key(name)
                && let Some(default) = default_of(self.root, property, 0)
            {
                self.defaults_left -= 1;
                fields.insert(name.clone(), default.clone());
            }
            if let Some(value) = fields.get_mut(name) {
                self.node(property, value, depth + 1);
            }
        }
        let by_pattern = rules.contains_key("patternProperties");
        match rules.get("additionalProperties") {
            Some(Value::Bool(false)) if !by_pattern => {
                fields.retain(|name, _| properties.contains_key(name));
            }
            Some(extra @ Value::Object(_)) if !by_pattern => {
                for (name, value) in fields.iter_mut() {
                    if !properties.contains_key(name) {
                        self.node(extra, value, depth + 1);
                    }
                }
            }
            _ => {}
        }
    }

    fn list(&mut self, rules: &Map<String, Value>, items: &mut [Value], depth: usize) {
        let in_place = rules.get("prefixItems").or(rules.get("items")).and_then(Value::as_array);
        let placed = in_place.map_or(&[][..], Vec::as_slice);
        let rest = match rules.get("items") {
            Some(Value::Array(_)) => rules.get("additionalItems"),
            other => other,
        };
        for (index, item) in items.iter_mut().enumerate() {
            if let Some(schema) = placed.get(index).or(rest) {
                self.node(schema, item, depth + 1);
            }
        }
    }
}

/// What a string stands for, where the schema wants no string.
fn coerced(rules: &Map<String, Value>, text: &str) -> Option<Value> {
    let wants = |name: &str| match rules.get("type") {
        Some(Value::String(only)) => only == name,
        Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(name)),
        _ => false,
    };
    if wants("string") {
        return None;
    }
    match text {
        "true" if wants("boolean") => Some(Value::Bool(true)),
        "false" if wants("boolean") => Some(Value::Bool(false)),
        _ if wants("number") || wants("integer") => {
            serde_json::from_str::<Number>(text).ok().map(Value::Number)
        }
        _ => None,
    }
}

fn default_of<'a>(root: &'a Value, property: &'a Value, hops: usize) -> Option<&'a Value> {
    if let Some(default) = property.get("default") {
        return Some(default);
    }
    let target = property.get("$ref").and_then(Value::as_str)?;
    if hops > 16 {
        return None;
    }
    default_of(root, referenced(root, target)?, hops + 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::coerce;

    #[test]
    fn mends_only_what_is_no_guess() {
        let schema = json!({
            "type": "object", "additionalProperties": false,
            "properties": {
                "n": {"type": "integer"}, "f": {"type": ["number", "null"]},
                "b": {"type": "boolean"}, "s": {"type": "string"},
                "both": {"type": ["string", "number"]},
                "d": {"$ref": "#/$defs/d"},
                "list": {"type": "array", "items": {"type": "number"}},
                "any": {"anyOf": [{"type": "number"}]},
                "map": {"type": "object", "additionalProperties": {"type": "boolean"}}
            },
            "$defs": {"d": {"type": "object", "default": {}, "properties": {"x": {"default": 1}}}}
        });
        let mut value = json!({
            "n": "42", "f": "1.5", "b": "true", "s": "7", "both": "8", "list": ["1", "x"],
            "any": "3", "map": {"k": "false"}, "unknown": 1
        });
        coerce(&schema, &mut value);
        assert_eq!(
            value,
            json!({
                "n": 42, "f": 1.5, "b": true, "s": "7", "both": "8", "list": [1, "x"],
                "any": "3", "map": {"k": false}, "d": {"x": 1}
            })
        );
    }

    #[test]
    fn ends_on_references_in_a_circle() {
        let schema = json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}});
        let mut value = json!({"a": 1});
        coerce(&schema, &mut value);
        assert_eq!(value, json!({"a": 1}));
    }
}
