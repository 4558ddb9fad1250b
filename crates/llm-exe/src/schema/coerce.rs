//! Coerces a value to a schema where this is unambiguous. For example, the string `"42"` becomes a
//! number if the schema requires a number. Missing properties are set to their defaults, and
//! unknown properties of closed objects are removed.
//!
//! Coercion follows `properties`, `items`, `$ref` and `additionalProperties`. It does not follow
//! combinators such as `anyOf`, because the result would depend on which branch is chosen.

use serde_json::{Map, Value};

use super::reference::referenced;
use crate::json::{LossyNumber, NumberError, parse_number};

/// Maximum depth to follow, counting nesting levels and `$ref`s. Deeper values are not changed.
const MAX_DEPTH: usize = 200;

/// Maximum number of defaults to fill in. A default can be an object that has defaults of its own,
/// so their number could double at each level.
const MAX_DEFAULTS: usize = 1000;

/// Maximum number of `$ref`s to follow from a property to its default.
const MAX_HOPS: usize = 16;

/// Coerces a value to the schema `root`, in place.
///
/// # Errors
/// Returns an error if a string contains a number that would lose digits.
pub(crate) fn coerce(root: &Value, value: &mut Value) -> Result<(), LossyNumber> {
    let mut coercer = Coercer { root, defaults_left: MAX_DEFAULTS, lossy: None };
    coercer.coerce_value(root, value, 0);
    coercer.lossy.map_or(Ok(()), Err)
}

struct Coercer<'a> {
    root: &'a Value,
    defaults_left: usize,
    /// The last number that would have lost digits.
    lossy: Option<LossyNumber>,
}

impl Coercer<'_> {
    fn coerce_value(&mut self, schema: &Value, value: &mut Value, depth: usize) {
        let Some(rules) = schema.as_object() else {
            return;
        };
        if depth > MAX_DEPTH {
            return;
        }
        if let Some(target) =
            rules.get("$ref").and_then(Value::as_str).and_then(|name| referenced(self.root, name))
        {
            self.coerce_value(target, value, depth + 1);
        }
        if let Value::String(text) = value
            && let Some(coerced) = self.coerce_string(rules, text)
        {
            *value = coerced;
        }
        match value {
            Value::Object(fields) => self.coerce_object(rules, fields, depth),
            Value::Array(items) => self.coerce_list(rules, items, depth),
            _ => {}
        }
    }

    fn coerce_object(
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
                && let Some(default) = find_default(self.root, property, 0)
            {
                self.defaults_left -= 1;
                fields.insert(name.clone(), default.clone());
            }
            if let Some(value) = fields.get_mut(name) {
                self.coerce_value(property, value, depth + 1);
            }
        }
        let has_patterns = rules.contains_key("patternProperties");
        match rules.get("additionalProperties") {
            Some(Value::Bool(false)) if !has_patterns => {
                fields.retain(|name, _| properties.contains_key(name));
            }
            Some(additional @ Value::Object(_)) if !has_patterns => {
                for (name, value) in fields.iter_mut() {
                    if !properties.contains_key(name) {
                        self.coerce_value(additional, value, depth + 1);
                    }
                }
            }
            _ => {}
        }
    }

    fn coerce_list(&mut self, rules: &Map<String, Value>, items: &mut [Value], depth: usize) {
        let prefix = rules.get("prefixItems").or(rules.get("items")).and_then(Value::as_array);
        let prefix = prefix.map_or(&[][..], Vec::as_slice);
        let rest = match rules.get("items") {
            Some(Value::Array(_)) => rules.get("additionalItems"),
            other => other,
        };
        for (index, item) in items.iter_mut().enumerate() {
            if let Some(schema) = prefix.get(index).or(rest) {
                self.coerce_value(schema, item, depth + 1);
            }
        }
    }

    /// Converts a string to a number or a boolean if the schema requires that type and does not
    /// allow strings.
    fn coerce_string(&mut self, rules: &Map<String, Value>, text: &str) -> Option<Value> {
        let allows = |name: &str| match rules.get("type") {
            Some(Value::String(kind)) => kind == name,
            Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind.as_str() == Some(name)),
            _ => false,
        };
        if allows("string") {
            return None;
        }
        match text {
            "true" if allows("boolean") => Some(Value::Bool(true)),
            "false" if allows("boolean") => Some(Value::Bool(false)),
            _ if allows("number") || allows("integer") => match parse_number(text) {
                Ok(number) => Some(Value::Number(number)),
                Err(NumberError::Lossy(error)) => {
                    self.lossy = Some(error);
                    None
                }
                Err(NumberError::Invalid) => None,
            },
            _ => None,
        }
    }
}

/// Returns the default of a property, either from its own schema or from the target of its `$ref`.
fn find_default<'a>(root: &'a Value, property: &'a Value, hops: usize) -> Option<&'a Value> {
    if let Some(default) = property.get("default") {
        return Some(default);
    }
    let target = property.get("$ref").and_then(Value::as_str)?;
    if hops > MAX_HOPS {
        return None;
    }
    find_default(root, referenced(root, target)?, hops + 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::coerce;

    #[test]
    fn only_unambiguous_values_are_coerced() {
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
        coerce(&schema, &mut value).unwrap();
        assert_eq!(
            value,
            json!({
                "n": 42, "f": 1.5, "b": true, "s": "7", "both": "8", "list": [1, "x"],
                "any": "3", "map": {"k": false}, "d": {"x": 1}
            })
        );
    }

    #[test]
    fn recursive_references_terminate() {
        let schema = json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}});
        let mut value = json!({"a": 1});
        coerce(&schema, &mut value).unwrap();
        assert_eq!(value, json!({"a": 1}));
    }
}
