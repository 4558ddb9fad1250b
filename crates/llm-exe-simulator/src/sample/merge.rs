//! Puts schemas together that must hold at once: references, `allOf`, and a branch of a choice.
//!
//! In: a node. Out: a flat one without `$ref` and `allOf`. It is a best effort: whether a value
//! made from it is right is checked against the node itself.

use serde_json::{Map, Value, json};

const DEEPEST: usize = 32;

/// The node with its reference and its `allOf` merged into it; nothing when a reference can't be
/// followed, or was followed before to get here.
pub(super) fn flat(schema: &Value, root: &Value, references: &mut Vec<String>) -> Option<Value> {
    let mut node = match schema {
        Value::Bool(true) => json!({}),
        Value::Object(_) => schema.clone(),
        _ => return None,
    };
    for _ in 0..DEEPEST {
        if let Some(reference) = node.get("$ref").cloned() {
            let reference = reference.as_str()?;
            if references.iter().any(|known| known == reference) {
                return None;
            }
            references.push(reference.to_owned());
            let target = target(root, reference)?;
            node = both(&without(&node, &["$ref"]), target);
        } else if let Some(parts) = node.get("allOf").and_then(Value::as_array).cloned() {
            let base = without(&node, &["allOf"]);
            let mut merged = base;
            for part in &parts {
                merged = both(&merged, &flat(part, root, references)?);
            }
            node = merged;
        } else {
            return (node != Value::Bool(false)).then_some(node);
        }
    }
    None
}

/// What a reference within the document points to.
pub(super) fn target<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let pointer = reference.strip_prefix('#')?;
    match root.pointer(pointer) {
        Some(target) => Some(target),
        None => anchor(root, pointer),
    }
}

fn anchor<'a>(node: &'a Value, name: &str) -> Option<&'a Value> {
    let named = |node: &Value| node.get("$anchor").is_some_and(|anchor| anchor == name);
    match node {
        Value::Object(_) if named(node) => Some(node),
        Value::Object(fields) => fields.values().find_map(|child| anchor(child, name)),
        Value::Array(items) => items.iter().find_map(|child| anchor(child, name)),
        _ => None,
    }
}

/// The flat schemas of the node's choices, `anyOf` and `oneOf`; none when it has neither.
pub(super) fn branches(flat: &Value) -> Vec<Value> {
    for name in ["anyOf", "oneOf"] {
        if let Some(branches) = flat.get(name).and_then(Value::as_array) {
            let base = without(flat, &[name]);
            return branches.iter().map(|branch| both(&base, branch)).collect();
        }
    }
    Vec::new()
}

/// The schema without some keywords.
pub(super) fn without(schema: &Value, names: &[&str]) -> Value {
    let Value::Object(fields) = schema else {
        return schema.clone();
    };
    let kept = fields.iter().filter(|(name, _)| !names.contains(&name.as_str()));
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// A schema for what both schemas allow.
pub(super) fn both(left: &Value, right: &Value) -> Value {
    match (left, right) {
        (Value::Bool(false), _) | (_, Value::Bool(false)) => Value::Bool(false),
        (Value::Object(left), Value::Object(right)) => {
            let mut merged = left.clone();
            for (name, added) in right {
                let value = match merged.get(name) {
                    Some(before) => keyword(name, before, added),
                    None => added.clone(),
                };
                merged.insert(name.clone(), value);
            }
            Value::Object(merged)
        }
        (Value::Object(_), _) => left.clone(),
        (_, _) => right.clone(),
    }
}

fn keyword(name: &str, before: &Value, added: &Value) -> Value {
    match (name, before, added) {
        ("properties" | "patternProperties", Value::Object(before), Value::Object(added)) => {
            Value::Object(schemas(before, added))
        }
        ("items" | "additionalProperties" | "contains", _, _) => both(before, added),
        ("required", Value::Array(before), Value::Array(added)) => {
            let new = added.iter().filter(|name| !before.contains(name));
            Value::Array(before.iter().chain(new).cloned().collect())
        }
        ("enum", Value::Array(before), Value::Array(added)) => {
            Value::Array(before.iter().filter(|value| added.contains(value)).cloned().collect())
        }
        ("anyOf" | "oneOf", Value::Array(before), Value::Array(added)) => {
            let pairs = before.iter().flat_map(|left| added.iter().map(move |it| both(left, it)));
            Value::Array(pairs.collect())
        }
        ("allOf", Value::Array(before), Value::Array(added)) => {
            Value::Array(before.iter().chain(added).cloned().collect())
        }
        ("type", _, _) => types(before, added),
        _ => bound(name, before, added),
    }
}

fn schemas(before: &Map<String, Value>, added: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = before.clone();
    for (name, schema) in added {
        let schema = match merged.get(name) {
            Some(known) => both(known, schema),
            None => schema.clone(),
        };
        merged.insert(name.clone(), schema);
    }
    merged
}

/// The narrower of two bounds; for anything else, what was added.
fn bound(name: &str, before: &Value, added: &Value) -> Value {
    let (Some(left), Some(right)) = (before.as_f64(), added.as_f64()) else {
        return added.clone();
    };
    let lower = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
    let upper = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
    let keeps = lower.contains(&name) && left > right || upper.contains(&name) && left < right;
    if keeps { before.clone() } else { added.clone() }
}

fn types(before: &Value, added: &Value) -> Value {
    let names = |value: &Value| match value {
        Value::Array(names) => names.clone(),
        name => vec![name.clone()],
    };
    let (before, added) = (names(before), names(added));
    let mut common: Vec<Value> =
        before.iter().filter(|name| added.contains(name)).cloned().collect();
    let integer = |names: &[Value]| names.iter().any(|name| name == "integer");
    let number = |names: &[Value]| names.iter().any(|name| name == "number");
    if integer(&before) && number(&added) || number(&before) && integer(&added) {
        common.push(json!("integer"));
    }
    Value::Array(common)
}
