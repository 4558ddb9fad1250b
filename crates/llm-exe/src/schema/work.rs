//! Limits the work that a schema can cause, before the schema is compiled.
//!
//! If a definition is referenced twice at each level, the work doubles with each level: thirty
//! short definitions make a validator check one value a billion times. The work of a schema without
//! references is proportional to its length, so such a schema is never rejected.

use std::collections::HashMap;

use jsonschema::Draft;
use referencing::{Registry, Resolver};
use serde_json::{Map, Value};

use super::error::SchemaError;
use super::keywords::{AppliesTo, subschemas};

/// Maximum number of subschemas that one value is checked against at one place, or the total number
/// of subschemas if that is larger.
const MAX_CHECKS: u64 = 5_000;
/// Maximum length of a chain of references and combinators that check the same value. Longer chains
/// could exhaust the stack.
const MAX_CHAIN: usize = 500;
/// The base URI of a schema that does not name one.
const BASE: &str = "json-schema:///";

/// The maximum work that one value at one place can cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Work {
    /// Number of subschemas that the value is checked against.
    checks: u64,
    /// Number of errors that these checks can find, without the errors inside of the value.
    pub(super) errors: u64,
}

impl Work {
    fn plus(self, other: Work) -> Work {
        Work {
            checks: self.checks.saturating_add(other.checks),
            errors: self.errors.saturating_add(other.errors),
        }
    }
}

/// Measures the work of a schema at its most expensive place.
///
/// # Errors
/// A place whose references cause too many checks or refer back to it.
pub(super) fn measure(schema: &Value, draft: Draft) -> Result<Work, SchemaError> {
    let document = Registry::new().draft(draft).add(BASE, draft.create_resource_ref(schema));
    // A reference that can't be resolved is reported when the schema is compiled.
    let (Ok(registry), Ok(base)) =
        (document.and_then(|document| document.prepare()), referencing::uri::from_str(BASE))
    else {
        return Ok(Work::default());
    };
    let mut places = Places { draft, all: Vec::new(), indexes: HashMap::new() };
    places.add(schema, String::new(), &registry.resolver(base));
    places.find_all();
    places.max_work()
}

/// A schema inside of the document.
struct Place<'r> {
    schema: &'r Map<String, Value>,
    /// The JSON pointer by which the schema was found first.
    pointer: String,
    resolver: Resolver<'r>,
    /// The places that apply to the same value. A place that applies twice is listed twice.
    same_value: Vec<usize>,
}

/// All schemas of a document.
struct Places<'r> {
    draft: Draft,
    all: Vec<Place<'r>>,
    indexes: HashMap<*const Map<String, Value>, usize>,
}

impl<'r> Places<'r> {
    /// Returns the index of a schema, which is added if it is new; `None` for `true` and `false`.
    fn add(&mut self, value: &'r Value, pointer: String, outer: &Resolver<'r>) -> Option<usize> {
        let schema = value.as_object()?;
        let index = *self.indexes.entry(std::ptr::from_ref(schema)).or_insert(self.all.len());
        if index == self.all.len() {
            let resource = self.draft.create_resource_ref(value);
            let resolver = outer.in_subresource(resource).unwrap_or_else(|_| outer.clone());
            self.all.push(Place { schema, pointer, resolver, same_value: Vec::new() });
        }
        Some(index)
    }

