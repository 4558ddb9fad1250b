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

/// Calls `visit` with each direct subschema of a schema and its JSON pointer in the schema, without
/// the first slash. The subschemas are those that [`change_subschemas`] changes.
pub(super) fn each_subschema<'a>(
    schema: &'a Map<String, Value>,
    visit: &mut impl FnMut(String, &'a Map<String, Value>),
) {
    for (keyword, inner) in schema {
        let keyword_step = pointer_step(keyword);
        match inner {
            Value::Object(named) if NAMED.contains(&keyword.as_str()) => {
                for (name, inner) in named {
                    if let Value::Object(inner) = inner {
                        visit(format!("{keyword_step}/{}", pointer_step(name)), inner);
                    }
                }
            }
            _ if DATA.contains(&keyword.as_str()) => {}
            Value::Object(inner) => visit(keyword_step, inner),
            Value::Array(list) => {
                for (index, inner) in list.iter().enumerate() {
                    if let Value::Object(inner) = inner {
                        visit(format!("{keyword_step}/{index}"), inner);
                    }
                }
            }
            _ => {}
        }
    }
}

fn pointer_step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
