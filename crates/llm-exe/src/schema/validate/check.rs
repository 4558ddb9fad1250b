//! Checks values against a compiled schema.

use std::cell::Cell;
use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::de::IgnoredAny;
use serde_json::{Map, Number, Value};

use super::budget::{Budget, TooMuchWork};
use super::decimal::Decimal;
use super::equal::{MAX_PAIRWISE, byte_work, equal, equal_items, hash, lookup_work};
use super::evaluated::EvaluatedParts;
use super::node::{
    ContainsRule, Content, DynamicRef, Encoding, Enumeration, Graph, ItemRules, Keyword, NEVER,
    Node, NodeId, NumberRule, NumberRuleKind, ObjectRules, Range, Union,
};

/// Maximum number of nested checks. More of them could overflow the stack.
const MAX_DEPTH: u32 = 1000;
/// The number of units of work to check a value against a schema, without its keywords.
const VISIT: u64 = 2;

/// Checks values, and counts the work.
pub(super) struct Checker<'c> {
    pub(super) graph: &'c Graph,
    pub(super) budget: &'c Budget,
    depth: Cell<u32>,
}

/// The schema resources that references have led through, for dynamic references.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    pub(super) resource: u32,
    pub(super) outer: Option<&'s Scope<'s>>,
}

/// Whether a value satisfies a schema.
type Outcome = Result<bool, TooMuchWork>;

impl<'c> Checker<'c> {
    pub(super) fn new(graph: &'c Graph, budget: &'c Budget) -> Self {
        Checker { graph, budget, depth: Cell::new(0) }
    }

    /// Checks a value against a node. Adds the evaluated properties or items to `evaluated`; they
    /// are meaningless if the value is invalid.
    pub(super) fn check(
        &self,
        node: NodeId,
        value: &Value,
        scope: &Scope<'_>,
        evaluated: Option<&mut EvaluatedParts>,
    ) -> Outcome {
        self.check_inline(node, value, scope, evaluated)
    }

    /// Checks a value in a loop over properties or items. Most of them have only a type to check.
    #[inline(always)]
    fn check_inline(
        &self,
        node: NodeId,
        value: &Value,
        scope: &Scope<'_>,
        evaluated: Option<&mut EvaluatedParts>,
    ) -> Outcome {
        self.budget.spend(VISIT)?;
        let node = self.graph.node(node);
        if !node.types.accept(value) {
            return Ok(false);
        }
        if node.keywords.is_empty() {
            return Ok(true);
        }
        self.check_nested(node, value, scope, evaluated)
    }

    fn check_nested(
        &self,
        node: &'c Node,
        value: &Value,
        scope: &Scope<'_>,
        evaluated: Option<&mut EvaluatedParts>,
    ) -> Outcome {
        self.enter()?;
        let outcome = self.check_keywords(node, value, scope, evaluated);
        self.leave();
        outcome
    }

    pub(super) fn enter(&self) -> Result<(), TooMuchWork> {
        if self.depth.get() >= MAX_DEPTH {
            return Err(TooMuchWork::Depth);
        }
        self.depth.set(self.depth.get() + 1);
        Ok(())
    }

    pub(super) fn leave(&self) {
        self.depth.set(self.depth.get().saturating_sub(1));
    }

    fn check_keywords(
        &self,
        mut node: &'c Node,
        value: &Value,
        scope: &Scope<'_>,
        mut evaluated: Option<&mut EvaluatedParts>,
    ) -> Outcome {
        loop {
            if self.changes_scope(node, scope) {
                let inner = Scope { resource: node.resource, outer: Some(scope) };
                return self.check_keywords(node, value, &inner, evaluated);
            }
            if node.has_unevaluated {
                return self.check_unevaluated(node, value, scope, evaluated);
            }
            let Some((last, others)) = node.keywords.split_last() else { return Ok(true) };
            for keyword in others {
                if !self.check_keyword(keyword, value, scope, evaluated.as_deref_mut())? {
                    return Ok(false);
                }
            }
            // Chains of references need no stack.
            let Keyword::Ref(target) = last else {
                return self.check_keyword(last, value, scope, evaluated);
            };
            self.budget.spend(VISIT)?;
            node = self.graph.node(*target);
            if !node.types.accept(value) {
                return Ok(false);
            }
        }
    }

