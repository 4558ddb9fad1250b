//! What Gemini's structured outputs refuse in a schema: the keywords beside those that the types'
//! documentation of `responseJsonSchema` lists. The service may pass over some of these; who
//! relies on them is told here.
//!
//! In: a schema. Out: nothing, or the reason.

use super::super::check::{has_type, list, unknown_key};
use serde_json::Value;

const KEYWORDS: &[&str] = &[
    "$anchor",
    "$defs",
    "$id",
    "$ref",
    "additionalProperties",
    "anyOf",
    "description",
    "enum",
    "format",
    "items",
    "maxItems",
    "maximum",
    "minItems",
    "minimum",
    "oneOf",
    "prefixItems",
    "properties",
    "propertyOrdering",
    "required",
    "title",
    "type",
];
const TYPES: &[&str] = &["array", "boolean", "integer", "null", "number", "object", "string"];
const DEEPEST: usize = 64;

/// Refuses what structured outputs refuse.
pub(crate) fn refuse(schema: &Value) -> Result<(), String> {
    node(schema, schema, &[], 0)
}

fn node(schema: &Value, root: &Value, references: &[&str], depth: usize) -> Result<(), String> {
    let Some(fields) = schema.as_object() else {
        return Err("a schema must be an object.".to_owned());
    };
    if depth > DEEPEST {
        return Err("the schema is nested too deeply.".to_owned());
    }
    if let Some(unknown) = unknown_key(schema, KEYWORDS) {
        return Err(format!("keyword \"{unknown}\" is not supported."));
    }
    if depth > 0 && fields.contains_key("$defs") {
        return Err("$defs is only allowed at the root.".to_owned());
    }
    if let Some(reference) = fields.get("$ref") {
        let reference = reference.as_str().unwrap_or_default();
        if fields.keys().any(|key| !key.starts_with('$')) {
            return Err("no other properties may be set beside $ref.".to_owned());
        }
        let name = reference.strip_prefix("#/$defs/");
        let target = name.and_then(|_| root.pointer(reference.trim_start_matches('#')));
        let Some(target) = target else {
            return Err(format!("reference \"{reference}\" is not a child of the root $defs."));
        };
        if references.contains(&reference) {
            return Err("the schema refers to itself.".to_owned());
        }
        node(target, root, &[references, &[reference]].concat(), depth + 1)?;
        return definitions(schema, root, references, depth);
    }
    shape(schema)?;
    let inner = ["items"].into_iter().filter_map(|name| schema.get(name));
    let listed = ["anyOf", "oneOf", "prefixItems"].into_iter().flat_map(|name| list(schema, name));
    let others = schema.get("additionalProperties").filter(|others| !others.is_boolean());
    let named = schema.get("properties").and_then(Value::as_object);
    let named = named.into_iter().flat_map(|named| named.values());
    let mut children = inner.chain(listed).chain(others).chain(named);
    children.try_for_each(|child| node(child, root, references, depth + 1))?;
    definitions(schema, root, references, depth)
}

fn definitions(
    schema: &Value,
    root: &Value,
    references: &[&str],
    depth: usize,
) -> Result<(), String> {
    let named = schema.get("$defs").and_then(Value::as_object);
    let mut named = named.into_iter().flat_map(|named| named.values());
    named.try_for_each(|child| node(child, root, references, depth + 1))
}

/// The rules of one node, its children aside.
fn shape(schema: &Value) -> Result<(), String> {
    let known = |name: &Value| name.as_str().is_some_and(|name| TYPES.contains(&name));
    match schema.get("type") {
        Some(Value::Array(names)) if !names.is_empty() && names.iter().all(known) => {}
        Some(name) if known(name) => {}
        Some(other) => return Err(format!("type {other} is not known.")),
        None if schema.get("anyOf").or(schema.get("oneOf")).is_some() => {}
        None => return Err("type: missing field.".to_owned()),
    }
    let has = |name: &str| schema.get(name).is_some();
    if has_type(schema, "array") && !has("items") && !has("prefixItems") {
        return Err("items: missing field.".to_owned());
    }
    let values = list(schema, "enum");
    if values.iter().any(|value| !value.is_string() && !value.is_number()) {
        return Err("enum: only strings and numbers are supported.".to_owned());
    }
    let named = schema.get("properties").and_then(Value::as_object);
    let is_property = |name: &Value| {
        name.as_str().is_some_and(|name| named.is_some_and(|named| named.contains_key(name)))
    };
    match list(schema, "required").iter().position(|name| !is_property(name)) {
        Some(at) => Err(format!("required[{at}]: property is not defined.")),
        None => Ok(()),
    }
}
