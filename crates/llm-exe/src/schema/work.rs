//! Rejects schemas that could cause too much work during validation.
//!
//! If each definition in a chain refers to the next one twice, the work doubles at each level. With
//! thirty short definitions, the validator checks a single value a billion times. Alternatives that
//! are written out cost no more than the length of the schema, so they are never rejected.

use std::collections::HashMap;

use jsonschema::Draft;
use referencing::{Registry, Resolver};
use serde_json::{Map, Value};

use super::error::SchemaError;
use super::keywords::{AppliesTo, Step, subschemas};
use crate::error::shorten;

/// Maximum number of subschemas that a single value may be checked against. For a schema with more
/// subschemas than this, the limit is its number of subschemas.
const MAX_CHECKS: u64 = 20_000;
/// Maximum length of a chain of references and combinators that apply to the same value. Following
/// a longer chain could overflow the stack.
const MAX_CHAIN: usize = 500;
/// Maximum total size in bytes of the JSON pointers to all subschemas, which the validator stores.
const MAX_POINTER_BYTES: usize = 16 << 20;
/// The base URI of a schema that does not specify one.
const BASE: &str = "json-schema:///";
/// Maximum number of steps that [`Graph::max_errors`] takes before it gives up.
const MAX_STEPS: u64 = 200_000;

/// Maximum length in bytes of all names and keywords of a schema that needs no check. The total
/// size of the JSON pointers to its subschemas is at most the square of this length, which is
/// [`MAX_POINTER_BYTES`].
const MAX_UNCHECKED_BYTES: usize = 4096;
/// Maximum nesting of a schema that needs no check, which is less than [`MAX_CHAIN`].
const MAX_UNCHECKED_DEPTH: usize = 128;

/// Returns whether [`Graph::from_schema`] could reject a schema. It accepts every schema without
/// references that is neither long nor deep, because the work is bounded by the schema's length.
pub(super) fn needs_check(schema: &Value) -> bool {
    let mut bytes_left = MAX_UNCHECKED_BYTES;
    contains_reference(schema, 0, &mut bytes_left)
}

fn contains_reference(value: &Value, depth: usize, bytes_left: &mut usize) -> bool {
    if depth > MAX_UNCHECKED_DEPTH {
        return true;
    }
    match value {
        Value::Array(items) => {
            !take(bytes_left, items.len())
                || items.iter().any(|item| contains_reference(item, depth + 1, bytes_left))
        }
        Value::Object(fields) => fields.iter().any(|(name, field)| {
            matches!(name.as_str(), "$ref" | "$dynamicRef" | "$recursiveRef")
                || !take(bytes_left, name.len() + 1)
                || contains_reference(field, depth + 1, bytes_left)
        }),
        _ => false,
    }
}

/// Subtracts `count`. Returns false if less than that is left.
fn take(left: &mut usize, count: usize) -> bool {
    left.checked_sub(count).map(|rest| *left = rest).is_some()
}

/// A graph of the subschemas of a schema, connected by the keywords and references between them.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    /// The maximum number of errors that the schema's own keywords can cause. A large error is
    /// counted as several errors.
    errors: u64,
    /// The indexes of the schemas that also apply to the same value. A schema that applies several
    /// times is listed several times.
    same_value: Vec<usize>,
    /// The names of properties and the indexes of their schemas.
    properties: Vec<(Box<str>, usize)>,
    /// The indexes of the schemas that can apply to any property, item or property name.
    any_part: Vec<usize>,
}

