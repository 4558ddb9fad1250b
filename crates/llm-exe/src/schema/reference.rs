//! Resolves references within a schema.

use std::borrow::Cow;
use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use url::Url;

use super::keywords::{SubschemaStep, change_subschemas, each_subschema};
use super::size::SizeBudget;
use super::validate::{DEFAULT_BASE, Draft, join};

/// Returns the subschema that a reference such as `#/$defs/a` refers to. Returns `None` for anchors
/// and for references to other documents; see [`with_pointers`].
pub(crate) fn referenced<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    match reference.strip_prefix('#')? {
        "" => Some(root),
        pointer => root.pointer(&percent_decode_str(pointer).decode_utf8().ok()?),
    }
}

/// Returns whether every `$ref` in a schema is a pointer to a subschema of it.
pub(super) fn references_exist(schema: &Value) -> bool {
    fn exist(root: &Value, rules: &Map<String, Value>) -> bool {
        let reference = rules.get("$ref").and_then(Value::as_str);
        let mut exist_here = reference.is_none_or(|target| referenced(root, target).is_some());
        each_subschema(rules, &mut |_, _, inner| exist_here = exist_here && exist(root, inner));
        exist_here
    }
    schema.as_object().is_none_or(|rules| exist(schema, rules))
}

/// Returns the schema with JSON pointers from its root in place of references by `$anchor` and
/// `$id`, which no provider resolves, and with decoded pointers, because not every provider decodes
/// them. References that can't be resolved are not changed. The schema is not changed if the
/// pointers would be too long.
pub(crate) fn with_pointers(schema: &Value) -> Cow<'_, Value> {
    let Some(rules) = schema.as_object() else { return Cow::Borrowed(schema) };
    let draft = Draft::detect(schema);
    if !must_change(schema, schema, draft) {
        return Cow::Borrowed(schema);
    }
    let mut names = ReferenceTargets::new(draft.id(rules));
    names.add(rules, None, draft, 0);
    let Some(pointers) = names.resolve_references(schema) else { return Cow::Borrowed(schema) };
    let mut changed = rules.clone();
    replace_references(&mut changed, &mut pointers.into_iter(), draft, true);
    Cow::Owned(Value::Object(changed))
}

/// Returns whether a value in a schema contains a reference that is not a decoded pointer, or a
/// resource with its own references. Values that are not schemas are searched too.
fn must_change(root: &Value, value: &Value, draft: Draft) -> bool {
    match value {
        Value::Object(rules) => {
            let text = |keyword: &str| rules.get(keyword).and_then(Value::as_str);
            let is_changed = |reference: &str| {
                referenced(root, reference).is_none() || decode_pointer(reference).is_some()
            };
            let is_resource = draft.id(rules).is_some() && !std::ptr::eq(root, value);
            is_resource
                || text("$ref").is_some_and(is_changed)
                || rules.values().any(|inner| must_change(root, inner, draft))
        }
        Value::Array(items) => items.iter().any(|item| must_change(root, item, draft)),
        _ => false,
    }
}

/// Returns a percent-encoded JSON pointer without the encoding. Returns `None` if there is none, or
/// if a provider that decodes the result again would get another pointer.
fn decode_pointer(reference: &str) -> Option<String> {
    let decode = |text: &str| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
    let decoded = decode(reference.strip_prefix('#').filter(|path| path.starts_with('/'))?)?;
    let is_stable = decode(&decoded).as_ref() == Some(&decoded);
    let decoded = format!("#{decoded}");
    (is_stable && decoded != reference).then_some(decoded)
}

/// Replaces the references of a schema with these pointers, and removes the names that other
/// references used. The pointers are in the order of [`each_subschema`].
fn replace_references(
    rules: &mut Map<String, Value>,
    pointers: &mut impl Iterator<Item = Option<String>>,
    draft: Draft,
    is_root: bool,
) {
    let draft = draft.within(rules);
    if let Some(Value::String(reference)) = rules.get_mut("$ref")
        && let Some(pointer) = pointers.next().flatten()
    {
        *reference = pointer;
    }
    change_subschemas(rules, &mut |inner| replace_references(inner, pointers, draft, false));
    rules.shift_remove("$anchor");
    // The pointers in an embedded resource would be relative to its `$id`.
    let id = if draft == Draft::Draft4 { "id" } else { "$id" };
    if !is_root && rules.get(id).is_some_and(Value::is_string) {
        rules.shift_remove(id);
    }
}