    /// Returns whether a node is in another resource than the nodes before it. Without dynamic
    /// anchors, this does not matter.
    pub(super) fn changes_scope(&self, node: &Node, scope: &Scope<'_>) -> bool {
        node.resource != scope.resource && !self.graph.dynamic_anchors.is_empty()
    }

    fn check_unevaluated(
        &self,
        node: &'c Node,
        value: &Value,
        scope: &Scope<'_>,
        outer: Option<&mut EvaluatedParts>,
    ) -> Outcome {
        let mut own = EvaluatedParts::default();
        for keyword in &node.keywords {
            let is_valid = match (keyword, value) {
                (Keyword::UnevaluatedProperties(schema), Value::Object(fields)) => {
                    self.check_rest(*schema, fields.values(), scope, &mut own)?
                }
                (Keyword::UnevaluatedItems(schema), Value::Array(items)) => {
                    self.check_rest(*schema, items.iter(), scope, &mut own)?
                }
                _ => self.check_keyword(keyword, value, scope, Some(&mut own))?,
            };
            if !is_valid {
                return Ok(false);
            }
        }
        if let Some(outer) = outer {
            self.budget.spend(own.work())?;
            outer.add_all(&own);
        }
        Ok(true)
    }

    /// Checks the properties or items that have not been evaluated.
    fn check_rest<'v>(
        &self,
        schema: NodeId,
        parts: impl Iterator<Item = &'v Value>,
        scope: &Scope<'_>,
        own: &mut EvaluatedParts,
    ) -> Outcome {
        for (position, part) in parts.enumerate() {
            if !own.contains(position) {
                if !self.check(schema, part, scope, None)? {
                    return Ok(false);
                }
                own.add(position);
            }
        }
        Ok(true)
    }

    /// Checks a value against one keyword of a node.
    pub(super) fn check_keyword(
        &self,
        keyword: &'c Keyword,
        value: &Value,
        scope: &Scope<'_>,
        evaluated: Option<&mut EvaluatedParts>,
    ) -> Outcome {
        match (keyword, value) {
            (Keyword::Object(rules), Value::Object(fields)) => {
                self.check_object(rules, fields, scope, evaluated)
            }
            (Keyword::Items(rules), Value::Array(items)) => {
                self.check_items(rules, items, scope, evaluated)
            }
            (Keyword::Ref(target), _) => self.check(*target, value, scope, evaluated),
            (Keyword::DynamicRef(reference), _) => {
                let target = self.dynamic_target(*reference, scope)?;
                self.check(target, value, scope, evaluated)
            }
            (Keyword::AllOf(branches), _) => self.check_all(branches, value, scope, evaluated),
            (Keyword::AnyOf(union), _) => self.check_any(union, value, scope, evaluated),
            (Keyword::OneOf(union), _) => self.check_one(union, value, scope, evaluated),
            (Keyword::If(rule), _) => {
                let (condition, then, otherwise) = (rule.condition, rule.then, rule.otherwise);
                self.check_if([Some(condition), then, otherwise], value, scope, evaluated)
            }
            (Keyword::DependentSchemas(all), Value::Object(fields)) => {
                self.check_dependent(all, fields, value, scope, evaluated)
            }
            (Keyword::Contains(rule), Value::Array(items)) => {
                let count = self.count_matches(rule, items, scope, evaluated)?;
                Ok(rule.count.contains(count))
            }
            (Keyword::Not(inner), _) => Ok(!self.check(*inner, value, scope, None)?),
            (Keyword::PropertyNames(schema), Value::Object(fields)) => {
                for name in fields.keys() {
                    if !self.check_name(*schema, name, scope)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            _ => self.check_leaf(keyword, value),
        }
    }

    /// Checks a value against a keyword that has no subschemas.
    fn check_leaf(&self, keyword: &'c Keyword, value: &Value) -> Outcome {
        match (keyword, value) {
            (Keyword::Const(constant), _) => equal(constant, value, self.budget),
            (Keyword::Enum(all), _) => self.is_listed(all, value),
            (Keyword::Number(rule), Value::Number(number)) => self.check_number(rule, number),
            (Keyword::Length(range), Value::String(text)) => self.check_length(*range, text),
            (Keyword::Pattern(rule), Value::String(text)) => {
                rule.pattern.is_match(text, self.budget)
            }
            (Keyword::Content(content), Value::String(text)) => self.check_content(*content, text),
            (Keyword::ItemCount(range), Value::Array(items)) => Ok(range.contains(items.len())),
            (Keyword::UniqueItems, Value::Array(items)) => {
                Ok(equal_items(items, self.budget)?.is_none())
            }
            (Keyword::PropertyCount(range), Value::Object(fields)) => {
                Ok(range.contains(fields.len()))
            }
            (Keyword::DependentRequired(all), Value::Object(fields)) => {
                for rule in all {
                    self.budget.spend(lookup_work(&rule.name))?;
                    if !fields.contains_key(&*rule.name) {
                        continue;
                    }
                    for name in &rule.required {
                        self.budget.spend(lookup_work(name))?;
                        if !fields.contains_key(&**name) {
                            return Ok(false);
                        }
                    }
                }
                Ok(true)
            }
            _ => Ok(true),
        }
    }

    fn check_object(
        &self,
        rules: &'c ObjectRules,
        fields: &Map<String, Value>,
        scope: &Scope<'_>,
        mut evaluated: Option<&mut EvaluatedParts>,
    ) -> Outcome {
        if fields.len() < rules.required {
            return Ok(false);
        }
        let (mut cursor, mut required) = (0, 0);
        for (position, (name, field)) in fields.iter().enumerate() {
            self.budget.spend(1 + byte_work(name.len()))?;
            let mut is_evaluated = false;
            if let Some(rule) = rules.find(name, &mut cursor) {
                required += usize::from(rule.is_required);
                if let Some(schema) = rule.schema {
                    is_evaluated = true;
                    if !self.check_inline(schema, field, scope, None)? {
                        return Ok(false);
                    }
                }
            }
            for rule in &rules.patterns {
                if rule.pattern.is_match(name, self.budget)? {
                    is_evaluated = true;
                    if !self.check(rule.schema, field, scope, None)? {
                        return Ok(false);
                    }
                }
            }
            if !is_evaluated && let Some(schema) = rules.additional {
                is_evaluated = true;
                if !self.check(schema, field, scope, None)? {
                    return Ok(false);
                }
            }
            if is_evaluated && let Some(evaluated) = &mut evaluated {
                evaluated.add(position);
            }
        }
        Ok(required == rules.required)
    }

    fn check_items(
        &self,
        rules: &'c ItemRules,
        items: &[Value],
        scope: &Scope<'_>,
        mut evaluated: Option<&mut EvaluatedParts>,
    ) -> Outcome {
        if let (true, Some(rest), None) = (rules.prefix.is_empty(), rules.rest, &evaluated) {
            let node = self.graph.node(rest);
            if node.keywords.is_empty() {
                let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
                self.budget.spend(count.saturating_mul(VISIT))?;
                return Ok(items.iter().all(|item| node.types.accept(item)));
            }
        }
        let mut prefix = rules.prefix.iter();
        for (position, item) in items.iter().enumerate() {
            let Some(schema) = prefix.next().copied().or(rules.rest) else { break };
            if !self.check_inline(schema, item, scope, None)? {
                return Ok(false);
            }
            if let Some(evaluated) = &mut evaluated {
                evaluated.add(position);
            }
        }
        Ok(true)
    }

    /// Counts the items that match `contains`. Stops when the outcome is known, unless the
    /// evaluated items matter.
    pub(super) fn count_matches(
        &self,
        rule: &'c ContainsRule,
        items: &[Value],
        scope: &Scope<'_>,
        mut evaluated: Option<&mut EvaluatedParts>,
    ) -> Result<usize, TooMuchWork> {
        let mut count = 0;
        for (position, item) in items.iter().enumerate() {
            if self.check(rule.schema, item, scope, None)? {
                count += 1;
                if let Some(evaluated) = &mut evaluated {
                    evaluated.add(position);
                } else if rule.count.contains(count) && rule.count.max == u64::MAX {
                    break;
                }
            }
        }
        Ok(count)
    }

    fn check_all(
        &self,
        branches: &'c [NodeId],
        value: &Value,
        scope: &Scope<'_>,
        mut evaluated: Option<&mut EvaluatedParts>,
    ) -> Outcome {
        for branch in branches {
            if !self.check(*branch, value, scope, evaluated.as_deref_mut())? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn check_any(
        &self,
        union: &'c Union,
        value: &Value,
        scope: &Scope<'_>,
        mut evaluated: Option<&mut EvaluatedParts>,
    ) -> Outcome {
        let mut is_valid = false;
        for branch in self.candidates(union, value)? {
            match evaluated.as_deref_mut() {
                None => {
                    if self.check(branch, value, scope, None)? {
                        return Ok(true);
                    }
                }
                Some(evaluated) => is_valid |= self.try_branch(branch, value, scope, evaluated)?,
            }
        }
        Ok(is_valid)
    }

    fn check_one(
        &self,
        union: &'c Union,
        value: &Value,
        scope: &Scope<'_>,
        mut evaluated: Option<&mut EvaluatedParts>,
    ) -> Outcome {
        let mut matches = 0;
        for branch in self.candidates(union, value)? {
            let is_match = match evaluated.as_deref_mut() {
                None => self.check(branch, value, scope, None)?,
                Some(evaluated) => self.try_branch(branch, value, scope, evaluated)?,
            };
            matches += u32::from(is_match);
            if matches > 1 {
                return Ok(false);
            }
        }
        Ok(matches == 1)
    }

    /// Checks a branch, and adds what it has evaluated only if the value is valid.
    fn try_branch(
        &self,
        branch: NodeId,
        value: &Value,
        scope: &Scope<'_>,
        evaluated: &mut EvaluatedParts,
    ) -> Outcome {
        let mut own = EvaluatedParts::default();
        let is_valid = self.check(branch, value, scope, Some(&mut own))?;
        if is_valid {
            self.budget.spend(own.work())?;
            evaluated.add_all(&own);
        }
        Ok(is_valid)
    }

    /// Checks `if`, `then` and `else`, in this order.
    fn check_if(
        &self,
        [condition, then, otherwise]: [Option<NodeId>; 3],
        value: &Value,
        scope: &Scope<'_>,
        mut evaluated: Option<&mut EvaluatedParts>,
    ) -> Outcome {
        let Some(condition) = condition else { return Ok(true) };
        let is_met = match evaluated.as_deref_mut() {
            None => self.check(condition, value, scope, None)?,
            Some(evaluated) => self.try_branch(condition, value, scope, evaluated)?,
        };
        match if is_met { then } else { otherwise } {
            Some(branch) => self.check(branch, value, scope, evaluated),
            None => Ok(true),
        }
    }

    fn check_dependent(
        &self,
        all: &'c [(Box<str>, NodeId)],
        fields: &Map<String, Value>,
        value: &Value,
        scope: &Scope<'_>,
        mut evaluated: Option<&mut EvaluatedParts>,
    ) -> Outcome {
        for (name, schema) in all {
            self.budget.spend(lookup_work(name))?;
            if fields.contains_key(&**name)
                && !self.check(*schema, value, scope, evaluated.as_deref_mut())?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Checks the name of a property against a schema.
    pub(super) fn check_name(&self, schema: NodeId, name: &str, scope: &Scope<'_>) -> Outcome {
        self.budget.spend(lookup_work(name))?;
        self.check(schema, &Value::String(name.to_owned()), scope, None)
    }

    /// Returns the target of a dynamic reference: the matching anchor of the outermost resource in
    /// the scope.
    pub(super) fn dynamic_target(
        &self,
        reference: DynamicRef,
        scope: &Scope<'_>,
    ) -> Result<NodeId, TooMuchWork> {
        let mut target = reference.target;
        let anchors = reference.anchors.and_then(|index| usize::try_from(index).ok());
        let Some(anchors) = anchors.and_then(|at| self.graph.dynamic_anchors.get(at)) else {
            return Ok(target);
        };
        let mut next = Some(scope);
        while let Some(Scope { resource, outer }) = next {
            self.budget.spend(VISIT)?;
            target = anchors.by_resource.get(resource).copied().unwrap_or(target);
            next = *outer;
        }
        Ok(target)
    }

    /// Returns the branches that can accept a value. If there are many branches and all of them
    /// have constants, these are the branches whose constant has the hash of the value.
    fn candidates(
        &self,
        union: &'c Union,
        value: &Value,
    ) -> Result<impl Iterator<Item = NodeId> + 'c, TooMuchWork> {
        let mut all: &[NodeId] = &union.branches;
        let mut listed: &[(u64, NodeId)] = &[];
        if all.len() > MAX_PAIRWISE {
            let by_hash = match union.by_hash.get() {
                Some(by_hash) => by_hash,
                None => {
                    let found = self.constants(union)?;
                    union.by_hash.get_or_init(|| found)
                }
            };
            if let Some(by_hash) = by_hash {
                all = &[];
                listed = entries_with_hash(by_hash, hash(value, self.budget)?);
            }
        }
        Ok(all.iter().copied().chain(listed.iter().map(|(_, branch)| *branch)))
    }

    /// Returns the hashes of the branches' constants and the branches, sorted. Returns `None` if
    /// one has neither `const` nor `enum`.
    fn constants(&self, union: &Union) -> Result<Option<Vec<(u64, NodeId)>>, TooMuchWork> {
        let mut by_hash = Vec::new();
        for branch in &union.branches {
            let keyword = self.graph.node(*branch).keywords.first();
            match keyword {
                Some(Keyword::Const(value)) => by_hash.push((hash(value, self.budget)?, *branch)),
                Some(Keyword::Enum(all)) => {
                    for value in &all.values {
                        by_hash.push((hash(value, self.budget)?, *branch));
                    }
                }
                _ if *branch == NEVER => {}
                _ => return Ok(None),
            }
        }
        by_hash.sort_unstable();
        by_hash.dedup();
        Ok(Some(by_hash))
    }

    fn is_listed(&self, enumeration: &'c Enumeration, value: &Value) -> Outcome {
        if enumeration.values.len() <= MAX_PAIRWISE {
            for listed in &enumeration.values {
                if equal(listed, value, self.budget)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        let by_hash = match enumeration.by_hash.get() {
            Some(by_hash) => by_hash,
            None => {
                let mut hashes = Vec::with_capacity(enumeration.values.len());
                for (index, listed) in (0..).zip(&enumeration.values) {
                    hashes.push((hash(listed, self.budget)?, index));
                }
                hashes.sort_unstable();
                enumeration.by_hash.get_or_init(|| hashes)
            }
        };
        for (_, index) in entries_with_hash(by_hash, hash(value, self.budget)?) {
            let listed =
                usize::try_from(*index).ok().and_then(|index| enumeration.values.get(index));
            if let Some(listed) = listed
                && equal(listed, value, self.budget)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn check_number(&self, rule: &NumberRule, number: &Number) -> Outcome {
        self.budget.spend(1)?;
        if rule.kind == NumberRuleKind::MultipleOf {
            return Decimal::from(number).is_multiple_of(&rule.decimal, self.budget);
        }
        let order = match (number.as_i64(), rule.number.as_i64()) {
            (Some(number), Some(bound)) => number.cmp(&bound),
            _ => Decimal::from(number).cmp(&rule.decimal),
        };
        Ok(match rule.kind {
            NumberRuleKind::Minimum => order != Ordering::Less,
            NumberRuleKind::ExclusiveMinimum => order == Ordering::Greater,
            NumberRuleKind::Maximum => order != Ordering::Greater,
            _ => order == Ordering::Less,
        })
    }

    fn check_length(&self, range: Range, text: &str) -> Outcome {
        // A character has one to four bytes, so most lengths need not be counted.
        if range.contains(text.len()) && range.contains(text.len().div_ceil(4)) {
            return Ok(true);
        }
        self.budget.spend(byte_work(text.len()))?;
        Ok(range.contains(text.chars().count()))
    }

    fn check_content(&self, content: Content, text: &str) -> Outcome {
        self.budget.spend(4 * byte_work(text.len()))?;
        let decoded = match content.encoding {
            None => Ok(text.as_bytes().to_vec()),
            Some(Encoding::Base64) => STANDARD.decode(text),
            Some(Encoding::Base64Url) => URL_SAFE.decode(text),
        };
        Ok(decoded.is_ok_and(|decoded| {
            !content.is_json || serde_json::from_slice::<IgnoredAny>(&decoded).is_ok()
        }))
    }
}

/// Returns the entries of a sorted list that have a hash.
fn entries_with_hash(sorted: &[(u64, u32)], hash: u64) -> &[(u64, u32)] {
    let start = sorted.partition_point(|(other, _)| *other < hash);
    let rest = sorted.get(start..).unwrap_or_default();
    rest.get(..rest.partition_point(|(other, _)| *other == hash)).unwrap_or_default()
}
