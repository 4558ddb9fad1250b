//! Rewrites a schema to the subset of JSON Schema that a provider supports.
//!
//! A constraint with an unsupported keyword moves into the description of its subschema. A schema
//! is not rewritten if it contains keywords that a description can't replace.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::reference::referenced;

/// Keywords that are removed because they do not constrain values.
const ANNOTATIONS: &[&str] = &["$schema", "$id", "$comment", "examples", "deprecated"];
/// Maximum nesting depth of a schema and of the references in it.
const MAX_LEVELS: usize = 64;

/// The keywords of a schema object and their values.
type Rules = Map<String, Value>;
/// A keyword, and a function that returns whether the provider supports a value of the keyword.
type SupportedKeyword = (&'static str, fn(&Value) -> bool);

/// The subset of JSON Schema that a provider supports.
pub(super) struct Form {
    /// Keywords that a description can't replace. A schema that contains one of them is not
    /// rewritten.
    pub(super) unsupported: &'static [&'static str],
    /// Keywords that are sent if the provider supports their value.
    pub(super) supported: &'static [SupportedKeyword],
    /// Rewrites the `enum` or `const` of a subschema. Returns `None` if the provider does not
    /// support it; the keyword then moves into the description.
    pub(super) rewrite_literal: fn(&Rules) -> Option<Rules>,
    /// Whether the provider supports `allOf`. Otherwise, an `allOf` is rewritten only if it has a
    /// single branch.
    pub(super) supports_all_of: bool,
    /// Whether the provider requires `"additionalProperties": false` in every object.
    pub(super) closed: bool,
    /// Whether the provider allows definitions only at the root, in `$defs`.
    pub(super) definitions_at_root: bool,
}

impl Form {
    /// Rewrites a schema. Returns `None` if the schema is recursive or the provider does not
    /// support it.
    pub(super) fn rewrite(&self, schema: &Value) -> Option<Value> {
        if !references_are_finite(schema, schema, &mut Vec::new(), &mut HashSet::new()) {
            return None;
        }
        self.rewrite_node(schema, 0)
    }

    fn rewrite_node(&self, schema: &Value, depth: usize) -> Option<Value> {
        let rules = schema.as_object()?;
        if depth > MAX_LEVELS || self.unsupported.iter().any(|key| rules.contains_key(*key)) {
            return None;
        }
        let mut out = Map::new();
        self.rewrite_definitions(rules, &mut out, depth)?;
        if let Some(target) = rules.get("$ref") {
            out.insert("$ref".to_owned(), json!(self.rewrite_reference(target.as_str()?)?));
            return Some(Value::Object(out));
        }
        let mut notes = Vec::new();
        self.rewrite_kind(rules, &mut out, &mut notes, depth)?;
        for (key, value) in rules {
            match key.as_str() {
                "type" | "enum" | "const" | "anyOf" | "oneOf" | "allOf" | "$defs" => {}
                "definitions" | "properties" | "required" | "additionalProperties" => {}
                "items" | "prefixItems" | "description" => {}
                key if self.supports(key, value) => {
                    out.insert(key.to_owned(), value.clone());
                }
                key if ANNOTATIONS.contains(&key) => {}
                _ => notes.push(format!("{key}: {value}")),
            }
        }
        write_description(rules.get("description"), &notes, &mut out);
        Some(Value::Object(out))
    }

    /// Returns whether the provider supports a keyword with this value.
    fn supports(&self, key: &str, value: &Value) -> bool {
        self.supported.iter().any(|(keyword, accepts)| *keyword == key && accepts(value))
    }

    /// Rewrites the definitions in a subschema. Returns `None` if the provider does not support
    /// them.
    fn rewrite_definitions(&self, rules: &Rules, out: &mut Rules, depth: usize) -> Option<()> {
        for key in ["$defs", "definitions"] {
            let Some(all) = rules.get(key).and_then(Value::as_object) else { continue };
            if self.definitions_at_root && depth > 0 {
                return None;
            }
            let sent = if self.definitions_at_root { "$defs" } else { key };
            let rewritten = out.entry(sent).or_insert_with(|| json!({})).as_object_mut()?;
            for (name, definition) in all {
                if rewritten
                    .insert(name.clone(), self.rewrite_node(definition, depth + 1)?)
                    .is_some()
                {
                    return None;
                }
            }
        }
        Some(())
    }

    /// Rewrites the target of a `$ref`, because the definition may have moved to `$defs`.
    fn rewrite_reference(&self, target: &str) -> Option<String> {
        if !self.definitions_at_root {
            return Some(target.to_owned());
        }
        let name = target.strip_prefix("#/$defs/").or(target.strip_prefix("#/definitions/"))?;
        (!name.contains('/')).then(|| format!("#/$defs/{name}"))
    }

