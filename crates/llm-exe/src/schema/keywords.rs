//! The JSON Schema keywords whose values are schemas, for all drafts from draft-04 to 2020-12.

use serde_json::{Map, Value};

/// Which values the subschemas of a keyword apply to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AppliesTo {
    /// The value that the parent schema applies to.
    SameValue,
    /// The property that has the same name as the subschema.
    Property,
    /// Some properties, items or property names of the value that the parent schema applies to.
    AnyPart,
    /// No value, because the subschemas are definitions that `$ref`s refer to.
    Nothing,
}

/// How a keyword stores its subschemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// A single schema or an array of schemas.
    Plain,
    /// An object whose values are schemas.
    Named,
}

use AppliesTo::{AnyPart, Nothing, Property, SameValue};
use Layout::{Named, Plain};

/// Keywords that contain schemas, from the meta-schemas of draft-04 to 2020-12.
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

/// Keywords whose values are data instead of schemas.
const DATA: &[&str] = &["const", "default", "enum", "examples"];

/// A step from a schema to one of its direct subschemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    Keyword(&'static str),
    Name(&'static str, &'a str),
    Index(&'static str, usize),
}

impl Step<'_> {
    /// Returns the step as a JSON pointer, such as `/items`, `/properties/a` or `/anyOf/0`.
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

/// A direct subschema of a schema.
pub(super) struct Subschema<'a> {
    pub(super) step: Step<'a>,
    pub(super) applies_to: AppliesTo,
    /// The subschema, which is an object or a boolean in a valid schema.
    pub(super) schema: &'a Value,
}

/// Returns the direct subschemas of a schema.
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

/// Calls `change` with each direct subschema of a schema. Objects under unknown keywords are
/// included, because a `$ref` can point into them, as in `#/components/schemas/A`.
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
