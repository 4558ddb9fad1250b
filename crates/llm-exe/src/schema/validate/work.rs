//! Rejects schemas that could cause too much work, before any value is checked.
//!
//! If each definition in a chain refers to the next one twice, the work doubles at each level. With
//! thirty short definitions, a single value would be checked a billion times. Alternatives that are
//! written out cost no more than the length of the schema, so they are never rejected.

use super::builder::Builder;
use super::node::{DynamicRef, Keyword, NodeId, ROOT};
use crate::schema::SchemaError;

/// Maximum number of subschemas that a single value may be checked against. For a schema with more
/// subschemas than this, the limit is its number of subschemas.
const MAX_CHECKS: u64 = 20_000;
/// Maximum length of a chain of references and combinators that apply to the same value. Following
/// a longer chain could overflow the stack.
const MAX_CHAIN: usize = 500;

/// Checks the subschemas that a value can be checked against.
///
/// # Errors
/// Returns an error if one of them has a reference to a schema that does not exist, if references
/// form a cycle that applies to the same value, or if they cause too many checks of one value.
pub(super) fn check(builder: &Builder<'_>) -> Result<(), SchemaError> {
    let nodes = builder.nodes.len();
    let limit = MAX_CHECKS.max(u64::try_from(nodes).unwrap_or(u64::MAX));
    // The dynamic anchors with the same name are counted together, after the nodes.
    let dynamic = builder.resources.dynamic_anchors.len();
    let counts = vec![None; nodes + dynamic];
    let mut counter = Counter { builder, nodes, limit, counts };
    for node in counter.reachable()? {
        counter.count(node, 0)?;
    }
    Ok(())
}

struct Counter<'c, 'a> {
    builder: &'c Builder<'a>,
    nodes: usize,
    limit: u64,
    counts: Vec<Option<Count>>,
}

#[derive(Clone, Copy)]
enum Count {
    InProgress,
    Done { checks: u64, chain: usize },
}

/// How a subschema applies to the value of the schema around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AppliesTo {
    SameValue,
    Part,
}

impl Counter<'_, '_> {
    /// Returns all nodes that a value or its parts can be checked against.
    fn reachable(&self) -> Result<Vec<usize>, SchemaError> {
        let mut seen = vec![false; self.counts.len()];
        let mut found = Vec::with_capacity(self.nodes);
        let mut next: Vec<usize> = usize::try_from(ROOT).into_iter().collect();
        while let Some(index) = next.pop() {
            match seen.get_mut(index) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            found.push(index);
            self.for_each_inner(index, |_, inner| next.push(inner));
        }
        let is_reachable = |node: NodeId| {
            usize::try_from(node).ok().and_then(|index| seen.get(index)).is_some_and(|seen| *seen)
        };
        let broken = self.builder.broken.iter().find(|(node, _)| is_reachable(*node));
        match broken {
            Some((_, error)) => Err(error.clone()),
            None => Ok(found),
        }
    }

    /// Returns how many subschemas a value is checked against at a node, and the length of the
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
        let mut same_value = Vec::new();
        self.for_each_inner(index, |applies_to, inner| {
            if applies_to == AppliesTo::SameValue {
                same_value.push(inner);
            }
        });
        let (mut checks, mut chain) = (1u64, 0);
        for inner in same_value {
            if depth > MAX_CHAIN {
                break;
            }
            let (more, longest) = self.count(inner, depth + 1)?;
            checks = checks.saturating_add(more);
            chain = chain.max(longest + 1);
        }
        if depth > MAX_CHAIN || chain > MAX_CHAIN {
            let text = format!(
                "is part of a chain of more than {MAX_CHAIN} references in a row; shorten the chain"
            );
            return Err(self.error_at(index, &text));
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

    /// Calls a function with each direct subschema of a node.
    fn for_each_inner(&self, index: usize, mut found: impl FnMut(AppliesTo, usize)) {
        let mut add = |applies_to, node: NodeId| {
            found(applies_to, usize::try_from(node).unwrap_or(usize::MAX));
        };
        let Some(node) = self.builder.nodes.get(index) else {
            let anchors = index.checked_sub(self.nodes);
            let anchors = anchors.and_then(|at| self.builder.resources.dynamic_anchors.get(at));
            for node in anchors.into_iter().flat_map(|anchors| anchors.by_resource.values()) {
                add(AppliesTo::SameValue, *node);
            }
            return;
        };
        for keyword in &node.keywords {
            for_each_subschema(keyword, &mut add);
        }
        for keyword in &node.keywords {
            if let Keyword::DynamicRef(DynamicRef { anchors: Some(anchors), .. }) = keyword {
                let anchors = usize::try_from(*anchors).unwrap_or(usize::MAX);
                found(AppliesTo::SameValue, self.nodes.saturating_add(anchors));
            }
        }
    }

    fn error_at(&self, index: usize, text: &str) -> SchemaError {
        let node = NodeId::try_from(index).unwrap_or(NodeId::MAX);
        self.builder.places.too_much_work(node, text)
    }
}

/// Calls a function with each subschema of a keyword.
fn for_each_subschema(keyword: &Keyword, add: &mut impl FnMut(AppliesTo, NodeId)) {
    use AppliesTo::{Part, SameValue};
    let mut add_all = |applies_to, nodes: &[NodeId]| {
        nodes.iter().for_each(|node| add(applies_to, *node));
    };
    match keyword {
        Keyword::AllOf(branches) => add_all(SameValue, branches),
        Keyword::AnyOf(union) | Keyword::OneOf(union) => add_all(SameValue, &union.branches),
        Keyword::Not(inner) | Keyword::Ref(inner) => add_all(SameValue, &[*inner]),
        // The target has one of the dynamic anchors, if there are any.
        Keyword::DynamicRef(reference) if reference.anchors.is_none() => {
            add_all(SameValue, &[reference.target]);
        }
        Keyword::If(rule) => {
            add_all(SameValue, &[rule.condition]);
            add_all(SameValue, rule.then.as_slice());
            add_all(SameValue, rule.otherwise.as_slice());
        }
        Keyword::DependentSchemas(all) => {
            all.iter().for_each(|(_, schema)| add_all(SameValue, &[*schema]));
        }
        Keyword::Object(rules) => {
            let properties = rules.properties.iter().filter_map(|rule| rule.schema);
            properties.for_each(|schema| add_all(Part, &[schema]));
            rules.patterns.iter().for_each(|rule| add_all(Part, &[rule.schema]));
            add_all(Part, rules.additional.as_slice());
        }
        Keyword::Items(rules) => {
            add_all(Part, &rules.prefix);
            add_all(Part, rules.rest.as_slice());
        }
        Keyword::Contains(rule) => add_all(Part, &[rule.schema]),
        Keyword::PropertyNames(inner)
        | Keyword::UnevaluatedProperties(inner)
        | Keyword::UnevaluatedItems(inner) => add_all(Part, &[*inner]),
        _ => {}
    }
}
