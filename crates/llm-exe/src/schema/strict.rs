//! Rewrites a schema for OpenAI's strict mode.
//!
//! Strict mode requires closed objects with every property required, a type at every node and no
//! keyword next to a `$ref`, and it supports few keywords
//! (<https://platform.openai.com/docs/guides/structured-outputs>). A schema is only rewritten if
//! the result accepts the same values. Annotations are removed, since they accept and reject
//! nothing. Patterns that the service rejects move into the description, and the reply is validated
//! against the original schema.

use jsonschema::Draft;
use serde_json::{Map, Value, json};

use super::form::write_description;
use super::pattern::has_lookaround;
use super::reference::referenced;
use super::validator::detect_draft;

/// Keywords that are sent.
const SENT: &[&str] = &[
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
/// Annotations that are removed.
const REMOVED: &[&str] =
    &["default", "examples", "$schema", "$id", "$comment", "deprecated", "readOnly", "writeOnly"];
/// Annotations that are sent, because the model reads them.
const READ_BY_MODEL: &[&str] = &["description", "title"];
/// Formats that strict mode supports. Others are removed, since this crate does not assert
/// `format`.
const FORMATS: &[&str] =
    &["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];
/// Keywords of objects that depend on each other. Two schemas can only be merged if they have the
/// same values for all of them.
const OBJECT_RULES: &[&str] = &["properties", "additionalProperties", "patternProperties"];
/// Keywords of lists that depend on each other.
const LIST_RULES: &[&str] = &["items", "prefixItems", "additionalItems"];
/// Limits of strict mode.
const MAX_LEVELS: usize = 10;
const MAX_PROPERTIES: usize = 5000;
const MAX_ENUM_VALUES: usize = 1000;
/// Maximum number of nodes of the result. Definitions that replace their references can double it
/// with each level.
const MAX_NODES: usize = 20_000;

type Rules = Map<String, Value>;

/// Returns the schema as strict mode accepts it, or `None` if it can't be rewritten without
/// changing which values it accepts.
pub fn strict(schema: &Value) -> Option<Value> {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return None;
    }
    let mut walk = Walk {
        root: schema,
        // Up to draft-07, validators ignore keywords next to a `$ref`.
        ref_siblings_apply: detect_draft(schema) > Draft::Draft7,
        open: vec!["#".to_owned()],
        properties: 0,
        enum_values: 0,
        nodes: 0,
    };
    walk.node(schema.as_object()?, 1)
}

struct Walk<'a> {
    root: &'a Value,
    ref_siblings_apply: bool,
    /// The references whose definitions are being rewritten.
    open: Vec<String>,
    properties: usize,
    enum_values: usize,
    nodes: usize,
}