impl Graph {
    /// Builds the graph of a schema, and counts how often the validator can check a single value.
    ///
    /// # Errors
    /// Returns an error if references cause too many checks or form a cycle, or if the JSON
    /// pointers to the subschemas are too long.
    pub(super) fn from_schema(schema: &Value, draft: Draft) -> Result<Graph, SchemaError> {
        let document = Registry::new().draft(draft).add(BASE, draft.create_resource_ref(schema));
        // References that can't be resolved are reported later, when the schema is compiled.
        let (Ok(registry), Ok(base)) =
            (document.and_then(|document| document.prepare()), referencing::uri::from_str(BASE))
        else {
            return Ok(Graph::default());
        };
        let mut places = Places { draft, all: Vec::new(), indexes: HashMap::new() };
        places.add(schema, None, &registry.resolver(base));
        let nodes = places.find_nodes();
        let limit = MAX_CHECKS.max(u64::try_from(nodes.len()).unwrap_or(u64::MAX));
        let mut counter =
            Counter { places: &places.all, nodes: &nodes, limit, counts: vec![None; nodes.len()] };
        for index in 0..nodes.len() {
            counter.count(index, 0)?;
        }
        if places.all.iter().map(|place| place.pointer_bytes).sum::<usize>() > MAX_POINTER_BYTES {
            let text = "the names of nested properties and definitions are too long; shorten them";
            return Err(SchemaError::new(text));
        }
        Ok(Graph { nodes })
    }

    /// Returns the maximum number of errors that a value can cause, or `None` if counting them
    /// takes too long.
    pub(super) fn max_errors(&self, value: &Value) -> Option<u64> {
        if self.nodes.is_empty() {
            return None;
        }
        let mut steps = MAX_STEPS;
        self.count_errors(value, &HashMap::from([(0, 1)]), &mut steps)
    }

    /// Counts the errors of a value and its parts. `schemas` contains the indexes of the schemas
    /// that apply to the value, each with the number of times that it applies.
    fn count_errors(
        &self,
        value: &Value,
        schemas: &HashMap<usize, u64>,
        steps: &mut u64,
    ) -> Option<u64> {
        let mut applied = HashMap::new();
        for (index, times) in schemas {
            self.apply(*index, *times, &mut applied, steps)?;
        }
        let mut total: u64 = 0;
        for (index, times) in &applied {
            total = total.saturating_add(times.saturating_mul(self.nodes.get(*index)?.errors));
        }
        let mut of_part = |name: Option<&str>, part: &Value| {
            let mut schemas = HashMap::new();
            for (index, times) in &applied {
                let node = self.nodes.get(*index)?;
                let named = node.properties.iter().filter(|(known, _)| Some(&**known) == name);
                for inner in named.map(|(_, inner)| inner).chain(&node.any_part) {
                    *steps = steps.checked_sub(1)?;
                    let count: &mut u64 = schemas.entry(*inner).or_default();
                    *count = count.saturating_add(*times);
                }
            }
            self.count_errors(part, &schemas, steps)
        };
        match value {
            Value::Array(items) => {
                for item in items {
                    total = total.saturating_add(of_part(None, item)?);
                }
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    total = total.saturating_add(of_part(Some(name), field)?);
                }
            }
            _ => {}
        }
        Some(total)
    }

    /// Adds a schema to `applied`, together with the schemas that it applies to the same value.
    fn apply(
        &self,
        index: usize,
        times: u64,
        applied: &mut HashMap<usize, u64>,
        steps: &mut u64,
    ) -> Option<()> {
        *steps = steps.checked_sub(1)?;
        let count = applied.entry(index).or_default();
        *count = count.saturating_add(times);
        for inner in &self.nodes.get(index)?.same_value {
            self.apply(*inner, times, applied, steps)?;
        }
        Some(())
    }
}

/// A subschema of the document. If `schema` is `None`, the place represents all dynamic anchors
/// with the same name.
struct Place<'r> {
    schema: Option<&'r Map<String, Value>>,
    /// The place from which this place was first reached, and the step between them.
    from: Option<(usize, Step<'r>)>,
    /// The size in bytes of the JSON pointer from the last reference to this place.
    pointer_bytes: usize,
    resolver: Resolver<'r>,
}

struct Places<'r> {
    draft: Draft,
    all: Vec<Place<'r>>,
    indexes: HashMap<*const Map<String, Value>, usize>,
}

