//! Rewrites a schema for Anthropic's structured outputs.
//!
//! Objects are closed, `oneOf` becomes `anyOf`, and `minItems` is preserved only if it is 0 or 1.
//! Other constraints move into descriptions, as in Anthropic's own SDK (`@anthropic-ai/sdk` 1.12,
//! `lib/transform-json-schema`).

use serde_json::{Map, Value, json};

use super::form::Form;
use super::keywords::each_subschema;

/// Maximum number of properties that are not required.
const MAX_OPTIONAL: usize = 24;
/// Maximum number of schemas with `anyOf` or several types.
const MAX_UNIONS: usize = 16;

const CLOSED: Form = Form {
    unsupported: &["patternProperties", "prefixItems", "$dynamicRef", "$recursiveRef"],
    supported: &[
        ("title", |_| true),
        ("format", |format| format.as_str().is_some_and(is_supported_format)),
        ("minItems", |min| *min == json!(0) || *min == json!(1)),
    ],
    rewrite_literal,
    supports_all_of: true,
    closed: true,
    definitions_at_root: false,
};

/// Returns whether Anthropic supports a format.
fn is_supported_format(name: &str) -> bool {
    matches!(
        name,
        "date-time"
            | "time"
            | "date"
            | "duration"
            | "email"
            | "hostname"
            | "uri"
            | "ipv4"
            | "ipv6"
            | "uuid"
    )
}

/// Rewrites a schema to the form that Anthropic accepts. Returns `None` if the schema is recursive,
/// or contains objects with arbitrary keys or values without a type.
pub fn closed(schema: &Value) -> Option<Value> {
    CLOSED.rewrite(schema)
}

/// Returns whether a schema in this form is within the limits of Anthropic's grammars. The limits
/// are those of the structured outputs guide. The API returns status 400 above them, and may also
/// reject a smaller schema with "The compiled grammar is too large" (anthropics/claude-code#55539).
pub(crate) fn fits_grammar(form: &Value) -> bool {
    let mut counts = Counts::default();
    if let Value::Object(rules) = form {
        counts.add(rules);
    }
    counts.optional <= MAX_OPTIONAL && counts.unions <= MAX_UNIONS
}

#[derive(Default)]
struct Counts {
    /// The number of properties that are not required.
    optional: usize,
    /// The number of schemas with `anyOf` or several types.
    unions: usize,
}

impl Counts {
    fn add(&mut self, rules: &Map<String, Value>) {
        let length = |name: &str| match rules.get(name) {
            Some(Value::Object(named)) => named.len(),
            Some(Value::Array(list)) => list.len(),
            _ => 0,
        };
        self.optional += length("properties").saturating_sub(length("required"));
        let is_union =
            rules.contains_key("anyOf") || rules.get("type").is_some_and(Value::is_array);
        self.unions += usize::from(is_union);
        each_subschema(rules, &mut |_, _, inner| self.add(inner));
    }
}

/// Returns the `enum` or `const` of a schema. Anthropic does not require a `type` with it,
/// but does not accept objects or lists as values.
fn rewrite_literal(rules: &Map<String, Value>) -> Option<Map<String, Value>> {
    let (key, value) = ["enum", "const"].into_iter().find_map(|key| rules.get_key_value(key))?;
    let values = match value {
        Value::Array(values) if key == "enum" => values.as_slice(),
        value => std::slice::from_ref(value),
    };
    if values.iter().any(|value| value.is_object() || value.is_array()) {
        return None;
    }
    Some(Map::from_iter([(key.clone(), value.clone())]))
}
