//! Derives the schemas of Rust types.
//!
//! There are two schemas of a type. Replies are checked against its own schema, which the type
//! derives. The model receives a tighter one, because OpenAI's strict mode accepts only objects
//! that are closed and whose properties are all required. Every value that satisfies the tighter
//! schema satisfies the type's own schema, unless the type accepts exactly one of several forms and
//! the value has two of them.

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use crate::schema::referenced;

/// The field that contains the result if the schema of a type is not that of an object.
const WRAPPER: &str = "result";

/// Maximum number of references to follow from the root of a schema.
const MAX_HOPS: usize = 16;

type Rules = Map<String, Value>;

/// The schemas of a Rust type.
#[derive(Debug, PartialEq)]
pub(super) struct TypeSchema {
    /// The schema that the type derives.
    pub(super) own: Rules,
    /// The schema for the model, whose root is an object.
    pub(super) sent: Rules,
    /// The field that contains the result in `sent`, if `own` is not the schema of an object.
    pub(super) wrapper: Option<&'static str>,
}

/// Returns the schema that a type derives.
pub(super) fn derive<T: JsonSchema>() -> Rules {
    let schema = schemars::SchemaGenerator::default().into_root_schema_for::<T>().to_value();
    match schema {
        Value::Object(rules) => rules,
        // A type may accept any value.
        _ => Rules::new(),
    }
}

/// Returns whether a type accepts any text, as `String` does.
pub(super) fn is_text(own: &Rules) -> bool {
    let is_string = own.get("type").is_some_and(|kind| kind == "string");
    is_string && own.keys().all(|name| ["$schema", "title", "type"].contains(&name.as_str()))
}

impl TypeSchema {
    /// Derives the schema for the model from the type's own schema.
    pub(super) fn new(own: Rules) -> Self {
        let accepts_anything = own.keys().all(|name| ["$schema", "title"].contains(&name.as_str()));
        let mut sent = own.clone();
        inline_root(&mut sent);
        let is_object = sent.get("type").is_some_and(|kind| kind == "object");
        let needs_wrapper = !is_object && !accepts_anything;
        if needs_wrapper {
            sent = wrap(sent);
        }
        let root = Value::Object(sent.clone());
        let mut shared = SharedReferences { root: &root, references: Vec::new() };
        shared.visit(&sent, false);
        let tightener = Tightener { root: &root, shared: shared.references };
        if !tightener.is_shared("#") {
            tightener.tighten(&mut sent);
        }
        TypeSchema { own, sent, wrapper: needs_wrapper.then_some(WRAPPER) }
    }
}

