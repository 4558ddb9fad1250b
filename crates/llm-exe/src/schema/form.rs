//! Rewrites a schema to the subset of JSON Schema that a provider supports.
//!
//! A constraint with an unsupported keyword moves into the description of its subschema. A schema
//! is not rewritten if it contains keywords that a description can't replace.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::merge::{READABLE, merge};
use super::reference::{referenced, with_pointers};
use super::validate::Draft;

/// Keywords that are removed because they do not constrain values.
const ANNOTATIONS: &[&str] = &["$schema", "$id", "$comment", "examples", "deprecated"];
/// Keywords that are merged with each branch of a combinator next to them.
const DISTRIBUTED: &[&str] =
    &["properties", "required", "additionalProperties", "items", "prefixItems"];
/// Maximum nesting depth of a schema and of the references in it.
const MAX_LEVELS: usize = 64;
/// Maximum number of subschemas in the result. Replacing references with their definitions could
/// double the size of the schema at each level.
const MAX_NODES: usize = 20_000;

/// Maximum number of alternatives that are compared with each other.
const MAX_COMPARED: usize = 100;

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
    /// Whether the provider supports `allOf`. Otherwise, an `allOf` is rewritten only if its
    /// branches can be merged.
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
        let schema = &*with_pointers(schema);
        if !references_are_finite(schema, schema, &mut Vec::new(), &mut HashSet::new()) {
            return None;
        }
        let form = [true, false].into_iter().find_map(|keep_descriptions| {
            let ref_siblings_apply = !Draft::detect(schema).ignores_ref_siblings();
            let nodes_left = Cell::new(MAX_NODES);
            let root = schema;
            let rewriter =
                Rewriter { form: self, root, ref_siblings_apply, keep_descriptions, nodes_left };
            rewriter.rewrite_node(schema, 0)
        })?;
        // Merging can remove the target of a reference that does not lead to a definition.
        references_exist(&form, &form).then_some(form)
    }
}

/// Rewrites one schema to a form.
struct Rewriter<'a> {
    form: &'a Form,
    root: &'a Value,
    /// Whether the keywords next to a `$ref` constrain values, as they do since draft 2019-09.
    ref_siblings_apply: bool,
    /// Whether to inline the definition of a `$ref` that has a description next to it. This
    /// preserves the description, but many copies of a large definition can exceed the limits.
    keep_descriptions: bool,
    nodes_left: Cell<usize>,
}

