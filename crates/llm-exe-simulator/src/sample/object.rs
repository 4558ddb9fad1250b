//! Objects with all of their properties, less the optional ones that can't be made.
//!
//! In: a flat schema. Out: an object, or nothing when a required property can't be made.

use super::{Place, value as any_value};
use serde_json::{Map, Value};

/// An object.
pub(super) fn value(flat: &Value, place: &Place<'_>) -> Option<Value> {
    let none = Map::new();
    let properties = flat.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let required: Vec<&str> = match flat.get("required").and_then(Value::as_array) {
        Some(names) => names.iter().filter_map(Value::as_str).collect(),
        None => Vec::new(),
    };
    let count = |name: &str| flat.get(name).and_then(Value::as_u64);
    let most = count("maxProperties").map_or(usize::MAX, to_usize);
    let mut made = Map::new();
    for (name, schema) in properties {
        let needed = required.contains(&name.as_str());
        let room =
            most.saturating_sub(required.iter().filter(|it| !made.contains_key(**it)).count());
        if !needed && made.len() >= room {
            continue;
        }
        match any_value(schema, &place.named(name)) {
            Some(value) => drop(made.insert(name.clone(), value)),
            None if needed => return None,
            None => {}
        }
    }
    for name in required {
        if !made.contains_key(name) {
            let value = any_value(other(flat), &place.named(name))?;
            made.insert(name.to_owned(), value);
        }
    }
    let least = count("minProperties").map_or(0, to_usize);
    let mut number = 0;
    while made.len() < least {
        number += 1;
        let value = any_value(other(flat), &place.item(number))?;
        made.insert(name(flat, number), value);
    }
    Some(Value::Object(made))
}

/// The schema of a property that isn't named.
fn other(flat: &Value) -> &Value {
    let patterned = flat.get("patternProperties").and_then(Value::as_object);
    let patterned = patterned.and_then(|patterns| patterns.values().next());
    patterned.or_else(|| flat.get("additionalProperties")).unwrap_or(&Value::Bool(true))
}

/// A name for a property that isn't named.
fn name(flat: &Value, number: usize) -> String {
    let patterned = flat.get("patternProperties").and_then(Value::as_object);
    let pattern = patterned.and_then(|patterns| patterns.keys().next()).map(String::as_str);
    let pattern = pattern.or_else(|| flat.pointer("/propertyNames/pattern")?.as_str());
    pattern
        .and_then(|pattern| super::pattern::text(pattern, 0, usize::MAX, number))
        .unwrap_or_else(|| format!("property{number}"))
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
