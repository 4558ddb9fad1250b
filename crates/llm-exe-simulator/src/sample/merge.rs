//! Merges schemas that a value must satisfy at the same time, such as the schemas in `allOf`, the
//! target of a reference, or a branch of `anyOf` or `oneOf`.
//!
//! A merged schema is only an approximation, so generated values are validated against the original
//! schema.

use serde_json::{Map, Value, json};

const MAX_DEPTH: usize = 32;

/// Merges the target of the node's `$ref` and the schemas in its `allOf` into the node. Returns
/// `None` if a reference can't be resolved or is already in `references`.
pub(super) fn flatten(schema: &Value, root: &Value, references: &mut Vec<String>) -> Option<Value> {
    let mut node = match schema {
        Value::Bool(true) => json!({}),
        Value::Object(_) => schema.clone(),
        _ => return None,
    };
    for _ in 0..MAX_DEPTH {
        if let Some(reference) = node.get("$ref").cloned() {
            let reference = reference.as_str()?;
            if references.iter().any(|known| known == reference) {
                return None;
            }
            references.push(reference.to_owned());
            let target = target(root, reference)?;
            node = both(&without(&node, &["$ref"]), target);
        } else if let Some(parts) = node.get("allOf").and_then(Value::as_array).cloned() {
            let mut merged = without(&node, &["allOf"]);
            for part in &parts {
                merged = both(&merged, &flatten(part, root, references)?);
            }
            node = merged;
        } else {
            return (node != Value::Bool(false)).then_some(node);
        }
    }
    None
}

/// Finds the target of a reference in the root schema.
pub(super) fn target<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let pointer = reference.strip_prefix('#')?;
    match root.pointer(pointer) {
        Some(target) => Some(target),
        None => anchor(root, pointer),
    }
}

fn anchor<'a>(node: &'a Value, name: &str) -> Option<&'a Value> {
    let has_anchor = |node: &Value| node.get("$anchor").is_some_and(|anchor| anchor == name);
    match node {
        Value::Object(_) if has_anchor(node) => Some(node),
        Value::Object(fields) => fields.values().find_map(|child| anchor(child, name)),
        Value::Array(items) => items.iter().find_map(|child| anchor(child, name)),
        _ => None,
    }
}

/// Returns the branches of `anyOf` or `oneOf`, each merged with the other keywords of the schema.
/// The result is empty if the schema has neither.
pub(super) fn branches(flat: &Value) -> Vec<Value> {
    for name in ["anyOf", "oneOf"] {
        if let Some(branches) = flat.get(name).and_then(Value::as_array) {
            let base = without(flat, &[name]);
            return branches.iter().map(|branch| both(&base, branch)).collect();
        }
    }
    Vec::new()
}

/// Returns the schema without these keywords.
pub(super) fn without(schema: &Value, names: &[&str]) -> Value {
    let Value::Object(fields) = schema else {
        return schema.clone();
    };
    let remaining = fields.iter().filter(|(name, _)| !names.contains(&name.as_str()));
    Value::Object(remaining.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Merges two schemas into one that allows only the values that both allow.
pub(super) fn both(left: &Value, right: &Value) -> Value {
    match (left, right) {
        (Value::Bool(false), _) | (_, Value::Bool(false)) => Value::Bool(false),
        (Value::Object(left), Value::Object(right)) => {
            let mut merged = left.clone();
            for (name, right) in right {
                let value = match merged.get(name) {
                    Some(left) => keyword(name, left, right),
                    None => right.clone(),
                };
                merged.insert(name.clone(), value);
            }
            Value::Object(merged)
        }
        (Value::Object(_), _) => left.clone(),
        (_, _) => right.clone(),
    }
}

/// Merges two values of the same keyword.
fn keyword(name: &str, left: &Value, right: &Value) -> Value {
    match (name, left, right) {
        ("properties" | "patternProperties", Value::Object(left), Value::Object(right)) => {
            Value::Object(schemas(left, right))
        }
        ("items" | "additionalProperties" | "contains", _, _) => both(left, right),
        ("required", Value::Array(left), Value::Array(right)) => {
            let new = right.iter().filter(|name| !left.contains(name));
            Value::Array(left.iter().chain(new).cloned().collect())
        }
        ("enum", Value::Array(left), Value::Array(right)) => {
            Value::Array(left.iter().filter(|value| right.contains(value)).cloned().collect())
        }
        ("anyOf" | "oneOf", Value::Array(left), Value::Array(right)) => {
            let pairs = left.iter().flat_map(|left| right.iter().map(move |it| both(left, it)));
            Value::Array(pairs.collect())
        }
        ("allOf", Value::Array(left), Value::Array(right)) => {
            Value::Array(left.iter().chain(right).cloned().collect())
        }
        ("type", _, _) => types(left, right),
        _ => bound(name, left, right),
    }
}

fn schemas(left: &Map<String, Value>, right: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = left.clone();
    for (name, schema) in right {
        let schema = match merged.get(name) {
            Some(left_schema) => both(left_schema, schema),
            None => schema.clone(),
        };
        merged.insert(name.clone(), schema);
    }
    merged
}

/// Returns the narrower of two bounds, or the right value if the keyword is not a bound.
fn bound(name: &str, left: &Value, right: &Value) -> Value {
    let (Some(left_number), Some(right_number)) = (left.as_f64(), right.as_f64()) else {
        return right.clone();
    };
    let lower = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
    let upper = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
    let left_is_narrower = lower.contains(&name) && left_number > right_number
        || upper.contains(&name) && left_number < right_number;
    if left_is_narrower { left.clone() } else { right.clone() }
}

/// Returns the types that both values of `type` allow.
fn types(left: &Value, right: &Value) -> Value {
    let names = |value: &Value| match value {
        Value::Array(names) => names.clone(),
        name => vec![name.clone()],
    };
    let (left, right) = (names(left), names(right));
    let mut common: Vec<Value> = left.iter().filter(|name| right.contains(name)).cloned().collect();
    let has_integer = |names: &[Value]| names.iter().any(|name| name == "integer");
    let has_number = |names: &[Value]| names.iter().any(|name| name == "number");
    if has_integer(&left) && has_number(&right) || has_number(&left) && has_integer(&right) {
        common.push(json!("integer"));
    }
    Value::Array(common)
}
