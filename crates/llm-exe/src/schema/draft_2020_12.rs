//! Converts schemas of older drafts to draft 2020-12, the only draft that Anthropic accepts in the
//! schemas of tools (anthropics/claude-code#5486). The forms of other providers have no `$schema`,
//! so they are of this draft too.

use std::borrow::Cow;
use std::collections::HashSet;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::keywords::{change_subschemas, each_subschema, is_named};
use super::merge::READABLE;
use super::reference::{unescape_step, with_pointers};
use super::size::SizeBudget;
use super::validate::Draft;

/// Keywords that constrain values, and the draft that introduced them. Validators of earlier drafts
/// ignore them.
const INTRODUCED: &[(&str, Draft)] = &[
    ("const", Draft::Draft6),
    ("contains", Draft::Draft6),
    ("propertyNames", Draft::Draft6),
    ("if", Draft::Draft7),
    ("then", Draft::Draft7),
    ("else", Draft::Draft7),
    ("dependentRequired", Draft::Draft201909),
    ("dependentSchemas", Draft::Draft201909),
    ("minContains", Draft::Draft201909),
    ("maxContains", Draft::Draft201909),
    ("unevaluatedItems", Draft::Draft201909),
    ("unevaluatedProperties", Draft::Draft201909),
    ("prefixItems", Draft::Draft202012),
];

/// Returns the schema in draft 2020-12, with pointers in place of other references. The result
/// accepts the same values, except that a `$recursiveRef` always refers to the root.
pub fn to_draft_2020_12(schema: &Value) -> Cow<'_, Value> {
    let draft = Draft::detect(schema);
    let schema = with_pointers(schema);
    if draft == Draft::Draft202012 || !schema.is_object() {
        return schema;
    }
    let schema = with_preserved_targets(&schema, draft).map_or(schema, Cow::Owned);
    let mut converted = schema.as_object().cloned().unwrap_or_default();
    convert(&mut converted, &schema, draft);
    Cow::Owned(Value::Object(converted))
}

/// The keywords of a schema that validators of its draft ignore, and that the conversion removes.
struct IgnoredKeywords {
    draft: Draft,
    /// Whether a reference is next to the keywords. In older drafts, it replaces all of them except
    /// for definitions, which can be the targets of references.
    are_replaced_by_ref: bool,
    has_list_of_items: bool,
}

impl IgnoredKeywords {
    fn new(rules: &Map<String, Value>, draft: Draft) -> Self {
        let has_reference = rules.get("$ref").is_some_and(Value::is_string);
        IgnoredKeywords {
            draft,
            are_replaced_by_ref: has_reference && draft.ignores_ref_siblings(),
            has_list_of_items: rules.get("items").is_some_and(Value::is_array),
        }
    }

    fn contains(&self, keyword: &str) -> bool {
        let is_sibling = self.are_replaced_by_ref
            && !["$ref", "$defs", "definitions"].contains(&keyword)
            && !READABLE.contains(&keyword);
        let mut introduced = INTRODUCED.iter();
        is_sibling
            || introduced.any(|(name, since)| *name == keyword && self.draft < *since)
            || keyword == "additionalItems" && !self.has_list_of_items
    }
}

/// Copies the targets of references that the conversion removes to the definitions of the root, and
/// changes the references. Returns `None` if there are none, or if the copies would be too large;
/// in the latter case, the references lose their targets.
fn with_preserved_targets(root: &Value, draft: Draft) -> Option<Value> {
    let budget = SizeBudget::new();
    let is_used = |name: &str| {
        let mut definitions = ["$defs", "definitions"].iter().filter_map(|key| root.get(*key));
        definitions.any(|definitions| definitions.get(name).is_some())
    };
    let mut names = (1..).map(|index: usize| format!("target{index}")).filter(|it| !is_used(it));
    let mut definitions = Map::new();
    // The new reference in place of each moved one.
    let mut moved = Map::new();
    let mut pending = vec![root.as_object()?];
    while let Some(rules) = pending.pop() {
        let ignored = IgnoredKeywords::new(rules, draft);
        each_subschema(rules, &mut |keyword, _, inner| {
            if !ignored.contains(keyword) {
                pending.push(inner);
            }
        });
        let Some(reference) = rules.get("$ref").and_then(Value::as_str) else { continue };
        if moved.contains_key(reference) {
            continue;
        }
        if let Some(target) = ignored_target(root, reference, draft) {
            let name = names.next()?;
            moved.insert(reference.to_owned(), Value::from(format!("#/$defs/{name}")));
            definitions.insert(name, budget.copy(target)?);
            pending.extend(target.as_object());
        }
    }
    if moved.is_empty() {
        return None;
    }
    let mut changed = root.as_object()?.clone();
    let all = changed.entry("$defs").or_insert_with(|| json!({}));
    all.as_object_mut()?.extend(definitions);
    move_references(&mut changed, &moved);
    Some(Value::Object(changed))
}

