//! Removes regular expressions with lookaround from a schema, because OpenAI's structured outputs
//! reject them.
//!
//! OpenAI returns status 400 and "regex lookaround is not supported", with and without `strict`
//! (vercel/ai#21037, pydantic/pydantic-ai#5519, anomalyco/opencode#32073). zod generates lookaround
//! for `email`, and pydantic generates it for `Decimal`.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::form::write_description;
use super::keywords::change_subschemas;
use super::reference::{referenced, with_pointers};

/// Groups of keywords that are removed together with a pattern inside them. Removing only the
/// pattern could make the schema reject values that the original schema accepts.
const NEGATIONS: &[&[&str]] = &[&["not"], &["if", "then", "else"]];
/// Keywords that apply to what other keywords do not describe. Without a pattern in one of these,
/// they would apply to more.
const REMAINDERS: &[&str] = &["unevaluatedProperties", "unevaluatedItems"];
/// Maximum number of values that are visited to find the references that lead to a pattern.
const MAX_VISITS: usize = 1_000_000;

/// Returns the schema without the patterns that OpenAI rejects. Each pattern moves into the
/// description of its subschema. Replies are still validated against the original schema.
/// References are replaced with pointers.
pub fn without_lookaround(schema: &Value) -> Value {
    let mut schema = with_pointers(schema).into_owned();
    if !UnsupportedPatterns::default().is_in(&schema) {
        return schema;
    }
    let unsupported = UnsupportedPatterns::find(&schema);
    if let Value::Object(rules) = &mut schema {
        move_patterns(rules, &unsupported);
    }
    schema
}

fn move_patterns(rules: &mut Map<String, Value>, unsupported: &UnsupportedPatterns) {
    let mut moved = Vec::new();
    let mut move_rule = |rules: &mut Map<String, Value>, keyword: &str| {
        moved.extend(rules.shift_remove(keyword).map(|value| format!("{keyword}: {value}")));
    };
    let is_unsupported = |rules: &Map<String, Value>, keyword: &str| {
        rules.get(keyword).is_some_and(|value| unsupported.is_in(value))
    };
    let has_remainder = REMAINDERS.iter().any(|keyword| rules.contains_key(*keyword));
    if has_remainder && rules.iter().any(|(keyword, _)| is_unsupported(rules, keyword)) {
        REMAINDERS.iter().for_each(|keyword| move_rule(rules, keyword));
    }
    for group in NEGATIONS {
        if group.iter().any(|keyword| is_unsupported(rules, keyword)) {
            group.iter().for_each(|keyword| move_rule(rules, keyword));
        }
    }
    // Without a pattern, more items are counted, and several branches of a `oneOf` can apply.
    if rules.contains_key("maxContains") && is_unsupported(rules, "contains") {
        let counted = ["contains", "minContains", "maxContains"];
        counted.iter().for_each(|keyword| move_rule(rules, keyword));
    }
    if is_unsupported(rules, "oneOf") {
        if rules.contains_key("anyOf") {
            move_rule(rules, "oneOf");
        } else if let Some(branches) = rules.shift_remove("oneOf") {
            rules.insert("anyOf".to_owned(), branches);
        }
    }
    if rules.get("pattern").and_then(Value::as_str).is_some_and(has_lookaround) {
        move_rule(rules, "pattern");
    }
    let named = rules.get("patternProperties").and_then(Value::as_object);
    if named.is_some_and(|named| named.keys().any(|pattern| has_lookaround(pattern))) {
        // Without the patterns, `additionalProperties` would also apply to properties that match a
        // pattern.
        for keyword in ["patternProperties", "additionalProperties"] {
            move_rule(rules, keyword);
        }
    }
    let description = rules.get("description").cloned();
    write_description(description.as_ref(), &moved, rules);
    change_subschemas(rules, &mut |inner| move_patterns(inner, unsupported));
}

/// The references that lead to a pattern that OpenAI rejects.
#[derive(Default)]
struct UnsupportedPatterns {
    references: HashSet<String>,
    /// Whether any reference could lead to such a pattern.
    is_incomplete: bool,
}

