//! Finds the schemas that apply to a value: the targets of references, the branches of `allOf`, and
//! the only branch of a union that the value can be meant for.
//!
//! A union has such a branch if it has only one branch besides those for null, or if exactly one
//! branch has a property with a `const` or `enum` that the value has too.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::budget::{Budget, TooMuchWork};
use super::check::{Checker, Scope};
use super::equal::{equal, lookup_work};
use super::node::{Graph, Keyword, Node, NodeId, ObjectRules, ROOT, Types, Union};

/// Maximum number of `$ref`s to follow from a property to its constants or its default.
pub(super) const MAX_HOPS: usize = 16;

/// Why the schemas of a value are needed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The value is changed. A union that the value satisfies needs no change.
    Coerce,
    /// Defaults are filled in. A branch that the value satisfies has the defaults.
    Fill,
}

/// Finds the schemas that apply to values.
pub(super) struct Finder<'a> {
    pub(super) graph: &'a Graph,
    pub(super) budget: &'a Budget,
    checker: Checker<'a>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(graph: &'a Graph, budget: &'a Budget) -> Self {
        Finder { graph, budget, checker: Checker::new(graph, budget) }
    }

    /// Returns the schemas and those that they lead to, each once. The latter come first.
    pub(super) fn find<'s>(
        &self,
        schemas: &'s [NodeId],
        value: &Value,
        purpose: Purpose,
    ) -> Result<Cow<'s, [NodeId]>, TooMuchWork> {
        self.budget.spend(1)?;
        // Most values have one schema without references and combinators.
        if !schemas.iter().any(|schema| leads_on(self.graph.node(*schema))) {
            return Ok(Cow::Borrowed(schemas));
        }
        let mut nodes = Vec::new();
        for schema in schemas {
            self.add(*schema, &mut nodes, Some((value, purpose)))?;
        }
        Ok(Cow::Owned(nodes))
    }

    /// Adds a schema after those that it leads to. Without a value, unions are not followed. The
    /// recursion ends because no reference leads back to the same value.
    fn add(
        &self,
        id: NodeId,
        nodes: &mut Vec<NodeId>,
        use_unions: Option<(&Value, Purpose)>,
    ) -> Result<(), TooMuchWork> {
        self.budget.spend(1 + u64::try_from(nodes.len()).unwrap_or(u64::MAX) / 8)?;
        if nodes.contains(&id) {
            return Ok(());
        }
        let node = self.graph.node(id);
        for keyword in &node.keywords {
            match (keyword, use_unions) {
                (Keyword::Ref(target), _) => self.add(*target, nodes, use_unions)?,
                (Keyword::DynamicRef(reference), _) => {
                    let scopes = [ROOT, id].map(|node| self.graph.node(node).resource);
                    let outer = Scope { resource: scopes[0], outer: None };
                    let scope = Scope { resource: scopes[1], outer: Some(&outer) };
                    let target = self.checker.dynamic_target(*reference, &scope)?;
                    self.add(target, nodes, use_unions)?;
                }
                (Keyword::AllOf(branches), _) => {
                    for branch in branches {
                        self.add(*branch, nodes, use_unions)?;
                    }
                }
                (Keyword::AnyOf(union) | Keyword::OneOf(union), Some((value, purpose))) => {
                    if let Some(branch) = self.branch_for(id, keyword, union, value, purpose)? {
                        self.add(branch, nodes, use_unions)?;
                    }
                }
                _ => {}
            }
        }
        nodes.push(id);
        Ok(())
    }

    /// Returns the only branch of a union that a value can be meant for.
    fn branch_for(
        &self,
        id: NodeId,
        keyword: &'a Keyword,
        union: &Union,
        value: &Value,
        purpose: Purpose,
    ) -> Result<Option<NodeId>, TooMuchWork> {
        let branch = match self.only_branch(union)? {
            Some(_) if value.is_null() => None,
            Some(branch) if purpose == Purpose::Fill => return Ok(Some(branch)),
            Some(branch) => Some(branch),
            None => self.tagged_branch(union, value)?,
        };
        let Some(branch) = branch else { return Ok(None) };
        let is_needed = match purpose {
            Purpose::Coerce => !self.satisfies(id, keyword, value)?,
            Purpose::Fill => {
                self.graph.node(branch).can_fill
                    && (self.accepts(branch, value)? || !self.satisfies(id, keyword, value)?)
            }
        };
        Ok(is_needed.then_some(branch))
    }

    /// Returns the branch of a union that remains without those that accept only null.
    pub(super) fn only_branch(&self, union: &Union) -> Result<Option<NodeId>, TooMuchWork> {
        let mut only = None;
        for branch in &union.branches {
            if self.accepts_only_null(*branch)? {
                continue;
            }
            if only.is_some() {
                return Ok(None);
            }
            only = Some(*branch);
        }
        Ok(only)
    }

    fn accepts_only_null(&self, branch: NodeId) -> Result<bool, TooMuchWork> {
        let mut next = Some(branch);
        for _ in 0..=MAX_HOPS {
            self.budget.spend(1)?;
            let Some(id) = next else { break };
            let node = self.graph.node(id);
            let lists_null = match node.keywords.first() {
                Some(Keyword::Const(constant)) => constant.is_null(),
                Some(Keyword::Enum(all)) => {
                    !all.values.is_empty() && all.values.iter().all(Value::is_null)
                }
                _ => false,
            };
            if node.types == Types::NULL || lists_null {
                return Ok(true);
            }
            next = self.graph.reference_of(id);
        }
        Ok(false)
    }

    /// Returns the only branch with a constant property that the value has too.
    fn tagged_branch(&self, union: &Union, value: &Value) -> Result<Option<NodeId>, TooMuchWork> {
        let Value::Object(fields) = value else { return Ok(None) };
        let mut found = None;
        for branch in &union.branches {
            if self.has_its_tag(*branch, fields)? {
                if found.is_some() {
                    return Ok(None);
                }
                found = Some(*branch);
            }
        }
        Ok(found)
    }

    /// Returns whether an object has a constant of a branch, and none that the branch rejects.
    fn has_its_tag(
        &self,
        branch: NodeId,
        fields: &Map<String, Value>,
    ) -> Result<bool, TooMuchWork> {
        let mut nodes = Vec::new();
        self.add(branch, &mut nodes, None)?;
        let mut has_tag = false;
        for rules in nodes.iter().flat_map(|node| self.object_rules(*node)) {
            for rule in &rules.properties {
                self.budget.spend(1)?;
                let Some(tag) = rule.schema.and_then(|schema| self.constants(schema)) else {
                    continue;
                };
                self.budget.spend(lookup_work(&rule.name))?;
                let Some(field) = fields.get(&*rule.name) else { continue };
                let mut is_listed = false;
                for constant in tag {
                    is_listed |= equal(constant, field, self.budget)?;
                }
                if !is_listed {
                    return Ok(false);
                }
                has_tag = true;
            }
        }
        Ok(has_tag)
    }

    /// Returns the values of the `const` or `enum` of a schema or of the target of its `$ref`.
    fn constants(&self, schema: NodeId) -> Option<&'a [Value]> {
        let hops = std::iter::successors(Some(schema), |node| self.graph.reference_of(*node));
        hops.take(MAX_HOPS + 1).find_map(|node| match self.graph.node(node).keywords.first() {
            Some(Keyword::Const(constant)) => Some(std::slice::from_ref(&**constant)),
            Some(Keyword::Enum(all)) => Some(all.values.as_slice()),
            _ => None,
        })
    }

    /// Returns whether defaults can be filled in where a schema applies.
    pub(super) fn can_fill(&self, schema: NodeId) -> bool {
        self.graph.node(schema).can_fill
    }

    /// Returns the rules for objects of a node.
    pub(super) fn object_rules(&self, node: NodeId) -> impl Iterator<Item = &'a ObjectRules> {
        self.graph.node(node).keywords.iter().filter_map(|keyword| match keyword {
            Keyword::Object(rules) => Some(&**rules),
            _ => None,
        })
    }

    /// Returns whether a schema accepts a value.
    pub(super) fn accepts(&self, schema: NodeId, value: &Value) -> Result<bool, TooMuchWork> {
        let outer = Scope { resource: self.graph.node(ROOT).resource, outer: None };
        let scope = Scope { resource: self.graph.node(schema).resource, outer: Some(&outer) };
        self.checker.check(schema, value, &scope, None)
    }

    /// Returns whether a value satisfies a keyword of a node.
    fn satisfies(
        &self,
        node: NodeId,
        keyword: &'a Keyword,
        value: &Value,
    ) -> Result<bool, TooMuchWork> {
        let outer = Scope { resource: self.graph.node(ROOT).resource, outer: None };
        let scope = Scope { resource: self.graph.node(node).resource, outer: Some(&outer) };
        self.checker.check_keyword(keyword, value, &scope, None)
    }
}

/// Returns whether other schemas can apply to a value of a node.
fn leads_on(node: &Node) -> bool {
    node.keywords.iter().any(|keyword| {
        matches!(
            keyword,
            Keyword::Ref(_)
                | Keyword::DynamicRef(_)
                | Keyword::AllOf(_)
                | Keyword::AnyOf(_)
                | Keyword::OneOf(_)
        )
    })
}
