//! Removes regular expressions with lookaround from a schema, because OpenAI's structured outputs
//! reject them.
//!
//! OpenAI returns status 400 and "regex lookaround is not supported", with and without `strict`
//! (vercel/ai#21037, pydantic/pydantic-ai#5519, anomalyco/opencode#32073). zod generates lookaround
//! for `email`, and pydantic generates it for `Decimal`.

use serde_json::{Map, Value};

use super::form::write_description;
use super::keywords::change_subschemas;

/// Groups of keywords that are removed together with a pattern inside them. Removing only the
/// pattern could make the schema reject values that the original schema accepts.
const NEGATIONS: &[&[&str]] = &[&["not"], &["if", "then", "else"], &["oneOf"]];

/// Returns the schema without the patterns that OpenAI rejects. Each pattern moves into the
/// description of its subschema. Replies are still validated against the original schema.
pub fn without_lookaround(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(rules) = &mut schema {
        move_patterns(rules);
    }
    schema
}

fn move_patterns(rules: &mut Map<String, Value>) {
    let mut moved = Vec::new();
    let mut move_rule = |rules: &mut Map<String, Value>, keyword: &str| {
        moved.extend(rules.shift_remove(keyword).map(|value| format!("{keyword}: {value}")));
    };
    for group in NEGATIONS {
        if group.iter().any(|keyword| rules.get(*keyword).is_some_and(any_lookaround)) {
            group.iter().for_each(|keyword| move_rule(rules, keyword));
        }
    }
    if rules.get("pattern").and_then(Value::as_str).is_some_and(has_lookaround) {
        move_rule(rules, "pattern");
    }
    let named = rules.get("patternProperties").and_then(Value::as_object);
    if named.is_some_and(|named| named.keys().any(|pattern| has_lookaround(pattern))) {
        // Without the patterns, `additionalProperties` and `unevaluatedProperties` would also apply
        // to properties that match a pattern.
        for keyword in ["patternProperties", "additionalProperties", "unevaluatedProperties"] {
            move_rule(rules, keyword);
        }
    }
    let description = rules.get("description").cloned();
    write_description(description.as_ref(), &moved, rules);
    change_subschemas(rules, &mut move_patterns);
}

/// Returns whether a schema contains a pattern that OpenAI rejects.
fn any_lookaround(schema: &Value) -> bool {
    match schema {
        Value::Object(rules) => rules.iter().any(|(keyword, value)| match value {
            Value::String(pattern) if keyword == "pattern" => has_lookaround(pattern),
            _ => has_lookaround(keyword) || any_lookaround(value),
        }),
        Value::Array(items) => items.iter().any(any_lookaround),
        _ => false,
    }
}

/// Returns whether a regular expression contains lookaround or a back-reference.
pub(super) fn has_lookaround(pattern: &str) -> bool {
    let mut rest = pattern.as_bytes();
    let mut in_class = false;
    loop {
        rest = match rest {
            [] => return false,
            [b'\\', b'1'..=b'9', ..] | [b'\\', b'k', b'<', ..] if !in_class => return true,
            [b'\\', _, tail @ ..] => tail,
            [b'[', tail @ ..] => {
                in_class = true;
                tail
            }
            [b']', tail @ ..] => {
                in_class = false;
                tail
            }
            [b'(', b'?', b'=' | b'!', ..] | [b'(', b'?', b'<', b'=' | b'!', ..] if !in_class => {
                return true;
            }
            [_, tail @ ..] => tail,
        };
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{has_lookaround, without_lookaround};

    #[test]
    fn only_real_groups_and_references_count() {
        for pattern in ["^(?!x)", "a(?=b)", "(?<=a)b", "(?<!a)b", r"(a)\1", r"(?<n>a)\k<n>"] {
            assert!(has_lookaround(pattern), "{pattern}");
        }
        for pattern in
            ["^(?:ab)+$", r"\(?=x", "[(?=]", r"\\\d", r"[\1]", "(?<n>a)", r"\\(x)", r"\", "["]
        {
            assert!(!has_lookaround(pattern), "{pattern}");
        }
    }

    #[test]
    fn refused_patterns_move_into_descriptions() {
        for (schema, sent) in [
            (
                json!({"properties": {
                    "pattern": {"type": "string", "pattern": "^(?!x)", "description": "A name."},
                    "default": {"pattern": "(?=a)"}, "plain": {"pattern": "^x$"}
                }, "default": {"pattern": "(?=a)"}}),
                json!({"properties": {
                    "pattern": {
                        "type": "string", "description": "A name.\n\n{pattern: \"^(?!x)\"}"
                    },
                    "default": {"description": "{pattern: \"(?=a)\"}"},
                    "plain": {"pattern": "^x$"}
                }, "default": {"pattern": "(?=a)"}}),
            ),
            (
                json!({"patternProperties": {"(?=a)": {}}, "additionalProperties": false}),
                json!({"description":
                    "{patternProperties: {\"(?=a)\":{}}, additionalProperties: false}"}),
            ),
            (
                json!({"type": "string", "not": {"pattern": "^(?!x)"}, "maxLength": 3}),
                json!({"type": "string", "maxLength": 3,
                    "description": "{not: {\"pattern\":\"^(?!x)\"}}"}),
            ),
            (
                json!({"if": {"pattern": "(?=a)"}, "then": {"maxLength": 3}}),
                json!({"description":
                    "{if: {\"pattern\":\"(?=a)\"}, then: {\"maxLength\":3}}"}),
            ),
            (
                json!({"$ref": "#/components/schemas/A",
                    "components": {"schemas": {"A": {"pattern": "(?=a)"}}}}),
                json!({"$ref": "#/components/schemas/A", "components": {"schemas": {
                    "A": {"description": "{pattern: \"(?=a)\"}"}}}}),
            ),
        ] {
            assert_eq!(without_lookaround(&schema), sent);
        }
    }
}
