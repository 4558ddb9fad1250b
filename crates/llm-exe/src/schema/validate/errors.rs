//! Describes why a value does not satisfy a schema.
//!
//! The walk stops after the first few errors, so its memory does not grow with the value.

use serde_json::{Map, Value};

use super::budget::TooMuchWork;
use super::check::{Checker, Scope};
use super::describe::{self, describe, expected_types, list_values};
use super::equal::equal_items;
use super::evaluated::EvaluatedParts;
use super::node::{
    DependentRequired, ItemRules, Keyword, NEVER, Node, NodeId, ObjectRules, Types, Union,
};
use super::path::Path;
use super::places::Step;
use crate::error::shorten;
use crate::json::quoted;

/// Maximum number of errors in a message.
const MAX_ERRORS: usize = 3;
/// Maximum number of characters of an error.
const MAX_ERROR: usize = 300;
/// Maximum number of branches of an `anyOf` or `oneOf` whose errors are described.
const MAX_BRANCHES: usize = 2;
/// Maximum number of nested `anyOf` and `oneOf` whose errors are described.
const MAX_UNIONS: usize = 2;
/// Maximum number of references and combinators to follow to the type or constants of a branch.
const MAX_HOPS: usize = 8;

/// Returns up to three errors of a value that is invalid, each with its JSON pointer.
pub(super) fn explain(checker: &Checker<'_>, node: NodeId, value: &Value) -> String {
    let mut explainer = Explainer { checker, errors: Vec::new(), limit: MAX_ERRORS, unions: 0 };
    let scope = Scope { resource: checker.graph.node(node).resource, outer: None };
    let outcome = explainer.explain(node, value, &Path::ROOT, &scope);
    match (outcome, explainer.errors.as_slice()) {
        (Err(error), []) => format!("the value does not satisfy the schema ({error})"),
        (Ok(()), []) => "the value does not satisfy the schema".to_owned(),
        (_, errors) => errors.join("; "),
    }
}

struct Explainer<'e, 'c> {
    checker: &'e Checker<'c>,
    errors: Vec<String>,
    limit: usize,
    /// The number of `anyOf` and `oneOf` that are being described.
    unions: usize,
}