    /// Adds every schema that can be reached from the root.
    fn find_all(&mut self) {
        let mut next = 0;
        while let Some(Place { schema, pointer, resolver, .. }) = self.all.get(next) {
            let (schema, pointer, resolver) = (*schema, pointer.clone(), resolver.clone());
            let mut same_value = Vec::new();
            for inner in subschemas(schema) {
                let at = format!("{pointer}{}", inner.pointer);
                let index = self.add(inner.schema, at, &resolver);
                if inner.applies_to == AppliesTo::SameValue {
                    same_value.extend(index);
                }
            }
            for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
                let reference = schema.get(keyword).and_then(Value::as_str);
                let target = reference.and_then(|reference| resolver.lookup(reference).ok());
                if let Some(target) = target {
                    let at = format!("{pointer}/{keyword}");
                    let (target, resolver, _) = target.into_inner();
                    same_value.extend(self.add(target, at, &resolver));
                }
            }
            if let Some(place) = self.all.get_mut(next) {
                place.same_value = same_value;
            }
            next += 1;
        }
        self.add_dynamic_targets();
    }

    /// Adds the targets of dynamic references: every anchor with the name, since the target depends
    /// on the path of evaluation.
    fn add_dynamic_targets(&mut self) {
        let mut anchors: HashMap<&'r str, Vec<usize>> = HashMap::new();
        for (index, place) in self.all.iter().enumerate() {
            if let Some(name) = place.schema.get("$dynamicAnchor").and_then(Value::as_str) {
                anchors.entry(name).or_default().push(index);
            }
        }
        for place in &mut self.all {
            let reference = place.schema.get("$dynamicRef").and_then(Value::as_str);
            let name = reference.and_then(|reference| reference.rsplit_once('#'));
            for target in name.and_then(|(_, name)| anchors.get(name)).into_iter().flatten() {
                if !place.same_value.contains(target) {
                    place.same_value.push(*target);
                }
            }
        }
    }

    fn max_work(&self) -> Result<Work, SchemaError> {
        let limit = MAX_CHECKS.max(u64::try_from(self.all.len()).unwrap_or(u64::MAX));
        let mut counter = Counter { places: &self.all, limit, counted: vec![None; self.all.len()] };
        let mut max = Work::default();
        for index in 0..self.all.len() {
            let work = counter.count(index, 0)?;
            max.checks = max.checks.max(work.checks);
            max.errors = max.errors.max(work.errors);
        }
        Ok(max)
    }
}

/// Counts the work of each place once.
struct Counter<'a, 'r> {
    places: &'a [Place<'r>],
    limit: u64,
    counted: Vec<Option<Count>>,
}

/// The state of a place in [`Counter`].
#[derive(Clone, Copy)]
enum Count {
    InProgress,
    Done(Work),
}

impl Counter<'_, '_> {
    fn count(&mut self, index: usize, chain: usize) -> Result<Work, SchemaError> {
        let Some(place) = self.places.get(index) else { return Ok(Work::default()) };
        let at = if place.pointer.is_empty() { "the root" } else { place.pointer.as_str() };
        match self.counted.get(index).copied().flatten() {
            Some(Count::Done(work)) => return Ok(work),
            Some(Count::InProgress) => {
                let text = format!(
                    "the reference at {at} is circular: it refers back to itself without a \
                     property or an item in between, so no value can be checked"
                );
                return Err(SchemaError::new(text));
            }
            None if chain > MAX_CHAIN => {
                let text = format!("a chain of more than {MAX_CHAIN} references leads to {at}");
                return Err(SchemaError::new(text));
            }
            None => self.set(index, Count::InProgress),
        }
        let mut work = Work { checks: 1, errors: count_own_errors(place.schema) };
        for inner in &place.same_value {
            work = work.plus(self.count(*inner, chain + 1)?);
        }
        let unevaluated = ["unevaluatedProperties", "unevaluatedItems"];
        if unevaluated.iter().any(|keyword| place.schema.contains_key(*keyword)) {
            // The validator evaluates the other keywords again to find out what they cover.
            work = work.plus(work);
        }
        if work.checks > self.limit {
            let text = format!(
                "the references at {at} cause one value to be checked against more than {} \
                 subschemas; use fewer alternatives, or refer to each only once",
                self.limit
            );
            return Err(SchemaError::new(text));
        }
        self.set(index, Count::Done(work));
        Ok(work)
    }

    fn set(&mut self, index: usize, count: Count) {
        if let Some(counted) = self.counted.get_mut(index) {
            *counted = Some(count);
        }
    }
}

