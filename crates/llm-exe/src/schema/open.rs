//! The form of a schema that Gemini's structured outputs take.
//!
//! A list of keywords is known (`responseJsonSchema` in `@google/genai` 2.32's types); the rest
//! moves into descriptions. Objects stay as open as they were written.

use serde_json::{Map, Value, json};

use super::form::Form;

const OPEN: Form = Form {
    not_sayable: &["patternProperties", "$dynamicRef", "$recursiveRef"],
    kept: &[
        ("title", Value::is_string),
        ("format", Value::is_string),
        ("minItems", Value::is_number),
        ("maxItems", Value::is_number),
        ("minimum", Value::is_number),
        ("maximum", Value::is_number),
    ],
    literal,
    all_of: false,
    closed: false,
    definitions_at_root: true,
};

/// The schema as the dialect takes it, or `None` where it can't say it: recursion, untyped
/// values, and patterns of keys.
pub fn open(schema: &Value) -> Option<Value> {
    OPEN.of(schema)
}

/// Strings and numbers can be listed; a null beside them is a form of its own.
fn literal(rules: &Map<String, Value>) -> Option<Map<String, Value>> {
    let values = match (rules.get("enum"), rules.get("const")) {
        (Some(Value::Array(values)), _) => values.clone(),
        (_, Some(value)) => vec![value.clone()],
        _ => return None,
    };
    let nullable = values.iter().any(Value::is_null);
    let listed: Vec<Value> = values.into_iter().filter(|value| !value.is_null()).collect();
    let kind = match listed.as_slice() {
        [] => return None,
        all if all.iter().all(Value::is_string) => "string",
        all if all.iter().all(|one| one.is_i64() || one.is_u64()) => "integer",
        all if all.iter().all(Value::is_number) => "number",
        _ => return None,
    };
    let listed = json!({ "type": kind, "enum": listed });
    let literal = match nullable {
        true => json!({ "anyOf": [listed, { "type": "null" }] }),
        false => listed,
    };
    literal.as_object().cloned()
}
