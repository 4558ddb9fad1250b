//! The form of a schema that OpenAI's strict mode takes.
//!
//! Strict mode asks for closed objects with every property required, and knows few keywords
//! (<https://platform.openai.com/docs/guides/structured-outputs>). A schema qualifies when it is
//! so already, or differs only in annotations, which accept and refuse nothing.

use serde_json::{Map, Value, json};

/// Keywords that are passed on.
const KEPT: &[&str] = &[
    "type",
    "enum",
    "const",
    "description",
    "title",
    "$ref",
    "pattern",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minItems",
    "maxItems",
];
/// Annotations that are left out: they accept and refuse nothing.
const ANNOTATIONS: &[&str] =
    &["default", "examples", "$schema", "$id", "$comment", "deprecated", "readOnly", "writeOnly"];
/// Formats that strict mode knows; others are left out, since `format` is never asserted here.
const FORMATS: &[&str] =
    &["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];
const MOST_LEVELS: usize = 10;
const MOST_PROPERTIES: usize = 5000;
const MOST_ENUM_VALUES: usize = 1000;

/// The schema as strict mode takes it, or `None` where that would change what it accepts.
pub fn strict(schema: &Value) -> Option<Value> {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return None;
    }
    let mut counts = Counts { properties: 0, enum_values: 0 };
    node(schema, 1, &mut counts)
}

struct Counts {
    properties: usize,
    enum_values: usize,
}

fn node(schema: &Value, level: usize, counts: &mut Counts) -> Option<Value> {
    let rules = schema.as_object()?;
    if level > MOST_LEVELS {
        return None;
    }
    if !["type", "anyOf", "$ref", "enum", "const"].iter().any(|key| rules.contains_key(*key)) {
        return None;
    }
    let mut out = Map::new();
    for (key, value) in rules {
        match key.as_str() {
            "properties" | "required" | "additionalProperties" => {}
            "items" => {
                out.insert(key.clone(), node(value, level + 1, counts)?);
            }
            "anyOf" if level > 1 => {
                let forms: Option<Vec<Value>> =
                    value.as_array()?.iter().map(|one| node(one, level, counts)).collect();
                out.insert(key.clone(), Value::Array(forms?));
            }
            "$defs" | "definitions" => {
                out.insert(key.clone(), definitions(value, counts)?);
            }
            "format" => {
                if value.as_str().is_some_and(|format| FORMATS.contains(&format)) {
                    out.insert(key.clone(), value.clone());
                }
            }
            "$ref" if !value.as_str().is_some_and(|target| target.starts_with('#')) => return None,
            key if ANNOTATIONS.contains(&key) => {}
            key if KEPT.contains(&key) => {
                out.insert(key.to_owned(), value.clone());
            }
            _ => return None,
        }
    }
    counts.enum_values += rules.get("enum").and_then(Value::as_array).map_or(0, Vec::len);
    if counts.enum_values > MOST_ENUM_VALUES {
        return None;
    }
    let may_be = |name: &str| match rules.get("type") {
        Some(Value::String(only)) => only == name,
        Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(name)),
        _ => false,
    };
    if may_be("array") && !rules.contains_key("items") {
        return None;
    }
    if may_be("object") {
        object(rules, &mut out, level, counts)?;
    } else if rules.contains_key("properties") || rules.contains_key("additionalProperties") {
        return None;
    }
    Some(Value::Object(out))
}

fn definitions(value: &Value, counts: &mut Counts) -> Option<Value> {
    let mut out = Map::new();
    for (name, definition) in value.as_object()? {
        out.insert(name.clone(), node(definition, 2, counts)?);
    }
    Some(Value::Object(out))
}

fn object(
    rules: &Map<String, Value>,
    out: &mut Map<String, Value>,
    level: usize,
    counts: &mut Counts,
) -> Option<()> {
    if rules.get("additionalProperties") != Some(&Value::Bool(false)) {
        return None;
    }
    let none = Map::new();
    let properties = match rules.get("properties") {
        None => &none,
        Some(properties) => properties.as_object()?,
    };
    counts.properties += properties.len();
    if counts.properties > MOST_PROPERTIES {
        return None;
    }
    let required = rules.get("required").and_then(Value::as_array);
    let is_required =
        |name: &str| required.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(name)));
    let mut written = Map::new();
    for (name, property) in properties {
        if !is_required(name) {
            return None;
        }
        written.insert(name.clone(), node(property, level + 1, counts)?);
    }
    // A required name that is no property could never be answered: the schema accepts nothing.
    if required.is_some_and(|all| all.len() != properties.len()) {
        return None;
    }
    out.insert("properties".to_owned(), Value::Object(written));
    out.insert("required".to_owned(), json!(properties.keys().collect::<Vec<_>>()));
    out.insert("additionalProperties".to_owned(), json!(false));
    Some(())
}
