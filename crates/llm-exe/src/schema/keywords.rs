//! The keywords of JSON Schema whose values are schemas, for all drafts.

use serde_json::{Map, Value};

/// The value that the schemas of a keyword are applied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AppliesTo {
    /// The same value as the schema with the keyword.
    SameValue,
    /// A property, an item or a property name of that value.
    Part,
    /// None: other schemas refer to them.
    Nothing,
}

/// The layout of the schemas in the value of a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// A schema, or a list of schemas.
    Plain,
    /// An object of named schemas.
    Named,
}

use AppliesTo::{Nothing, Part, SameValue};
use Layout::{Named, Plain};

/// The keywords, from the meta-schemas of draft-04 to 2020-12.
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
    ("items", Part, Plain),
    ("prefixItems", Part, Plain),
    ("additionalItems", Part, Plain),
    ("unevaluatedItems", Part, Plain),
    ("contains", Part, Plain),
    ("additionalProperties", Part, Plain),
    ("unevaluatedProperties", Part, Plain),
    ("propertyNames", Part, Plain),
    ("contentSchema", Part, Plain),
    ("properties", Part, Named),
    ("patternProperties", Part, Named),
    ("$defs", Nothing, Named),
    ("definitions", Nothing, Named),
];

/// A schema directly inside of another one.
pub(super) struct Subschema<'a> {
    /// The JSON pointer from the outer schema: `/properties/a`, `/anyOf/0`, `/items`.
    pub(super) pointer: String,
    pub(super) applies_to: AppliesTo,
    pub(super) schema: &'a Value,
}

/// Returns the schemas directly inside of a schema, including `true`, `false` and invalid values.
pub(super) fn subschemas(schema: &Map<String, Value>) -> Vec<Subschema<'_>> {
    let mut subschemas = Vec::new();
    for (keyword, applies_to, layout) in APPLICATORS {
        let mut add = |pointer: String, inner| {
            subschemas.push(Subschema { pointer, applies_to: *applies_to, schema: inner });
        };
        match (schema.get(*keyword), layout) {
            (Some(Value::Object(named)), Named) => {
                for (name, inner) in named {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    add(format!("/{keyword}/{name}"), inner);
                }
            }
            (Some(Value::Array(list)), Plain) => {
                for (index, inner) in list.iter().enumerate() {
                    add(format!("/{keyword}/{index}"), inner);
                }
            }
            (Some(inner), Plain) => add(format!("/{keyword}"), inner),
            _ => {}
        }
    }
    subschemas
}

/// Calls `change` for each schema directly inside of a schema, except `true` and `false`.
pub(super) fn change_subschemas(
    schema: &mut Map<String, Value>,
    change: &mut impl FnMut(&mut Map<String, Value>),
) {
    for (keyword, _, layout) in APPLICATORS {
        match (schema.get_mut(*keyword), layout) {
            (Some(Value::Object(named)), Named) => {
                named.values_mut().filter_map(Value::as_object_mut).for_each(&mut *change);
            }
            (Some(Value::Object(inner)), Plain) => change(inner),
            (Some(Value::Array(list)), Plain) => {
                list.iter_mut().filter_map(Value::as_object_mut).for_each(&mut *change);
            }
            _ => {}
        }
    }
}