/// Replaces a reference at the root by its definition, because providers require a type there.
fn inline_root(root: &mut Rules) {
    for _ in 0..MAX_HOPS {
        let siblings = ["$ref", "$defs", "$schema", "title", "description"];
        let Some(Value::String(reference)) = root.get("$ref") else { return };
        let whole = Value::Object(root.clone());
        let Some(Value::Object(target)) = referenced(&whole, reference) else { return };
        if !root.keys().all(|name| siblings.contains(&name.as_str())) {
            return;
        }
        root.shift_remove("$ref");
        for (name, value) in target {
            root.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
}

/// Wraps a schema in an object with one property.
fn wrap(mut inner: Rules) -> Rules {
    let mut outer = Rules::new();
    outer.extend(inner.shift_remove("$schema").map(|draft| ("$schema".to_owned(), draft)));
    let mut definitions = match inner.shift_remove("$defs") {
        Some(Value::Object(definitions)) => definitions,
        _ => Rules::new(),
    };
    // A recursive type refers to the root, which is the wrapper now.
    let title = inner.get("title").and_then(Value::as_str).unwrap_or("Root");
    let mut name = title.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    while definitions.contains_key(&name) {
        name.push('_');
    }
    let mut root_reference = RootReference { target: format!("#/$defs/{name}"), count: 0 };
    let mut inner = Value::Object(inner);
    root_reference.replace(&mut inner);
    definitions.values_mut().for_each(|definition| root_reference.replace(definition));
    if root_reference.count > 0 {
        definitions.insert(name, inner);
        inner = json!({ "$ref": root_reference.target });
    }
    outer.insert("type".to_owned(), json!("object"));
    outer.insert("properties".to_owned(), json!({ WRAPPER: inner }));
    outer.insert("required".to_owned(), json!([WRAPPER]));
    outer.insert("additionalProperties".to_owned(), json!(false));
    if !definitions.is_empty() {
        outer.insert("$defs".to_owned(), Value::Object(definitions));
    }
    outer
}

/// The new target of references to the root, and the number of replaced references.
struct RootReference {
    target: String,
    count: usize,
}

impl RootReference {
    fn replace(&mut self, schema: &mut Value) {
        match schema {
            Value::Object(rules) => {
                for (name, value) in rules {
                    if name == "$ref" && value == "#" {
                        *value = json!(self.target);
                        self.count += 1;
                    } else {
                        self.replace(value);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.replace(item)),
            _ => {}
        }
    }
}

/// Keywords whose schemas apply to the same value as the schema that contains them.
const SAME_VALUE: &[&str] = &[
    "$ref",
    "$dynamicRef",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
];
/// Keywords that restrict the properties of an object.
const OBJECT_RULES: &[&str] = &[
    "properties",
    "required",
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
    "minProperties",
    "maxProperties",
    "dependentRequired",
];
/// Keywords next to which an object can be closed.
const CLOSABLE: &[&str] = &["properties", "required"];

fn has_any(rules: &Rules, keywords: &[&str]) -> bool {
    keywords.iter().any(|keyword| rules.contains_key(*keyword))
}

fn has_other(rules: &Rules, group: &[&str], allowed: &[&str]) -> bool {
    group.iter().any(|keyword| rules.contains_key(*keyword) && !allowed.contains(keyword))
}

/// How a schema is composed of its subschemas, which determines how they are changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Composition {
    /// Alternatives for the whole value, each of which is tightened.
    Alternatives,
    /// A reference to a definition, which is tightened where it is defined.
    Reference,
    /// A reference to an object, and more properties of the same object. Both are merged.
    Extended,
    /// Several schemas for the same value, which depend on each other and are not changed.
    Combined,
    /// A value with a type of its own.
    Plain,
}

fn composition(root: &Value, rules: &Rules) -> Composition {
    if !has_any(rules, SAME_VALUE) {
        return Composition::Plain;
    }
    if has_any(rules, OBJECT_RULES) {
        let is_extended = extended_object(root, rules).is_some();
        return if is_extended { Composition::Extended } else { Composition::Combined };
    }
    if !has_other(rules, SAME_VALUE, &["$ref"]) {
        return Composition::Reference;
    }
    let is_choice = |keyword| !has_other(rules, SAME_VALUE, &[keyword]);
    if is_choice("anyOf") || is_choice("oneOf") {
        Composition::Alternatives
    } else {
        Composition::Combined
    }
}

/// Merges an object schema into the definition that it refers to, as in a variant of an internally
/// tagged enum. Returns `None` if one schema can't express both.
fn extended_object(root: &Value, rules: &Rules) -> Option<Rules> {
    let target = referenced(root, rules.get("$ref")?.as_str()?)?.as_object()?;
    if has_any(target, SAME_VALUE)
        || has_other(target, OBJECT_RULES, CLOSABLE)
        || has_other(rules, OBJECT_RULES, CLOSABLE)
        || has_other(rules, SAME_VALUE, &["$ref"])
        || target.get("type").is_none_or(|kind| kind != "object")
    {
        return None;
    }
    let mut merged = target.clone();
    merged.shift_remove("$defs");
    let mut properties = rules.get("properties")?.as_object()?.clone();
    for (name, property) in target.get("properties")?.as_object()? {
        if properties.insert(name.clone(), property.clone()).is_some() {
            return None;
        }
    }
    merged.insert("properties".to_owned(), Value::Object(properties));
    for (name, value) in rules {
        if !["$ref", "properties", "required"].contains(&name.as_str()) {
            merged.insert(name.clone(), value.clone());
        }
    }
    Some(merged)
}

/// Calls `visit` with the keyword and the value of each direct subschema.
fn for_each_subschema<'a>(rules: &'a Rules, mut visit: impl FnMut(&'a str, &'a Value)) {
    for (keyword, value) in rules {
        match (keyword.as_str(), value) {
            ("const" | "default" | "enum" | "examples", _) => {}
            ("properties" | "$defs" | "patternProperties", Value::Object(named)) => {
                named.values().for_each(|schema| visit(keyword, schema));
            }
            (_, Value::Array(list)) => list.iter().for_each(|schema| visit(keyword, schema)),
            _ => visit(keyword, value),
        }
    }
}

/// Collects the references to definitions that apply to the same value as other schemas. Closing
/// one of these definitions would exclude the properties of the other schemas.
struct SharedReferences<'a> {
    root: &'a Value,
    references: Vec<String>,
}

impl SharedReferences<'_> {
    fn visit(&mut self, rules: &Rules, is_shared: bool) {
        let composition = composition(self.root, rules);
        let is_shared = is_shared || composition == Composition::Combined;
        if let Some(Value::String(reference)) = rules.get("$ref")
            && is_shared
            && !self.references.contains(reference)
        {
            self.references.push(reference.clone());
            if let Some(Value::Object(target)) = referenced(self.root, reference) {
                self.visit(target, true);
            }
        }
        for_each_subschema(rules, |keyword, schema| {
            if let Value::Object(rules) = schema {
                let is_part = ["properties", "items", "prefixItems", "additionalProperties"];
                let may_tighten = match keyword {
                    "$defs" => true,
                    "anyOf" | "oneOf" => !is_shared,
                    keyword => !is_shared && is_part.contains(&keyword),
                };
                self.visit(rules, !may_tighten);
            }
        });
    }
}

