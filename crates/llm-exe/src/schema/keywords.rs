//! The JSON Schema keywords whose values are schemas, for rewriting schemas of any draft.

use serde_json::{Map, Value};

/// Keywords whose values are objects of schemas.
const NAMED: &[&str] = &[
    "$defs",
    "definitions",
    "dependencies",
    "dependentSchemas",
    "patternProperties",
    "properties",
];

/// Keywords whose values are data instead of schemas.
const DATA: &[&str] = &["const", "default", "enum", "examples"];

/// Calls `change` with each direct subschema of a schema. Objects under unknown keywords are
/// included, because a `$ref` can point into them, as in `#/components/schemas/A`.
pub(super) fn change_subschemas(
    schema: &mut Map<String, Value>,
    change: &mut impl FnMut(&mut Map<String, Value>),
) {
    for (keyword, inner) in schema {
        match inner {
            Value::Object(named) if NAMED.contains(&keyword.as_str()) => {
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