    /// Rewrites the keyword that determines which values a subschema accepts: a literal, a
    /// combinator or the type.
    fn rewrite_kind(
        &self,
        rules: &Rules,
        out: &mut Rules,
        notes: &mut Vec<String>,
        depth: usize,
    ) -> Option<()> {
        if let Some(key) = ["enum", "const"].into_iter().find(|key| rules.contains_key(*key)) {
            if let Some(literal) = (self.rewrite_literal)(rules) {
                out.extend(literal);
                return Some(());
            }
            notes.push(format!("{key}: {}", rules.get(key)?));
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            let Some(branches) = rules.get(key) else { continue };
            let branches = branches.as_array()?;
            let is_all_of = key == "allOf" && self.supports_all_of;
            let has_siblings = rules.contains_key("properties") || rules.contains_key("items");
            if has_siblings || key == "allOf" && !is_all_of && branches.len() != 1 {
                return None;
            }
            let branches: Option<Vec<Value>> =
                branches.iter().map(|branch| self.rewrite_node(branch, depth + 1)).collect();
            let sent = if is_all_of { "allOf" } else { "anyOf" };
            out.insert(sent.to_owned(), Value::Array(branches?));
            return Some(());
        }
        let kind = rules.get("type")?;
        out.insert("type".to_owned(), kind.clone());
        let is = |name: &str| match kind {
            Value::Array(types) => types.iter().any(|kind| kind.as_str() == Some(name)),
            kind => kind.as_str() == Some(name),
        };
        if is("array") {
            self.rewrite_list(rules, out, depth)?;
        }
        if is("object") {
            self.rewrite_object(rules, out, notes, depth)?;
        }
        Some(())
    }

    fn rewrite_list(&self, rules: &Rules, out: &mut Rules, depth: usize) -> Option<()> {
        let prefix = rules.get("prefixItems");
        if let Some(prefix) = prefix {
            let items: Option<Vec<Value>> =
                prefix.as_array()?.iter().map(|item| self.rewrite_node(item, depth + 1)).collect();
            out.insert("prefixItems".to_owned(), Value::Array(items?));
        }
        match rules.get("items") {
            None if prefix.is_some() => {}
            items => {
                out.insert("items".to_owned(), self.rewrite_node(items?, depth + 1)?);
            }
        }
        Some(())
    }

    fn rewrite_object(
        &self,
        rules: &Rules,
        out: &mut Rules,
        notes: &mut Vec<String>,
        depth: usize,
    ) -> Option<()> {
        let none = Map::new();
        let properties = rules.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let additional = rules.get("additionalProperties");
        if self.closed {
            let has_free_keys = properties.is_empty() && additional != Some(&Value::Bool(false));
            if has_free_keys || matches!(additional, Some(Value::Object(_))) {
                return None;
            }
        }
        let mut rewritten = Map::new();
        for (name, property) in properties {
            rewritten.insert(name.clone(), self.rewrite_node(property, depth + 1)?);
        }
        if self.closed || !rewritten.is_empty() {
            out.insert("properties".to_owned(), Value::Object(rewritten));
        }
        let additional = match additional {
            _ if self.closed => Some(json!(false)),
            Some(schema @ Value::Object(_)) => Some(self.rewrite_node(schema, depth + 1)?),
            other => other.cloned(),
        };
        out.extend(additional.map(|additional| ("additionalProperties".to_owned(), additional)));
        match rules.get("required") {
            Some(Value::Array(names)) if !self.closed => {
                // The provider rejects a required name that is not a property, so only the
                // description mentions it.
                let is_property =
                    |name: &&Value| name.as_str().is_some_and(|name| properties.contains_key(name));
                let known: Vec<&Value> = names.iter().filter(is_property).collect();
                if known.len() < names.len() {
                    notes.push(format!("required: {}", json!(names)));
                }
                if !known.is_empty() {
                    out.insert("required".to_owned(), json!(known));
                }
            }
            Some(required) => drop(out.insert("required".to_owned(), required.clone())),
            None => {}
        }
        Some(())
    }
}

/// Returns whether every `$ref` refers to this document and no reference is recursive. Each target
/// is visited once.
fn references_are_finite<'a>(
    root: &'a Value,
    schema: &'a Value,
    path: &mut Vec<&'a str>,
    visited: &mut HashSet<&'a str>,
) -> bool {
    if path.len() > MAX_LEVELS {
        return false;
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        if path.contains(&target) {
            return false;
        }
        if !visited.contains(target) {
            let Some(definition) = referenced(root, target) else { return false };
            path.push(target);
            let finite = references_are_finite(root, definition, path, visited);
            path.pop();
            visited.insert(target);
            if !finite {
                return false;
            }
        }
    }
    match schema {
        Value::Object(rules) => {
            rules.values().all(|inner| references_are_finite(root, inner, path, visited))
        }
        Value::Array(items) => {
            items.iter().all(|inner| references_are_finite(root, inner, path, visited))
        }
        _ => true,
    }
}

/// Writes the description of a subschema: the original description, followed by the constraints
/// that the provider has no keyword for.
pub(super) fn write_description(original: Option<&Value>, notes: &[String], out: &mut Rules) {
    let mut description = original.and_then(Value::as_str).unwrap_or_default().to_owned();
    if !notes.is_empty() {
        if !description.is_empty() {
            description.push_str("\n\n");
        }
        description.push_str(&format!("{{{}}}", notes.join(", ")));
    }
    if !description.is_empty() {
        out.insert("description".to_owned(), json!(description));
    }
}
