//! Finds JSON in a reply. The JSON can be the whole reply, a fenced code block that makes up the
//! whole reply, or values within other text.

use serde_json::Value;

use crate::json::{JsonError, parse_prefix};

/// The result of searching a reply for JSON.
#[derive(Debug, PartialEq)]
pub(super) enum FoundJson {
    /// The whole reply is one JSON value, with or without a code fence around it.
    Whole(Value),
    /// The reply contains objects and arrays within other text. They are in order of appearance.
    Embedded(Vec<Value>),
    /// The reply contains no JSON, or JSON that is incomplete or invalid. The string describes the
    /// error.
    Invalid(String),
}

/// Searches a reply for JSON. Valid values inside invalid JSON are not used.
pub(super) fn find_json(text: &str) -> FoundJson {
    let text = text.trim().trim_start_matches('\u{feff}');
    let content = strip_fence(text).unwrap_or(text);
    match crate::json::parse(content.as_bytes()) {
        Ok(value) => FoundJson::Whole(value),
        Err(error) if error.is_unstorable() => FoundJson::Invalid(error.to_string()),
        Err(error) => match find_embedded(content) {
            Ok(Some(values)) if !values.is_empty() => FoundJson::Embedded(values),
            Ok(_) => FoundJson::Invalid(error.to_string()),
            Err(error) => FoundJson::Invalid(error.to_string()),
        },
    }
}

/// Returns the content of the code block if the whole text is a single fenced code block.
fn strip_fence(text: &str) -> Option<&str> {
    let fence = if text.starts_with("```") { "```" } else { "~~~" };
    let rest = text.strip_prefix(fence)?;
    let (language, rest) = rest.split_once('\n')?;
    let content = rest.trim_end().strip_suffix(fence)?;
    (!language.contains('`') && !content.contains(fence)).then(|| content.trim())
}

/// Maximum number of opening brackets to examine. To bound the search time, a reply with more
/// brackets is treated as invalid.
const MAX_BRACKETS: usize = 200;

/// Returns the objects and arrays in a text, or `None` if one of them is invalid or the text has
/// too many brackets.
///
/// # Errors
/// Returns an error if a number in one of them would lose digits.
fn find_embedded(text: &str) -> Result<Option<Vec<Value>>, JsonError> {
    let mut values = Vec::new();
    let mut rest = text;
    let mut brackets = 0;
    while let Some(at) = rest.find(['{', '[']) {
        brackets += 1;
        if brackets > MAX_BRACKETS {
            return Ok(None);
        }
        let start = rest.get(at..).unwrap_or_default();
        if let Some((value, end)) = parse_prefix(start)? {
            values.push(value);
            rest = start.get(end..).unwrap_or_default();
            // After a complete value, an unmatched closing bracket means that the JSON is invalid.
            if rest.trim_start().starts_with(['}', ']']) {
                return Ok(None);
            }
            continue;
        }
        // Brackets that contain prose are skipped, but invalid JSON ends the search.
        if looks_like_json(start) {
            return Ok(None);
        }
        let Some(end) = closing_bracket_end(start) else { return Ok(None) };
        rest = start.get(end..).unwrap_or_default();
    }
    Ok(Some(values))
}

fn looks_like_json(start: &str) -> bool {
    let mut chars = start.chars().filter(|c| !c.is_whitespace());
    match (chars.next(), chars.next()) {
        (Some('{'), Some(next)) => matches!(next, '"' | '\'' | '}'),
        (Some('['), Some(next)) => matches!(next, '{' | '[' | '"'),
        _ => true,
    }
}

/// Returns the byte offset just after the bracket that closes the first bracket of the text.
/// Brackets in double quotes are ignored.
fn closing_bracket_end(start: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in start.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + c.len_utf8());
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{FoundJson, find_json};

    #[test]
    fn whole_and_embedded_values_are_found() {
        assert_eq!(find_json(" {\"a\":1} "), FoundJson::Whole(json!({"a": 1})));
        assert_eq!(find_json("```json\n[1,2]\n```"), FoundJson::Whole(json!([1, 2])));
        assert_eq!(find_json("~~~\n7\n~~~\n"), FoundJson::Whole(json!(7)));
        assert_eq!(
            find_json("Sure [see below]: {\"a\":{\"b\":1}} and [2] done"),
            FoundJson::Embedded(vec![json!({"a": {"b": 1}}), json!([2])])
        );
        assert_eq!(
            find_json("First:\n```json\n{\"a\": \"}\"}\n```\nDone."),
            FoundJson::Embedded(vec![json!({"a": "}"})])
        );
    }

    #[test]
    fn values_inside_invalid_json_are_not_used() {
        for text in [
            "{\"a\": {\"b\":1}",
            "{\"a\": {\"b\":1},}",
            "[{\"b\":1}, ",
            "{'a': {\"b\": 1}}",
            "{\"a\":1} and then {\"a\":",
            "no json at all",
            "{curly {\"a\": 1}",
            "\"b\": {\"a\": 1}}",
            "",
        ] {
            assert!(
                matches!(find_json(text), FoundJson::Invalid(_)),
                "{text:?}: {:?}",
                find_json(text)
            );
        }
    }
}
