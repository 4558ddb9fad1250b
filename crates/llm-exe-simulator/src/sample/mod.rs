//! Generates a value that satisfies a JSON Schema.
//!
//! The same schema always produces the same value. The generator validates each candidate against
//! the schema and tries the next branch if the candidate is invalid. It does not follow a reference
//! that leads back to itself; instead, it selects branches that terminate and omits optional
//! properties that would recurse.

mod merge;
mod number;
mod pattern;
mod position;
mod satisfy;
mod string;

use std::cell::Cell;

use serde_json::{Map, Value, json};

use position::Position;

const TYPES: &[&str] = &["object", "array", "string", "number", "integer", "boolean", "null"];
/// Types, each with the keywords that imply it in a node without `type`.
const TYPE_HINTS: &[(&str, &[&str])] = &[
    ("object", &["properties", "required", "additionalProperties", "minProperties"]),
    ("array", &["items", "prefixItems", "minItems", "contains", "uniqueItems"]),
    ("string", &["pattern", "format", "minLength", "maxLength"]),
    ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
];
const MAX_DEPTH: usize = 48;

/// Generates a value that satisfies a JSON Schema. Returns `None` if no such value is found.
///
/// The same schema always produces the same value. Only references within the schema are resolved.
pub fn value_for(schema: &Value) -> Option<Value> {
    let nodes_left = Cell::new(0);
    value(schema, &Position::root(schema, &nodes_left))
}

fn value(schema: &Value, position: &Position<'_>) -> Option<Value> {
    let mut position = position.clone();
    position.count_node()?;
    let flat = merge::flatten(schema, position.root, &mut position.references)?;
    if position.depth > MAX_DEPTH {
        return None;
    }
    let is_valid = |candidate: &Value| satisfy::satisfies(position.root, schema, candidate);
    if let Some(only) = flat.get("const") {
        return Some(only.clone()).filter(is_valid);
    }
    if let Some(Value::Array(values)) = flat.get("enum") {
        let valid: Vec<&Value> = values.iter().filter(|value| is_valid(value)).collect();
        let index = position.variant.checked_rem(valid.len())?;
        return valid.get(index).map(|value| (*value).clone());
    }
    let branches = merge::branches(&flat);
    if !branches.is_empty() {
        let mut values = branches.iter().filter_map(|branch| value(branch, &position.branch()));
        return values.find(is_valid);
    }
    let mut candidates =
        types(&flat).into_iter().filter_map(|name| value_of_type(name, &flat, &position));
    // Try defaults and examples last. Clients remove them from schemas for some services, but the
    // same request must get the same reply in all dialects.
    candidates
        .find(is_valid)
        .or_else(|| default_or_example(&flat, &is_valid))
        .or_else(|| conditional_values(&flat, &position).find(is_valid))
}

/// Returns the default if it is valid, or else the first valid example.
fn default_or_example(flat: &Value, is_valid: &dyn Fn(&Value) -> bool) -> Option<Value> {
    let examples = flat.get("examples").and_then(Value::as_array).into_iter().flatten();
    let mut candidates = flat.get("default").into_iter().chain(examples);
    candidates.find(|candidate| is_valid(candidate)).cloned()
}

/// Returns the types to try, most likely first.
fn types(flat: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = match flat.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => {
            let has_any =
                |keywords: &[&str]| keywords.iter().any(|keyword| flat.get(keyword).is_some());
            let hinted = TYPE_HINTS.iter().filter(|(_, keywords)| has_any(keywords));
            let hinted = hinted.map(|(name, _)| *name);
            hinted.chain(["string", "boolean", "number", "object", "array", "null"]).collect()
        }
    };
    // Null comes last because it is the least useful value for testing a client.
    names.sort_by_key(|name| *name == "null");
    names.retain(|name| TYPES.contains(name));
    names
}

fn value_of_type(name: &str, flat: &Value, position: &Position<'_>) -> Option<Value> {
    match name {
        "object" => object(flat, position),
        "array" => array(flat, position),
        "string" => string::value(flat, position),
        "integer" => number::value(flat, position.variant, true),
        "number" => number::value(flat, position.variant, false),
        "boolean" => Some(json!(position.variant.is_multiple_of(2))),
        _ => Some(Value::Null),
    }
}

/// Generates candidates that satisfy `then` or `else`, for schemas whose other keywords are not
/// sufficient.
fn conditional_values<'a>(
    flat: &'a Value,
    position: &'a Position<'_>,
) -> impl Iterator<Item = Value> + 'a {
    let base = merge::without(flat, &["if", "then", "else"]);
    let branch = |names: &[&str]| {
        let parts = names.iter().filter_map(|name| flat.get(name));
        parts.fold(base.clone(), |base, part| merge::both(&base, part))
    };
    let has_condition = flat.get("if").is_some();
    let branches = [branch(&["if", "then"]), branch(&["else"])];
    branches
        .into_iter()
        .filter(move |_| has_condition)
        .filter_map(|branch| value(&branch, &position.branch()))
}

