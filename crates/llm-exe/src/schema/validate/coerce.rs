//! Coerces a value to a schema where this is unambiguous. For example, the string `"42"` becomes a
//! number if the schema requires a number. Missing properties are set to their defaults, and
//! unknown properties of closed objects are removed.
//!
//! Coercion follows `properties`, `items`, `$ref` and `additionalProperties`. It does not follow
//! combinators such as `anyOf`, because the result would depend on which branch is chosen.

use serde_json::{Map, Value};

use super::budget::{Budget, TooMuchWork};
use super::equal::lookup_work;
use super::node::{Graph, ItemRules, Keyword, NodeId, ObjectRules, Types};
use crate::json::{LossyNumber, NumberError, parse_number};

/// Maximum depth of the values to coerce. Deeper values are not changed.
const MAX_DEPTH: usize = 200;
/// Maximum number of defaults to fill in. A default can be an object that has defaults of its own,
/// so their number could double at each level.
const MAX_DEFAULTS: usize = 1000;
/// Maximum number of `$ref`s to follow from a property to its default.
pub(super) const MAX_HOPS: usize = 16;

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
    /// Coerces a property or an item to its schema. Most values and schemas need no coercion.
    #[inline(always)]
    fn coerce_part(
        &mut self,
        schema: NodeId,
        part: &mut Value,
        depth: usize,
    ) -> Result<(), TooMuchWork> {
        let is_scalar = matches!(part, Value::Null | Value::Bool(_) | Value::Number(_));
        if is_scalar || !self.graph.node(schema).can_coerce {
            return Ok(());
        }
        self.coerce_value(&[schema], part, depth)
    }

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
            Value::Object(_) | Value::Array(_) => {
                // Most values have one schema, which needs no allocation.
                if let [only] = schemas
                    && let Some(node) = self.sole_target(*only)?
                {
                    return self.coerce_parts(&[node], value, depth);
                }
                let nodes = self.with_references(schemas)?;
                self.coerce_parts(&nodes, value, depth)
            }
            _ => Ok(()),
        }
    }

    /// Follows the references of a schema. Returns `None` if a schema with a reference has rules
    /// for properties or items too, so that several schemas apply.
    fn sole_target(&self, schema: NodeId) -> Result<Option<NodeId>, TooMuchWork> {
        let mut target = schema;
        while let Some(next) = self.graph.reference_of(target) {
            self.budget.spend(1)?;
            let mut keywords = self.graph.node(target).keywords.iter();
            if keywords.any(|keyword| matches!(keyword, Keyword::Object(_) | Keyword::Items(_))) {
                return Ok(None);
            }
            target = next;
        }
        Ok(Some(target))
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
                None => next = self.graph.reference_of(node),
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
            next = self.graph.reference_of(node);
        }
        if let Some(added) = nodes.get_mut(start..) {
            added.reverse();
        }
        Ok(())
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
            return self.coerce_fields(first, fields, depth);
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

    /// Coerces an object to the only rules that apply to it.
    fn coerce_fields(
        &mut self,
        rules: &ObjectRules,
        fields: &mut Map<String, Value>,
        depth: usize,
    ) -> Result<(), TooMuchWork> {
        self.add_defaults(rules, fields)?;
        let additional = rules.coerced_additional();
        let (mut cursor, mut has_unknown) = (0, false);
        for (name, field) in fields.iter_mut() {
            self.budget.spend(1)?;
            let known = rules.find(name, &mut cursor).and_then(|rule| rule.schema);
            has_unknown |= known.is_none();
            if let Some(schema) = known.or(additional) {
                self.coerce_part(schema, field, depth + 1)?;
            }
        }
        if has_unknown {
            remove_unknown(rules, fields);
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
        let mut cursor = 0;
        // `retain` is slow even if it removes nothing.
        if rules.is_closed() && !fields.keys().all(|name| is_known(rules, name, &mut cursor)) {
            remove_unknown(rules, fields);
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
        Ok(property.or(rules.coerced_additional()))
    }

    fn add_defaults(
        &mut self,
        rules: &ObjectRules,
        fields: &mut Map<String, Value>,
    ) -> Result<(), TooMuchWork> {
        if !rules.has_defaults || has_all(rules, fields) {
            return Ok(());
        }
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
            if let Some(default) = self.graph.default_of(current) {
                return Ok(Some(default));
            }
            node = self.graph.reference_of(current);
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
        let Some(second) = all.next() else {
            let mut prefix = first.prefix.iter().copied();
            if prefix.len() == 0 && first.rest.is_none_or(|rest| !graph.node(rest).can_coerce) {
                return Ok(());
            }
            for item in items {
                let Some(schema) = prefix.next().or(first.rest) else { break };
                self.coerce_part(schema, item, depth + 1)?;
            }
            return Ok(());
        };
        let schema_of =
            |rules: &ItemRules, index: usize| rules.prefix.get(index).copied().or(rules.rest);
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

/// Returns whether the schema of a property is known.
fn is_known(rules: &ObjectRules, name: &str, cursor: &mut usize) -> bool {
    rules.find(name, cursor).is_some_and(|rule| rule.schema.is_some())
}

/// Returns whether an object has all properties that have a schema. This needs no hashes if the
/// properties are in the order of the schema.
fn has_all(rules: &ObjectRules, fields: &Map<String, Value>) -> bool {
    let mut cursor = 0;
    let found = fields.keys().filter(|name| is_known(rules, name, &mut cursor)).count();
    found == rules.properties.iter().filter(|rule| rule.schema.is_some()).count()
}

/// Removes the unknown properties of a closed object.
fn remove_unknown(rules: &ObjectRules, fields: &mut Map<String, Value>) {
    if rules.is_closed() {
        let mut cursor = 0;
        fields.retain(|name, _| is_known(rules, name, &mut cursor));
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