fn move_references(rules: &mut Map<String, Value>, moved: &Map<String, Value>) {
    if let Some(reference) = rules.get_mut("$ref")
        && let Some(pointer) = reference.as_str().and_then(|reference| moved.get(reference))
    {
        *reference = pointer.clone();
    }
    change_subschemas(rules, &mut |inner| move_references(inner, moved));
}

/// Returns the target of a reference if it is in a keyword that the conversion removes.
fn ignored_target<'a>(root: &'a Value, reference: &str, draft: Draft) -> Option<&'a Value> {
    let mut is_in_ignored = false;
    let target = follow_pointer(root, reference, |_, step, rules| {
        is_in_ignored |=
            rules.is_some_and(|rules| IgnoredKeywords::new(rules, draft).contains(step));
    })?;
    is_in_ignored.then_some(target)
}

/// Follows a pointer. Calls `visit` for each step, as it is written and decoded, and with the
/// schema that has it as a keyword. Returns `None` if the pointer has no target.
fn follow_pointer<'a>(
    root: &'a Value,
    reference: &str,
    mut visit: impl FnMut(&str, &str, Option<&'a Map<String, Value>>),
) -> Option<&'a Value> {
    let mut value = root;
    let mut is_name = false;
    for written in reference.strip_prefix("#/")?.split('/') {
        let step = unescape_step(&percent_decode_str(written).decode_utf8().ok()?);
        let rules = value.as_object().filter(|_| !is_name);
        visit(written, &step, rules);
        value = match value {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
            value => value.get(&step)?,
        };
        is_name = rules.is_some() && is_named(&step);
    }
    Some(value)
}

fn convert(rules: &mut Map<String, Value>, root: &Value, draft: Draft) {
    let ignored = IgnoredKeywords::new(rules, draft);
    for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        if let Some(Value::Bool(is_exclusive)) = rules.get(exclusive).cloned() {
            rules.shift_remove(exclusive);
            if is_exclusive && let Some(limit) = rules.shift_remove(bound) {
                rules.insert(exclusive.to_owned(), limit);
            }
        }
    }
    let mut converted = Map::new();
    let mut dependencies = Map::new();
    let mut is_recursive = false;
    for (key, value) in std::mem::take(rules) {
        match (key.as_str(), value) {
            ("$schema", _) => {}
            (key, _) if ignored.contains(key) => {}
            ("$ref", Value::String(reference)) => {
                let reference = converted_pointer(root, &reference, draft).unwrap_or(reference);
                converted.insert(key, json!(reference));
            }
            ("id", Value::String(id)) if draft == Draft::Draft4 => insert_id(&mut converted, &id),
            ("$id", Value::String(id)) => insert_id(&mut converted, &id),
            ("$recursiveAnchor", _) => {}
            ("$recursiveRef", _) => is_recursive = true,
            ("items", value @ Value::Array(_)) => {
                converted.insert("prefixItems".to_owned(), value);
            }
            ("additionalItems", value) => {
                converted.insert("items".to_owned(), value);
            }
            ("dependencies", Value::Object(all)) => dependencies = all,
            (_, value) => drop(converted.insert(key, value)),
        }
    }
    if is_recursive {
        add_root_reference(&mut converted);
    }
    add_dependencies(&mut converted, dependencies);
    *rules = converted;
    change_subschemas(rules, &mut |inner| convert(inner, root, draft));
}

/// Adds a reference to the root. A schema can have another reference, too.
fn add_root_reference(rules: &mut Map<String, Value>) {
    if !rules.contains_key("$ref") {
        rules.insert("$ref".to_owned(), json!("#"));
    } else if let Some(all) = rules.entry("allOf").or_insert_with(|| json!([])).as_array_mut() {
        all.push(json!({ "$ref": "#" }));
    }
}

