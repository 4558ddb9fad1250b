//! What Anthropic's structured outputs refuse in a schema.
//! <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>
//!
//! In: a schema. Out: nothing, or the reason in Anthropic's words.

use super::super::check::{has_type, list};
use serde_json::Value;

const REFUSED: &[&str] = &[
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "patternProperties",
    "propertyNames",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedProperties",
    "unevaluatedItems",
];
/// Type, and the constraints that it may not have.
const CONSTRAINTS: &[(&str, &[&str])] = &[
    ("integer", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    ("string", &["minLength", "maxLength"]),
    ("array", &["maxItems", "uniqueItems", "contains", "minContains", "maxContains"]),
    ("object", &["minProperties", "maxProperties"]),
];
const FORMATS: &[&str] =
    &["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];
/// What the engine behind `pattern` can't do: looking around, word boundaries, repeating a group.
const PATTERN_REFUSED: &[&str] = &["(?=", "(?!", "(?<=", "(?<!", "\\b", "\\B", "\\1", "\\2"];
const DEEPEST: usize = 64;

/// Refuses what structured outputs refuse.
pub(crate) fn refuse(schema: &Value) -> Result<(), String> {
    node(schema, schema, &[], 0)
}

fn node(schema: &Value, root: &Value, references: &[&str], depth: usize) -> Result<(), String> {
    let fields = match schema {
        Value::Object(fields) => fields,
        Value::Bool(_) => return Ok(()),
        _ => return Err("a schema must be an object or a boolean".to_owned()),
    };
    if depth > DEEPEST {
        return Err("Schema is too deeply nested".to_owned());
    }
    if let Some(refused) = REFUSED.iter().find(|name| fields.contains_key(**name)) {
        return Err(format!("Schema keyword '{refused}' is not supported"));
    }
    for (kind, refused) in CONSTRAINTS {
        let given: Vec<&str> =
            refused.iter().copied().filter(|name| fields.contains_key(*name)).collect();
        if !given.is_empty() && (has_type(schema, kind) || !fields.contains_key("type")) {
            let given = given.join(", ");
            return Err(format!("For '{kind}' type, properties {given} are not supported"));
        }
    }
    closed(schema)?;
    values(schema)?;
    if let Some(reference) = schema.get("$ref") {
        let reference = reference.as_str().unwrap_or_default();
        let Some(target) = reference.strip_prefix('#').and_then(|at| root.pointer(at)) else {
            return Err(format!("Reference '{reference}' is external or can't be resolved"));
        };
        if references.contains(&reference) {
            return Err(
                "Circular reference detected: recursive schemas are not supported".to_owned()
            );
        }
        node(target, root, &[references, &[reference]].concat(), depth + 1)?;
    }
    children(schema).try_for_each(|child| node(child, root, references, depth + 1))
}

fn closed(schema: &Value) -> Result<(), String> {
    if !has_type(schema, "object") && schema.get("properties").is_none() {
        return Ok(());
    }
    match schema.get("additionalProperties") {
        Some(Value::Bool(false)) => Ok(()),
        None => {
            Err("For 'object' type, 'additionalProperties' must be explicitly set to false"
                .to_owned())
        }
        Some(other) => Err(format!(
            "For 'object' type, 'additionalProperties: {other}' is not supported. Please set \
             'additionalProperties' to false"
        )),
    }
}

fn values(schema: &Value) -> Result<(), String> {
    if let Some(least) = schema.get("minItems")
        && !matches!(least.as_u64(), Some(0 | 1))
    {
        return Err(
            "For 'array' type, 'minItems' values other than 0 or 1 are not supported".to_owned()
        );
    }
    if list(schema, "enum").iter().any(|value| value.is_object() || value.is_array()) {
        return Err("Enum values must be strings, numbers, booleans or null".to_owned());
    }
    if let Some(format) = schema.get("format").and_then(Value::as_str)
        && !FORMATS.contains(&format)
    {
        return Err(format!("For 'string' type, format '{format}' is not supported"));
    }
    let pattern = schema.get("pattern").and_then(Value::as_str).unwrap_or_default();
    match PATTERN_REFUSED.iter().find(|refused| pattern.contains(**refused)) {
        Some(refused) => Err(format!("For 'string' type, pattern with {refused} is not supported")),
        None => Ok(()),
    }
}

fn children(schema: &Value) -> impl Iterator<Item = &Value> {
    let named = ["properties", "$defs", "definitions"]
        .into_iter()
        .filter_map(|name| schema.get(name)?.as_object())
        .flat_map(|named| named.values());
    let listed = ["anyOf", "allOf", "prefixItems"].into_iter().flat_map(|name| list(schema, name));
    named.chain(listed).chain(schema.get("items"))
}