/// The subschemas that references can name, and the references.
///
/// The pointers of all subschemas together can be much longer than the schema, so a pointer is
/// built only if a reference needs it.
struct ReferenceTargets<'a> {
    places: Vec<Place<'a>>,
    resources: Vec<Resource<'a>>,
    /// The indexes of places by resource and anchor.
    anchors: HashMap<(usize, &'a str), usize>,
    /// The references with their resources.
    references: Vec<(usize, &'a str)>,
    /// The indexes of resources by absolute URI. Filled in when a reference needs it.
    by_uri: HashMap<String, usize>,
    /// The absolute URIs of the resources. Filled in together with `by_uri`.
    uris: Vec<Option<Url>>,
    /// The bytes of URIs and pointers that may still be built.
    budget: SizeBudget,
}

/// The position of a subschema.
struct Place<'a> {
    outer: Option<usize>,
    keyword: &'a str,
    step: SubschemaStep<'a>,
}

/// A schema with an `$id`, or the root.
struct Resource<'a> {
    id: Option<&'a str>,
    outer: Option<usize>,
    place: usize,
}

impl<'a> ReferenceTargets<'a> {
    fn new(root_id: Option<&'a str>) -> Self {
        ReferenceTargets {
            places: Vec::new(),
            resources: vec![Resource { id: root_id, outer: None, place: 0 }],
            anchors: HashMap::new(),
            references: Vec::new(),
            by_uri: HashMap::new(),
            uris: Vec::new(),
            budget: SizeBudget::new(),
        }
    }

    /// Adds a subschema and the subschemas in it.
    fn add(
        &mut self,
        rules: &'a Map<String, Value>,
        place: Option<Place<'a>>,
        draft: Draft,
        mut resource: usize,
    ) {
        let draft = draft.within(rules);
        let index = self.places.len();
        let is_root = place.is_none();
        self.places.push(place.unwrap_or(Place {
            outer: None,
            keyword: "",
            step: SubschemaStep::None,
        }));
        let id = draft.id(rules).filter(|_| !is_root);
        let anchor_id = id.and_then(|id| id.strip_prefix('#'));
        if id.is_some() && anchor_id.is_none() {
            self.resources.push(Resource { id, outer: Some(resource), place: index });
            resource = self.resources.len() - 1;
        }
        let dynamic = rules.get("$dynamicAnchor").and_then(Value::as_str);
        for anchor in [draft.anchor(rules), anchor_id, dynamic].into_iter().flatten() {
            self.anchors.entry((resource, anchor)).or_insert(index);
        }
        if let Some(reference) = rules.get("$ref").and_then(Value::as_str) {
            self.references.push((resource, reference));
        }
        each_subschema(rules, &mut |keyword, step, inner| {
            self.add(inner, Some(Place { outer: Some(index), keyword, step }), draft, resource);
        });
    }

    /// Returns the pointer for each reference, or `None` in place of those that are not changed.
    /// Returns `None` if the pointers are too long.
    fn resolve_references(&mut self, root: &Value) -> Option<Vec<Option<String>>> {
        let references = std::mem::take(&mut self.references);
        references
            .into_iter()
            .map(|(resource, reference)| {
                self.budget.charge_bytes(reference.len())?;
                let (uri, fragment) = reference.rsplit_once('#').unwrap_or((reference, ""));
                let resource = match uri {
                    "" => Some(resource),
                    uri => self.find_resource(resource, uri)?,
                };
                let place = resource.and_then(|resource| match fragment {
                    anchor if !anchor.is_empty() && !anchor.starts_with('/') => {
                        self.anchors.get(&(resource, anchor)).copied()
                    }
                    _ => self.resources.get(resource).map(|resource| resource.place),
                });
                let Some(place) = place else { return Some(None) };
                let path = if fragment.starts_with('/') { fragment } else { "" };
                let pointer = format!("#{}{path}", self.pointer(place)?);
                let pointer = decode_pointer(&pointer).unwrap_or(pointer);
                Some(referenced(root, &pointer).is_some().then_some(pointer))
            })
            .collect()
    }

