//! Rewrites a schema to the subset of JSON Schema that a provider supports.
//!
//! A constraint with an unsupported keyword moves into the description of its subschema. A schema
//! is not rewritten if it contains keywords that a description can't replace.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::draft_2020_12::to_draft_2020_12;
use super::merge::{MergedSchema, READABLE, merge};
use super::reference::{referenced, references_exist};
use super::size::SizeBudget;

/// Keywords that are removed because they do not constrain values.
const ANNOTATIONS: &[&str] = &["$schema", "$id", "$comment", "examples", "deprecated"];
/// Keywords that are merged with each branch of a combinator next to them.
const DISTRIBUTED: &[&str] =
    &["properties", "required", "additionalProperties", "items", "prefixItems"];
/// Keywords that a description can replace, but that can require properties. In a form with closed
/// objects, they are merged with each branch of a combinator next to them, so that the properties
/// of the branch are compared with them.
const REQUIRING: &[&str] = &[
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "minProperties",
    "unevaluatedProperties",
];
/// Maximum nesting depth of a schema and of the references in it.
const MAX_LEVELS: usize = 64;
/// Maximum number of values that are visited to find recursive references.
const MAX_VISITS: usize = 1_000_000;
/// The bytes that are counted for each subschema of a condition.
const CONDITION_BYTES: usize = 16;
/// Maximum number of comparisons of names and literals to find alternatives that can apply
/// together.
const MAX_COMPARISONS: usize = 1_000_000;

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
    /// Rewrites a schema. Returns `None` if the schema is recursive, if the provider does not
    /// support it, or if the result would be too large.
    pub(super) fn rewrite(&self, schema: &Value) -> Option<Value> {
        let schema = &*to_draft_2020_12(schema);
        ReferenceWalk::new(schema).visit(schema)?;
        let form = [true, false].into_iter().find_map(|keep_descriptions| {
            let budget = SizeBudget::new();
            let rewriter = Rewriter { form: self, root: schema, keep_descriptions, budget };
            rewriter.rewrite_node(schema, 0)
        })?;
        // Merging can remove the target of a reference that does not lead to a definition.
        references_exist(&form).then_some(form)
    }
}

/// Rewrites one schema to a form.
struct Rewriter<'a> {
    form: &'a Form,
    root: &'a Value,
    /// Whether to inline the definition of a `$ref` that has a description next to it. This
    /// preserves the description, but many copies of a large definition can exceed the limits.
    keep_descriptions: bool,
    budget: SizeBudget,
}

