//! Finding JSON in a reply: the whole text, the inside of a fence, or the values between prose.

use serde_json::Value;

/// What a text holds.
#[derive(Debug, PartialEq)]
pub(crate) enum Found {
    /// The text, or its fence, is one JSON value.
    Whole(Value),
    /// Objects and lists that stand between other text, in order.
    Within(Vec<Value>),
    /// JSON that begins and does not end, or is broken; whatever it holds is not taken.
    Broken(String),
}

/// Looks for JSON.
pub(crate) fn find(text: &str) -> Found {
    let text = text.trim().trim_start_matches('\u{feff}');
    let inner = unfenced(text).unwrap_or(text);
    match crate::json::parse(inner.as_bytes()) {
        Ok(value) => Found::Whole(value),
        Err(fault) => match within(inner) {
            Some(values) if !values.is_empty() => Found::Within(values),
            _ => Found::Broken(fault.to_string()),
        },
    }
}

/// The inside of a fence that spans the whole text.
fn unfenced(text: &str) -> Option<&str> {
    let fence = if text.starts_with("```") { "```" } else { "~~~" };
    let rest = text.strip_prefix(fence)?;
    let (language, rest) = rest.split_once('\n')?;
    let inner = rest.trim_end().strip_suffix(fence)?;
    (!language.contains('`') && !inner.contains(fence)).then(|| inner.trim())
}

/// The most brackets of a text that are looked behind: what holds more is no answer with a value
/// in it.
const MOST_BEGINNINGS: usize = 200;

/// The objects and lists of a text; `None` where one of them is broken, or there are too many.
fn within(text: &str) -> Option<Vec<Value>> {
    let mut values = Vec::new();
    let mut rest = text;
    let mut beginnings = 0;
    while let Some(at) = rest.find(['{', '[']) {
        beginnings += 1;
        if beginnings > MOST_BEGINNINGS {
            return None;
        }
        let start = rest.get(at..)?;
        let mut reader = serde_json::Deserializer::from_str(start).into_iter::<Value>();
        if let Some(Ok(value)) = reader.next() {
            let end = reader.byte_offset();
            values.push(value);
            rest = start.get(end..)?;
            // What closes here was opened by something that is lost.
            if rest.trim_start().starts_with(['}', ']']) {
                return None;
            }
            continue;
        }
        // Prose in brackets is passed over as a whole; what looks like JSON and isn't, ends it.
        if looks_like_json(start) {
            return None;
        }
        let end = balanced_end(start)?;
        rest = start.get(end..)?;
    }
    Some(values)
}

fn looks_like_json(start: &str) -> bool {
    let mut chars = start.chars().filter(|c| !c.is_whitespace());
    match (chars.next(), chars.next()) {
        (Some('{'), Some(next)) => matches!(next, '"' | '\'' | '}'),
        (Some('['), Some(next)) => matches!(next, '{' | '[' | '"'),
        _ => true,
    }
}

/// Behind the bracket that closes the first one, strings in double quotes passed over.
fn balanced_end(start: &str) -> Option<usize> {
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

    use super::{Found, find};

    #[test]
    fn finds_whole_values_and_values_in_prose() {
        assert_eq!(find(" {\"a\":1} "), Found::Whole(json!({"a": 1})));
        assert_eq!(find("```json\n[1,2]\n```"), Found::Whole(json!([1, 2])));
        assert_eq!(find("~~~\n7\n~~~\n"), Found::Whole(json!(7)));
        assert_eq!(
            find("Sure [see below]: {\"a\":{\"b\":1}} and [2] done"),
            Found::Within(vec![json!({"a": {"b": 1}}), json!([2])])
        );
        assert_eq!(
            find("First:\n```json\n{\"a\": \"}\"}\n```\nDone."),
            Found::Within(vec![json!({"a": "}"})])
        );
    }

    #[test]
    fn takes_nothing_out_of_broken_json() {
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
            assert!(matches!(find(text), Found::Broken(_)), "{text:?}: {:?}", find(text));
        }
    }
}
