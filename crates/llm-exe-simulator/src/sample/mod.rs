//! Makes a value that satisfies a JSON Schema.
//!
//! In: a schema. Out: the same value every time, or nothing where no value was found. Each
//! candidate is checked against the schema (`satisfy`), so that a branch that leads nowhere is
//! left for the next one. Recursion is cut where a reference meets itself: branches that end are
//! taken, optional properties that would recurse are left out.

mod array;
mod merge;
mod number;
mod object;
mod pattern;
mod satisfy;
mod string;

use serde_json::{Value, json};
use std::cell::Cell;

const TYPES: &[&str] = &["object", "array", "string", "number", "integer", "boolean", "null"];
/// Keywords that give a node without `type` its type.
const HINTS: &[(&str, &[&str])] = &[
    ("object", &["properties", "required", "additionalProperties", "minProperties"]),
    ("array", &["items", "prefixItems", "minItems", "contains", "uniqueItems"]),
    ("string", &["pattern", "format", "minLength", "maxLength"]),
    ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
];
const DEEPEST: usize = 48;
/// How many nodes are visited at most: many references to each other have endless ways through.
const BUDGET: u32 = 5_000;

/// A value that satisfies a JSON Schema, or nothing when none was found.
///
/// The same schema always gives the same value. References are followed within the schema only.
#[must_use]
pub fn value_for(schema: &Value) -> Option<Value> {
    let place = Place {
        root: schema,
        budget: &Cell::new(BUDGET),
        references: vec!["#".to_owned()],
        variant: 0,
        label: String::new(),
        depth: 0,
    };
    value(schema, &place)
}

/// Where in the schema, and in the value, we are.
#[derive(Clone)]
struct Place<'a> {
    /// The whole schema, in which references are looked up.
    root: &'a Value,
    /// How many nodes may still be visited.
    budget: &'a Cell<u32>,
    /// The references that led here.
    references: Vec<String>,
    /// Which of several different values is wanted, as the items of an array differ.
    variant: usize,
    /// What the value is called: the name of its property.
    label: String,
    depth: usize,
}

impl Place<'_> {
    fn named(&self, label: &str) -> Self {
        Self { label: label.to_owned(), depth: self.depth + 1, ..self.clone() }
    }

    fn item(&self, variant: usize) -> Self {
        Self { variant, depth: self.depth + 1, ..self.clone() }
    }
}

fn value(schema: &Value, place: &Place<'_>) -> Option<Value> {
    let mut place = place.clone();
    place.budget.set(place.budget.get().checked_sub(1)?);
    let flat = merge::flat(schema, place.root, &mut place.references)?;
    if place.depth > DEEPEST {
        return None;
    }
    let fits = |candidate: &Value| satisfy::satisfies(place.root, schema, candidate);
    if let Some(only) = flat.get("const") {
        return Some(only.clone()).filter(fits);
    }
    if let Some(Value::Array(values)) = flat.get("enum") {
        let fitting: Vec<&Value> = values.iter().filter(|value| fits(value)).collect();
        let index = place.variant.checked_rem(fitting.len())?;
        return fitting.get(index).map(|value| (*value).clone());
    }
    let branches = merge::branches(&flat);
    if !branches.is_empty() {
        return branches
            .iter()
            .filter_map(|branch| value(branch, &Place { depth: place.depth + 1, ..place.clone() }))
            .find(fits);
    }
    let plain = types(&flat).into_iter().filter_map(|kind| typed(kind, &flat, &place)).find(fits);
    // What a schema gives comes last: clients leave it out of what they send to some services, and
    // the same request is to be answered the same by all of them.
    plain.or_else(|| given(&flat, &fits)).or_else(|| conditional(&flat, &place).find(fits))
}

/// A default or an example that fits.
fn given(flat: &Value, fits: &dyn Fn(&Value) -> bool) -> Option<Value> {
    let examples = flat.get("examples").and_then(Value::as_array).into_iter().flatten();
    let mut candidates = flat.get("default").into_iter().chain(examples);
    candidates.find(|candidate| fits(candidate)).cloned()
}

/// The types to try, the likeliest first.
fn types(flat: &Value) -> Vec<&str> {
    let mut named: Vec<&str> = match flat.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => {
            let hinted = HINTS.iter().filter(|(_, words)| has_any(flat, words));
            let hinted = hinted.map(|(name, _)| *name);
            hinted.chain(["string", "boolean", "number", "object", "array", "null"]).collect()
        }
    };
    // Null says least about how a caller copes, so it comes last.
    named.sort_by_key(|name| *name == "null");
    named.retain(|name| TYPES.contains(name));
    named
}

fn has_any(flat: &Value, words: &[&str]) -> bool {
    words.iter().any(|word| flat.get(word).is_some())
}

fn typed(kind: &str, flat: &Value, place: &Place<'_>) -> Option<Value> {
    match kind {
        "object" => object::value(flat, place),
        "array" => array::value(flat, place),
        "string" => string::value(flat, place),
        "integer" => number::value(flat, place.variant, true),
        "number" => number::value(flat, place.variant, false),
        "boolean" => Some(json!(place.variant.is_multiple_of(2))),
        _ => Some(Value::Null),
    }
}

/// Candidates from `then` and `else`, for when what stands beside them isn't enough.
fn conditional<'a>(flat: &'a Value, place: &'a Place<'_>) -> impl Iterator<Item = Value> + 'a {
    let base = merge::without(flat, &["if", "then", "else"]);
    let branch = |names: &[&str]| {
        let parts = names.iter().filter_map(|name| flat.get(name));
        parts.fold(base.clone(), |base, part| merge::both(&base, part))
    };
    let has = flat.get("if").is_some();
    let candidates = [branch(&["if", "then"]), branch(&["else"])];
    candidates
        .into_iter()
        .filter(move |_| has)
        .filter_map(|branch| value(&branch, &Place { depth: place.depth + 1, ..place.clone() }))
}