impl<'r> Places<'r> {
    /// Adds a schema if it is new, and returns its index. Returns `None` for the schemas `true` and
    /// `false`.
    fn add(
        &mut self,
        value: &'r Value,
        from: Option<(usize, Step<'r>)>,
        outer: &Resolver<'r>,
    ) -> Option<usize> {
        let schema = value.as_object()?;
        let index = *self.indexes.entry(std::ptr::from_ref(schema)).or_insert(self.all.len());
        if index == self.all.len() {
            let resource = self.draft.create_resource_ref(value);
            let resolver = outer.in_subresource(resource).unwrap_or_else(|_| outer.clone());
            let outer_bytes = from.and_then(|(outer, _)| self.all.get(outer));
            let outer_bytes = outer_bytes.map_or(0, |outer| outer.pointer_bytes);
            let pointer_bytes = match from.map(|(_, step)| step) {
                Some(Step::Keyword(keyword)) if keyword.starts_with('$') => 0,
                Some(Step::Keyword(keyword) | Step::Index(keyword, _)) => {
                    outer_bytes + keyword.len()
                }
                Some(Step::Name(keyword, name)) => outer_bytes + keyword.len() + name.len(),
                None => 0,
            };
            self.all.push(Place { schema: Some(schema), from, pointer_bytes, resolver });
        }
        Some(index)
    }

    /// Adds every schema that can apply to a value and returns a node for each place.
    fn find_nodes(&mut self) -> Vec<Node> {
        let mut nodes: Vec<Node> = Vec::new();
        let mut dynamic_names: HashMap<&'r str, usize> = HashMap::new();
        while let Some(place) = self.all.get(nodes.len()) {
            let (schema, resolver) = (place.schema, place.resolver.clone());
            let node = match schema {
                Some(schema) => self.build_node(nodes.len(), schema, &resolver, &mut dynamic_names),
                None => Node::default(),
            };
            nodes.push(node);
        }
        if dynamic_names.is_empty() {
            return nodes;
        }
        // A dynamic reference can refer to any anchor with its name, depending on the dynamic
        // scope. Such an anchor may be in a definition that no other reference reaches, so all
        // places are searched.
        let mut next = 0;
        while let Some(place) = self.all.get(next) {
            let (schema, resolver) = (place.schema, place.resolver.clone());
            for inner in schema.map(subschemas).into_iter().flatten() {
                self.add(inner.schema, Some((next, inner.step)), &resolver);
            }
            if next >= nodes.len() {
                let node = match schema {
                    Some(schema) => self.build_node(next, schema, &resolver, &mut dynamic_names),
                    None => Node::default(),
                };
                nodes.push(node);
            }
            next += 1;
        }
        for (index, place) in self.all.iter().enumerate() {
            let name = place.schema.and_then(|schema| schema.get("$dynamicAnchor")?.as_str());
            let anchors = name.and_then(|name| nodes.get_mut(*dynamic_names.get(name)?));
            if let Some(anchors) = anchors {
                anchors.same_value.push(index);
            }
        }
        nodes
    }

    fn build_node(
        &mut self,
        index: usize,
        schema: &'r Map<String, Value>,
        resolver: &Resolver<'r>,
        dynamic_names: &mut HashMap<&'r str, usize>,
    ) -> Node {
        let mut node = Node { errors: count_own_errors(schema), ..Node::default() };
        for keyword in ["$ref", "$recursiveRef"] {
            let reference = schema.get(keyword).and_then(Value::as_str);
            let target = reference.and_then(|reference| resolver.lookup(reference).ok());
            if let Some(target) = target {
                let (target, resolver, _) = target.into_inner();
                let from = Some((index, Step::Keyword(keyword)));
                node.same_value.extend(self.add(target, from, &resolver));
            }
        }
        // Up to draft-07, validators ignore all keywords next to a `$ref`.
        if self.draft <= Draft::Draft7 && schema.contains_key("$ref") {
            return node;
        }
        if let Some(reference) = schema.get("$dynamicRef").and_then(Value::as_str) {
            let name = reference.rsplit_once('#').map_or("", |(_, name)| name);
            let anchors = *dynamic_names.entry(name).or_insert(self.all.len());
            if anchors == self.all.len() {
                let from = Some((index, Step::Keyword("$dynamicRef")));
                let resolver = resolver.clone();
                self.all.push(Place { schema: None, from, pointer_bytes: 0, resolver });
            }
            node.same_value.push(anchors);
            // A `$dynamicRef` can also refer to a plain anchor or a JSON pointer.
            if let Ok(target) = resolver.lookup(reference) {
                let (target, resolver, _) = target.into_inner();
                let is_anchor = target.get("$dynamicAnchor").is_some_and(|anchor| anchor == name);
                if !is_anchor {
                    let from = Some((index, Step::Keyword("$dynamicRef")));
                    node.same_value.extend(self.add(target, from, &resolver));
                }
            }
        }
        for inner in subschemas(schema) {
            if inner.applies_to == AppliesTo::Nothing {
                continue;
            }
            let Some(at) = self.add(inner.schema, Some((index, inner.step)), resolver) else {
                continue;
            };
            match (inner.applies_to, inner.step) {
                (AppliesTo::SameValue, _) => node.same_value.push(at),
                (AppliesTo::Property, Step::Name(_, name)) => {
                    node.properties.push((name.into(), at));
                }
                _ => node.any_part.push(at),
            }
        }
        node
    }
}

struct Counter<'a, 'r> {
    places: &'a [Place<'r>],
    nodes: &'a [Node],
    limit: u64,
    counts: Vec<Option<Count>>,
}