/// Converts a pointer to a subschema that the conversion moves. Returns `None` if the pointer does
/// not change.
fn converted_pointer(root: &Value, reference: &str, draft: Draft) -> Option<String> {
    const MOVED: &[&str] = &["/items/", "/additionalItems", "/dependencies/", "/dependentSchemas/"];
    if !MOVED.iter().any(|moved| reference.contains(moved)) {
        return None;
    }
    let mut pointer = "#".to_owned();
    // The keyword of the previous step, and the schema that has it.
    let mut previous = None;
    follow_pointer(root, reference, |written, step, rules| {
        let has_list = rules.is_some_and(|rules| rules.get("items").is_some_and(Value::is_array));
        let place = match previous.take() {
            Some((keyword, parent)) => place_in_all_of(parent, keyword, step, draft),
            None => "",
        };
        previous = rules.and_then(|rules| match step {
            "dependencies" => Some(("dependencies", rules)),
            "dependentSchemas" => Some(("dependentSchemas", rules)),
            _ => None,
        });
        pointer.push('/');
        pointer.push_str(match step {
            "items" if has_list => "prefixItems",
            "additionalItems" if rules.is_some() => "items",
            "dependencies" if rules.is_some() => "dependentSchemas",
            _ => written,
        });
        pointer.push_str(place);
    })?;
    Some(pointer)
}

/// Returns the rest of the pointer to the schema of a property, if [`add_dependencies`] unites it
/// with that of the other keyword.
fn place_in_all_of(
    rules: &Map<String, Value>,
    keyword: &str,
    property: &str,
    draft: Draft,
) -> &'static str {
    let ignored = IgnoredKeywords::new(rules, draft);
    let has = |keyword: &str| {
        let dependency = rules.get(keyword).and_then(|all| all.get(property));
        dependency.is_some_and(|it| !it.is_array() && !ignored.contains(keyword))
    };
    match keyword {
        _ if !has("dependencies") || !has("dependentSchemas") => "",
        "dependencies" => "/allOf/1",
        _ => "/allOf/0",
    }
}

/// Inserts an `$id`. One with only a fragment is the anchor of draft 2020-12.
fn insert_id(rules: &mut Map<String, Value>, id: &str) {
    match id.strip_prefix('#') {
        Some(anchor) => rules.insert("$anchor".to_owned(), json!(anchor)),
        None => rules.insert("$id".to_owned(), json!(id)),
    };
}

