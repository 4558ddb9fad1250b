//! Rewrites a schema for Anthropic's structured outputs.
//!
//! Objects are closed, `oneOf` becomes `anyOf`, and `minItems` is preserved only if it is 0 or 1.
//! Other constraints move into descriptions, as in Anthropic's own SDK (`@anthropic-ai/sdk` 1.12,
//! `lib/transform-json-schema`).

use serde_json::{Map, Value, json};

use super::form::Form;

const FORMATS: &[&str] =
    &["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

const CLOSED: Form = Form {
    unsupported: &["patternProperties", "prefixItems", "$dynamicRef", "$recursiveRef"],
    supported: &[
        ("title", |_| true),
        ("format", |format| format.as_str().is_some_and(|name| FORMATS.contains(&name))),
        ("minItems", |min| *min == json!(0) || *min == json!(1)),
    ],
    rewrite_literal,
    supports_all_of: true,
    closed: true,
    definitions_at_root: false,
};

/// Rewrites a schema to the form that Anthropic accepts. Returns `None` if the schema is recursive,
/// or contains objects with arbitrary keys or values without a type.
pub fn closed(schema: &Value) -> Option<Value> {
    CLOSED.rewrite(schema)
}

/// Returns the `enum` or `const` of a schema. Anthropic does not require a `type` with it.
fn rewrite_literal(rules: &Map<String, Value>) -> Option<Map<String, Value>> {
    let (key, value) = ["enum", "const"].into_iter().find_map(|key| rules.get_key_value(key))?;
    Some(Map::from_iter([(key.clone(), value.clone())]))
}