#[derive(Clone, Copy)]
enum Count {
    InProgress,
    Done { checks: u64, chain: usize },
}

impl Counter<'_, '_> {
    /// Returns how many subschemas a value at this place is checked against, and the length of the
    /// longest chain of such subschemas.
    fn count(&mut self, index: usize, depth: usize) -> Result<(u64, usize), SchemaError> {
        match self.counts.get(index).copied().flatten() {
            Some(Count::Done { checks, chain }) => return Ok((checks, chain)),
            Some(Count::InProgress) => {
                return Err(self.error_at(
                    index,
                    "refers back to itself without a property or an item in between; remove the \
                     cycle",
                ));
            }
            None => {}
        }
        self.set(index, Count::InProgress);
        let (mut checks, mut chain) = (1u64, 0);
        let same_value = self.nodes.get(index).map_or(&[][..], |node| &node.same_value);
        for inner in same_value {
            if depth > MAX_CHAIN {
                break;
            }
            let (more, longest) = self.count(*inner, depth + 1)?;
            checks = checks.saturating_add(more);
            chain = chain.max(longest + 1);
        }
        if depth > MAX_CHAIN || chain > MAX_CHAIN {
            let text = format!(
                "is part of a chain of more than {MAX_CHAIN} references in a row; shorten the chain"
            );
            return Err(self.error_at(index, &text));
        }
        let schema = self.places.get(index).and_then(|place| place.schema);
        let unevaluated = ["unevaluatedProperties", "unevaluatedItems"];
        if schema.is_some_and(|schema| unevaluated.iter().any(|key| schema.contains_key(*key))) {
            // The validator evaluates the other keywords again to find out which properties or
            // items they covered.
            checks = checks.saturating_mul(2);
        }
        if checks > self.limit {
            let text = format!(
                "causes one value to be checked against more than {} subschemas; remove repeated \
                 references to the same definition",
                self.limit
            );
            return Err(self.error_at(index, &text));
        }
        self.set(index, Count::Done { checks, chain });
        Ok((checks, chain))
    }

    fn set(&mut self, index: usize, count: Count) {
        if let Some(known) = self.counts.get_mut(index) {
            *known = Some(count);
        }
    }

    fn error_at(&self, index: usize, text: &str) -> SchemaError {
        let mut steps = Vec::new();
        let mut from = self.places.get(index).and_then(|place| place.from);
        while let Some((outer, step)) = from {
            steps.push(step.pointer());
            from = self.places.get(outer).and_then(|place| place.from);
        }
        steps.reverse();
        let pointer = shorten(&steps.concat(), 200);
        let place = if pointer.is_empty() { "the root" } else { &pointer };
        SchemaError::new(format!("{place} {text}"))
    }
}