impl<'c> Explainer<'_, 'c> {
    fn is_done(&self) -> bool {
        self.errors.len() >= self.limit
    }

    fn add(&mut self, path: &Path<'_>, text: &str) {
        if !self.is_done() {
            self.errors.push(shorten(&format!("{}: {text}", path.text()), MAX_ERROR));
        }
    }

    /// Adds the errors of a value, which may be valid.
    fn explain(
        &mut self,
        id: NodeId,
        value: &Value,
        path: &Path<'_>,
        scope: &Scope<'_>,
    ) -> Result<(), TooMuchWork> {
        self.checker.budget.spend(1)?;
        if self.is_done() {
            return Ok(());
        }
        let node = self.checker.graph.node(id);
        if id == NEVER {
            self.add(path, "no value is allowed here");
            return Ok(());
        }
        if !node.types.accept(value) {
            self.add(path, &expected_types(node.types, value));
            return Ok(());
        }
        self.checker.enter()?;
        let outcome = if self.checker.changes_scope(node, scope) {
            let inner = Scope { resource: node.resource, outer: Some(scope) };
            self.explain_keywords(node, value, path, &inner)
        } else {
            self.explain_keywords(node, value, path, scope)
        };
        self.checker.leave();
        outcome
    }

    fn explain_keywords(
        &mut self,
        node: &'c Node,
        value: &Value,
        path: &Path<'_>,
        scope: &Scope<'_>,
    ) -> Result<(), TooMuchWork> {
        let before = self.errors.len();
        for keyword in &node.keywords {
            if self.is_done() {
                return Ok(());
            }
            self.explain_keyword(keyword, value, path, scope)?;
        }
        if !node.has_unevaluated || self.errors.len() > before {
            return Ok(());
        }
        // The other keywords are satisfied, so all that they have evaluated counts.
        let mut evaluated = EvaluatedParts::default();
        for keyword in &node.keywords {
            match (keyword, value) {
                (Keyword::UnevaluatedProperties(schema), Value::Object(fields)) => {
                    for (position, (name, field)) in fields.iter().enumerate() {
                        if !evaluated.contains(position) {
                            let path = path.with(Step::Name(name));
                            self.explain(*schema, field, &path, scope)?;
                        }
                    }
                }
                (Keyword::UnevaluatedItems(schema), Value::Array(items)) => {
                    for (position, item) in items.iter().enumerate() {
                        if !evaluated.contains(position) {
                            let path = path.with(Step::Index(position));
                            self.explain(*schema, item, &path, scope)?;
                        }
                    }
                }
                _ => {
                    self.checker.check_keyword(keyword, value, scope, Some(&mut evaluated))?;
                }
            }
        }
        Ok(())
    }

    fn explain_keyword(
        &mut self,
        keyword: &'c Keyword,
        value: &Value,
        path: &Path<'_>,
        scope: &Scope<'_>,
    ) -> Result<(), TooMuchWork> {
        match (keyword, value) {
            (Keyword::Object(rules), Value::Object(fields)) => {
                return self.explain_object(rules, fields, path, scope);
            }
            (Keyword::Items(rules), Value::Array(items)) => {
                return self.explain_items(rules, items, path, scope);
            }
            (Keyword::AllOf(branches), _) => {
                for branch in branches {
                    self.explain(*branch, value, path, scope)?;
                }
                return Ok(());
            }
            (Keyword::Ref(target), _) => return self.explain(*target, value, path, scope),
            (Keyword::DynamicRef(reference), _) => {
                let target = self.checker.dynamic_target(*reference, scope)?;
                return self.explain(target, value, path, scope);
            }
            (Keyword::If(rule), _) => {
                let is_met = self.checker.check(rule.condition, value, scope, None)?;
                return match if is_met { rule.then } else { rule.otherwise } {
                    Some(branch) => self.explain(branch, value, path, scope),
                    None => Ok(()),
                };
            }
            (Keyword::DependentSchemas(all), Value::Object(fields)) => {
                for (name, schema) in all {
                    if fields.contains_key(&**name) {
                        self.explain(*schema, value, path, scope)?;
                    }
                }
                return Ok(());
            }
            // Explained after the other keywords.
            (Keyword::UnevaluatedProperties(_) | Keyword::UnevaluatedItems(_), _) => return Ok(()),
            _ => {}
        }
        if self.checker.check_keyword(keyword, value, scope, None)? {
            return Ok(());
        }
        match (keyword, value) {
            (Keyword::AnyOf(union), _) => self.explain_union("anyOf", union, value, path, scope),
            (Keyword::OneOf(union), _) => self.explain_union("oneOf", union, value, path, scope),
            (Keyword::PropertyNames(schema), Value::Object(fields)) => {
                self.explain_names(*schema, fields, path, scope)
            }
            (Keyword::DependentRequired(all), Value::Object(fields)) => {
                self.explain_dependent(all, fields, path);
                Ok(())
            }
            (Keyword::Contains(rule), Value::Array(items)) => {
                let count = self.checker.count_matches(rule, items, scope, None)?;
                let text =
                    describe::too_few_or_many(rule.count, count, "items that match contains");
                self.add(path, &text);
                Ok(())
            }
            (Keyword::UniqueItems, Value::Array(items)) => {
                if let Some((first, second)) = equal_items(items, self.checker.budget)? {
                    let text =
                        format!("items {first} and {second} are equal, which is not allowed");
                    self.add(path, &text);
                }
                Ok(())
            }
            _ => {
                self.add(path, &describe(keyword, value));
                Ok(())
            }
        }
    }

    fn explain_object(
        &mut self,
        rules: &'c ObjectRules,
        fields: &Map<String, Value>,
        path: &Path<'_>,
        scope: &Scope<'_>,
    ) -> Result<(), TooMuchWork> {
        let missing = rules
            .properties
            .iter()
            .filter(|rule| rule.is_required && !fields.contains_key(&*rule.name));
        for rule in missing.take(self.limit) {
            self.add(path, &format!("the property {} is missing", quoted(&rule.name)));
        }
        let mut cursor = 0;
        for (name, field) in fields {
            if self.is_done() {
                break;
            }
            self.checker.budget.spend(1)?;
            let path = path.with(Step::Name(name));
            let mut is_evaluated = false;
            let property = rules.find(name, &mut cursor).and_then(|rule| rule.schema);
            if let Some(schema) = property {
                is_evaluated = true;
                self.explain(schema, field, &path, scope)?;
            }
            for rule in &rules.patterns {
                if rule.pattern.is_match(name, self.checker.budget)? {
                    is_evaluated = true;
                    self.explain(rule.schema, field, &path, scope)?;
                }
            }
            match rules.additional {
                Some(NEVER) if !is_evaluated => {
                    self.add(&path, &describe::unknown_property(rules));
                }
                Some(schema) if !is_evaluated => self.explain(schema, field, &path, scope)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn explain_items(
        &mut self,
        rules: &'c ItemRules,
        items: &[Value],
        path: &Path<'_>,
        scope: &Scope<'_>,
    ) -> Result<(), TooMuchWork> {
        let mut prefix = rules.prefix.iter();
        for (position, item) in items.iter().enumerate() {
            let Some(schema) = prefix.next().copied().or(rules.rest) else { break };
            if self.is_done() {
                break;
            }
            self.explain(schema, item, &path.with(Step::Index(position)), scope)?;
        }
        Ok(())
    }

    fn explain_names(
        &mut self,
        schema: NodeId,
        fields: &Map<String, Value>,
        path: &Path<'_>,
        scope: &Scope<'_>,
    ) -> Result<(), TooMuchWork> {
        for name in fields.keys() {
            if self.is_done() {
                break;
            }
            if !self.checker.check_name(schema, name, scope)? {
                let mut inner = self.inner(1);
                if schema != NEVER {
                    let value = Value::String(name.clone());
                    inner.explain(schema, &value, &Path::ROOT, scope)?;
                }
                let reason = inner.errors.first().and_then(|error| error.split_once(": "));
                let mut text = format!("the property name {} is not allowed", quoted(name));
                if let Some((_, reason)) = reason {
                    text.push_str(&format!(": {reason}"));
                }
                self.add(path, &text);
            }
        }
        Ok(())
    }

    fn explain_dependent(
        &mut self,
        all: &[DependentRequired],
        fields: &Map<String, Value>,
        path: &Path<'_>,
    ) {
        for rule in all.iter().filter(|rule| fields.contains_key(&*rule.name)) {
            for name in rule.required.iter().filter(|name| !fields.contains_key(&***name)) {
                if self.is_done() {
                    return;
                }
                let (name, other) = (quoted(name), quoted(&rule.name));
                self.add(path, &format!("the property {name} is missing, which {other} requires"));
            }
        }
    }

    /// Returns an explainer for a part of an error.
    fn inner(&self, limit: usize) -> Explainer<'_, 'c> {
        Explainer { checker: self.checker, errors: Vec::new(), limit, unions: self.unions + 1 }
    }

    /// Explains why a value does not match the branches of an `anyOf` or `oneOf`.
    fn explain_union(
        &mut self,
        keyword: &str,
        union: &'c Union,
        value: &Value,
        path: &Path<'_>,
        scope: &Scope<'_>,
    ) -> Result<(), TooMuchWork> {
        let mut matching = Vec::new();
        for (index, branch) in union.branches.iter().enumerate() {
            if matching.len() < 2 && self.checker.check(*branch, value, scope, None)? {
                matching.push(format!("{keyword}/{index}"));
            }
        }
        if !matching.is_empty() {
            let text = format!(
                "it matches several schemas in {keyword} ({}), but only one may match",
                matching.join(" and ")
            );
            self.add(path, &text);
            return Ok(());
        }
        let branches: Vec<Branch<'c>> =
            union.branches.iter().map(|branch| self.branch(*branch, value)).collect();
        let of_type: Vec<&Branch<'c>> =
            branches.iter().filter(|branch| branch.types.accept(value)).collect();
        if of_type.is_empty() {
            let types = branches.iter().fold(Types::NONE, |all, branch| all.with(branch.types));
            self.add(path, &expected_types(types, value));
            return Ok(());
        }
        let candidates: Vec<&&Branch<'c>> =
            of_type.iter().filter(|branch| branch.mismatch.is_none()).collect();
        match candidates.as_slice() {
            [] => match closest(&of_type) {
                Some(closest) => self.explain(closest.node, value, path, scope)?,
                None => self.explain_mismatch(keyword, union.branches.len(), &of_type, path),
            },
            [only] => self.explain(only.node, value, path, scope)?,
            several => {
                let total = union.branches.len();
                let mut text = format!("it matches none of the {total} schemas in {keyword}");
                if self.unions < MAX_UNIONS {
                    for branch in several.iter().take(MAX_BRANCHES) {
                        let mut inner = self.inner(1);
                        inner.explain(branch.node, value, path, scope)?;
                        if let Some(error) = inner.errors.first() {
                            let separator = if text.contains('(') { " or " } else { " (" };
                            text.push_str(&format!("{separator}{}", shorten(error, 100)));
                        }
                    }
                    if text.contains('(') {
                        text.push(')');
                    }
                }
                self.add(path, &text);
            }
        }
        Ok(())
    }

    /// Adds the error of a value whose constants, such as the tag of an object, match no branch.
    fn explain_mismatch(
        &mut self,
        keyword: &str,
        total: usize,
        branches: &[&Branch<'c>],
        path: &Path<'_>,
    ) {
        let mismatches: Vec<&Mismatch<'c>> =
            branches.iter().filter_map(|branch| branch.mismatch.as_ref()).collect();
        let names: Vec<Option<&str>> = mismatches.iter().map(|found| found.property).collect();
        let got = mismatches.first().map(|mismatch| mismatch.got.as_str()).unwrap_or_default();
        match names.first() {
            Some(name) if names.iter().all(|other| other == name) => {
                let expected = mismatches.iter().flat_map(|found| found.expected);
                let text = format!("expected {}, got {got}", list_values(expected));
                match name {
                    Some(name) => self.add(&path.with(Step::Name(name)), &text),
                    None => self.add(path, &text),
                }
            }
            _ => self.add(path, &format!("it matches none of the {total} schemas in {keyword}")),
        }
    }

    /// Compares a value with the type and the constants that a branch requires.
    fn branch(&self, node: NodeId, value: &Value) -> Branch<'c> {
        let mut branch = Branch { node, types: Types::ALL, matches: 0, mismatch: None };
        self.add_requirements(&mut branch, node, value, 0);
        branch
    }

    fn add_requirements(&self, branch: &mut Branch<'c>, id: NodeId, value: &Value, hops: usize) {
        let node = self.checker.graph.node(id);
        if hops > MAX_HOPS || self.checker.budget.spend(1).is_err() {
            return;
        }
        branch.types = Types(branch.types.0 & node.types.0);
        for keyword in &node.keywords {
            match (keyword, value) {
                (Keyword::Ref(target), _) => {
                    self.add_requirements(branch, *target, value, hops + 1);
                }
                (Keyword::AllOf(branches), _) => {
                    for inner in branches {
                        self.add_requirements(branch, *inner, value, hops + 1);
                    }
                }
                (Keyword::Object(rules), Value::Object(fields)) => {
                    for rule in &rules.properties {
                        let (Some(schema), Some(field)) = (rule.schema, fields.get(&*rule.name))
                        else {
                            continue;
                        };
                        self.add_mismatch(branch, schema, field, Some(&rule.name), hops + 1);
                    }
                }
                _ => {}
            }
        }
        self.add_mismatch(branch, id, value, None, hops);
    }

    /// Records whether a value differs from the constants of a schema.
    fn add_mismatch(
        &self,
        branch: &mut Branch<'c>,
        schema: NodeId,
        value: &Value,
        property: Option<&'c str>,
        hops: usize,
    ) {
        let node = self.checker.graph.node(schema);
        let expected = match node.keywords.first() {
            Some(Keyword::Const(constant)) => std::slice::from_ref(&**constant),
            Some(Keyword::Enum(all)) => all.values.as_slice(),
            Some(Keyword::Ref(target)) if property.is_some() && hops <= MAX_HOPS => {
                return self.add_mismatch(branch, *target, value, property, hops + 1);
            }
            _ => return,
        };
        let keyword = node.keywords.first();
        let scope = Scope { resource: node.resource, outer: None };
        let is_equal = keyword.is_some_and(|keyword| {
            self.checker.check_keyword(keyword, value, &scope, None).unwrap_or(true)
        });
        branch.matches += usize::from(is_equal);
        if !is_equal && branch.mismatch.is_none() {
            let got = describe::got(value);
            branch.mismatch = Some(Mismatch { property, expected, got });
        }
    }
}

/// A branch of an `anyOf` or `oneOf`.
struct Branch<'c> {
    node: NodeId,
    types: Types,
    /// The number of constants of the branch that the value has.
    matches: usize,
    /// The first constant of the branch that the value does not have.
    mismatch: Option<Mismatch<'c>>,
}

/// Returns the branch whose constants match more often than those of all other branches.
fn closest<'b, 'c>(branches: &[&'b Branch<'c>]) -> Option<&'b Branch<'c>> {
    let most = branches.iter().map(|branch| branch.matches).max().filter(|most| *most > 0)?;
    let mut closest = branches.iter().filter(|branch| branch.matches == most);
    closest.next().filter(|_| closest.next().is_none()).copied()
}

struct Mismatch<'c> {
    /// The property with the constant, or `None` if the whole value must be the constant.
    property: Option<&'c str>,
    expected: &'c [Value],
    got: String,
}
