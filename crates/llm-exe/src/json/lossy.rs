//! Parses the JSON of providers that contains invalid text.

use std::borrow::Cow;

use serde_json::Value;

/// Parses JSON in which bytes that are not UTF-8 and halves of surrogate pairs are replaced with
/// U+FFFD. If an object contains a key twice, the last value counts.
pub(crate) fn parse_lossy(bytes: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(bytes);
    let parsed = serde_json::from_str(&text);
    parsed.or_else(|_| serde_json::from_str(&replace_surrogate_halves(&text))).ok()
}

/// Replaces escapes of halves of surrogate pairs, which serde_json does not accept.
fn replace_surrogate_halves(json: &str) -> Cow<'_, str> {
    const REPLACEMENT: &str = "\\ufffd";
    let unit = |at: usize| {
        let digits = json.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let (mut output, mut copied_to, mut at) = (String::new(), 0, 0);
    while let Some(offset) = json.get(at..).and_then(|rest| rest.find('\\')) {
        let escape = at + offset;
        at = match (unit(escape), unit(escape + REPLACEMENT.len())) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => escape + 2 * REPLACEMENT.len(),
            (Some(0xD800..=0xDFFF), _) => {
                output.push_str(json.get(copied_to..escape).unwrap_or_default());
                output.push_str(REPLACEMENT);
                copied_to = escape + REPLACEMENT.len();
                copied_to
            }
            // The next character is escaped, so it does not begin an escape.
            _ => json.ceil_char_boundary(escape + 2),
        };
    }
    if copied_to == 0 {
        return Cow::Borrowed(json);
    }
    output.push_str(json.get(copied_to..).unwrap_or_default());
    Cow::Owned(output)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{parse_lossy, replace_surrogate_halves};

    #[test]
    fn halves_of_surrogate_pairs_are_replaced_in_json() {
        for (json, expected) in [
            (r#"{"a":"x"}"#, r#"{"a":"x"}"#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#"{"\uDE00":"\uD83Dé"}"#, r#"{"\ufffd":"\ufffdé"}"#),
            (r#""\\ud83d \\\ud83d""#, r#""\\ud83d \\\ufffd""#),
            (r#""\ud83d"#, r#""\ufffd"#),
            (r#""\ud83"#, r#""\ud83"#),
            (r#""\"#, r#""\"#),
            ("\"\\é", "\"\\é"),
        ] {
            assert_eq!(replace_surrogate_halves(json), expected);
        }
        assert_eq!(parse_lossy(b"[\"\xe9\", \"\\ud83d\"]"), Some(json!(["\u{fffd}", "\u{fffd}"])));
        assert_eq!(parse_lossy(br#"{"a":1,"a":2}"#), Some(json!({"a": 2})));
        assert_eq!(parse_lossy(b"no"), None);
    }
}
