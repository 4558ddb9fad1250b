//! Rewrites a schema for OpenAI's strict mode.
//!
//! Strict mode supports few keywords
//! (<https://platform.openai.com/docs/guides/structured-outputs>). Objects must be closed, all
//! properties must be required, every subschema must have a type, and a `$ref` must not have other
//! keywords next to it.
//!
//! A schema is rewritten only if it still accepts the same values. The only exception is patterns
//! that OpenAI rejects: they move into a description for the model, and the reply is still
//! validated against the original schema.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::draft_2020_12::to_draft_2020_12;
use super::form::write_description;
use super::merge::{OBJECT_RULES, READABLE, merge};
use super::pattern::has_lookaround;
use super::reference::referenced;
use super::size::SizeBudget;

const MAX_LEVELS: usize = 10;
const MAX_PROPERTIES: usize = 5000;
const MAX_ENUM_VALUES: usize = 1000;
/// Maximum number of characters in the names of properties and definitions and in the values of
/// `enum` and `const`.
const MAX_CHARS: usize = 120_000;
/// Maximum number of values in an `enum` whose characters are not limited.
const UNLIMITED_ENUM_VALUES: usize = 250;
/// Maximum number of characters in an `enum` with more than [`UNLIMITED_ENUM_VALUES`] values.
const MAX_ENUM_CHARS: usize = 15_000;

type Rules = Map<String, Value>;

/// Returns whether strict mode supports a keyword.
fn is_supported(keyword: &str) -> bool {
    matches!(
        keyword,
        "type"
            | "enum"
            | "const"
            | "description"
            | "title"
            | "$ref"
            | "pattern"
            | "multipleOf"
            | "minimum"
            | "maximum"
            | "exclusiveMinimum"
            | "exclusiveMaximum"
            | "minItems"
            | "maxItems"
    )
}

/// Returns whether a keyword is removed because it does not affect validation.
fn is_removed(keyword: &str) -> bool {
    matches!(
        keyword,
        "default" | "examples" | "$schema" | "$comment" | "deprecated" | "readOnly" | "writeOnly"
    )
}

/// Returns whether strict mode supports a format. Other formats are removed, which does not change
/// the meaning of the schema because this crate never validates `format`.
fn is_supported_format(name: &str) -> bool {
    matches!(
        name,
        "date-time"
            | "time"
            | "date"
            | "duration"
            | "email"
            | "hostname"
            | "ipv4"
            | "ipv6"
            | "uuid"
    )
}

/// Rewrites a schema to the form that strict mode requires. Returns `None` if this would change
/// which values the schema accepts, or if the result would be too large.
pub fn strict(schema: &Value) -> Option<Value> {
    let schema = &*to_draft_2020_12(schema);
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return None;
    }
    let form = [true, false].into_iter().find_map(|keep_descriptions| {
        let mut rewriter = StrictRewriter {
            root: schema,
            keep_descriptions,
            in_progress: vec!["#".to_owned()],
            properties: 0,
            enum_values: 0,
            chars: 0,
            budget: SizeBudget::new(),
        };
        rewriter.rewrite_node(schema.as_object()?, 1)
    })?;
    (form.get("type").and_then(Value::as_str) == Some("object")).then_some(form)
}

struct StrictRewriter<'a> {
    root: &'a Value,
    /// Whether to inline the definition of a `$ref` that has a description next to it. This
    /// preserves the description, but many copies of a large definition can exceed the limits.
    keep_descriptions: bool,
    /// The references whose definitions are being rewritten, to detect recursion.
    in_progress: Vec<String>,
    properties: usize,
    enum_values: usize,
    chars: usize,
    budget: SizeBudget,
}

