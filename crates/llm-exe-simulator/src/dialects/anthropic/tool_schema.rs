//! Validates the `input_schema` of a tool, which must be a JSON Schema of draft 2020-12 with
//! further restrictions at its root. The error messages are Anthropic's.
//!
//! See the GitHub issues anthropics/claude-code#5486, #5878 and #86664,
//! dimagi/open-chat-studio#4027 and ComposioHQ/composio#3500.

use serde_json::Value;

use crate::dialects::json::array_field;

/// Keywords that are not allowed at the root.
const COMBINATORS: &[&str] = &["oneOf", "allOf", "anyOf"];
/// Keywords whose values are objects of schemas.
const NAMED: &[&str] =
    &["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];
/// Keywords whose values are lists of schemas.
const LISTED: &[&str] = &["anyOf", "oneOf", "allOf", "prefixItems"];
/// Keywords whose values are schemas.
const SINGLE: &[&str] = &[
    "items",
    "additionalProperties",
    "contains",
    "not",
    "if",
    "then",
    "else",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords whose values are numbers.
const NUMBERS: &[&str] =
    &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];

/// Rejects a schema that the service rejects. `path` is the path of the schema in the request.
pub(super) fn validate(schema: &Value, path: &str) -> Result<(), String> {
    if COMBINATORS.iter().any(|name| schema.get(name).is_some()) {
        let reason = "input_schema does not support oneOf, allOf, or anyOf at the top level";
        return Err(format!("{path}: {reason}"));
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    if properties.is_some_and(|properties| !properties.keys().all(|key| is_property_key(key))) {
        let reason = "Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'";
        return Err(format!("{path}.properties: {reason}"));
    }
    if is_draft_2020_12(schema) {
        return Ok(());
    }
    Err(format!(
        "{path}: JSON schema is invalid. It must match JSON Schema draft 2020-12 \
         (https://json-schema.org/draft/2020-12). Learn more about tool use at \
         https://docs.claude.com/en/docs/tool-use."
    ))
}

fn is_property_key(key: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=64).contains(&key.len()) && key.bytes().all(allowed)
}

/// Whether the keywords that changed between the drafts have the form of draft 2020-12.
fn is_draft_2020_12(schema: &Value) -> bool {
    let Value::Object(fields) = schema else {
        return schema.is_boolean();
    };
    let numbers = NUMBERS.iter().filter_map(|name| fields.get(*name)).all(Value::is_number);
    let is_required_list = fields.get("required").is_none_or(Value::is_array);
    let id = fields.get("$id").map(|id| id.as_str().unwrap_or("#"));
    // An empty fragment at the end is allowed.
    let has_valid_id = id.is_none_or(|id| !id.strip_suffix('#').unwrap_or(id).contains('#'));
    let named = NAMED.iter().filter_map(|name| fields.get(*name));
    let named = named.flat_map(|all| all.as_object().into_iter().flat_map(|all| all.values()));
    let listed = LISTED.iter().flat_map(|name| array_field(schema, name));
    let single = SINGLE.iter().filter_map(|name| fields.get(*name));
    numbers
        && is_required_list
        && has_valid_id
        && named.chain(listed).chain(single).all(is_draft_2020_12)
}
