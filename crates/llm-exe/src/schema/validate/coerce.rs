//! Coerces a value to a schema where this is unambiguous. For example, the string `"42"` becomes a
//! number if the schema requires a number. Missing properties are set to their defaults, and
//! unknown properties of closed objects are removed.
//!
//! Coercion follows `properties`, `items`, `$ref` and `additionalProperties`. It does not follow
//! combinators such as `anyOf`, because the result would depend on which branch is chosen.

use serde_json::{Map, Value};

use super::budget::{Budget, TooMuchWork};
use super::equal::lookup_work;
use super::node::{Graph, ItemRules, Keyword, NEVER, NodeId, ObjectRules, Types};
use crate::json::{LossyNumber, NumberError, parse_number};

/// Maximum depth of the values to coerce. Deeper values are not changed.
const MAX_DEPTH: usize = 200;
/// Maximum number of defaults to fill in. A default can be an object that has defaults of its own,
/// so their number could double at each level.
const MAX_DEFAULTS: usize = 1000;
/// Maximum number of `$ref`s to follow from a property to its default.
const MAX_HOPS: usize = 16;

/// Coerces a value to a node, in place. Returns the last number in a string that would have lost
/// digits, if any.
///
/// # Errors
/// Returns an error if the budget is spent.
pub(super) fn coerce(
    graph: &Graph,
    node: NodeId,
    value: &mut Value,
    budget: &Budget,
) -> Result<Option<LossyNumber>, TooMuchWork> {
    let mut coercer = Coercer { graph, budget, defaults_left: MAX_DEFAULTS, lossy: None };
    coercer.coerce_value(&[node], value, 0)?;
    Ok(coercer.lossy)
}

struct Coercer<'a> {
    graph: &'a Graph,
    budget: &'a Budget,
    defaults_left: usize,
    /// The last number that would have lost digits.
    lossy: Option<LossyNumber>,
}

impl<'a> Coercer<'a> {
    /// Coerces a value to all schemas that apply to it. Each schema is applied once, even if
    /// several references lead to it.
    fn coerce_value(
        &mut self,
        schemas: &[NodeId],
        value: &mut Value,
        depth: usize,
    ) -> Result<(), TooMuchWork> {
        if depth > MAX_DEPTH {
            return Ok(());
        }
        match value {
            Value::String(_) => {
                for schema in schemas {
                    self.coerce_text(*schema, value)?;
                }
                Ok(())
            }
            Value::Object(_) | Value::Array(_) => match schemas {
                // Most values have one schema without a reference, which needs no allocation.
                [only] if self.reference_of(*only).is_none() => {
                    self.coerce_parts(schemas, value, depth)
                }
                _ => {
                    let nodes = self.with_references(schemas)?;
                    self.coerce_parts(&nodes, value, depth)
                }
            },
            _ => Ok(()),
        }
    }

    fn coerce_parts(
        &mut self,
        nodes: &[NodeId],
        value: &mut Value,
        depth: usize,
    ) -> Result<(), TooMuchWork> {
        match value {
            Value::Object(fields) => self.coerce_object(nodes, fields, depth),
            Value::Array(items) => self.coerce_items(nodes, items, depth),
            _ => Ok(()),
        }
    }

    /// Converts a string as a schema or one of its references requires.
    fn coerce_text(&mut self, schema: NodeId, value: &mut Value) -> Result<(), TooMuchWork> {
        let mut next = Some(schema);
        while let (Some(node), Value::String(text)) = (next, &*value) {
            self.budget.spend(1)?;
            match self.coerce_string(self.graph.node(node).types, text) {
                Some(coerced) => *value = coerced,
                None => next = self.reference_of(node),
            }
        }
        Ok(())
    }

    /// Returns the schemas and the schemas that their references lead to, which come first.
    fn with_references(&self, schemas: &[NodeId]) -> Result<Vec<NodeId>, TooMuchWork> {
        let mut nodes = Vec::new();
        for schema in schemas {
            self.add_referenced(*schema, &mut nodes)?;
        }
        Ok(nodes)
    }

    /// Adds a node, after the nodes that its references lead to.
    fn add_referenced(&self, node: NodeId, nodes: &mut Vec<NodeId>) -> Result<(), TooMuchWork> {
        let start = nodes.len();
        let mut next = Some(node);
        while let Some(node) = next {
            self.budget.spend(1 + u64::try_from(nodes.len()).unwrap_or(u64::MAX) / 8)?;
            // The nodes that an added node leads to have been added too.
            if nodes.contains(&node) {
                break;
            }
            nodes.push(node);
            next = self.reference_of(node);
        }
        if let Some(added) = nodes.get_mut(start..) {
            added.reverse();
        }
        Ok(())
    }

