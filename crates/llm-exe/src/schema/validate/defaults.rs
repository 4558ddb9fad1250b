//! Fills in the defaults of missing properties.
//!
//! Defaults are looked up and checked when a schema is compiled: one that its own schema rejects is
//! not filled in.

use serde_json::{Map, Value};

use super::applied::{Finder, MAX_HOPS, Purpose};
use super::budget::{Budget, TooMuchWork};
use super::check::Checker;
use super::equal::lookup_work;
use super::errors;
use super::node::{DynamicRef, Graph, Keyword, Node, NodeId, ObjectRules};
use super::path::Path;
use super::places::{MAX_POINTER, Places, Step};
use super::warnings::Warnings;
use crate::error::shorten;
use crate::json::MAX_DEPTH;

/// Maximum number of defaults to fill in. A default can be an object that has defaults of its own,
/// so their number could double at each level.
const MAX_DEFAULTS: usize = 1000;
/// Maximum units of work to check the defaults of a schema. The defaults after that are not
/// checked.
const MAX_CHECK_WORK: u64 = 3_000_000;

/// A default that was filled in.
#[derive(Debug)]
pub(super) struct FilledDefault {
    /// The JSON pointer of the object.
    object: String,
    name: String,
}

/// Fills in the defaults of missing properties, in place.
///
/// # Errors
/// Returns an error if the budget is spent.
pub(super) fn fill(
    graph: &Graph,
    node: NodeId,
    value: &mut Value,
    budget: &Budget,
) -> Result<Vec<FilledDefault>, TooMuchWork> {
    let finder = Finder::new(graph, budget);
    let mut filler = Filler { finder, filled: Vec::new(), around: Vec::new() };
    filler.fill_value(&[node], value, &Path::ROOT, 0)?;
    Ok(filler.filled)
}

/// Removes the defaults that were filled in.
pub(super) fn remove(value: &mut Value, filled: Vec<FilledDefault>) {
    for FilledDefault { object, name } in filled.into_iter().rev() {
        if let Some(Value::Object(fields)) = value.pointer_mut(&object) {
            fields.shift_remove(&name);
        }
    }
}

struct Filler<'a> {
    finder: Finder<'a>,
    filled: Vec<FilledDefault>,
    /// The nodes of the defaults around the current value. They are not filled in again, so that a
    /// recursive schema does not repeat its default without end.
    around: Vec<NodeId>,
}

