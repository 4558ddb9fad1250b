//! Removes regular expressions that OpenAI's structured outputs reject.
//!
//! The service returns a 400, "regex lookaround is not supported", with and without `strict`
//! (vercel/ai#21037, pydantic/pydantic-ai#5519, anomalyco/opencode#32073). zod writes lookaround
//! for `email`, pydantic for `Decimal`.

use serde_json::{Map, Value, json};

use super::form::write_description;
use super::keywords::change_subschemas;

/// Returns the schema without the patterns that the service rejects. Each one moves into the
/// description of its node. Replies are still validated against the original schema.
pub fn without_lookaround(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(rules) = &mut schema {
        clean(rules);
    }
    schema
}

fn clean(rules: &mut Map<String, Value>) {
    let mut notes = Vec::new();
    if rules.get("pattern").and_then(Value::as_str).is_some_and(has_lookaround)
        && let Some(pattern) = rules.shift_remove("pattern")
    {
        notes.push(format!("pattern: {pattern}"));
    }
    if let Some(Value::Object(named)) = rules.get_mut("patternProperties") {
        let (rejected, accepted): (Map<_, _>, Map<_, _>) =
            std::mem::take(named).into_iter().partition(|(pattern, _)| has_lookaround(pattern));
        *named = accepted;
        if !rejected.is_empty() {
            notes.push(format!("patternProperties: {}", Value::Object(rejected)));
            // It would reject the properties whose pattern was removed.
            if rules.get("additionalProperties") == Some(&json!(false)) {
                rules.shift_remove("additionalProperties");
                notes.push("additionalProperties: false".to_owned());
            }
        }
    }
    let description = rules.get("description").cloned();
    write_description(description.as_ref(), &notes, rules);
    change_subschemas(rules, &mut clean);
}

/// Whether a regular expression contains lookaround or a backreference.
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
    fn lookaround_is_recognized() {
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
    fn rejected_patterns_move_into_descriptions() {
        let schema = json!({
            "type": "object",
            "properties": {
                "pattern": {"type": "string", "pattern": "^(?!x)", "description": "A name."},
                "plain": {"type": "string", "pattern": "^x$"}
            },
            "patternProperties": {"(?=a)": {"type": "string"}, "^b": {"type": "string"}},
            "additionalProperties": false,
            "default": {"pattern": "(?=a)"}
        });
        assert_eq!(
            without_lookaround(&schema),
            json!({
                "type": "object",
                "properties": {
                    "pattern": {
                        "type": "string", "description": "A name.\n\n{pattern: \"^(?!x)\"}"
                    },
                    "plain": {"type": "string", "pattern": "^x$"}
                },
                "patternProperties": {"^b": {"type": "string"}},
                "default": {"pattern": "(?=a)"},
                "description": "{patternProperties: {\"(?=a)\":{\"type\":\"string\"}}, \
                    additionalProperties: false}"
            })
        );
    }
}