    /// Returns the target of a node's `$ref`. Compiled references have no cycles.
    fn reference_of(&self, node: NodeId) -> Option<NodeId> {
        self.graph.node(node).keywords.iter().find_map(|keyword| match keyword {
            Keyword::Ref(target) => Some(*target),
            _ => None,
        })
    }

    fn coerce_object(
        &mut self,
        nodes: &[NodeId],
        fields: &mut Map<String, Value>,
        depth: usize,
    ) -> Result<(), TooMuchWork> {
        let graph = self.graph;
        let keywords = nodes.iter().flat_map(|node| &graph.node(*node).keywords);
        let mut all = keywords.filter_map(|keyword| match keyword {
            Keyword::Object(rules) => Some(&**rules),
            _ => None,
        });
        let Some(first) = all.next() else { return Ok(()) };
        let Some(second) = all.next() else {
            self.complete(first, fields)?;
            let mut cursor = 0;
            for (name, field) in fields {
                let schema = self.schema_of(first, name, &mut cursor)?;
                self.coerce_value(schema.as_slice(), field, depth + 1)?;
            }
            return Ok(());
        };
        let rules: Vec<&ObjectRules> = [first, second].into_iter().chain(all).collect();
        for rules in &rules {
            self.complete(rules, fields)?;
        }
        let mut cursors = vec![0; rules.len()];
        let mut schemas = Vec::new();
        for (name, field) in fields {
            schemas.clear();
            for (rules, cursor) in rules.iter().zip(&mut cursors) {
                schemas.extend(self.schema_of(rules, name, cursor)?);
            }
            self.coerce_value(&schemas, field, depth + 1)?;
        }
        Ok(())
    }

    /// Adds the missing properties that have defaults, and removes unknown properties of a closed
    /// object.
    fn complete(
        &mut self,
        rules: &ObjectRules,
        fields: &mut Map<String, Value>,
    ) -> Result<(), TooMuchWork> {
        self.add_defaults(rules, fields)?;
        if rules.additional != Some(NEVER) || !rules.patterns.is_empty() {
            return Ok(());
        }
        let is_known = |name: &str, cursor: &mut usize| {
            rules.find(name, cursor).is_some_and(|rule| rule.schema.is_some())
        };
        let mut cursor = 0;
        // `retain` is slow even if it removes nothing.
        if !fields.keys().all(|name| is_known(name, &mut cursor)) {
            fields.retain(|name, _| is_known(name, &mut cursor));
        }
        Ok(())
    }

    /// Returns the schema of a property.
    fn schema_of(
        &self,
        rules: &ObjectRules,
        name: &str,
        cursor: &mut usize,
    ) -> Result<Option<NodeId>, TooMuchWork> {
        self.budget.spend(1)?;
        let property = rules.find(name, cursor).and_then(|rule| rule.schema);
        Ok(property.or(rules.additional.filter(|_| rules.patterns.is_empty())))
    }

    fn add_defaults(
        &mut self,
        rules: &ObjectRules,
        fields: &mut Map<String, Value>,
    ) -> Result<(), TooMuchWork> {
        for rule in &rules.properties {
            let Some(schema) = rule.schema.filter(|_| self.defaults_left > 0) else { continue };
            if let Some(default) = self.find_default(schema)? {
                self.budget.spend(lookup_work(&rule.name))?;
                if !fields.contains_key(&*rule.name) {
                    self.defaults_left -= 1;
                    fields.insert(rule.name.to_string(), default.clone());
                }
            }
        }
        Ok(())
    }