/// Adds the `dependencies` of older drafts, which contain lists of properties and schemas, to the
/// keywords of draft 2019-09. A schema can have all of them, and they apply together.
fn add_dependencies(rules: &mut Map<String, Value>, all: Map<String, Value>) {
    for (property, dependency) in all {
        let keyword = if dependency.is_array() { "dependentRequired" } else { "dependentSchemas" };
        let of_kind = rules.entry(keyword).or_insert_with(|| json!({}));
        let Some(of_kind) = of_kind.as_object_mut() else { continue };
        let Some(existing) = of_kind.get_mut(&property) else {
            of_kind.insert(property, dependency);
            continue;
        };
        match (existing, dependency) {
            (Value::Array(names), Value::Array(others)) => {
                let known: HashSet<String> =
                    names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                let is_known = |name: &Value| name.as_str().is_some_and(|it| known.contains(it));
                names.extend(others.into_iter().filter(|name| !is_known(name)));
            }
            (existing, dependency) => *existing = json!({ "allOf": [existing.take(), dependency] }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::to_draft_2020_12;

    #[test]
    fn keywords_of_older_drafts_are_converted() {
        for (schema, expected) in [
            (
                json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "array",
                    "items": [{"type": "string"}], "additionalItems": {"$id": "#a"}}),
                json!({"type": "array", "prefixItems": [{"type": "string"}],
                    "items": {"$anchor": "a"}}),
            ),
            (
                json!({"$schema": "http://json-schema.org/draft-04/schema#", "id": "a.json",
                    "properties": {"id": {"minimum": 1, "exclusiveMinimum": true},
                        "b": {"maximum": 1, "exclusiveMaximum": false}}}),
                json!({"$id": "a.json",
                    "properties": {"id": {"exclusiveMinimum": 1}, "b": {"maximum": 1}}}),
            ),
            (
                json!({"$schema": "http://json-schema.org/draft-07/schema#",
                    "properties": {"a": {"$ref": "#/definitions/A", "minimum": 1,
                        "description": "d"}},
                    "dependencies": {"a": ["b"], "b": {"additionalItems": {}}}}),
                json!({"properties": {"a": {"$ref": "#/definitions/A", "description": "d"}},
                    "dependentRequired": {"a": ["b"]}, "dependentSchemas": {"b": {}}}),
            ),
            (
                json!({"$schema": "https://json-schema.org/draft/2019-09/schema",
                    "$recursiveAnchor": true, "items": {"$recursiveRef": "#", "minItems": 1}}),
                json!({"items": {"$ref": "#", "minItems": 1}}),
            ),
            (json!({"items": [{}]}), json!({"items": [{}]})),
            (
                json!({"$schema": "http://json-schema.org/draft-04/schema#", "const": 1,
                    "properties": {"const": {"if": {"const": 1}, "then": {"minimum": 2}}}}),
                json!({"properties": {"const": {}}}),
            ),
            (
                json!({"$schema": "http://json-schema.org/draft-07/schema#", "if": {"const": 1},
                    "prefixItems": [{}], "dependentRequired": {"a": ["b"]}}),
                json!({"if": {"const": 1}}),
            ),
            (
                json!({"$schema": "http://json-schema.org/draft-07/schema#", "properties": {
                    "items": {"items": [{"type": "string"}], "additionalItems": {}},
                    "a": {"$ref": "#/properties/items/items/0"},
                    "b": {"$ref": "#/properties/items/additionalItems"},
                    "c": {"$ref": "#/dependencies/d"}},
                    "dependencies": {"d": {"minProperties": 2}}}),
                json!({"properties": {
                    "items": {"prefixItems": [{"type": "string"}], "items": {}},
                    "a": {"$ref": "#/properties/items/prefixItems/0"},
                    "b": {"$ref": "#/properties/items/items"},
                    "c": {"$ref": "#/dependentSchemas/d"}},
                    "dependentSchemas": {"d": {"minProperties": 2}}}),
            ),
            (
                json!({"$schema": "http://json-schema.org/draft-07/schema#",
                    "$ref": "#/properties/a", "properties": {"a": {"$ref": "#/properties/b"},
                        "b": {"type": "object", "minimum": 1}, "c": {}},
                    "definitions": {"target1": {"$ref": "#/properties/b/items"}}}),
                json!({"$ref": "#/$defs/target2",
                    "definitions": {"target1": {"$ref": "#/properties/b/items"}},
                    "$defs": {"target2": {"$ref": "#/$defs/target3"},
                        "target3": {"type": "object", "minimum": 1}}}),
            ),
        ] {
            assert_eq!(*to_draft_2020_12(&schema), expected);
        }
    }

    #[test]
    fn keywords_that_get_the_same_name_are_united() {
        for (schema, expected) in [
            (
                json!({"$schema": "https://json-schema.org/draft/2019-09/schema",
                    "dependentSchemas": {"a": {}}, "dependencies": {"b": {"minProperties": 2}}}),
                json!({"dependentSchemas": {"a": {}, "b": {"minProperties": 2}}}),
            ),
            (
                json!({"$schema": "https://json-schema.org/draft/2019-09/schema", "properties": {
                    "a": {"$ref": "#/dependencies/a/items"}, "b": {"$ref": "#/dependencies/b"},
                    "c": {"$ref": "#/dependentSchemas/a"}, "d": {"$ref": "#/dependentSchemas/d"}},
                    "dependentRequired": {"c": ["a", "b"], "d": ["a"]},
                    "dependentSchemas": {"a": {"required": ["b"]}, "d": {"maxProperties": 3}},
                    "dependencies": {"a": {"items": {"minimum": 1}}, "b": false, "c": ["b", "d"],
                        "d": []}}),
                json!({"properties": {"a": {"$ref": "#/dependentSchemas/a/allOf/1/items"},
                    "b": {"$ref": "#/dependentSchemas/b"},
                    "c": {"$ref": "#/dependentSchemas/a/allOf/0"},
                    "d": {"$ref": "#/dependentSchemas/d"}},
                    "dependentRequired": {"c": ["a", "b", "d"], "d": ["a"]},
                    "dependentSchemas": {"d": {"maxProperties": 3}, "b": false,
                        "a": {"allOf": [{"required": ["b"]}, {"items": {"minimum": 1}}]}}}),
            ),
            (
                json!({"$schema": "https://json-schema.org/draft/2019-09/schema",
                    "$defs": {"A": {"type": "object"}}, "properties": {
                        "a": {"$recursiveRef": "#", "$ref": "#/$defs/A", "allOf": [{}]},
                        "b": {"$ref": "#/$defs/A", "$recursiveRef": "#"}}}),
                json!({"$defs": {"A": {"type": "object"}}, "properties": {
                    "a": {"$ref": "#/$defs/A", "allOf": [{}, {"$ref": "#"}]},
                    "b": {"$ref": "#/$defs/A", "allOf": [{"$ref": "#"}]}}}),
            ),
        ] {
            assert_eq!(*to_draft_2020_12(&schema), expected);
        }
    }
}
