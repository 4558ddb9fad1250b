//! Finds regular expressions that OpenAI rejects in a schema because they use lookaround or
//! back-references. See the GitHub issues vercel/ai#21037, pydantic/pydantic-ai#5519 and
//! anomalyco/opencode#32073.

use serde_json::Value;

/// OpenAI's error message for an unsupported pattern.
pub(crate) const ERROR: &str = "Invalid JSON schema: regex lookaround is not supported.";

/// Whether the schema has an unsupported `pattern` or an unsupported key in `patternProperties`.
pub(crate) fn any_unsupported(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => fields.iter().any(|(key, value)| match (key.as_str(), value) {
            ("pattern", Value::String(pattern)) => is_unsupported(pattern),
            ("patternProperties", Value::Object(named)) => {
                named.keys().any(|pattern| is_unsupported(pattern))
                    || named.values().any(any_unsupported)
            }
            ("properties" | "$defs" | "definitions", Value::Object(named)) => {
                named.values().any(any_unsupported)
            }
            // The values of these keywords are not schemas.
            ("const" | "default" | "enum" | "examples", _) => false,
            _ => any_unsupported(value),
        }),
        Value::Array(items) => items.iter().any(any_unsupported),
        _ => false,
    }
}

fn is_unsupported(pattern: &str) -> bool {
    let bytes = pattern.as_bytes();
    let mut in_class = false;
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        match rest {
            [b'\\', b'1'..=b'9', ..] if !in_class => return true,
            [b'\\', b'k', b'<', ..] if !in_class => return true,
            [b'\\', _, ..] => at += 1,
            [b'[', ..] => in_class = true,
            [b']', ..] => in_class = false,
            [b'(', b'?', b'=' | b'!', ..] | [b'(', b'?', b'<', b'=' | b'!', ..] if !in_class => {
                return true;
            }
            _ => {}
        }
        at += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::is_unsupported;

    #[test]
    fn lookaround_and_back_references_are_found_outside_of_classes_and_escapes() {
        for pattern in ["^(?!x)", "a(?=b)", "(?<=a)b", "(?<!a)b", r"(a)\1", r"(?<n>a)\k<n>"] {
            assert!(is_unsupported(pattern), "{pattern}");
        }
        for pattern in ["^(?:ab)+$", r"\(?=x", "[(?=]", r"\\d", r"[\1]", "(?<n>a)", r"\\(x)"] {
            assert!(!is_unsupported(pattern), "{pattern}");
        }
    }
}
