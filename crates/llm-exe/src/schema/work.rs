//! How much work a schema can cause, counted before it is compiled.
//!
//! A schema whose references lead to one definition by two ways doubles the work with each level:
//! thirty short definitions make a validator check one value a billion times. What a schema writes
//! out itself is in proportion to its length and is never refused.

use std::collections::HashMap;

use jsonschema::Draft;
use referencing::{Registry, Resolver};
use serde_json::{Map, Value};

use super::SchemaError;
use super::keywords::{AppliesTo, subschemas};

/// Maximum number of subschemas that one value is checked against at one place. A schema with more
/// subschemas than this may use as many as it has.
const MAX_CHECKS: u64 = 5_000;
/// Maximum number of references and combinations that are followed from one schema to the last one
/// that checks the same value. Longer chains could exhaust the stack.
const MAX_CHAIN: usize = 500;
/// The base URI of a schema that does not name one.
const BASE: &str = "json-schema:///";

/// The most work that one value at one place can cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Work {
    /// How many subschemas the value is checked against.
    checks: u64,
    /// How many errors these checks can find, without the errors inside of the value.
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

/// Counts the work of a schema at its most expensive place.
///
/// # Errors
/// The place whose references lead to too many checks, or back to itself.
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
    places.most_work()
}

/// A schema inside of the document.
struct Place<'r> {
    schema: &'r Map<String, Value>,
    /// The first way to it, as a JSON pointer.
    pointer: String,
    resolver: Resolver<'r>,
    /// The places that are applied to the same value, each as often as it is.
    same_value: Vec<usize>,
}

struct Places<'r> {
    draft: Draft,
    all: Vec<Place<'r>>,
    indexes: HashMap<*const Map<String, Value>, usize>,
}

impl<'r> Places<'r> {
    /// The index of a schema, which is added if it is new; `None` for `true` and `false`.
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

    /// Adds every schema that can be reached from those that are known.
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

    /// A dynamic reference leads to any of the anchors of its name, by the way to it.
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

    fn most_work(&self) -> Result<Work, SchemaError> {
        let limit = MAX_CHECKS.max(u64::try_from(self.all.len()).unwrap_or(u64::MAX));
        let mut counter = Counter { places: &self.all, limit, counted: vec![None; self.all.len()] };
        let mut most = Work::default();
        for index in 0..self.all.len() {
            let work = counter.count(index, 0)?;
            most.checks = most.checks.max(work.checks);
            most.errors = most.errors.max(work.errors);
        }
        Ok(most)
    }
}

struct Counter<'a, 'r> {
    places: &'a [Place<'r>],
    limit: u64,
    counted: Vec<Option<Count>>,
}

#[derive(Clone, Copy)]
enum Count {
    Open,
    Done(Work),
}

impl Counter<'_, '_> {
    fn count(&mut self, index: usize, chain: usize) -> Result<Work, SchemaError> {
        let Some(place) = self.places.get(index) else { return Ok(Work::default()) };
        let at = if place.pointer.is_empty() { "the root" } else { place.pointer.as_str() };
        match self.counted.get(index).copied().flatten() {
            Some(Count::Done(work)) => return Ok(work),
            Some(Count::Open) => {
                let text = format!(
                    "the references at {at} lead back to it without a property or an item in \
                     between; no value could ever be checked"
                );
                return Err(SchemaError(text));
            }
            None if chain > MAX_CHAIN => {
                let text = format!("more than {MAX_CHAIN} references in a row lead to {at}");
                return Err(SchemaError(text));
            }
            None => self.set(index, Count::Open),
        }
        let mut work = Work { checks: 1, errors: errors_of(place.schema) };
        for inner in &place.same_value {
            work = work.plus(self.count(*inner, chain + 1)?);
        }
        let unevaluated = ["unevaluatedProperties", "unevaluatedItems"];
        if unevaluated.iter().any(|keyword| place.schema.contains_key(*keyword)) {
            // What the others have checked is found out by checking again.
            work = work.plus(work);
        }
        if work.checks > self.limit {
            let text = format!(
                "the references at {at} make it check one value against more than {} subschemas; \
                 refer to fewer alternatives, or to each of them once",
                self.limit
            );
            return Err(SchemaError(text));
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

/// How many errors a schema's own keywords can find: one each, and one for each missing name.
fn errors_of(schema: &Map<String, Value>) -> u64 {
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

    fn fault(schema: &Value) -> String {
        measure(schema, Draft::Draft202012)
            .map_or_else(|fault| fault.to_string(), |_| String::new())
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
    fn references_that_double_are_refused_at_their_place() {
        for level in [
            |next: Value| json!({"oneOf": [next, next]}),
            |next: Value| json!({"anyOf": [next, {"$ref": next["$ref"]}]}),
            |next: Value| json!({"allOf": [next, next]}),
            |next: Value| json!({"if": next, "then": next, "else": next}),
            |next: Value| json!({"dependentSchemas": {"x": next, "y": next}}),
            |next: Value| json!({"not": {"allOf": [next, next]}}),
            |next: Value| json!({"$ref": next["$ref"], "unevaluatedProperties": false}),
        ] {
            let refused = fault(&chain(60, level));
            assert!(refused.contains("against more than 5000 subschemas"), "{refused}");
            assert!(refused.contains("the references at /"), "{refused}");
            assert_eq!(fault(&chain(5, level)), "");
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
            assert!(fault(&schema).contains("more than 5000"), "{keyword}: {}", fault(&schema));
        }
    }

    #[test]
    fn a_reference_back_to_itself_is_refused() {
        let schema = json!({
            "$ref": "#/$defs/a",
            "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}
        });
        assert!(fault(&schema).contains("lead back to it"), "{}", fault(&schema));
        assert!(fault(&json!({"$ref": "#"})).contains("the root"));
    }

    #[test]
    fn a_long_chain_is_refused() {
        let refused = fault(&chain(600, |next| json!({"allOf": [next]})));
        assert!(refused.contains("more than 500 references in a row"), "{refused}");
    }

    #[test]
    fn written_alternatives_and_recursion_are_fine() {
        let constants: Vec<Value> = (0..20_000).map(|value| json!({"const": value})).collect();
        assert_eq!(fault(&json!({"oneOf": constants})), "");
        let tree = json!({
            "$defs": {"node": {"anyOf": [
                {"type": "object", "properties": {
                    "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}
                }},
                {"type": "null"}
            ]}},
            "$ref": "#/$defs/node"
        });
        assert_eq!(fault(&tree), "");
        // The same definition at many places is checked once for each place.
        assert_eq!(fault(&chain(60, |next| json!({"properties": {"x": next, "y": next}}))), "");
        assert_eq!(fault(&json!({"$ref": "https://example.com/elsewhere"})), "");
    }
}