impl StrictRewriter<'_> {
    fn rewrite_node(&mut self, rules: &Rules, level: usize) -> Option<Value> {
        self.budget.charge_node()?;
        if level > MAX_LEVELS {
            return None;
        }
        if let Some(Value::String(reference)) = rules.get("$ref") {
            return self.rewrite_reference(rules, reference, level);
        }
        if let Some(rules) = self.merge_single_all_of(rules) {
            return self.rewrite_node(&rules, level);
        }
        // A nested `$id` changes the base URI of the references below it.
        if level > 1 && rules.contains_key("$id") {
            return None;
        }
        let mut out = Map::new();
        if !["type", "anyOf"].iter().any(|key| rules.contains_key(*key)) {
            out.insert("type".to_owned(), infer_literal_type(rules)?);
        }
        self.charge_copied(rules)?;
        let literals = filter_literals(rules)?;
        let mut moved = Vec::new();
        for (key, value) in rules {
            match key.as_str() {
                "properties" | "required" | "additionalProperties" | "$id" => {}
                "enum" | "const" => {
                    out.insert(key.clone(), literals.get(key)?.clone());
                }
                "items" => {
                    out.insert(key.clone(), self.rewrite_node(value.as_object()?, level + 1)?);
                }
                "anyOf" if level > 1 => {
                    let branches = value.as_array()?.iter();
                    let branches: Option<Vec<Value>> = branches
                        .map(|branch| self.rewrite_node(branch.as_object()?, level))
                        .collect();
                    out.insert(key.clone(), Value::Array(branches?));
                }
                "$defs" | "definitions" => {
                    out.insert(key.clone(), self.rewrite_definitions(key, value)?);
                }
                "format" => {
                    if value.as_str().is_some_and(is_supported_format) {
                        out.insert(key.clone(), value.clone());
                    }
                }
                "pattern" if value.as_str().is_some_and(has_lookaround) => {
                    moved.push(self.budget.note(key, value)?);
                }
                key if is_removed(key) => {}
                key if is_supported(key) => {
                    out.insert(key.to_owned(), value.clone());
                }
                _ => return None,
            }
        }
        write_description(rules.get("description"), &moved, &mut out);
        self.count_literals(&literals)?;
        if may_be(&out, "array") && !rules.contains_key("items") {
            return None;
        }
        if may_be(&out, "object") {
            self.rewrite_object(rules, &mut out, level)?;
        } else if OBJECT_RULES.iter().chain(&["required"]).any(|rule| rules.contains_key(*rule)) {
            return None;
        }
        Some(Value::Object(out))
    }

    /// Rewrites a schema that contains a `$ref`. If there are other keywords next to the `$ref`,
    /// they are merged into a copy of its definition, which replaces the `$ref`.
    ///
    /// A recursive definition can't be copied. In that case, a description next to the `$ref` is
    /// dropped, and any other keyword makes the schema unsupported.
    fn rewrite_reference(&mut self, rules: &Rules, reference: &str, level: usize) -> Option<Value> {
        let target = referenced(self.root, reference)?.as_object()?;
        let siblings: Vec<(&String, &Value)> =
            rules.iter().filter(|(key, _)| is_ref_sibling(key)).collect();
        let is_recursive = self.in_progress.iter().any(|open| open == reference);
        let only_descriptions = siblings.iter().all(|(key, _)| READABLE.contains(&key.as_str()));
        // The root must have its own `type`, so a `$ref` at the root is always replaced.
        let has_siblings = !only_descriptions || self.keep_descriptions && !siblings.is_empty();
        if (has_siblings || level == 1) && !is_recursive {
            let mut merged = merge(target, siblings.iter().copied(), &self.budget)?;
            for key in ["$defs", "definitions"] {
                if let Some(all) = rules.get(key) {
                    merged.insert(key.to_owned(), self.budget.copy(all)?);
                }
            }
            self.in_progress.push(reference.to_owned());
            let node = self.rewrite_node(&merged, level);
            self.in_progress.pop();
            return node;
        }
        if !only_descriptions {
            return None;
        }
        self.budget.charge_bytes(reference.len())?;
        let mut out = Map::new();
        out.insert("$ref".to_owned(), json!(reference));
        for key in ["$defs", "definitions"] {
            if let Some(all) = rules.get(key) {
                out.insert(key.to_owned(), self.rewrite_definitions(key, all)?);
            }
        }
        Some(Value::Object(out))
    }

    /// Merges an `allOf` with a single branch into the schema. Generators write such an `allOf` to
    /// add a description to a reference. Returns `None` if they can't be merged.
    fn merge_single_all_of(&self, rules: &Rules) -> Option<Rules> {
        let [Value::Object(branch)] = rules.get("allOf")?.as_array()?.as_slice() else {
            return None;
        };
        let siblings = rules.iter().filter(|(key, _)| *key != "allOf");
        merge(branch, siblings, &self.budget)
    }

    /// Counts the keywords of a schema that are copied as they are.
    fn charge_copied(&self, rules: &Rules) -> Option<()> {
        let is_copied =
            |key: &str| is_supported(key) || ["format", "required", "$id"].contains(&key);
        let mut copied = rules.iter().filter(|(key, _)| is_copied(key));
        copied.try_for_each(|(key, value)| self.budget.charge_field(key, value))
    }

    /// Counts the values of the `enum` and `const` of a schema. Returns `None` if there are too
    /// many.
    fn count_literals(&mut self, literals: &Rules) -> Option<()> {
        let chars = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
        let values = literals.get("enum").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let enum_chars: usize = values.iter().map(chars).sum();
        let is_large = values.len() > UNLIMITED_ENUM_VALUES && enum_chars > MAX_ENUM_CHARS;
        self.enum_values += values.len();
        self.chars += enum_chars + literals.get("const").map_or(0, chars);
        let fits = self.enum_values <= MAX_ENUM_VALUES && self.chars <= MAX_CHARS && !is_large;
        fits.then_some(())
    }

    /// Counts the characters of names. Returns `None` if there are too many.
    fn count_names(&mut self, named: &Rules) -> Option<()> {
        self.chars += named.keys().map(|name| name.chars().count()).sum::<usize>();
        named.keys().try_for_each(|name| self.budget.charge_bytes(name.len()))?;
        (self.chars <= MAX_CHARS).then_some(())
    }

    fn rewrite_definitions(&mut self, keyword: &str, value: &Value) -> Option<Value> {
        let mut out = Map::new();
        self.count_names(value.as_object()?)?;
        for (name, definition) in value.as_object()? {
            self.in_progress.push(format!("#/{keyword}/{name}"));
            let node = self.rewrite_node(definition.as_object()?, 2);
            self.in_progress.pop();
            out.insert(name.clone(), node?);
        }
        Some(Value::Object(out))
    }

    fn rewrite_object(&mut self, rules: &Rules, out: &mut Rules, level: usize) -> Option<()> {
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
        self.count_names(properties)?;
        let required = rules.get("required").and_then(Value::as_array);
        // A closed object can't contain a required property that `properties` does not list, so no
        // reply would be valid.
        if required.map_or(0, Vec::len) != properties.len() {
            return None;
        }
        let required: HashSet<&str> =
            required.into_iter().flatten().filter_map(Value::as_str).collect();
        let mut written = Map::new();
        for (name, property) in properties {
            if !required.contains(name.as_str()) {
                return None;
            }
            written.insert(name.clone(), self.rewrite_node(property.as_object()?, level + 1)?);
        }
        out.insert("properties".to_owned(), Value::Object(written));
        out.insert("required".to_owned(), json!(properties.keys().collect::<Vec<_>>()));
        out.insert("additionalProperties".to_owned(), json!(false));
        Some(())
    }
}