/// Closes objects and makes their properties required.
struct Tightener<'a> {
    root: &'a Value,
    /// The references to definitions that are not changed.
    shared: Vec<String>,
}

impl Tightener<'_> {
    fn is_shared(&self, reference: &str) -> bool {
        self.shared.iter().any(|shared| shared == reference)
    }

    fn tighten(&self, rules: &mut Rules) {
        if let Some(Value::Object(definitions)) = rules.get_mut("$defs") {
            for (name, definition) in definitions {
                if !self.is_shared(&format!("#/$defs/{name}")) {
                    self.tighten_value(definition);
                }
            }
        }
        match composition(self.root, rules) {
            Composition::Reference | Composition::Combined => {}
            Composition::Alternatives => {
                // The forms of an enum exclude each other, and OpenAI accepts only `anyOf`.
                if let Some(forms) = rules.shift_remove("oneOf") {
                    rules.insert("anyOf".to_owned(), forms);
                }
                if let Some(Value::Array(forms)) = rules.get_mut("anyOf") {
                    forms.iter_mut().for_each(|form| self.tighten_value(form));
                }
            }
            Composition::Extended => {
                if let Some(merged) = extended_object(self.root, rules) {
                    *rules = merged;
                    self.tighten_object(rules);
                }
            }
            Composition::Plain => self.tighten_object(rules),
        }
    }

    fn tighten_value(&self, schema: &mut Value) {
        if let Value::Object(rules) = schema {
            self.tighten(rules);
        }
    }

    fn tighten_object(&self, rules: &mut Rules) {
        for keyword in ["items", "additionalProperties"] {
            if let Some(schema) = rules.get_mut(keyword) {
                self.tighten_value(schema);
            }
        }
        if let Some(Value::Array(items)) = rules.get_mut("prefixItems") {
            items.iter_mut().for_each(|item| self.tighten_value(item));
        }
        let is_closable = is_closable(rules);
        let Some(Value::Object(properties)) = rules.get_mut("properties") else { return };
        properties.values_mut().for_each(|property| self.tighten_value(property));
        if is_closable {
            let names: Vec<String> = properties.keys().cloned().collect();
            rules.insert("required".to_owned(), json!(names));
            rules.insert("additionalProperties".to_owned(), json!(false));
        }
    }
}

