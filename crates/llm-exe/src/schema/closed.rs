//! The form of a schema that Anthropic's structured outputs take.
//!
//! Every object is closed, `oneOf` becomes `anyOf`, only `minItems` 0 and 1 stay, and what else
//! constrains a value moves into its description, as the provider's own SDK does it
//! (`@anthropic-ai/sdk` 1.12, `lib/transform-json-schema`).

use serde_json::{Map, Value, json};

use super::referenced;

const FORMATS: &[&str] =
    &["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];
/// Keywords that no description can stand for: the schema is then sent another way.
const NOT_SAYABLE: &[&str] = &["patternProperties", "prefixItems", "$dynamicRef", "$recursiveRef"];
/// Keywords that constrain nothing and are left out.
const ANNOTATIONS: &[&str] = &["$schema", "$id", "$comment", "examples", "deprecated"];

/// The schema as the dialect takes it, or `None` where it can't say it: maps with free keys,
/// recursion, and untyped values.
pub fn closed(schema: &Value) -> Option<Value> {
    if !references_end(schema, schema, &mut Vec::new(), &mut Vec::new()) {
        return None;
    }
    node(schema, 0)
}

/// Whether every `$ref` leads into this document and none leads back to itself. Each target is
/// walked once, however often it is named.
fn references_end<'a>(
    root: &'a Value,
    schema: &'a Value,
    within: &mut Vec<&'a str>,
    done: &mut Vec<&'a str>,
) -> bool {
    if within.len() > 64 {
        return false;
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        if within.contains(&target) {
            return false;
        }
        if !done.contains(&target) {
            let Some(named) = referenced(root, target) else { return false };
            within.push(target);
            let ends = references_end(root, named, within, done);
            within.pop();
            done.push(target);
            if !ends {
                return false;
            }
        }
    }
    match schema {
        Value::Object(rules) => {
            rules.values().all(|inner| references_end(root, inner, within, done))
        }
        Value::Array(items) => items.iter().all(|inner| references_end(root, inner, within, done)),
        _ => true,
    }
}

fn node(schema: &Value, depth: usize) -> Option<Value> {
    let rules = schema.as_object()?;
    if depth > 64 || NOT_SAYABLE.iter().any(|key| rules.contains_key(*key)) {
        return None;
    }
    let mut out = Map::new();
    for key in ["$defs", "definitions"] {
        if let Some(all) = rules.get(key).and_then(Value::as_object) {
            let mut kept = Map::new();
            for (name, definition) in all {
                kept.insert(name.clone(), node(definition, depth + 1)?);
            }
            out.insert(key.to_owned(), Value::Object(kept));
        }
    }
    if let Some(target) = rules.get("$ref") {
        out.insert("$ref".to_owned(), json!(target.as_str()?));
        return Some(Value::Object(out));
    }
    let mut said: Vec<String> = Vec::new();
    kind(rules, &mut out, depth)?;
    for (key, value) in rules {
        match key.as_str() {
            "type" | "enum" | "const" | "anyOf" | "oneOf" | "allOf" | "$defs" | "definitions" => {}
            "properties" | "required" | "additionalProperties" | "items" => {}
            "description" => {}
            "title" => {
                out.insert(key.clone(), value.clone());
            }
            "format" if value.as_str().is_some_and(|format| FORMATS.contains(&format)) => {
                out.insert(key.clone(), value.clone());
            }
            "minItems" if *value == json!(0) || *value == json!(1) => {
                out.insert(key.clone(), value.clone());
            }
            key if ANNOTATIONS.contains(&key) => {}
            _ => said.push(format!("{key}: {value}")),
        }
    }
    describe(rules, said, &mut out);
    Some(Value::Object(out))
}

/// Type, combinators and literals: exactly one of them leads.
fn kind(rules: &Map<String, Value>, out: &mut Map<String, Value>, depth: usize) -> Option<()> {
    for key in ["enum", "const"] {
        if let Some(value) = rules.get(key) {
            out.insert(key.to_owned(), value.clone());
            return Some(());
        }
    }
    for (key, sent) in [("anyOf", "anyOf"), ("oneOf", "anyOf"), ("allOf", "allOf")] {
        if let Some(forms) = rules.get(key) {
            if rules.contains_key("properties") || rules.contains_key("items") {
                return None;
            }
            let forms: Option<Vec<Value>> =
                forms.as_array()?.iter().map(|one| node(one, depth + 1)).collect();
            out.insert(sent.to_owned(), Value::Array(forms?));
            return Some(());
        }
    }
    let kind = rules.get("type")?;
    out.insert("type".to_owned(), kind.clone());
    let is = |name: &str| match kind {
        Value::Array(several) => several.iter().any(|one| one.as_str() == Some(name)),
        one => one.as_str() == Some(name),
    };
    if is("array") {
        out.insert("items".to_owned(), node(rules.get("items")?, depth + 1)?);
    }
    if is("object") {
        object(rules, out, depth)?;
    }
    Some(())
}

fn object(rules: &Map<String, Value>, out: &mut Map<String, Value>, depth: usize) -> Option<()> {
    let properties = rules.get("properties").and_then(Value::as_object);
    let open = rules.get("additionalProperties");
    if matches!(open, Some(Value::Object(_))) {
        return None;
    }
    if properties.is_none_or(Map::is_empty) && open != Some(&Value::Bool(false)) {
        return None;
    }
    let mut kept = Map::new();
    for (name, property) in properties.into_iter().flatten() {
        kept.insert(name.clone(), node(property, depth + 1)?);
    }
    out.insert("properties".to_owned(), Value::Object(kept));
    out.insert("additionalProperties".to_owned(), json!(false));
    if let Some(required) = rules.get("required") {
        out.insert("required".to_owned(), required.clone());
    }
    Some(())
}

fn describe(rules: &Map<String, Value>, said: Vec<String>, out: &mut Map<String, Value>) {
    let written = rules.get("description").and_then(Value::as_str);
    let mut description = written.unwrap_or_default().to_owned();
    if !said.is_empty() {
        if !description.is_empty() {
            description.push_str("\n\n");
        }
        description.push_str(&format!("{{{}}}", said.join(", ")));
    }
    if !description.is_empty() {
        out.insert("description".to_owned(), json!(description));
    }
}
