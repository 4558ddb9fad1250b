//! The JSON Schema keywords whose values are schemas, for rewriting schemas of any draft.

use serde_json::{Map, Value};

/// Calls `change` with each direct subschema of a schema. Objects under unknown keywords are
/// included, because a `$ref` can point into them, as in `#/components/schemas/A`.
pub(super) fn change_subschemas(
    schema: &mut Map<String, Value>,
    change: &mut impl FnMut(&mut Map<String, Value>),
) {
    for (keyword, inner) in schema {
        match inner {
            Value::Object(named) if is_named(keyword) => {
                named.values_mut().filter_map(Value::as_object_mut).for_each(&mut *change);
            }
            _ if is_data(keyword) => {}
            Value::Object(inner) => change(inner),
            Value::Array(list) => {
                list.iter_mut().filter_map(Value::as_object_mut).for_each(&mut *change);
            }
            _ => {}
        }
    }
}

/// A step below a keyword to a subschema.
#[derive(Debug, Clone, Copy)]
pub(super) enum SubschemaStep<'a> {
    /// The value of the keyword is the subschema.
    None,
    /// The name of the subschema in an object of subschemas.
    Name(&'a str),
    /// The index of the subschema in a list.
    Index(usize),
}

/// Calls `visit` with each direct subschema of a schema, the keyword that it belongs to, and the
/// step to it. The subschemas are those that [`change_subschemas`] changes, in the same order.
pub(super) fn each_subschema<'a>(
    schema: &'a Map<String, Value>,
    visit: &mut impl FnMut(&'a str, SubschemaStep<'a>, &'a Map<String, Value>),
) {
    for (keyword, inner) in schema {
        match inner {
            Value::Object(named) if is_named(keyword) => {
                for (name, inner) in named {
                    if let Value::Object(inner) = inner {
                        visit(keyword, SubschemaStep::Name(name), inner);
                    }
                }
            }
            _ if is_data(keyword) => {}
            Value::Object(inner) => visit(keyword, SubschemaStep::None, inner),
            Value::Array(list) => {
                for (index, inner) in list.iter().enumerate() {
                    if let Value::Object(inner) = inner {
                        visit(keyword, SubschemaStep::Index(index), inner);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Returns whether the value of a keyword is an object of schemas.
pub(super) fn is_named(keyword: &str) -> bool {
    matches!(
        keyword,
        "$defs"
            | "definitions"
            | "dependencies"
            | "dependentSchemas"
            | "patternProperties"
            | "properties"
    )
}

/// Returns whether the value of a keyword is data instead of a schema.
fn is_data(keyword: &str) -> bool {
    matches!(keyword, "const" | "default" | "enum" | "examples")
}