/// Maximum number of errors of a schema's own keywords: one for each keyword, and one for each
/// required name.
fn count_own_errors(schema: &Map<String, Value>) -> u64 {
    let names = |value: Option<&Value>| value.and_then(Value::as_array).map_or(0, Vec::len);
    let by_property = ["dependentRequired", "dependencies"];
    let dependent = by_property.iter().filter_map(|keyword| schema.get(*keyword)?.as_object());
    let dependent = dependent.flat_map(Map::values).map(|value| names(Some(value)));
    let count = schema.len() + names(schema.get("required")) + dependent.sum::<usize>();
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use jsonschema::Draft;
    use serde_json::{Value, json};

    use super::measure;

    fn message(schema: &Value) -> String {
        measure(schema, Draft::Draft202012)
            .map_or_else(|error| error.to_string(), |_| String::new())
    }

    /// Definitions that each refer to the next one.
    fn chain(length: usize, level: impl Fn(Value) -> Value) -> Value {
        let mut schema = json!({"type": "object", "$ref": "#/$defs/a0", "$defs": {}});
        for index in 0..length {
            let next = json!({"$ref": format!("#/$defs/a{}", index + 1)});
            schema["$defs"][format!("a{index}")] = level(next);
        }
        schema["$defs"][format!("a{length}")] = json!({"type": "object"});
        schema
    }

    #[test]
    fn references_that_double_are_rejected_with_their_place() {
        for level in [
            |next: Value| json!({"oneOf": [next, next]}),
            |next: Value| json!({"anyOf": [next, {"$ref": next["$ref"]}]}),
            |next: Value| json!({"allOf": [next, next]}),
            |next: Value| json!({"if": next, "then": next, "else": next}),
            |next: Value| json!({"dependentSchemas": {"x": next, "y": next}}),
            |next: Value| json!({"not": {"allOf": [next, next]}}),
            |next: Value| json!({"$ref": next["$ref"], "unevaluatedProperties": false}),
        ] {
            let rejected = message(&chain(60, level));
            assert!(rejected.contains("against more than 5000 subschemas"), "{rejected}");
            assert!(rejected.contains("the references at /"), "{rejected}");
            assert_eq!(message(&chain(5, level)), "");
        }
    }

    #[test]
    fn every_kind_of_reference_is_followed() {
        let double = |reference: Value| json!({"anyOf": [reference, reference]});
        for (keyword, to) in [
            ("$anchor", json!({"$ref": "#a"})),
            ("$dynamicAnchor", json!({"$dynamicRef": "#a"})),
            ("$id", json!({"$ref": "https://example.com/a"})),
        ] {
            let mut schema = json!({"$id": "https://example.com/root", "$defs": {}});
            for index in 0..20 {
                let text = |value: &Value| value.to_string().replace("#a", &format!("#a{index}"));
                let next: Value =
                    serde_json::from_str(&text(&to).replace("com/a", &format!("com/a{index}")))
                        .unwrap();
                let name = match keyword {
                    "$id" => format!("https://example.com/a{}", index + 1),
                    _ => format!("a{}", index + 1),
                };
                let mut level = double(next);
                level[keyword] = json!(name);
                schema["$defs"][format!("d{index}")] = level;
            }
            let first = match keyword {
                "$id" => "https://example.com/a0".to_owned(),
                _ => "a0".to_owned(),
            };
            schema["$defs"]["end"] = json!({"type": "object"});
            schema["$defs"]["end"][keyword] = json!(first);
            assert!(message(&schema).contains("more than 5000"), "{keyword}: {}", message(&schema));
        }
    }

    #[test]
    fn circular_references_are_rejected() {
        let schema = json!({
            "$ref": "#/$defs/a",
            "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}
        });
        assert!(message(&schema).contains("is circular"), "{}", message(&schema));
        assert!(message(&json!({"$ref": "#"})).contains("the root"));
    }

    #[test]
    fn long_chains_are_rejected() {
        let rejected = message(&chain(600, |next| json!({"allOf": [next]})));
        assert!(rejected.contains("more than 500 references"), "{rejected}");
    }

    #[test]
    fn written_out_alternatives_and_recursion_are_accepted() {
        let constants: Vec<Value> = (0..20_000).map(|value| json!({"const": value})).collect();
        assert_eq!(message(&json!({"oneOf": constants})), "");
        let tree = json!({
            "$defs": {"node": {"anyOf": [
                {"type": "object", "properties": {
                    "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}
                }},
                {"type": "null"}
            ]}},
            "$ref": "#/$defs/node"
        });
        assert_eq!(message(&tree), "");
        // A definition that is used at many places checks a different value at each of them.
        assert_eq!(message(&chain(60, |next| json!({"properties": {"x": next, "y": next}}))), "");
        assert_eq!(message(&json!({"$ref": "https://example.com/elsewhere"})), "");
    }
}
