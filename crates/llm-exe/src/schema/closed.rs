//! The form of a schema that Anthropic's structured outputs take.
//!
//! Every object is closed, `oneOf` becomes `anyOf`, only `minItems` 0 and 1 stay, and what else
//! constrains a value moves into its description, as the provider's own SDK does it
//! (`@anthropic-ai/sdk` 1.12, `lib/transform-json-schema`).

use serde_json::{Map, Value, json};

use super::form::Form;

const FORMATS: &[&str] =
    &["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

const CLOSED: Form = Form {
    not_sayable: &["patternProperties", "prefixItems", "$dynamicRef", "$recursiveRef"],
    kept: &[
        ("title", |_| true),
        ("format", |format| format.as_str().is_some_and(|name| FORMATS.contains(&name))),
        ("minItems", |least| *least == json!(0) || *least == json!(1)),
    ],
    literal,
    all_of: true,
    closed: true,
    definitions_at_root: false,
};

/// The schema as the dialect takes it, or `None` where it can't say it: maps with free keys,
/// recursion, and untyped values.
pub fn closed(schema: &Value) -> Option<Value> {
    CLOSED.of(schema)
}

/// An enum or a constant needs no type.
fn literal(rules: &Map<String, Value>) -> Option<Map<String, Value>> {
    let (key, value) = ["enum", "const"].into_iter().find_map(|key| rules.get_key_value(key))?;
    Some(Map::from_iter([(key.clone(), value.clone())]))
}