impl Walk<'_> {
    fn node(&mut self, rules: &Rules, level: usize) -> Option<Value> {
        self.nodes += 1;
        if level > MAX_LEVELS || self.nodes > MAX_NODES {
            return None;
        }
        if let Some(Value::String(reference)) = rules.get("$ref") {
            return self.reference(rules, reference, level);
        }
        let mut out = Map::new();
        if !["type", "anyOf"].iter().any(|key| rules.contains_key(*key)) {
            out.insert("type".to_owned(), type_of_literals(rules)?);
        }
        let mut notes = Vec::new();
        for (key, value) in rules {
            match key.as_str() {
                "properties" | "required" | "additionalProperties" => {}
                "items" => {
                    out.insert(key.clone(), self.node(value.as_object()?, level + 1)?);
                }
                "anyOf" if level > 1 => {
                    let branches = value.as_array()?.iter();
                    let branches: Option<Vec<Value>> =
                        branches.map(|branch| self.node(branch.as_object()?, level)).collect();
                    out.insert(key.clone(), Value::Array(branches?));
                }
                "$defs" | "definitions" => {
                    out.insert(key.clone(), self.definitions(key, value)?);
                }
                "format" => {
                    if value.as_str().is_some_and(|format| FORMATS.contains(&format)) {
                        out.insert(key.clone(), value.clone());
                    }
                }
                "pattern" if value.as_str().is_some_and(has_lookaround) => {
                    notes.push(format!("{key}: {value}"));
                }
                key if REMOVED.contains(&key) => {}
                key if SENT.contains(&key) => {
                    out.insert(key.to_owned(), value.clone());
                }
                _ => return None,
            }
        }
        write_description(rules.get("description"), &notes, &mut out);
        self.enum_values += rules.get("enum").and_then(Value::as_array).map_or(0, Vec::len);
        if self.enum_values > MAX_ENUM_VALUES {
            return None;
        }
        let may_be = |name: &str| match out.get("type") {
            Some(Value::String(kind)) => kind == name,
            Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == name),
            _ => false,
        };
        if may_be("array") && !rules.contains_key("items") {
            return None;
        }
        if may_be("object") {
            self.object(rules, &mut out, level)?;
        } else if rules.contains_key("properties") || rules.contains_key("additionalProperties") {
            return None;
        }
        Some(Value::Object(out))
    }

    /// Rewrites a reference. If keywords are next to it, the definition replaces it. If the
    /// definition is recursive, annotations next to it are removed instead.
    fn reference(&mut self, rules: &Rules, reference: &str, level: usize) -> Option<Value> {
        let target = referenced(self.root, reference)?.as_object()?;
        let siblings: Vec<(&String, &Value)> =
            rules.iter().filter(|(key, _)| self.is_ref_sibling(key)).collect();
        let recursive = self.open.iter().any(|open| open == reference);
        if !siblings.is_empty() && !recursive {
            let mut merged = merged(target, &siblings)?;
            for key in ["$defs", "definitions"] {
                merged.extend(rules.get(key).map(|all| (key.to_owned(), all.clone())));
            }
            self.open.push(reference.to_owned());
            let node = self.node(&merged, level);
            self.open.pop();
            return node;
        }
        if siblings.iter().any(|(key, _)| !READ_BY_MODEL.contains(&key.as_str())) {
            return None;
        }
        let mut out = Map::new();
        out.insert("$ref".to_owned(), json!(reference));
        for key in ["$defs", "definitions"] {
            if let Some(all) = rules.get(key) {
                out.insert(key.to_owned(), self.definitions(key, all)?);
            }
        }
        Some(Value::Object(out))
    }

    /// Whether a keyword next to a `$ref` must be sent.
    fn is_ref_sibling(&self, key: &str) -> bool {
        match key {
            "$ref" | "$defs" | "definitions" => false,
            _ if REMOVED.contains(&key) => false,
            _ => self.ref_siblings_apply || READ_BY_MODEL.contains(&key),
        }
    }

    fn definitions(&mut self, keyword: &str, value: &Value) -> Option<Value> {
        let mut out = Map::new();
        for (name, definition) in value.as_object()? {
            self.open.push(format!("#/{keyword}/{name}"));
            let node = self.node(definition.as_object()?, 2);
            self.open.pop();
            out.insert(name.clone(), node?);
        }
        Some(Value::Object(out))
    }

    fn object(&mut self, rules: &Rules, out: &mut Rules, level: usize) -> Option<()> {
        if rules.get("additionalProperties") != Some(&Value::Bool(false)) {
            return None;
        }
        let none = Map::new();
        let properties = match rules.get("properties") {
            None => &none,
            Some(properties) => properties.as_object()?,
        };
        self.properties += properties.len();
        if self.properties > MAX_PROPERTIES {
            return None;
        }
        let required = rules.get("required").and_then(Value::as_array);
        let is_required =
            |name: &str| required.is_some_and(|all| all.iter().any(|required| required == name));
        let mut written = Map::new();
        for (name, property) in properties {
            if !is_required(name) {
                return None;
            }
            written.insert(name.clone(), self.node(property.as_object()?, level + 1)?);
        }
        // A required name that is not a property makes the closed object unsatisfiable.
        if required.is_some_and(|all| all.len() != properties.len()) {
            return None;
        }
        out.insert("properties".to_owned(), Value::Object(written));
        out.insert("required".to_owned(), json!(properties.keys().collect::<Vec<_>>()));
        out.insert("additionalProperties".to_owned(), json!(false));
        Some(())
    }
}

/// Merges a definition with the keywords next to a reference to it. Returns `None` if one schema
/// can't express both.
fn merged(target: &Rules, siblings: &[(&String, &Value)]) -> Option<Rules> {
    let sibling = |name: &str| {
        let sibling = siblings.iter().find(|(key, _)| *key == name);
        sibling.map(|(_, value)| *value)
    };
    for group in [OBJECT_RULES, LIST_RULES] {
        let both = group.iter().any(|rule| target.contains_key(*rule))
            && group.iter().any(|rule| sibling(rule).is_some());
        if both && group.iter().any(|rule| target.get(*rule) != sibling(rule)) {
            return None;
        }
    }
    let mut merged = target.clone();
    for key in ["$defs", "definitions"] {
        merged.shift_remove(key);
    }
    for (key, value) in siblings {
        let value = match (key.as_str(), target.get(*key)) {
            (key, Some(_)) if READ_BY_MODEL.contains(&key) => (*value).clone(),
            (_, Some(known)) if known == *value => continue,
            ("required", Some(Value::Array(known))) => {
                let more = value.as_array()?.iter().filter(|name| !known.contains(name));
                known.iter().chain(more).cloned().collect()
            }
            (_, Some(_)) => return None,
            (_, None) => (*value).clone(),
        };
        merged.insert((*key).clone(), value);
    }
    Some(merged)
}

/// The type of an `enum` or a `const` without a type, or `None` if strict mode does not support its
/// literals.
fn type_of_literals(rules: &Rules) -> Option<Value> {
    let values = match (rules.get("const"), rules.get("enum")) {
        (Some(value), _) => std::slice::from_ref(value),
        (None, Some(Value::Array(values))) => values.as_slice(),
        _ => return None,
    };
    let mut types: Vec<&str> = Vec::new();
    for value in values {
        let name = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::String(_) => "string",
            Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
            Value::Number(_) => "number",
            Value::Array(_) | Value::Object(_) => return None,
        };
        if !types.contains(&name) {
            types.push(name);
        }
    }
    if types.contains(&"number") {
        types.retain(|name| *name != "integer");
    }
    match types.as_slice() {
        [] => None,
        [only] => Some(json!(only)),
        several => Some(json!(several)),
    }
}