impl Rewriter<'_> {
    fn rewrite_node(&self, schema: &Value, depth: usize) -> Option<Value> {
        let rules = schema.as_object()?;
        self.nodes_left.set(self.nodes_left.get().checked_sub(1)?);
        if depth > MAX_LEVELS || self.form.unsupported.iter().any(|key| rules.contains_key(*key)) {
            return None;
        }
        let mut out = Map::new();
        self.rewrite_definitions(rules, &mut out, depth)?;
        let flat = self.flatten(rules, depth)?;
        let rules = flat.as_ref();
        if self.form.unsupported.iter().any(|key| rules.contains_key(*key)) {
            return None;
        }
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

    /// Merges a schema with the definition of its `$ref` and with the branches of its `allOf`,
    /// because closed objects in different branches would exclude each other's properties. Returns
    /// a schema with a `$ref` only if nothing is merged with the definition, and one with an
    /// `allOf` only if none of its branches can be an object. Returns `None` if a single schema
    /// can't express the merged ones.
    fn flatten<'r>(&self, rules: &'r Rules, depth: usize) -> Option<Cow<'r, Rules>> {
        if depth > MAX_LEVELS {
            return None;
        }
        let reference = rules.get("$ref");
        let all_of = rules.get("allOf").filter(|_| reference.is_none() || self.ref_siblings_apply);
        if reference.is_none() && all_of.is_none() {
            return Some(Cow::Borrowed(rules));
        }
        let is_sibling = |key: &str| match key {
            "$ref" | "allOf" | "$defs" | "definitions" => false,
            key if ANNOTATIONS.contains(&key) => false,
            key => reference.is_none() || self.ref_siblings_apply || READABLE.contains(&key),
        };
        let siblings = || rules.iter().filter(|(key, _)| is_sibling(key));
        let is_plain =
            !siblings().any(|(key, _)| self.keep_descriptions || !READABLE.contains(&key.as_str()));
        let branches = match all_of {
            Some(branches) => branches.as_array()?.as_slice(),
            None => &[],
        };
        match (reference, branches) {
            (Some(reference), []) if is_plain => {
                return Some(Cow::Owned(reference_schema(reference)));
            }
            (None, [branch]) if is_plain => return self.flatten(branch.as_object()?, depth + 1),
            _ => {}
        }
        let target = reference.map(|reference| reference_schema(reference).into());
        let mut merged = Rules::new();
        for part in target.iter().chain(branches) {
            let part = self.resolve(part, depth)?;
            match merge(&merged, part.iter()) {
                Some(both) => merged = both,
                None => return self.keep_all_of(rules, branches),
            }
        }
        match merge(&merged, siblings()) {
            Some(merged) => Some(Cow::Owned(merged)),
            None => self.keep_all_of(rules, branches),
        }
    }

    /// Flattens a schema, and replaces its `$ref` with the definition.
    fn resolve<'r>(&'r self, schema: &'r Value, depth: usize) -> Option<Cow<'r, Rules>> {
        self.nodes_left.set(self.nodes_left.get().checked_sub(1)?);
        let flat = self.flatten(schema.as_object()?, depth + 1)?;
        match flat.get("$ref") {
            Some(reference) => {
                let target = referenced(self.root, reference.as_str()?)?;
                self.resolve(target, depth + 1)
            }
            None => Some(flat),
        }
    }

    /// Returns a schema whose `allOf` can't be merged, if the provider supports it and no branch
    /// is an object.
    fn keep_all_of<'r>(&self, rules: &'r Rules, branches: &[Value]) -> Option<Cow<'r, Rules>> {
        let is_scalar = |branch: &Value| match branch.get("type") {
            Some(Value::String(name)) => name != "object",
            Some(Value::Array(names)) => names.iter().all(|name| name != "object"),
            _ => branch.get("enum").or(branch.get("const")).is_some(),
        };
        let can_keep = self.form.supports_all_of
            && !rules.contains_key("$ref")
            && !branches.is_empty()
            && branches.iter().all(is_scalar);
        can_keep.then_some(Cow::Borrowed(rules))
    }

    /// Returns whether the provider supports a keyword with this value.
    fn supports(&self, key: &str, value: &Value) -> bool {
        self.form.supported.iter().any(|(keyword, accepts)| *keyword == key && accepts(value))
    }

    /// Rewrites the definitions in a subschema. Returns `None` if the provider does not support
    /// them.
    fn rewrite_definitions(&self, rules: &Rules, out: &mut Rules, depth: usize) -> Option<()> {
        for key in ["$defs", "definitions"] {
            let Some(all) = rules.get(key).and_then(Value::as_object) else { continue };
            if self.form.definitions_at_root && depth > 0 {
                return None;
            }
            let sent = if self.form.definitions_at_root { "$defs" } else { key };
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
        if !self.form.definitions_at_root {
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
            if let Some(literal) = (self.form.rewrite_literal)(rules) {
                out.extend(literal);
                return Some(());
            }
            notes.push(format!("{key}: {}", rules.get(key)?));
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            let Some(branches) = rules.get(key) else { continue };
            let branches = branches.as_array()?;
            let distributed = self.distribute(rules, key, branches, depth)?;
            let branches: Option<Vec<Value>> =
                distributed.iter().map(|branch| self.rewrite_node(branch, depth + 1)).collect();
            let sent = if key == "allOf" { "allOf" } else { "anyOf" };
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

    /// Merges the constraints next to a combinator with each of its branches, because a closed
    /// branch would exclude the properties of the others. Returns `None` if they can't be merged.
    fn distribute<'r>(
        &self,
        rules: &Rules,
        combinator: &str,
        branches: &'r [Value],
        depth: usize,
    ) -> Option<Cow<'r, [Value]>> {
        if !DISTRIBUTED.iter().any(|key| rules.contains_key(*key)) {
            return Some(Cow::Borrowed(branches));
        }
        let is_combinator = |key: &str| ["anyOf", "oneOf", "allOf"].contains(&key);
        if rules.keys().filter(|key| is_combinator(key)).count() > 1 {
            return None;
        }
        let is_sibling = |key: &str| {
            let is_preserved = ["$defs", "definitions"].contains(&key) || READABLE.contains(&key);
            key != combinator && !is_preserved && !ANNOTATIONS.contains(&key)
        };
        let siblings = rules.iter().filter(|(key, _)| is_sibling(key));
        let siblings: Rules = siblings.map(|(key, rule)| (key.clone(), rule.clone())).collect();
        let merged = branches
            .iter()
            .map(|branch| merge(&siblings, self.resolve(branch, depth)?.iter()).map(Value::Object));
        let merged = merged.collect::<Option<Vec<Value>>>()?;
        // A value with the properties of two closed branches would satisfy neither of them.
        if self.form.closed && combinator == "anyOf" && any_overlap(&merged) {
            return None;
        }
        Some(Cow::Owned(merged))
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
        if self.form.closed {
            let has_free_keys = properties.is_empty() && additional != Some(&Value::Bool(false));
            if has_free_keys || matches!(additional, Some(Value::Object(_))) {
                return None;
            }
            // A closed object can't contain a property that it does not list.
            if !required_and_conditional_names(rules).all(|name| properties.contains_key(name)) {
                return None;
            }
        }
        let mut rewritten = Map::new();
        for (name, property) in properties {
            rewritten.insert(name.clone(), self.rewrite_node(property, depth + 1)?);
        }
        if self.form.closed || !rewritten.is_empty() {
            out.insert("properties".to_owned(), Value::Object(rewritten));
        }
        let additional = match additional {
            _ if self.form.closed => Some(json!(false)),
            Some(schema @ Value::Object(_)) => Some(self.rewrite_node(schema, depth + 1)?),
            other => other.cloned(),
        };
        out.extend(additional.map(|additional| ("additionalProperties".to_owned(), additional)));
        match rules.get("required") {
            Some(Value::Array(names)) if !self.form.closed => {
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

/// Returns the names of the properties that a schema requires, and of those that it requires or
/// describes under a condition.
fn required_and_conditional_names(rules: &Rules) -> impl Iterator<Item = &str> {
    let schemas = |key: &str| rules.get(key).and_then(Value::as_object);
    let named = ["dependentSchemas", "dependencies"].into_iter().filter_map(schemas);
    let conditions = ["then", "else"].into_iter().filter_map(schemas);
    let conditions =
        conditions.chain(named.flat_map(|named| named.values().filter_map(Value::as_object)));
    let described = conditions
        .clone()
        .filter_map(|rules| rules.get("properties")?.as_object())
        .flat_map(|properties| properties.keys().map(String::as_str));
    let lists = ["dependentRequired", "dependencies"].into_iter().filter_map(schemas);
    let required = std::iter::once(rules)
        .chain(conditions)
        .filter_map(|rules| rules.get("required"))
        .chain(lists.flat_map(|lists| lists.values()))
        .filter_map(Value::as_array);
    described.chain(required.flatten().filter_map(Value::as_str))
}

/// Returns whether a value could have the properties of two open objects with different properties.
/// Returns true if there are too many objects to compare.
fn any_overlap(branches: &[Value]) -> bool {
    let objects: Vec<&Rules> = branches
        .iter()
        .filter(|branch| branch.get("additionalProperties") != Some(&Value::Bool(false)))
        .filter_map(|branch| branch.get("properties")?.as_object())
        .collect();
    let has_same_names =
        |a: &Rules, b: &Rules| a.len() == b.len() && a.keys().all(|name| b.contains_key(name));
    if objects.iter().all(|object| has_same_names(object, objects[0])) {
        return false;
    }
    objects.len() > MAX_COMPARED
        || objects.iter().enumerate().any(|(index, a)| {
            let others = &objects[index + 1..];
            others.iter().any(|b| !has_same_names(a, b) && !are_exclusive(a, b))
        })
}

/// Returns whether a property has different literals in two objects, such as `kind` in a tagged
/// union.
fn are_exclusive(a: &Rules, b: &Rules) -> bool {
    a.iter().any(|(name, property)| {
        let literals = (literals(property), b.get(name).and_then(literals));
        let (Some(of_a), Some(of_b)) = literals else { return false };
        !of_a.iter().any(|value| of_b.contains(value))
    })
}

/// Returns the values of the `enum` or `const` of a schema.
fn literals(schema: &Value) -> Option<&[Value]> {
    match (schema.get("enum"), schema.get("const")) {
        (Some(values), _) => values.as_array().map(Vec::as_slice),
        (None, value) => value.map(std::slice::from_ref),
    }
}

/// Returns a schema that contains only a `$ref`.
fn reference_schema(reference: &Value) -> Rules {
    Rules::from_iter([("$ref".to_owned(), reference.clone())])
}

/// Returns whether every `$ref` in a schema leads to a subschema of `root`.
fn references_exist(root: &Value, schema: &Value) -> bool {
    let exists = |inner: &Value| match inner.get("$ref").and_then(Value::as_str) {
        Some(target) => referenced(root, target).is_some(),
        None => true,
    };
    match schema {
        Value::Object(rules) => {
            exists(schema) && rules.values().all(|inner| references_exist(root, inner))
        }
        Value::Array(items) => items.iter().all(|inner| references_exist(root, inner)),
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
