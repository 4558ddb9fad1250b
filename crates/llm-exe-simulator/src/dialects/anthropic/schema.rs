//! Validates a schema against the rules of Anthropic's structured outputs. The error messages are
//! Anthropic's.
//! <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>

use serde_json::Value;

use crate::dialects::json::{array_field, has_type};

const UNSUPPORTED: &[&str] = &[
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
/// Types, each with the constraints that are not supported for it.
const UNSUPPORTED_CONSTRAINTS: &[(&str, &[&str])] = &[
    ("integer", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    ("string", &["minLength", "maxLength"]),
    ("array", &["maxItems", "uniqueItems", "contains", "minContains", "maxContains"]),
    ("object", &["minProperties", "maxProperties"]),
];
const FORMATS: &[&str] =
    &["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];
/// Regex syntax that `pattern` does not support: lookaround, word boundaries and back-references.
const UNSUPPORTED_IN_PATTERN: &[&str] = &["(?=", "(?!", "(?<=", "(?<!", "\\b", "\\B", "\\1", "\\2"];
const MAX_DEPTH: usize = 64;
/// Maximum number of properties that are not required.
const MAX_OPTIONAL: usize = 24;
/// Maximum number of schemas with `anyOf` or with a list of types.
const MAX_UNIONS: usize = 16;
/// The error for a schema above these limits (anthropics/claude-code#55539).
const TOO_LARGE: &str = "The compiled grammar is too large, which would cause performance issues. \
                         Simplify your tool schemas or reduce the number of strict tools.";

/// Rejects a schema that structured outputs do not support.
pub(crate) fn validate(schema: &Value) -> Result<(), String> {
    validate_node(schema, schema, &[], 0)?;
    let mut size = Size::default();
    size.add(schema);
    if size.optional > MAX_OPTIONAL || size.unions > MAX_UNIONS {
        return Err(TOO_LARGE.to_owned());
    }
    Ok(())
}

/// What the size of a schema's grammar depends on.
#[derive(Default)]
struct Size {
    optional: usize,
    unions: usize,
}

impl Size {
    fn add(&mut self, schema: &Value) {
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            let required = array_field(schema, "required");
            let optional = |name: &&String| !required.iter().any(|known| known == name.as_str());
            self.optional += properties.keys().filter(optional).count();
        }
        let has_types = schema.get("type").is_some_and(Value::is_array);
        self.unions += usize::from(has_types || schema.get("anyOf").is_some());
        children(schema).for_each(|child| self.add(child));
    }
}

fn validate_node(
    schema: &Value,
    root: &Value,
    references: &[&str],
    depth: usize,
) -> Result<(), String> {
    let fields = match schema {
        Value::Object(fields) => fields,
        Value::Bool(_) => return Ok(()),
        _ => return Err("a schema must be an object or a boolean".to_owned()),
    };
    if depth > MAX_DEPTH {
        return Err("Schema is too deeply nested".to_owned());
    }
    if let Some(keyword) = UNSUPPORTED.iter().find(|name| fields.contains_key(**name)) {
        return Err(format!("Schema keyword '{keyword}' is not supported"));
    }
    for (kind, constraints) in UNSUPPORTED_CONSTRAINTS {
        let present: Vec<&str> =
            constraints.iter().copied().filter(|name| fields.contains_key(*name)).collect();
        if !present.is_empty() && (has_type(schema, kind) || !fields.contains_key("type")) {
            let present = present.join(", ");
            return Err(format!("For '{kind}' type, properties {present} are not supported"));
        }
    }
    validate_additional_properties(schema)?;
    validate_keyword_values(schema)?;
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
        validate_node(target, root, &[references, &[reference]].concat(), depth + 1)?;
    }
    children(schema).try_for_each(|child| validate_node(child, root, references, depth + 1))
}

fn validate_additional_properties(schema: &Value) -> Result<(), String> {
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

fn validate_keyword_values(schema: &Value) -> Result<(), String> {
    if let Some(min_items) = schema.get("minItems")
        && !matches!(min_items.as_u64(), Some(0 | 1))
    {
        return Err(
            "For 'array' type, 'minItems' values other than 0 or 1 are not supported".to_owned()
        );
    }
    if array_field(schema, "enum").iter().any(|value| value.is_object() || value.is_array()) {
        return Err("Enum values must be strings, numbers, booleans or null".to_owned());
    }
    if let Some(format) = schema.get("format").and_then(Value::as_str)
        && !FORMATS.contains(&format)
    {
        return Err(format!("For 'string' type, format '{format}' is not supported"));
    }
    let pattern = schema.get("pattern").and_then(Value::as_str).unwrap_or_default();
    match UNSUPPORTED_IN_PATTERN.iter().find(|syntax| pattern.contains(**syntax)) {
        Some(syntax) => Err(format!("For 'string' type, pattern with {syntax} is not supported")),
        None => Ok(()),
    }
}

fn children(schema: &Value) -> impl Iterator<Item = &Value> {
    let named = ["properties", "$defs", "definitions"]
        .into_iter()
        .filter_map(|name| schema.get(name)?.as_object())
        .flat_map(|named| named.values());
    let listed =
        ["anyOf", "allOf", "prefixItems"].into_iter().flat_map(|name| array_field(schema, name));
    named.chain(listed).chain(schema.get("items"))
}