/// Generates an object with all properties, except for optional ones without a valid value. Returns
/// `None` if a required property has no valid value.
fn object(flat: &Value, position: &Position<'_>) -> Option<Value> {
    let no_properties = Map::new();
    let properties = flat.get("properties").and_then(Value::as_object).unwrap_or(&no_properties);
    let required: Vec<&str> = match flat.get("required").and_then(Value::as_array) {
        Some(names) => names.iter().filter_map(Value::as_str).collect(),
        None => Vec::new(),
    };
    let max_properties = count(flat, "maxProperties").unwrap_or(usize::MAX);
    let mut fields = Map::new();
    for (name, schema) in properties {
        let is_required = required.contains(&name.as_str());
        let missing = required.iter().filter(|name| !fields.contains_key(**name)).count();
        if !is_required && fields.len() >= max_properties.saturating_sub(missing) {
            continue;
        }
        match value(schema, &position.property(name)) {
            Some(value) => drop(fields.insert(name.clone(), value)),
            None if is_required => return None,
            None => {}
        }
    }
    for name in required {
        if !fields.contains_key(name) {
            let value = value(additional_property(flat), &position.property(name))?;
            fields.insert(name.to_owned(), value);
        }
    }
    let min_properties = count(flat, "minProperties").unwrap_or(0);
    let mut number = 0;
    while fields.len() < min_properties {
        number += 1;
        let value = value(additional_property(flat), &position.item(number))?;
        fields.insert(additional_name(flat, number), value);
    }
    Some(Value::Object(fields))
}

/// Returns the schema of properties that are not listed in `properties`.
fn additional_property(flat: &Value) -> &Value {
    let patterns = flat.get("patternProperties").and_then(Value::as_object);
    let patterned = patterns.and_then(|patterns| patterns.values().next());
    patterned.or_else(|| flat.get("additionalProperties")).unwrap_or(&Value::Bool(true))
}

/// Generates a name for a property that is not listed in `properties`.
fn additional_name(flat: &Value, number: usize) -> String {
    let patterns = flat.get("patternProperties").and_then(Value::as_object);
    let pattern = patterns.and_then(|patterns| patterns.keys().next()).map(String::as_str);
    let pattern = pattern.or_else(|| flat.pointer("/propertyNames/pattern")?.as_str());
    pattern
        .and_then(|pattern| pattern::text(pattern, 0, usize::MAX, number))
        .unwrap_or_else(|| format!("property{number}"))
}

/// Generates an array with the minimum number of items, or with one item if the minimum is zero and
/// the schema has `items`. Returns `None` if a required item has no valid value.
fn array(flat: &Value, position: &Position<'_>) -> Option<Value> {
    let min_items = count(flat, "minItems").unwrap_or(0);
    let max_items = count(flat, "maxItems").unwrap_or(usize::MAX);
    // Older drafts use an array in `items` instead of `prefixItems`, and `additionalItems` instead
    // of `items`.
    let tuple = flat.get("items").filter(|items| items.is_array());
    let prefix = flat.get("prefixItems").or(tuple).and_then(Value::as_array);
    let prefix = prefix.map_or(&[][..], Vec::as_slice);
    let item_schema = match tuple {
        Some(_) => flat.get("additionalItems"),
        None => flat.get("items"),
    };
    let mut items = Vec::new();
    for schema in prefix.iter().take(max_items) {
        match value(schema, &position.item(0)) {
            Some(item) => items.push(item),
            None if items.len() >= min_items => return Some(Value::Array(items)),
            None => return None,
        }
    }
    add_contained(flat, position, &mut items)?;
    let wanted = match item_schema {
        Some(_) if prefix.is_empty() => min_items.max(1).max(items.len()),
        _ => min_items,
    };
    while items.len() < wanted.min(max_items) {
        let variant = position.variant * wanted + items.len();
        match value(item_schema.unwrap_or(&Value::Bool(true)), &position.item(variant)) {
            Some(item) => items.push(item),
            None if items.len() >= min_items => break,
            None => return None,
        }
    }
    Some(Value::Array(items))
}

/// Adds the items that `contains` requires. Returns `None` if such an item has no valid value.
fn add_contained(flat: &Value, position: &Position<'_>, items: &mut Vec<Value>) -> Option<()> {
    let Some(schema) = flat.get("contains") else {
        return Some(());
    };
    let min_contains = count(flat, "minContains").unwrap_or(1);
    let schema = match flat.get("items") {
        Some(items) => merge::both(items, schema),
        None => schema.clone(),
    };
    for variant in 0..min_contains {
        items.push(value(&schema, &position.item(variant))?);
    }
    Some(())
}

/// Returns the value of a keyword that is a count, such as `minItems`.
fn count(flat: &Value, keyword: &str) -> Option<usize> {
    let count = flat.get(keyword)?.as_u64()?;
    Some(usize::try_from(count).unwrap_or(usize::MAX))
}