/// Returns whether a keyword next to a `$ref` must be preserved.
fn is_ref_sibling(key: &str) -> bool {
    !["$ref", "$defs", "definitions", "$id"].contains(&key) && !is_removed(key)
}

/// Returns whether the `type` of a schema allows values of the named type.
fn may_be(rules: &Rules, name: &str) -> bool {
    match rules.get("type") {
        Some(Value::String(only)) => only == name,
        Some(Value::Array(several)) => several.iter().any(|kind| kind == name),
        _ => false,
    }
}

/// Returns the `enum` and `const` of a schema without the values that its type excludes. Returns
/// `None` if strict mode does not support them.
fn filter_literals(rules: &Rules) -> Option<Rules> {
    let is_scalar = |value: &Value| !value.is_array() && !value.is_object();
    let may_be = |value: &Value| match rules.get("type") {
        None => true,
        Some(Value::Array(types)) => types.iter().any(|name| is_of_type(value, name)),
        Some(name) => is_of_type(value, name),
    };
    let mut literals = Map::new();
    if let Some(value) = rules.get("const") {
        if !is_scalar(value) || !may_be(value) {
            return None;
        }
        literals.insert("const".to_owned(), value.clone());
    }
    if let Some(values) = rules.get("enum") {
        let values: Vec<&Value> = values.as_array()?.iter().filter(|value| may_be(value)).collect();
        if values.is_empty() || !values.iter().all(|value| is_scalar(value)) {
            return None;
        }
        literals.insert("enum".to_owned(), json!(values));
    }
    Some(literals)
}

fn is_of_type(value: &Value, name: &Value) -> bool {
    match (name.as_str(), value) {
        // `1.0` is a valid integer, so integers and other numbers are not distinguished here.
        (Some("number" | "integer"), value) => value.is_number(),
        (Some(name), value) => schema_type(value) == name,
        (None, _) => true,
    }
}

fn schema_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::String(_) => "string",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Infers the `type` of a schema from the values of its `enum` or `const`. Returns `None` if the
/// schema has neither.
fn infer_literal_type(rules: &Rules) -> Option<Value> {
    let values = match (rules.get("const"), rules.get("enum")) {
        (Some(value), _) => std::slice::from_ref(value),
        (None, Some(Value::Array(values))) => values.as_slice(),
        _ => return None,
    };
    let mut types: Vec<&str> = Vec::new();
    for value in values {
        let name = schema_type(value);
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