impl Rewriter<'_> {
    fn rewrite_node(&self, schema: &Value, depth: usize) -> Option<Value> {
        let rules = schema.as_object()?;
        self.budget.charge_node()?;
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
            self.budget.charge(target)?;
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
                    out.insert(key.to_owned(), self.budget.copy(value)?);
                }
                key if ANNOTATIONS.contains(&key) => {}
                _ => notes.push(self.budget.note(key, value)?),
            }
        }
        if let Some(description) = rules.get("description") {
            self.budget.charge(description)?;
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
        let all_of = rules.get("allOf");
        if reference.is_none() && all_of.is_none() {
            return Some(Cow::Borrowed(rules));
        }
        let is_sibling = |key: &str| match key {
            "$ref" | "allOf" | "$defs" | "definitions" => false,
            key => !ANNOTATIONS.contains(&key),
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
        let mut merged = MergedSchema::new(&self.budget);
        for part in target.iter().chain(branches) {
            if merged.add(self.resolve(part, depth)?.iter()).is_none() {
                return self.keep_all_of(rules, branches);
            }
        }
        match merged.add(siblings()) {
            Some(()) => Some(Cow::Owned(merged.into_rules())),
            None => self.keep_all_of(rules, branches),
        }
    }

    /// Flattens a schema, and replaces its `$ref` with the definition.
    fn resolve<'r>(&'r self, schema: &'r Value, depth: usize) -> Option<Cow<'r, Rules>> {
        self.budget.charge_node()?;
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
                self.budget.charge_bytes(name.len())?;
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
            self.budget.charge(rules.get(key)?)?;
            if let Some(literal) = (self.form.rewrite_literal)(rules) {
                out.extend(literal);
                return Some(());
            }
            notes.push(self.budget.note(key, rules.get(key)?)?);
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
        out.insert("type".to_owned(), self.budget.copy(kind)?);
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
        let requiring = if self.form.closed { REQUIRING } else { &[] };
        if !DISTRIBUTED.iter().chain(requiring).any(|key| rules.contains_key(*key)) {
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
        let mut target = MergedSchema::new(&self.budget);
        target.add(siblings)?;
        let target = target.into_rules();
        let merged = branches.iter().map(|branch| {
            let branch = self.resolve(branch, depth)?;
            merge(&target, branch.iter(), &self.budget).map(Value::Object)
        });
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
            self.check_closed(rules, properties, depth)?;
        }
        let mut rewritten = Map::new();
        for (name, property) in properties {
            self.budget.charge_bytes(name.len())?;
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
        if let Some(required) = rules.get("required") {
            self.budget.charge(required)?;
        }
        out.extend(additional.map(|additional| ("additionalProperties".to_owned(), additional)));
        match rules.get("required") {
            Some(Value::Array(names)) if !self.form.closed => {
                // The provider rejects a required name that is not a property, so only the
                // description mentions it.
                let is_property =
                    |name: &&Value| name.as_str().is_some_and(|name| properties.contains_key(name));
                let known: Vec<&Value> = names.iter().filter(is_property).collect();
                if known.len() < names.len() {
                    notes.push(self.budget.note("required", rules.get("required")?)?);
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

impl Rewriter<'_> {
    /// Returns `None` if a closed object with these properties would not satisfy the schema,
    /// because it can't contain a property that it does not list.
    fn check_closed(&self, rules: &Rules, properties: &Rules, depth: usize) -> Option<()> {
        if matches!(rules.get("unevaluatedProperties"), Some(Value::Object(_))) {
            return None;
        }
        for name in required_names(rules) {
            self.budget.charge_bytes(name.len())?;
            properties.get(name)?;
        }
        self.check_number(rules, properties)?;
        conditions(rules).try_for_each(|condition| self.check_condition(condition, rules, depth))
    }

    /// Returns `None` if a schema that can apply to an object requires or describes a property that
    /// the object does not list. This includes the objects in the properties and items of both.
    fn check_condition(&self, condition: &Value, object: &Rules, depth: usize) -> Option<()> {
        let Some(rules) = condition.as_object() else { return Some(()) };
        self.budget.charge_bytes(CONDITION_BYTES)?;
        if depth > MAX_LEVELS {
            return None;
        }
        let depth = depth + 1;
        if let Some(target) = rules.get("$ref") {
            self.check_condition(referenced(self.root, target.as_str()?)?, object, depth)?;
        }
        let listed = object.get("properties").and_then(Value::as_object);
        for name in required_names(rules) {
            self.budget.charge_bytes(name.len())?;
            listed?.get(name)?;
        }
        for (name, inner) in
            rules.get("properties").and_then(Value::as_object).into_iter().flatten()
        {
            self.check_inner(inner, listed?.get(name)?, depth)?;
        }
        if let (Some(inner), Some(items)) = (rules.get("items"), object.get("items")) {
            self.check_inner(inner, items, depth)?;
        }
        if let Some(listed) = listed {
            self.check_number(rules, listed)?;
        }
        let branches =
            ["allOf", "anyOf", "oneOf"].iter().filter_map(|key| rules.get(*key)?.as_array());
        conditions(rules)
            .chain(branches.flatten())
            .try_for_each(|inner| self.check_condition(inner, object, depth))
    }

    /// Compares a part of a condition with the schema of the same part of the object.
    fn check_inner(&self, condition: &Value, schema: &Value, depth: usize) -> Option<()> {
        const WITHOUT_NAMES: &[&str] =
            &["type", "const", "enum", "not", "pattern", "minimum", "maximum", "description"];
        let Some(rules) = condition.as_object() else { return Some(()) };
        if rules.keys().all(|key| WITHOUT_NAMES.contains(&key.as_str())) {
            return Some(());
        }
        self.check_condition(condition, &*self.resolve(schema, depth)?, depth)
    }

    /// Returns `None` if an object must have more properties than the closed object lists.
    fn check_number(&self, rules: &Rules, properties: &Rules) -> Option<()> {
        let min = rules.get("minProperties").and_then(Value::as_u64).unwrap_or_default();
        (min <= u64::try_from(properties.len()).ok()?).then_some(())
    }
}

/// Returns the names of the properties that a schema always requires or can require.
fn required_names(rules: &Rules) -> impl Iterator<Item = &str> {
    let lists = ["dependentRequired", "dependencies"].into_iter();
    let lists = lists.filter_map(|key| rules.get(key)?.as_object()).flat_map(Map::values);
    let lists = rules.get("required").into_iter().chain(lists).filter_map(Value::as_array);
    lists.flatten().filter_map(Value::as_str)
}

/// Returns the schemas that apply to an object under a condition.
fn conditions(rules: &Rules) -> impl Iterator<Item = &Value> {
    let named = ["dependentSchemas", "dependencies"].into_iter();
    let named = named.filter_map(|key| rules.get(key)?.as_object()).flat_map(Map::values);
    ["then", "else"].into_iter().filter_map(|key| rules.get(key)).chain(named)
}

/// Follows the references of a schema to find those that are recursive.
struct ReferenceWalk<'a> {
    root: &'a Value,
    /// The references that are being followed.
    path: Vec<&'a str>,
    /// The references that were followed. Each is followed once.
    visited: HashSet<&'a str>,
    visits_left: usize,
}

impl<'a> ReferenceWalk<'a> {
    fn new(root: &'a Value) -> Self {
        ReferenceWalk { root, path: Vec::new(), visited: HashSet::new(), visits_left: MAX_VISITS }
    }

    /// Visits a value in the schema. Returns `None` if a `$ref` in it is recursive or refers to
    /// another document, or if there are too many values to visit.
    fn visit(&mut self, value: &'a Value) -> Option<()> {
        self.visits_left = self.visits_left.checked_sub(1)?;
        if self.path.len() > MAX_LEVELS {
            return None;
        }
        match value {
            Value::Object(rules) => {
                if let Some(target) = rules.get("$ref").and_then(Value::as_str) {
                    self.follow(target)?;
                }
                rules.values().try_for_each(|inner| self.visit(inner))
            }
            Value::Array(items) => items.iter().try_for_each(|inner| self.visit(inner)),
            _ => Some(()),
        }
    }

    fn follow(&mut self, target: &'a str) -> Option<()> {
        if self.path.contains(&target) {
            return None;
        }
        if self.visited.insert(target) {
            self.path.push(target);
            self.visit(referenced(self.root, target)?)?;
            self.path.pop();
        }
        Some(())
    }
}

/// Returns whether a value could have the properties of two open objects with different properties.
/// Returns true if the objects are too large to compare.
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
    let mut comparisons_left = MAX_COMPARISONS;
    objects.iter().enumerate().any(|(index, a)| {
        objects[index + 1..].iter().any(|b| {
            let Some(left) = comparisons_left.checked_sub(1 + 2 * a.len()) else { return true };
            comparisons_left = left;
            !has_same_names(a, b) && !are_exclusive(a, b, &mut comparisons_left)
        })
    })
}

/// Returns whether a property has different literals in two objects, such as `kind` in a tagged
/// union. Returns false if there are more literals than may be compared.
fn are_exclusive(a: &Rules, b: &Rules, comparisons_left: &mut usize) -> bool {
    a.iter().any(|(name, property)| {
        let literals = (literals(property), b.get(name).and_then(literals));
        let (Some(of_a), Some(of_b)) = literals else { return false };
        match comparisons_left.checked_sub(of_a.len() * of_b.len()) {
            Some(left) => *comparisons_left = left,
            None => return false,
        }
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
