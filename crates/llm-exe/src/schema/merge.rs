//! Merges schemas that apply to the same value into one schema: the branches of an `allOf`, and the
//! definition of a `$ref` with the keywords next to it.
//!
//! The result accepts the values that all of the merged schemas accept. Schemas are not merged if a
//! single schema can't express that.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::size::SizeBudget;

/// The annotations that the model reads. They are preserved where possible.
pub(super) const READABLE: &[&str] = &["description", "title"];
/// Keywords for objects whose meanings depend on each other.
pub(super) const OBJECT_RULES: &[&str] =
    &["properties", "additionalProperties", "patternProperties", "unevaluatedProperties"];
/// Keywords for arrays whose meanings depend on each other.
const LIST_RULES: &[&str] = &["items", "prefixItems", "additionalItems", "unevaluatedItems"];
/// Keywords for conditions, which only have a meaning together.
const CONDITION_RULES: &[&str] = &["if", "then", "else"];
/// Keywords for the number of items that satisfy a schema.
const CONTAINS_RULES: &[&str] = &["contains", "minContains", "maxContains"];
/// Keywords that only contain the targets of references.
const DEFINITIONS: &[&str] = &["$defs", "definitions"];

/// The keywords of a schema object and their values.
type Rules = Map<String, Value>;

/// Merges `target` with the keywords of another schema that applies to the same value, such as
/// those next to a reference to `target`. The annotations in `siblings` take precedence. Returns
/// `None` if a single schema can't express both, or if the result is too large.
pub(super) fn merge<'a>(
    target: &Rules,
    siblings: impl Iterator<Item = (&'a String, &'a Value)> + Clone,
    budget: &SizeBudget,
) -> Option<Rules> {
    let mut merged = MergedSchema::new(budget);
    merged.add(target.iter())?;
    merged.add(siblings)?;
    Some(merged.rules)
}

/// The result of merging schemas one after the other. A schema is added in place, because copying
/// the result for each of them would take quadratic time.
pub(super) struct MergedSchema<'b> {
    rules: Rules,
    /// The names in `required` as a set. Empty until a second list of names is added.
    required: HashSet<String>,
    budget: &'b SizeBudget,
}

impl<'b> MergedSchema<'b> {
    pub(super) fn new(budget: &'b SizeBudget) -> Self {
        MergedSchema { rules: Rules::new(), required: HashSet::new(), budget }
    }

    pub(super) fn into_rules(self) -> Rules {
        self.rules
    }

    /// Adds the keywords of a schema. Returns `None` if the result can't express them or is too
    /// large; the result is then incomplete.
    pub(super) fn add<'a>(
        &mut self,
        siblings: impl Iterator<Item = (&'a String, &'a Value)> + Clone,
    ) -> Option<()> {
        // Comparing values costs as much as copying them.
        siblings.clone().try_for_each(|(key, value)| self.budget.charge_field(key, value))?;
        if !self.can_add(siblings.clone()) {
            return None;
        }
        for key in DEFINITIONS {
            self.rules.shift_remove(*key);
        }
        for (key, value) in siblings {
            let Some(known) = self.rules.get_mut(key) else {
                self.rules.insert(key.clone(), value.clone());
                continue;
            };
            match (key.as_str(), known) {
                (key, known) if READABLE.contains(&key) => *known = value.clone(),
                (_, known) if known == value => {}
                ("required", Value::Array(known)) => {
                    add_names(known, value.as_array()?, &mut self.required, self.budget)?;
                }
                ("properties", Value::Object(known)) => {
                    add_properties(known, value.as_object()?, self.budget)?;
                }
                _ => return None,
            }
        }
        Some(())
    }

    /// Returns whether the result can express the keywords that depend on each other.
    fn can_add<'a>(&self, siblings: impl Iterator<Item = (&'a String, &'a Value)> + Clone) -> bool {
        let sibling =
            |name: &str| siblings.clone().find(|(key, _)| *key == name).map(|(_, value)| value);
        let is_open = is_open_object(|name| self.rules.get(name)) && is_open_object(sibling);
        let groups = [OBJECT_RULES, LIST_RULES, CONDITION_RULES, CONTAINS_RULES];
        groups.iter().skip(usize::from(is_open)).all(|group| {
            let both = group.iter().any(|rule| self.rules.contains_key(*rule))
                && group.iter().any(|rule| sibling(rule).is_some());
            !both || group.iter().all(|rule| self.rules.get(*rule) == sibling(rule))
        })
    }
}

/// Returns whether a schema allows properties that it does not list, so that the properties of
/// another schema can be added.
fn is_open_object<'a>(rule: impl Fn(&str) -> Option<&'a Value>) -> bool {
    OBJECT_RULES.iter().all(|name| match rule(name) {
        Some(value) => *name == "properties" || *value == Value::Bool(true),
        None => true,
    })
}

/// Adds the names that are not in `known`. `set` contains the names in `known`, or is empty.
fn add_names(
    known: &mut Vec<Value>,
    more: &[Value],
    set: &mut HashSet<String>,
    budget: &SizeBudget,
) -> Option<()> {
    if set.is_empty() {
        known.iter().try_for_each(|name| budget.charge(name))?;
        *set = known.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>()?;
    }
    for name in more {
        if set.insert(name.as_str()?.to_owned()) {
            known.push(name.clone());
        }
    }
    Some(())
}

/// Adds properties, and merges the schemas of those that are known. Returns `None` if these can't
/// be merged.
fn add_properties(known: &mut Rules, more: &Rules, budget: &SizeBudget) -> Option<()> {
    for (name, property) in more {
        let Some(known) = known.get_mut(name) else {
            known.insert(name.clone(), property.clone());
            continue;
        };
        if known != property {
            let rules = std::mem::take(known.as_object_mut()?);
            let mut merged = MergedSchema { rules, required: HashSet::new(), budget };
            merged.add(property.as_object()?.iter())?;
            *known = Value::Object(merged.rules);
        }
    }
    Some(())
}
