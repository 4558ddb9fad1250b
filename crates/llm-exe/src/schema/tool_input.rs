//! Rewrites a schema for the input of a tool in Anthropic's API.
//!
//! The schema must be of draft 2020-12 (anthropics/claude-code#5486), its root may have neither
//! `anyOf`, `oneOf` nor `allOf` (anthropics/claude-code#5878), and the names of the properties at
//! the root are limited (dimagi/open-chat-studio#4027, ComposioHQ/composio#3500). The model is not
//! limited to the schema, so constraints at the root can move into its description.

use serde_json::Value;

use super::draft_2020_12::to_draft_2020_12;
use super::form::write_description;
use super::merge::MergedSchema;
use super::reference::{referenced, references_exist};
use super::size::SizeBudget;

/// Keywords that the API does not accept at the root.
const COMBINATORS: &[&str] = &["anyOf", "oneOf", "allOf"];
/// Maximum length of the name of a property at the root.
const MAX_NAME_LENGTH: usize = 64;

/// Rewrites a schema to one that Anthropic accepts as the input of a tool. Returns `None` if its
/// root is not an object, if references would lose their targets, if its properties have names that
/// the API does not accept, or if the alternatives of a combinator describe properties.
pub fn tool_input(schema: &Value) -> Option<Value> {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return None;
    }
    let mut schema = to_draft_2020_12(schema).into_owned();
    // Merging and converting can remove the target of a reference.
    if let Some(merged) = merge_all_of(&schema).filter(references_exist) {
        schema = merged;
    }
    let rules = schema.as_object_mut()?;
    let mut branches = COMBINATORS.iter().filter_map(|name| rules.get(*name)?.as_array()).flatten();
    if branches.any(describes_properties) {
        return None;
    }
    let properties = rules.get("properties").and_then(Value::as_object);
    if properties.is_some_and(|properties| !properties.keys().all(|name| is_valid_name(name))) {
        return None;
    }
    let moved = COMBINATORS
        .iter()
        .filter_map(|name| rules.shift_remove(*name).map(|value| format!("{name}: {value}")));
    let moved: Vec<String> = moved.collect();
    if !moved.is_empty() {
        let description = rules.get("description").cloned();
        write_description(description.as_ref(), &moved, rules);
    }
    references_exist(&schema).then_some(schema)
}

/// Merges the `allOf` at the root into the root. Returns `None` if there is none, or if the root
/// can't express it.
fn merge_all_of(schema: &Value) -> Option<Value> {
    let root = schema.as_object()?;
    let budget = SizeBudget::new();
    let mut merged = MergedSchema::new(&budget);
    for branch in root.get("allOf")?.as_array()? {
        let branch = match branch.get("$ref").and_then(Value::as_str) {
            // Only a reference without other keywords is replaced with its definition.
            Some(reference) if branch.as_object()?.len() == 1 => referenced(schema, reference)?,
            Some(_) => return None,
            None => branch,
        };
        let branch = branch.as_object()?;
        if branch.contains_key("$ref") || COMBINATORS.iter().any(|key| branch.contains_key(*key)) {
            return None;
        }
        merged.add(branch.iter())?;
    }
    merged.add(root.iter().filter(|(key, _)| *key != "allOf"))?;
    Some(Value::Object(merged.into_rules()))
}

/// Returns whether a branch of a combinator describes properties, which the model would not see in
/// a schema without the combinator.
fn describes_properties(branch: &Value) -> bool {
    let is_constraint = |key: &String| key == "required" || key == "type" || key == "not";
    !branch.as_object().is_some_and(|rules| rules.keys().all(is_constraint))
}

fn is_valid_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=MAX_NAME_LENGTH).contains(&name.len()) && name.bytes().all(allowed)
}