impl Filler<'_> {
    fn fill_value(
        &mut self,
        schemas: &[NodeId],
        value: &mut Value,
        path: &Path<'_>,
        depth: usize,
    ) -> Result<(), TooMuchWork> {
        let graph = self.finder.graph;
        let can_fill = schemas.iter().any(|schema| self.finder.can_fill(*schema));
        if depth > MAX_DEPTH || !can_fill || !(value.is_object() || value.is_array()) {
            return Ok(());
        }
        let nodes = self.finder.find(schemas, value, Purpose::Fill)?;
        let mut inner = Vec::new();
        match value {
            Value::Object(fields) => {
                let rules = nodes.iter().flat_map(|node| self.finder.object_rules(*node));
                let rules: Vec<&ObjectRules> = rules.collect();
                let (old, mut added) = (fields.len(), Vec::new());
                for rules in &rules {
                    self.add_defaults(rules, fields, path, &mut added)?;
                }
                let mut cursors = vec![0; rules.len()];
                for (index, (name, field)) in fields.iter_mut().enumerate() {
                    self.finder.budget.spend(1)?;
                    inner.clear();
                    inner.extend(
                        rules
                            .iter()
                            .zip(&mut cursors)
                            .filter_map(|(rules, cursor)| rules.coerced_schema(name, cursor)),
                    );
                    let source = index.checked_sub(old).and_then(|at| added.get(at));
                    self.around.extend(source);
                    self.fill_value(&inner, field, &path.with(Step::Name(name)), depth + 1)?;
                    self.around.truncate(self.around.len() - usize::from(source.is_some()));
                }
            }
            Value::Array(items) => {
                let rules: Vec<_> = nodes.iter().filter_map(|id| graph.item_rules(*id)).collect();
                for (index, item) in items.iter_mut().enumerate() {
                    self.finder.budget.spend(1)?;
                    inner.clear();
                    inner.extend(rules.iter().filter_map(|rules| rules.schema_at(index)));
                    self.fill_value(&inner, item, &path.with(Step::Index(index)), depth + 1)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn add_defaults(
        &mut self,
        rules: &ObjectRules,
        fields: &mut Map<String, Value>,
        path: &Path<'_>,
        added: &mut Vec<NodeId>,
    ) -> Result<(), TooMuchWork> {
        if !rules.has_defaults || has_all(rules, fields) {
            return Ok(());
        }
        for rule in &rules.properties {
            self.finder.budget.spend(lookup_work(&rule.name))?;
            let source = rule.default.filter(|source| !self.around.contains(source));
            let Some(source) = source.filter(|_| !fields.contains_key(&*rule.name)) else {
                continue;
            };
            let Some(default) = self.finder.graph.default_of(source) else { continue };
            if self.filled.len() >= MAX_DEFAULTS {
                break;
            }
            self.finder.budget.spend(weight(default))?;
            fields.insert(rule.name.to_string(), default.clone());
            added.push(source);
            let (object, name) = (path.pointer(), rule.name.to_string());
            self.filled.push(FilledDefault { object, name });
        }
        Ok(())
    }
}

/// Returns the units of work to copy a value, which also limit the memory for copies.
fn weight(value: &Value) -> u64 {
    let length = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    match value {
        Value::String(text) => 16 + length(text.len()),
        Value::Array(items) => 16 + items.iter().map(weight).sum::<u64>(),
        Value::Object(fields) => {
            16 + fields.iter().map(|(name, field)| length(name.len()) + weight(field)).sum::<u64>()
        }
        _ => 16,
    }
}

/// Returns whether an object has all properties that have a schema. This needs no hashes if the
/// properties are in the order of the schema.
fn has_all(rules: &ObjectRules, fields: &Map<String, Value>) -> bool {
    let mut cursor = 0;
    let has_schema = |name: &String, cursor: &mut usize| {
        rules.find(name, cursor).is_some_and(|rule| rule.schema.is_some())
    };
    let found = fields.keys().filter(|name| has_schema(name, &mut cursor)).count();
    found == rules.properties.iter().filter(|rule| rule.schema.is_some()).count()
}

/// Finds the defaults of all properties and the nodes that lead to them, and adds a warning for
/// each default that its schema rejects.
pub(super) fn prepare(graph: &mut Graph, places: &Places<'_>, warnings: &mut Warnings) {
    let found = find_defaults(graph);
    if found.is_empty() {
        return;
    }
    for PropertyDefault { node, property, source, .. } in &found {
        if let Some(rules) = graph.object_rules_mut(*node) {
            rules.has_defaults = true;
            if let Some(rule) = rules.properties.get_mut(*property) {
                rule.default = Some(*source);
            }
        }
    }
    mark(graph, found.iter().map(|default| default.node).collect());
    let budget = Budget::new(MAX_CHECK_WORK);
    let mut rejected = Vec::new();
    // Inner defaults, which are part of what outer ones become, are checked first.
    for default in found.iter().rev() {
        let Ok(Some(reason)) = rejection_reason(graph, default, &budget) else { continue };
        let rules = graph.object_rules_mut(default.node);
        let rule = rules.and_then(|rules| rules.properties.get_mut(default.property));
        if let Some(rule) = rule {
            rule.default = None;
        }
        rejected.push((default.source, reason));
    }
    // Several properties can refer to the same default.
    rejected.sort_by_key(|(source, _)| *source);
    rejected.dedup_by_key(|(source, _)| *source);
    for (source, reason) in rejected {
        warnings.add(|| {
            let pointer = places.pointer(source, &[Step::Name("default")]);
            format!(
                "schema: the default at {} is not filled in, because its schema rejects it: \
                 {reason}",
                shorten(&pointer, MAX_POINTER)
            )
        });
    }
}

/// The default of a property.
struct PropertyDefault {
    node: NodeId,
    /// The index of the property in the rules of the node.
    property: usize,
    schema: NodeId,
    /// The node with the default: the schema of the property, or a target of its `$ref`.
    source: NodeId,
}

fn find_defaults(graph: &Graph) -> Vec<PropertyDefault> {
    let mut found = Vec::new();
    for node in (0..graph.nodes.len()).filter_map(|index| NodeId::try_from(index).ok()) {
        let rules = graph.object_rules(node).map(|rules| &rules.properties);
        for (property, rule) in rules.into_iter().flatten().enumerate() {
            let Some(schema) = rule.schema else { continue };
            let hops = std::iter::successors(Some(schema), |node| graph.reference_of(*node));
            let source = hops.take(MAX_HOPS + 1).find(|node| graph.default_of(*node).is_some());
            found.extend(source.map(|source| PropertyDefault { node, property, schema, source }));
        }
    }
    found
}

/// Returns why a schema rejects a default. Nested defaults are filled in first if this helps.
///
/// # Errors
/// Returns an error if the check takes too much work. Such a default is filled in, because the
/// value with it is checked again.
fn rejection_reason(
    graph: &Graph,
    default: &PropertyDefault,
    budget: &Budget,
) -> Result<Option<String>, TooMuchWork> {
    let Some(value) = graph.default_of(default.source) else { return Ok(None) };
    let finder = Finder::new(graph, budget);
    if finder.accepts(default.schema, value)? {
        return Ok(None);
    }
    if finder.can_fill(default.schema) && (value.is_object() || value.is_array()) {
        budget.spend(weight(value))?;
        let mut complete = value.clone();
        fill(graph, default.schema, &mut complete, budget)?;
        if finder.accepts(default.schema, &complete)? {
            return Ok(None);
        }
    }
    let reason = errors::explain(&Checker::new(graph, budget), default.schema, value);
    Ok(Some(reason.strip_prefix("the value: ").unwrap_or(&reason).to_owned()))
}

/// Sets `can_fill` of the nodes, and of those that lead to one of them.
fn mark(graph: &mut Graph, mut found: Vec<NodeId>) {
    // The target of a dynamic reference is not known yet.
    let is_dynamic = |node: &Node| {
        node.keywords.iter().any(|keyword| {
            matches!(keyword, Keyword::DynamicRef(DynamicRef { anchors: Some(_), .. }))
        })
    };
    found.extend((0..).zip(&graph.nodes).filter(|(_, node)| is_dynamic(node)).map(|(id, _)| id));
    let edges = followed_edges(graph);
    let set = |graph: &mut Graph, node: NodeId| {
        let node = usize::try_from(node).ok().and_then(|index| graph.nodes.get_mut(index));
        node.is_some_and(|node| !std::mem::replace(&mut node.can_fill, true))
    };
    found.retain(|node| set(graph, *node));
    while let Some(target) = found.pop() {
        let start = edges.partition_point(|(to, _)| *to < target);
        let rest = edges.get(start..).unwrap_or_default();
        for (_, from) in rest.iter().take_while(|(to, _)| *to == target) {
            if set(graph, *from) {
                found.push(*from);
            }
        }
    }
}

/// Returns the references and subschemas that defaults are looked for in, as sorted pairs of the
/// target and the node.
fn followed_edges(graph: &Graph) -> Vec<(NodeId, NodeId)> {
    let mut edges = Vec::new();
    for (from, node) in (0..).zip(&graph.nodes) {
        let mut add = |to: NodeId| edges.push((to, from));
        for keyword in &node.keywords {
            match keyword {
                Keyword::Ref(target) => add(*target),
                Keyword::DynamicRef(reference) => add(reference.target),
                Keyword::AllOf(branches) => branches.iter().copied().for_each(&mut add),
                Keyword::AnyOf(union) | Keyword::OneOf(union) => {
                    union.branches.iter().copied().for_each(&mut add);
                }
                Keyword::Object(rules) => {
                    rules.properties.iter().filter_map(|rule| rule.schema).for_each(&mut add);
                    rules.coerced_additional().into_iter().for_each(&mut add);
                }
                Keyword::Items(rules) => {
                    rules.prefix.iter().copied().chain(rules.rest).for_each(&mut add)
                }
                _ => {}
            }
        }
    }
    edges.sort_unstable();
    edges
}