/// Returns the maximum number of errors that a schema's own keywords can cause. Each keyword and
/// each required name can cause one error. A `not` counts as several, because its error contains a
/// copy of its schema.
fn count_own_errors(schema: &Map<String, Value>) -> u64 {
    let names = |value: Option<&Value>| value.and_then(Value::as_array).map_or(0, Vec::len);
    let by_property = ["dependentRequired", "dependencies"];
    let dependent = by_property.iter().filter_map(|keyword| schema.get(*keyword)?.as_object());
    let dependent = dependent.flat_map(Map::values).map(|value| names(Some(value)));
    let copied = schema.get("not").map_or(0, count_values);
    let count = schema.len() + names(schema.get("required")) + dependent.sum::<usize>() + copied;
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Returns the number of values in a JSON value, including the value itself.
fn count_values(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count_values).sum(),
        Value::Object(fields) => fields.values().map(count_values).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use jsonschema::Draft;
    use serde_json::{Value, json};

    use super::{Graph, needs_check};

    fn compile_error(schema: &Value) -> String {
        Graph::from_schema(schema, Draft::default())
            .map_or_else(|error| error.to_string(), |_| String::new())
    }

    /// Returns a schema with definitions that each refer to the next one.
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
    fn doubling_references_are_rejected_with_their_place() {
        for level in [
            |next: Value| json!({"oneOf": [next, next]}),
            |next: Value| json!({"anyOf": [next, {"$ref": next["$ref"]}]}),
            |next: Value| json!({"allOf": [next, next]}),
            |next: Value| json!({"if": next, "then": next, "else": next}),
            |next: Value| json!({"dependentSchemas": {"x": next, "y": next}}),
            |next: Value| json!({"not": {"allOf": [next, next]}}),
            |next: Value| json!({"$ref": next["$ref"], "unevaluatedProperties": false}),
        ] {
            let error = compile_error(&chain(60, level));
            assert!(error.contains("against more than 20000 subschemas"), "{error}");
            assert!(error.starts_with("/$ref"), "{error}");
            assert_eq!(compile_error(&chain(5, level)), "");
        }
    }

    #[test]
    fn every_kind_of_reference_is_followed() {
        for (keyword, reference) in
            [("$anchor", "$ref"), ("$dynamicAnchor", "$dynamicRef"), ("$id", "$ref")]
        {
            let name = |index: usize| match keyword {
                "$id" => format!("https://example.com/a{index}"),
                _ => format!("a{index}"),
            };
            let next = |index: usize| match keyword {
                "$id" => json!({ reference: name(index) }),
                _ => json!({ reference: format!("#{}", name(index)) }),
            };
            let mut schema = next(0);
            schema["$id"] = json!("https://example.com/root");
            for index in 0..20 {
                let next = next(index + 1);
                schema["$defs"][format!("d{index}")] =
                    json!({ keyword: name(index), "anyOf": [next, next] });
            }
            schema["$defs"]["end"] = json!({ keyword: name(20), "type": "object" });
            assert!(
                compile_error(&schema).contains("more than 20000"),
                "{keyword}: {}",
                compile_error(&schema)
            );
        }
    }

    #[test]
    fn reference_to_itself_is_rejected() {
        let schema = json!({
            "$ref": "#/$defs/a",
            "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}
        });
        assert!(
            compile_error(&schema).contains("refers back to itself"),
            "{}",
            compile_error(&schema)
        );
        assert!(compile_error(&json!({"$ref": "#"})).starts_with("the root refers back"));
    }

    #[test]
    fn long_chain_is_rejected_in_any_order() {
        let mut schema = json!({"properties": {"x": {"$ref": "#/$defs/a0"}}, "$defs": {}});
        for index in (0..2000).rev() {
            let next = json!({"$ref": format!("#/$defs/a{}", index + 1)});
            schema["$defs"][format!("a{index}")] = next.clone();
            schema["properties"][format!("p{index}")] = next;
        }
        schema["$defs"]["a2000"] = json!({});
        assert!(
            compile_error(&schema).contains("more than 500 references in a row"),
            "{}",
            compile_error(&schema)
        );
        let error = compile_error(&chain(600, |next| json!({"allOf": [next]})));
        assert!(error.contains("more than 500 references in a row"), "{error}");
        assert!(error.len() < 400, "{error}");
    }

    #[test]
    fn definitions_that_nothing_refers_to_are_not_counted() {
        let schema = json!({
            "type": "object",
            "$defs": {
                "Pet": {"oneOf": [{"$ref": "#/$defs/Cat"}]},
                "Cat": {"allOf": [{"$ref": "#/$defs/Pet"}, {"type": "object"}]}
            }
        });
        assert_eq!(compile_error(&schema), "");
    }

    #[test]
    fn keywords_that_a_draft_ignores_are_not_counted() {
        let schema = json!({
            "$ref": "#/definitions/A",
            "definitions": {
                "A": {"$ref": "#/definitions/B", "allOf": [{"$ref": "#/definitions/A"}]},
                "B": {"type": "object"}
            }
        });
        assert!(Graph::from_schema(&schema, Draft::Draft7).is_ok());
        assert!(Graph::from_schema(&schema, Draft::Draft202012).is_err());
    }

    #[test]
    fn written_alternatives_inheritance_and_recursion_are_fine() {
        let constants: Vec<Value> = (0..30_000).map(|value| json!({"const": value})).collect();
        assert_eq!(compile_error(&json!({"oneOf": constants})), "");
        let tree = json!({
            "$defs": {"node": {"anyOf": [
                {"type": "object", "properties": {
                    "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}
                }},
                {"type": "null"}
            ]}},
            "$ref": "#/$defs/node"
        });
        assert_eq!(compile_error(&tree), "");
        // A definition that is used in many places is checked once for each place.
        assert_eq!(
            compile_error(&chain(60, |next| json!({"properties": {"x": next, "y": next}}))),
            ""
        );
        assert_eq!(compile_error(&json!({"$ref": "https://example.com/elsewhere"})), "");
        // A schema with two hundred events, each of which extends three closed base schemas.
        let mut sealed = chain(3, |next| json!({"allOf": [next], "unevaluatedProperties": false}));
        let event = json!({"allOf": [{"$ref": "#/$defs/a0"}], "unevaluatedProperties": false});
        sealed["anyOf"] = json!(vec![event; 200]);
        assert_eq!(compile_error(&sealed), "");
    }

    #[test]
    fn small_schemas_without_references_need_no_check() {
        let mut deep = json!({"type": "string"});
        for _ in 0..60 {
            deep = json!({"allOf": [deep]});
        }
        let many: Vec<Value> = (0..4000).map(|value| json!({"const": value})).collect();
        for schema in [json!({"properties": {"a": {"type": "string"}}}), deep.clone(), json!(true)]
        {
            assert!(!needs_check(&schema), "{schema}");
            assert!(Graph::from_schema(&schema, Draft::Draft202012).is_ok());
        }
        let deeper = json!({"allOf": [{"allOf": [{"allOf": [{"allOf": [{"allOf": [deep]}]}]}]}]});
        let reference = json!({"properties": {"a": {"anyOf": [{"$ref": "#"}]}}});
        let long = json!({"properties": {"a".repeat(5000): {}}});
        for schema in [deeper, reference, long, json!({"oneOf": many})] {
            assert!(needs_check(&schema), "{schema:.100}");
        }
    }

    #[test]
    fn large_documents_are_read_in_time() {
        let start = std::time::Instant::now();
        // Three large schemas: many properties below a long name, a long chain of references
        // outside of `$defs`, and many dynamic anchors.
        let mut wide = json!({"properties": {}});
        let mut chained = json!({"$ref": "#/x/a0", "x": {}});
        let mut dynamic = json!({"properties": {}, "$defs": {}});
        for index in 0..5000 {
            wide["properties"][format!("a{index}")] = json!({});
            chained["x"][format!("a{index}")] = json!({"$ref": format!("#/x/a{}", index + 1)});
            dynamic["properties"][format!("p{index}")] = json!({"$dynamicRef": "#a"});
            let id = format!("https://example.com/{index}");
            dynamic["$defs"][format!("d{index}")] = json!({"$id": id, "$dynamicAnchor": "a"});
        }
        let wide = json!({"properties": {"n".repeat(50_000): wide}});
        assert!(compile_error(&wide).contains("too long"), "{}", compile_error(&wide));
        assert!(compile_error(&chained).contains("references in a row"));
        assert_eq!(compile_error(&dynamic), "");
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}