/// Returns whether an object may be restricted to the properties that its schema lists.
fn is_closable(rules: &Rules) -> bool {
    let is_listed = |name: &Value| {
        let properties = rules.get("properties").and_then(Value::as_object);
        name.as_str().is_some_and(|name| properties.is_some_and(|all| all.contains_key(name)))
    };
    let required = rules.get("required").and_then(Value::as_array);
    let is_closed = rules.get("additionalProperties") == Some(&Value::Bool(false));
    let open_rules = OBJECT_RULES.iter().filter(|rule| !CLOSABLE.contains(*rule));
    let mut open_rules = open_rules.filter(|rule| rules.contains_key(**rule));
    open_rules.all(|rule| is_closed && *rule == "additionalProperties")
        && required.is_none_or(|names| names.iter().all(is_listed))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::TypeSchema;

    fn rules(schema: &Value) -> super::Rules {
        schema.as_object().unwrap().clone()
    }

    fn sent(own: &Value) -> Value {
        Value::Object(TypeSchema::new(rules(own)).sent)
    }

    /// Returns the closed form of an object schema.
    fn closed(properties: Value) -> Value {
        let names: Vec<&String> = properties.as_object().unwrap().keys().collect();
        json!({
            "type": "object", "required": names, "properties": properties,
            "additionalProperties": false,
        })
    }

    fn address() -> Value {
        json!({"type": "object", "properties": {"street": {"type": "string"}}})
    }

    fn closed_address() -> Value {
        closed(json!({"street": {"type": "string"}}))
    }

    #[test]
    fn objects_are_closed_and_their_properties_required() {
        let schema = json!({
            "type": "object", "required": ["home"],
            "properties": {
                "home": {"$ref": "#/$defs/Address"},
                "height": {"type": ["number", "null"]},
                "places": {"type": "array", "items": address()},
                "free": {"type": "object", "additionalProperties": address()},
            },
            "$defs": {"Address": address()},
        });
        let mut expected = closed(json!({
            "home": {"$ref": "#/$defs/Address"},
            "height": {"type": ["number", "null"]},
            "places": {"type": "array", "items": closed_address()},
            "free": {"type": "object", "additionalProperties": closed_address()},
        }));
        expected["$defs"] = json!({"Address": closed_address()});
        assert_eq!(sent(&schema), expected);
        assert_eq!(TypeSchema::new(rules(&schema)).wrapper, None);
    }

    #[test]
    fn other_roots_are_wrapped() {
        let schema =
            json!({"type": "array", "items": {"$ref": "#/$defs/A"}, "$defs": {"A": address()}});
        let mut expected =
            closed(json!({"result": {"type": "array", "items": {"$ref": "#/$defs/A"}}}));
        expected["$defs"] = json!({"A": closed_address()});
        assert_eq!(sent(&schema), expected);
        assert_eq!(TypeSchema::new(rules(&schema)).wrapper, Some("result"));

        // A reference to the root leads to the wrapped schema.
        let schema = json!({
            "title": "Sum",
            "anyOf": [{"type": "number"}, {"type": "array", "items": {"$ref": "#"}}],
            "$defs": {"Sum": {"const": 1}},
        });
        let mut expected = closed(json!({"result": {"$ref": "#/$defs/Sum_"}}));
        expected["$defs"] = json!({
            "Sum": {"const": 1},
            "Sum_": {
                "title": "Sum",
                "anyOf": [{"type": "number"}, {"type": "array", "items": {"$ref": "#/$defs/Sum_"}}],
            },
        });
        assert_eq!(sent(&schema), expected);

        let anything = json!({"$schema": "https://json-schema.org/draft/2020-12/schema"});
        assert_eq!(sent(&anything), anything);
    }

    #[test]
    fn tag_and_referenced_fields_of_a_variant_are_merged() {
        let own = json!({
            "oneOf": [{
                "$ref": "#/$defs/A", "type": "object", "required": ["kind"],
                "properties": {"kind": {"const": "A", "type": "string"}},
            }],
            "$defs": {"A": address()},
        });
        let variant = closed(json!({
            "kind": {"const": "A", "type": "string"}, "street": {"type": "string"},
        }));
        let mut expected = closed(json!({"result": {"anyOf": [variant]}}));
        expected["$defs"] = json!({"A": closed_address()});
        assert_eq!(sent(&own), expected);
    }

    #[test]
    fn schemas_that_depend_on_each_other_are_not_changed() {
        let definitions = json!({"A": address(), "B": address()});
        for schema in [
            // A flattened enum.
            json!({
                "type": "object", "properties": {"id": {"type": "integer"}},
                "oneOf": [{"$ref": "#/$defs/A"}],
            }),
            json!({"type": "object", "allOf": [{"$ref": "#/$defs/A"}]}),
            json!({"type": "object", "not": {"$ref": "#/$defs/A"}}),
            json!({"type": "object", "patternProperties": {"^a": {"$ref": "#/$defs/A"}}}),
        ] {
            let mut own = schema;
            own["$defs"] = definitions.clone();
            let mut expected = own.clone();
            expected["$defs"]["B"] = closed_address();
            assert_eq!(sent(&own), expected);
        }
        for schema in [
            json!({"type": "object", "properties": {}, "minProperties": 1}),
            json!({"type": "object", "properties": {"a": {}}, "required": ["b"]}),
            json!({"type": "object", "properties": {"a": {}}, "additionalProperties": true}),
            json!({"type": "object"}),
        ] {
            assert_eq!(sent(&schema), schema);
        }
    }
}