    /// Returns the default of a property, either from its own schema or from the target of its
    /// `$ref`.
    fn find_default(&self, schema: NodeId) -> Result<Option<&'a Value>, TooMuchWork> {
        let mut node = Some(schema);
        for _ in 0..=MAX_HOPS {
            self.budget.spend(1)?;
            let Some(current) = node else { break };
            let mut keywords = self.graph.node(current).keywords.iter();
            let default = keywords.find_map(|keyword| match keyword {
                Keyword::Default(default) => Some(&**default),
                _ => None,
            });
            if default.is_some() {
                return Ok(default);
            }
            node = self.reference_of(current);
        }
        Ok(None)
    }

    fn coerce_items(
        &mut self,
        nodes: &[NodeId],
        items: &mut [Value],
        depth: usize,
    ) -> Result<(), TooMuchWork> {
        let graph = self.graph;
        let keywords = nodes.iter().flat_map(|node| &graph.node(*node).keywords);
        let mut all = keywords.filter_map(|keyword| match keyword {
            Keyword::Items(rules) => Some(&**rules),
            _ => None,
        });
        let Some(first) = all.next() else { return Ok(()) };
        let schema_of =
            |rules: &ItemRules, index: usize| rules.prefix.get(index).copied().or(rules.rest);
        let Some(second) = all.next() else {
            for (index, item) in items.iter_mut().enumerate() {
                self.coerce_value(schema_of(first, index).as_slice(), item, depth + 1)?;
            }
            return Ok(());
        };
        let rules: Vec<&ItemRules> = [first, second].into_iter().chain(all).collect();
        let mut schemas = Vec::new();
        for (index, item) in items.iter_mut().enumerate() {
            schemas.clear();
            schemas.extend(rules.iter().filter_map(|rules| schema_of(rules, index)));
            self.coerce_value(&schemas, item, depth + 1)?;
        }
        Ok(())
    }

    /// Converts a string to a number or a boolean if the schema requires that type and does not
    /// allow strings.
    fn coerce_string(&mut self, types: Types, text: &str) -> Option<Value> {
        if types.contains(Types::STRING) {
            return None;
        }
        let numbers = Types::NUMBER.with(Types::INTEGER).with(Types::WRITTEN_INTEGER);
        match text {
            "true" if types.contains(Types::BOOLEAN) => Some(Value::Bool(true)),
            "false" if types.contains(Types::BOOLEAN) => Some(Value::Bool(false)),
            _ if types.contains(numbers) => match parse_number(text) {
                Ok(number) => Some(Value::Number(number)),
                Err(NumberError::Lossy(error)) => {
                    self.lossy = Some(error);
                    None
                }
                Err(NumberError::Invalid) => None,
            },
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{Budget, Validator};

    fn coerce(schema: &Value, mut value: Value) -> Value {
        let validator = Validator::compile(schema.as_object().unwrap()).unwrap();
        validator.coerce(&mut value, &Budget::new(100_000)).unwrap();
        value
    }

    #[test]
    fn only_unambiguous_values_are_coerced() {
        let schema = json!({
            "type": "object", "additionalProperties": false,
            "properties": {
                "n": {"type": "integer"}, "f": {"type": ["number", "null"]},
                "b": {"type": "boolean"}, "s": {"type": "string"},
                "both": {"type": ["string", "number"]},
                "d": {"$ref": "#/$defs/d"},
                "list": {"type": "array", "items": {"type": "number"}},
                "any": {"anyOf": [{"type": "number"}]},
                "map": {"type": "object", "additionalProperties": {"type": "boolean"}}
            },
            "$defs": {"d": {"type": "object", "default": {}, "properties": {"x": {"default": 1}}}}
        });
        let value = json!({
            "n": "42", "f": "1.5", "b": "true", "s": "7", "both": "8", "list": ["1", "x"],
            "any": "3", "map": {"k": "false"}, "unknown": 1
        });
        assert_eq!(
            coerce(&schema, value),
            json!({
                "n": 42, "f": 1.5, "b": true, "s": "7", "both": "8", "list": [1, "x"],
                "any": "3", "map": {"k": false}, "d": {"x": 1}
            })
        );
    }

    #[test]
    fn all_kinds_of_references_are_followed() {
        for schema in [
            json!({"$ref": "#n", "$defs": {"n": {"$anchor": "n", "type": "integer"}}}),
            json!({"$ref": "a.json", "$defs": {"n": {"$id": "a.json", "type": "integer"}}}),
            json!({"$ref": "#/x/n%20m", "x": {"n m": {"type": "integer"}}}),
        ] {
            assert_eq!(coerce(&schema, json!("42")), json!(42), "{schema}");
        }
    }

    #[test]
    fn default_next_to_a_reference_is_used_in_every_draft() {
        let schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "properties": {"a": {"$ref": "#/definitions/n", "default": 5}},
            "definitions": {"n": {"type": "integer", "default": 1}}
        });
        assert_eq!(coerce(&schema, json!({})), json!({"a": 5}));
    }

    #[test]
    fn references_to_the_same_schema_are_applied_once() {
        let mut schema = json!({"$ref": "#/$defs/a0", "$defs": {"a24": {"type": "integer"}}});
        let mut value = json!("1");
        for index in (0..24).rev() {
            let level = json!({"l": {"$ref": format!("#/$defs/a{}", index + 1)}});
            schema["$defs"][format!("a{index}")] =
                json!({"$ref": format!("#/$defs/b{index}"), "properties": level});
            schema["$defs"][format!("b{index}")] = json!({"properties": level});
            value = json!({ "l": value });
        }
        let coerced = coerce(&schema, value);
        assert_eq!(coerced.pointer(&"/l".repeat(24)), Some(&json!(1)));
    }
}
