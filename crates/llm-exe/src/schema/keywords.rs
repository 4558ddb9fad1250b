//! The keywords of JSON Schema whose values are schemas, for every draft.

use serde_json::{Map, Value};

/// What the schemas below a keyword are applied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AppliesTo {
    /// The value that the keyword's own schema is applied to.
    SameValue,
    /// The property with the name of the schema.
    Property,
    /// Properties, items or names of that value.
    AnyPart,
    /// Nothing: other schemas refer to them.
    Nothing,
}

/// How schemas are stored below a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// A schema, or a list of schemas.
    Plain,
    /// An object of named schemas.
    Named,
}

use AppliesTo::{AnyPart, Nothing, Property, SameValue};
use Layout::{Named, Plain};

/// From the meta-schemas of draft-04 to 2020-12.
const APPLICATORS: &[(&str, AppliesTo, Layout)] = &[
    ("allOf", SameValue, Plain),
    ("anyOf", SameValue, Plain),
    ("oneOf", SameValue, Plain),
    ("not", SameValue, Plain),
    ("if", SameValue, Plain),
    ("then", SameValue, Plain),
    ("else", SameValue, Plain),
    ("dependentSchemas", SameValue, Named),
    ("dependencies", SameValue, Named),
    ("items", AnyPart, Plain),
    ("prefixItems", AnyPart, Plain),
    ("additionalItems", AnyPart, Plain),
    ("unevaluatedItems", AnyPart, Plain),
    ("contains", AnyPart, Plain),
    ("additionalProperties", AnyPart, Plain),
    ("unevaluatedProperties", AnyPart, Plain),
    ("propertyNames", AnyPart, Plain),
    ("contentSchema", AnyPart, Plain),
    ("patternProperties", AnyPart, Named),
    ("properties", Property, Named),
    ("$defs", Nothing, Named),
    ("definitions", Nothing, Named),
];

/// Keywords whose values are data, not schemas.
const DATA: &[&str] = &["const", "default", "enum", "examples"];

/// The way from a schema to one directly inside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    Keyword(&'static str),
    Name(&'static str, &'a str),
    Index(&'static str, usize),
}

impl Step<'_> {
    /// The step as a part of a JSON pointer: `/items`, `/properties/a`, `/anyOf/0`.
    pub(super) fn pointer(&self) -> String {
        match self {
            Step::Keyword(keyword) => format!("/{keyword}"),
            Step::Index(keyword, index) => format!("/{keyword}/{index}"),
            Step::Name(keyword, name) => {
                format!("/{keyword}/{}", name.replace('~', "~0").replace('/', "~1"))
            }
        }
    }
}

/// A schema directly inside of another one.
pub(super) struct Subschema<'a> {
    pub(super) step: Step<'a>,
    pub(super) applies_to: AppliesTo,
    /// An object or a boolean, or anything else in an invalid schema.
    pub(super) schema: &'a Value,
}

/// The schemas directly inside of a schema.
pub(super) fn subschemas(schema: &Map<String, Value>) -> Vec<Subschema<'_>> {
    let mut found = Vec::new();
    for (keyword, applies_to, layout) in APPLICATORS {
        let mut add = |step, schema| {
            found.push(Subschema { step, applies_to: *applies_to, schema });
        };
        match (schema.get(*keyword), layout) {
            (Some(Value::Object(named)), Named) => {
                for (name, inner) in named {
                    add(Step::Name(keyword, name), inner);
                }
            }
            (Some(Value::Array(list)), Plain) => {
                for (index, inner) in list.iter().enumerate() {
                    add(Step::Index(keyword, index), inner);
                }
            }
            (Some(inner), Plain) => add(Step::Keyword(keyword), inner),
            _ => {}
        }
    }
    found
}

/// Calls `change` with each schema directly inside of a schema, and with any other object, since
/// references may lead to schemas in it (`components/schemas/A`).
pub(super) fn change_subschemas(
    schema: &mut Map<String, Value>,
    change: &mut impl FnMut(&mut Map<String, Value>),
) {
    for (keyword, inner) in schema {
        let is_named =
            APPLICATORS.iter().any(|(known, _, layout)| known == keyword && *layout == Named);
        match inner {
            Value::Object(named) if is_named => {
                named.values_mut().filter_map(Value::as_object_mut).for_each(&mut *change);
            }
            _ if DATA.contains(&keyword.as_str()) => {}
            Value::Object(inner) => change(inner),
            Value::Array(list) => {
                list.iter_mut().filter_map(Value::as_object_mut).for_each(&mut *change);
            }
            _ => {}
        }
    }
}
