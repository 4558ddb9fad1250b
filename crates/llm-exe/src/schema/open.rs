//! Rewrites a schema for Gemini's structured outputs.
//!
//! Gemini supports only some keywords (see `responseJsonSchema` in the types of `@google/genai`
//! 3.3). Other constraints move into descriptions. Objects stay open unless the original schema
//! closes them.

use serde_json::{Map, Value, json};

use super::form::Form;

const OPEN: Form = Form {
    unsupported: &["patternProperties", "$dynamicRef", "$recursiveRef"],
    supported: &[
        ("title", Value::is_string),
        ("format", Value::is_string),
        ("minItems", Value::is_number),
        ("maxItems", Value::is_number),
        ("minimum", Value::is_number),
        ("maximum", Value::is_number),
    ],
    rewrite_literal,
    supports_all_of: false,
    closed: false,
    definitions_at_root: true,
};

/// Rewrites a schema to the form that Gemini accepts. Returns `None` if the schema is recursive, or
/// contains `patternProperties` or values without a type.
pub fn open(schema: &Value) -> Option<Value> {
    OPEN.rewrite(schema)
}

/// Rewrites the `enum` or `const` of a schema to an `enum` with a single type. If null is one of
/// the values, returns an `anyOf` of the `enum` and the null type.
fn rewrite_literal(rules: &Map<String, Value>) -> Option<Map<String, Value>> {
    let values = match (rules.get("enum"), rules.get("const")) {
        (Some(Value::Array(values)), _) => values.clone(),
        (_, Some(value)) => vec![value.clone()],
        _ => return None,
    };
    let nullable = values.iter().any(Value::is_null);
    let values: Vec<Value> = values.into_iter().filter(|value| !value.is_null()).collect();
    let kind = match values.as_slice() {
        [] => return None,
        all if all.iter().all(Value::is_string) => "string",
        all if all.iter().all(|value| value.is_i64() || value.is_u64()) => "integer",
        all if all.iter().all(Value::is_number) => "number",
        _ => return None,
    };
    let literal = json!({ "type": kind, "enum": values });
    let literal = match nullable {
        true => json!({ "anyOf": [literal, { "type": "null" }] }),
        false => literal,
    };
    literal.as_object().cloned()
}