    /// Finds the resource with a URI, which is relative to the resource `from`. The outer `None`
    /// means that the URIs are too long.
    fn find_resource(&mut self, from: usize, uri: &str) -> Option<Option<usize>> {
        while let Some(resource) = self.resources.get(self.uris.len()) {
            let base = match resource.outer {
                Some(outer) => self.uris.get(outer).cloned().flatten(),
                None => Url::parse(DEFAULT_BASE).ok(),
            };
            self.budget.charge_bytes(base.as_ref().map_or(0, |base| base.as_str().len()))?;
            let uri = resource.id.map_or_else(|| base.clone(), |id| join(base.as_ref(), id));
            if let Some(uri) = &uri {
                self.budget.charge_bytes(uri.as_str().len())?;
                let uri = uri.as_str().split('#').next().unwrap_or_default();
                self.by_uri.entry(uri.to_owned()).or_insert(self.uris.len());
            }
            self.uris.push(uri);
        }
        let base = self.uris.get(from).and_then(Option::as_ref);
        self.budget.charge_bytes(base.map_or(0, |base| base.as_str().len()))?;
        Some(join(base, uri).and_then(|uri| self.by_uri.get(uri.as_str()).copied()))
    }

    /// Returns the pointer of a place. Returns `None` if it is too long.
    fn pointer(&self, place: usize) -> Option<String> {
        let mut steps = Vec::new();
        let mut next = Some(place);
        while let Some(place) = next.and_then(|index| self.places.get(index)) {
            if place.outer.is_some() {
                let name = if let SubschemaStep::Name(name) = place.step { name } else { "" };
                self.budget.charge_bytes(place.keyword.len() + name.len())?;
                steps.push(place);
            }
            next = place.outer;
        }
        let mut pointer = String::new();
        for place in steps.into_iter().rev() {
            push_step(&mut pointer, place.keyword);
            match place.step {
                SubschemaStep::None => {}
                SubschemaStep::Name(name) => push_step(&mut pointer, name),
                SubschemaStep::Index(index) => push_step(&mut pointer, &index.to_string()),
            }
        }
        let is_ambiguous = percent_decode_str(&pointer).decode_utf8().ok()? != pointer;
        Some(if is_ambiguous { pointer.replace('%', "%25") } else { pointer })
    }
}

