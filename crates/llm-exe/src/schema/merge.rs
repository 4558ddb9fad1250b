//! Merges schemas that apply to the same value into one schema: the branches of an `allOf`, and the
//! definition of a `$ref` with the keywords next to it.
//!
//! The result accepts the values that all of the merged schemas accept. Schemas are not merged if a
//! single schema can't express that.

use serde_json::{Map, Value};

/// The annotations that the model reads. They are preserved where possible.
pub(super) const READABLE: &[&str] = &["description", "title"];
/// Keywords for objects whose meanings depend on each other.
pub(super) const OBJECT_RULES: &[&str] =
    &["properties", "additionalProperties", "patternProperties", "unevaluatedProperties"];
/// Keywords for arrays whose meanings depend on each other.
const LIST_RULES: &[&str] = &["items", "prefixItems", "additionalItems", "unevaluatedItems"];
/// Keywords that only contain the targets of references.
const DEFINITIONS: &[&str] = &["$defs", "definitions"];

/// The keywords of a schema object and their values.
type Rules = Map<String, Value>;

/// Merges `target` with the keywords of another schema that applies to the same value, such as
/// those next to a reference to `target`. The annotations in `siblings` take precedence. Returns
/// `None` if a single schema can't express both.
pub(super) fn merge<'a>(
    target: &Rules,
    siblings: impl Iterator<Item = (&'a String, &'a Value)> + Clone,
) -> Option<Rules> {
    let sibling =
        |name: &str| siblings.clone().find(|(key, _)| *key == name).map(|(_, value)| value);
    let is_open = is_open_object(|name| target.get(name)) && is_open_object(sibling);
    let groups: &[&[&str]] = if is_open { &[LIST_RULES] } else { &[OBJECT_RULES, LIST_RULES] };
    for group in groups {
        let both = group.iter().any(|rule| target.contains_key(*rule))
            && group.iter().any(|rule| sibling(rule).is_some());
        if both && group.iter().any(|rule| target.get(*rule) != sibling(rule)) {
            return None;
        }
    }
    let mut merged = target.clone();
    DEFINITIONS.iter().for_each(|key| drop(merged.shift_remove(*key)));
    for (key, value) in siblings {
        let value = match (key.as_str(), target.get(key)) {
            (key, Some(_)) if READABLE.contains(&key) => value.clone(),
            (_, Some(known)) if known == value => continue,
            ("required", Some(Value::Array(known))) => {
                let more = value.as_array()?.iter().filter(|name| !known.contains(name));
                known.iter().chain(more).cloned().collect()
            }
            ("properties", Some(Value::Object(known))) => {
                Value::Object(merge_properties(known, value.as_object()?)?)
            }
            (_, Some(_)) => return None,
            (_, None) => value.clone(),
        };
        merged.insert(key.clone(), value);
    }
    Some(merged)
}

/// Returns whether a schema allows properties that it does not list, so that the properties of
/// another schema can be added.
fn is_open_object<'a>(rule: impl Fn(&str) -> Option<&'a Value>) -> bool {
    OBJECT_RULES.iter().all(|name| match rule(name) {
        Some(value) => *name == "properties" || *value == Value::Bool(true),
        None => true,
    })
}

/// Returns the properties of both schemas, and merges the schemas of a property in both. Returns
/// `None` if these can't be merged.
fn merge_properties(known: &Rules, more: &Rules) -> Option<Rules> {
    let mut merged = known.clone();
    for (name, property) in more {
        let property = match known.get(name) {
            Some(known) if known != property => {
                Value::Object(merge(known.as_object()?, property.as_object()?.iter())?)
            }
            _ => property.clone(),
        };
        merged.insert(name.clone(), property);
    }
    Some(merged)
}