impl UnsupportedPatterns {
    /// Finds the references in a schema.
    fn find(schema: &Value) -> Self {
        let mut all = HashSet::new();
        add_references(schema, &mut all);
        let mut unsupported = UnsupportedPatterns::default();
        let mut visits_left = MAX_VISITS;
        loop {
            let known = unsupported.references.len();
            for reference in &all {
                let Some(target) = referenced(schema, reference) else { continue };
                if unsupported.references.contains(*reference) {
                    continue;
                }
                match unsupported.search(target, &mut visits_left) {
                    Some(true) => drop(unsupported.references.insert((*reference).to_owned())),
                    Some(false) => {}
                    None => return UnsupportedPatterns { is_incomplete: true, ..unsupported },
                }
            }
            if unsupported.references.len() == known {
                return unsupported;
            }
        }
    }

    /// Returns whether a value contains a pattern that OpenAI rejects, or a reference to one.
    fn is_in(&self, value: &Value) -> bool {
        self.search(value, &mut usize::MAX.clone()) == Some(true)
    }

    /// Returns `None` if there are too many values to visit.
    fn search(&self, value: &Value, visits_left: &mut usize) -> Option<bool> {
        *visits_left = visits_left.checked_sub(1)?;
        match value {
            Value::Object(rules) => {
                for (keyword, value) in rules {
                    let found = match value {
                        Value::String(pattern) if keyword == "pattern" => has_lookaround(pattern),
                        Value::String(reference) if keyword == "$ref" => {
                            self.is_incomplete || self.references.contains(reference)
                        }
                        _ => has_lookaround(keyword) || self.search(value, visits_left)?,
                    };
                    if found {
                        return Some(true);
                    }
                }
            }
            Value::Array(items) => {
                for item in items {
                    if self.search(item, visits_left)? {
                        return Some(true);
                    }
                }
            }
            _ => {}
        }
        Some(false)
    }
}

/// Adds the references in a value to a set.
fn add_references<'a>(value: &'a Value, references: &mut HashSet<&'a str>) {
    match value {
        Value::Object(rules) => {
            references.extend(rules.get("$ref").and_then(Value::as_str));
            rules.values().for_each(|inner| add_references(inner, references));
        }
        Value::Array(items) => items.iter().for_each(|item| add_references(item, references)),
        _ => {}
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
    fn unsupported_patterns_move_into_descriptions() {
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
                json!({"not": {"$ref": "#/$defs/A"}, "$defs": {
                    "A": {"$ref": "#/$defs/B"}, "B": {"pattern": "(?=a)"}}}),
                json!({"$defs": {"A": {"$ref": "#/$defs/B"},
                        "B": {"description": "{pattern: \"(?=a)\"}"}},
                    "description": "{not: {\"$ref\":\"#/$defs/A\"}}"}),
            ),
            (
                json!({"oneOf": [{"$ref": "#/$defs/A"}, {"type": "null"}],
                    "not": {"$ref": "#/$defs/B"},
                    "$defs": {"A": {"pattern": "(?=a)"}, "B": {"const": 1}}}),
                json!({"not": {"$ref": "#/$defs/B"},
                    "$defs": {"A": {"description": "{pattern: \"(?=a)\"}"}, "B": {"const": 1}},
                    "anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]}),
            ),
            (
                json!({"contains": {"pattern": "(?=a)"}, "maxContains": 1, "items": {}}),
                json!({"items": {}, "description":
                    "{contains: {\"pattern\":\"(?=a)\"}, maxContains: 1}"}),
            ),
            (
                json!({"contains": {"pattern": "(?=a)"}}),
                json!({"contains": {"description": "{pattern: \"(?=a)\"}"}}),
            ),
            (
                json!({"allOf": [{"patternProperties": {"(?=a)": {}}}],
                    "unevaluatedProperties": false}),
                json!({"allOf": [{"description": "{patternProperties: {\"(?=a)\":{}}}"}],
                    "description": "{unevaluatedProperties: false}"}),
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