/// Adds a step to a JSON pointer.
pub(super) fn push_step(pointer: &mut String, name: &str) {
    pointer.push('/');
    for character in name.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// Unescapes a step of a JSON pointer.
pub(super) fn unescape_step(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::json;

    use super::{referenced, with_pointers};

    #[test]
    fn names_are_replaced_with_pointers() {
        let schema = json!({
            "$id": "https://example.com/root",
            "properties": {
                "a": {"$ref": "#item"}, "b": {"$ref": "item.json"}, "c": {"$ref": "#old"},
                "d": {"$ref": "https://example.com/root#/$defs/x~1y"}, "e": {"$ref": "#"},
                "f": {"$ref": "other.json"}
            },
            "$defs": {
                "x/y": {"$anchor": "item", "type": "string"},
                "z": {"$id": "item.json", "type": "integer"},
                "old": {"$id": "#old"}
            }
        });
        let changed = with_pointers(&schema);
        let reference = |name: &str| changed["properties"][name]["$ref"].as_str().unwrap();
        let references: Vec<&str> = ["a", "b", "c", "d", "e", "f"].map(reference).to_vec();
        let expected = ["#/$defs/x~1y", "#/$defs/z", "#/$defs/old", "#/$defs/x~1y", "#"];
        assert_eq!(references[..5], expected);
        assert_eq!(references[5], "other.json");
        assert!(changed["$defs"]["x/y"].get("$anchor").is_none());
        for name in ["a", "b", "c", "d"] {
            assert!(referenced(&changed, reference(name)).is_some(), "{name}");
        }
    }

    #[test]
    fn pointers_are_decoded_unless_that_is_ambiguous() {
        let schema = json!({
            "properties": {
                "a": {"$ref": "#/$defs/a%20b"}, "b": {"$ref": "#/%24defs/na%C3%AFve"},
                "c": {"$ref": "#/$defs/100%25"}, "d": {"$ref": "#/$defs/%2541"}
            },
            "$defs": {"a b": {}, "naïve": {}, "100%": {}, "%41": {}}
        });
        let changed = with_pointers(&schema);
        let expected = ["#/$defs/a b", "#/$defs/naïve", "#/$defs/100%", "#/$defs/%2541"];
        for (name, expected) in ["a", "b", "c", "d"].iter().zip(expected) {
            assert_eq!(changed["properties"][name]["$ref"], expected);
            assert!(referenced(&changed, expected).is_some(), "{expected}");
        }
    }

    #[test]
    fn pointers_without_an_encoding_are_not_changed() {
        let schema = json!({
            "properties": {"a": {"$ref": "#/$defs/a b"}, "$ref": {"type": "string"}},
            "$defs": {"a b": {"type": "string"}}
        });
        assert!(matches!(with_pointers(&schema), Cow::Borrowed(_)));
    }

    #[test]
    fn pointers_in_an_embedded_resource_are_relative_to_it() {
        let schema = json!({
            "properties": {"a": {"$ref": "item.json"}, "b": {"$ref": "#/$defs/q"}},
            "$defs": {
                "z": {"$id": "item.json", "$ref": "#/$defs/q", "$defs": {"q": {"const": 1}}},
                "q": {"const": 2}
            }
        });
        let changed = with_pointers(&schema);
        assert_eq!(changed["properties"]["a"]["$ref"], "#/$defs/z");
        assert_eq!(changed["properties"]["b"]["$ref"], "#/$defs/q");
        assert_eq!(changed["$defs"]["z"]["$ref"], "#/$defs/z/$defs/q");
        assert!(changed["$defs"]["z"].get("$id").is_none());
    }

    #[test]
    fn pointers_that_an_embedded_resource_does_not_contain_are_not_changed() {
        let schema = json!({
            "$defs": {"a": {"$id": "a.json", "items": {"$ref": "#/$defs/b"}}, "b": {"const": 1}}
        });
        assert_eq!(with_pointers(&schema)["$defs"]["a"]["items"]["$ref"], "#/$defs/b");
    }

    #[test]
    fn equal_anchors_of_different_resources_are_distinguished() {
        for (draft, keyword) in [("2020-12/schema", "$id"), ("draft-04/schema", "id")] {
            let uri = match keyword {
                "id" => format!("http://json-schema.org/{draft}#"),
                _ => format!("https://json-schema.org/draft/{draft}"),
            };
            let anchor = |value: u8| match keyword {
                "id" => json!({"id": "#x", "minimum": value}),
                _ => json!({"$anchor": "x", "minimum": value}),
            };
            let schema = json!({
                "$schema": uri,
                "properties": {"a": {"$ref": "#x"}, "b": {"$ref": "b.json#x"}},
                "definitions": {
                    "b": {
                        keyword: "b.json", "items": {"$ref": "#x"}, "definitions": {"x": anchor(1)}
                    },
                    "x": anchor(2)
                }
            });
            let changed = with_pointers(&schema);
            assert_eq!(changed["properties"]["a"]["$ref"], "#/definitions/x", "{draft}");
            let embedded = "#/definitions/b/definitions/x";
            assert_eq!(changed["properties"]["b"]["$ref"], embedded, "{draft}");
            assert_eq!(changed["definitions"]["b"]["items"]["$ref"], embedded, "{draft}");
        }
    }

    #[test]
    fn pointers_to_names_with_percent_signs_are_encoded() {
        let schema = json!({
            "properties": {"a": {"$ref": "#x"}}, "$defs": {"%41": {"$anchor": "x", "const": 1}}
        });
        let changed = with_pointers(&schema);
        let reference = changed["properties"]["a"]["$ref"].as_str().unwrap();
        assert_eq!(reference, "#/$defs/%2541");
        assert_eq!(referenced(&changed, reference).unwrap()["const"], 1);
    }

    #[test]
    fn schema_with_pointers_that_are_too_long_is_not_changed() {
        let named = |index: usize| (format!("c{index}"), json!({"$anchor": format!("x{index}")}));
        let children: serde_json::Map<String, serde_json::Value> = (0..100).map(named).collect();
        let references: Vec<_> =
            (0..100).map(|index| json!({"$ref": format!("#x{index}")})).collect();
        let name = "n".repeat(50_000);
        let schema = json!({"anyOf": references, "$defs": {name: {"properties": children}}});
        assert!(matches!(with_pointers(&schema), Cow::Borrowed(_)));
    }
}
