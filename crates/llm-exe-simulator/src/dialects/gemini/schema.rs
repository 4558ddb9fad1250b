//! Validates a schema against the rules of Gemini's structured outputs.
//!
//! A keyword that the documentation of `responseJsonSchema` does not list is rejected. The service
//! may ignore some of these keywords; the simulator rejects them all so that callers do not rely on
//! them.

use serde_json::Value;

use crate::dialects::json::{array_field, has_type, unknown_key};

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
const MAX_DEPTH: usize = 64;

/// Rejects a schema that structured outputs do not support.
pub(crate) fn validate(schema: &Value) -> Result<(), String> {
    validate_node(schema, schema, &[], 0)
}

fn validate_node(
    schema: &Value,
    root: &Value,
    references: &[&str],
    depth: usize,
) -> Result<(), String> {
    let Some(fields) = schema.as_object() else {
        return Err("a schema must be an object.".to_owned());
    };
    if depth > MAX_DEPTH {
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
            return Err("no other properties may be set together with $ref.".to_owned());
        }
        let name = reference.strip_prefix("#/$defs/");
        let target = name.and_then(|_| root.pointer(reference.trim_start_matches('#')));
        let Some(target) = target else {
            return Err(format!("reference \"{reference}\" is not a child of the root $defs."));
        };
        if references.contains(&reference) {
            return Err("the schema refers to itself.".to_owned());
        }
        validate_node(target, root, &[references, &[reference]].concat(), depth + 1)?;
        return validate_definitions(schema, root, references, depth);
    }
    validate_keywords(schema)?;
    let items = schema.get("items").into_iter();
    let arrays = ["anyOf", "oneOf", "prefixItems"].into_iter();
    let arrays = arrays.flat_map(|name| array_field(schema, name));
    let additional = schema.get("additionalProperties").filter(|child| !child.is_boolean());
    let properties = schema.get("properties").and_then(Value::as_object);
    let properties = properties.into_iter().flat_map(|properties| properties.values());
    let mut children = items.chain(arrays).chain(additional).chain(properties);
    children.try_for_each(|child| validate_node(child, root, references, depth + 1))?;
    validate_definitions(schema, root, references, depth)
}

fn validate_definitions(
    schema: &Value,
    root: &Value,
    references: &[&str],
    depth: usize,
) -> Result<(), String> {
    let definitions = schema.get("$defs").and_then(Value::as_object);
    let mut definitions = definitions.into_iter().flat_map(|definitions| definitions.values());
    definitions.try_for_each(|child| validate_node(child, root, references, depth + 1))
}

/// Checks the keywords of a schema node, but not its children.
fn validate_keywords(schema: &Value) -> Result<(), String> {
    let is_type = |name: &Value| name.as_str().is_some_and(|name| TYPES.contains(&name));
    match schema.get("type") {
        Some(Value::Array(names)) if !names.is_empty() && names.iter().all(is_type) => {}
        Some(name) if is_type(name) => {}
        Some(other) => return Err(format!("type {other} is not known.")),
        None if schema.get("anyOf").or(schema.get("oneOf")).is_some() => {}
        None => return Err("type: missing field.".to_owned()),
    }
    let has = |name: &str| schema.get(name).is_some();
    if has_type(schema, "array") && !has("items") && !has("prefixItems") {
        return Err("items: missing field.".to_owned());
    }
    let values = array_field(schema, "enum");
    if values.iter().any(|value| !value.is_string() && !value.is_number()) {
        return Err("enum: only strings and numbers are supported.".to_owned());
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let is_property = |name: &Value| {
        properties.zip(name.as_str()).is_some_and(|(named, name)| named.contains_key(name))
    };
    match array_field(schema, "required").iter().position(|name| !is_property(name)) {
        Some(at) => Err(format!("required[{at}]: property is not defined.")),
        None => Ok(()),
    }
}
