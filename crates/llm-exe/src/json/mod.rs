//! Parses JSON and describes JSON values in error messages.
//!
//! The parser is serde_json, which accepts at most 127 levels of nesting. It is configured to
//! preserve the order of keys. With the feature `exact-numbers`, it also preserves all digits of
//! numbers. Without the feature, a number that would lose digits is an error.

mod decimal;
mod finite;
mod number;
mod size;

use std::borrow::Cow;

use serde_json::Value;
use serde_json::value::RawValue;

pub(crate) use decimal::Decimal;
pub(crate) use finite::to_value;
pub(crate) use number::{LossyNumber, NumberError, parse_number, reword_for_model, stores_text};
pub(crate) use size::{MAX_VALUES, find_excess_value};

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
    let (mut kept, mut kept_to, mut at) = (String::new(), 0, 0);
    while let Some(offset) = json.get(at..).and_then(|rest| rest.find('\\')) {
        let escape = at + offset;
        at = match (unit(escape), unit(escape + REPLACEMENT.len())) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => escape + 2 * REPLACEMENT.len(),
            (Some(0xD800..=0xDFFF), _) => {
                kept.push_str(json.get(kept_to..escape).unwrap_or_default());
                kept.push_str(REPLACEMENT);
                kept_to = escape + REPLACEMENT.len();
                kept_to
            }
            // The next character is escaped, so it does not begin an escape.
            _ => json.ceil_char_boundary(escape + 2),
        };
    }
    if kept_to == 0 {
        return Cow::Borrowed(json);
    }
    kept.push_str(json.get(kept_to..).unwrap_or_default());
    Cow::Owned(kept)
}

/// Why a string is not valid JSON, or why its value can't be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} at line {line}, column {column}: {message}", self.summary())]
pub struct JsonError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in bytes, counted from 1.
    pub column: usize,
    /// The parser's message, without the position.
    pub message: String,
    /// Whether the JSON may be valid but can't be stored.
    is_unstorable: bool,
}

impl JsonError {
    /// Returns whether the JSON may be valid but contains a number that would lose digits, or too
    /// many values.
    pub(crate) fn is_unstorable(&self) -> bool {
        self.is_unstorable
    }

    /// Describes the error without its position and message.
    pub(crate) fn summary(&self) -> &'static str {
        if self.is_unstorable { "JSON that can't be stored" } else { "not valid JSON" }
    }
}

/// Parses a text that contains exactly one JSON value. A byte order mark at the start is skipped.
///
/// # Errors
/// Returns the reason and the position if the text is not valid JSON, if it is nested deeper than
/// 127 levels, if it has more than 1,000,000 values, or if a number would lose digits.
pub fn parse(text: &[u8]) -> Result<Value, JsonError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if let Some(at) = find_excess_value(text) {
        return Err(too_many_values(text, at));
    }
    let stores_text = number::stores_text();
    let value = match str::from_utf8(text) {
        _ if !stores_text => number::parse_exactly(text),
        // Checking the encoding once is faster than checking it for each string.
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(text),
    };
    value.map_err(|error| {
        let message = describe_error(&error);
        let (line, column) = (error.line(), error.column().max(1));
        if !stores_text && message == number::OUT_OF_RANGE {
            let message = format!("a number is out of range; {}", number::ENABLE_FEATURE);
            return JsonError { line, column, message, is_unstorable: true };
        }
        // Only `parse_exactly` fails for a reason other than the syntax.
        let is_unstorable = !stores_text && error.is_data();
        JsonError { line, column, message, is_unstorable }
    })
}

fn too_many_values(text: &[u8], at: usize) -> JsonError {
    let before = text.get(..at).unwrap_or_default();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    let message = format!("more than {MAX_VALUES} values, which is the limit");
    JsonError { line, column, message, is_unstorable: true }
}

/// Parses the JSON value at the start of a text. Returns the value and its length in bytes, or
/// `None` if the text does not start with valid JSON.
///
/// # Errors
/// Returns an error if a number of the value would lose digits. The number of values is not
/// limited, so the caller must have called [`parse`] with the text.
pub(crate) fn parse_prefix(text: &str) -> Result<Option<(Value, usize)>, JsonError> {
    let deserializer = serde_json::Deserializer::from_str(text);
    if number::stores_text() {
        let mut values = deserializer.into_iter::<Value>();
        let value = values.next().and_then(Result::ok);
        return Ok(value.map(|value| (value, values.byte_offset())));
    }
    let mut values = deserializer.into_iter::<&RawValue>();
    let Some(Ok(raw)) = values.next() else { return Ok(None) };
    match parse(raw.get().as_bytes()) {
        Ok(value) => Ok(Some((value, values.byte_offset()))),
        Err(error) if error.is_unstorable => Err(error),
        Err(_) => Ok(None),
    }
}

/// Messages of serde_json that use terms of its implementation, and their replacements.
const SYNTAX_ERRORS: &[(&str, &str)] = &[
    ("EOF while parsing a list", "the list is incomplete"),
    ("EOF while parsing an object", "the object is incomplete"),
    ("EOF while parsing a string", "the string is incomplete"),
    ("EOF while parsing a value", "the text ends before a value"),
    ("control character", "a string contains a control character or line break without an escape"),
    ("expected ident", "expected true, false or null"),
    ("expected value", "expected a value"),
    ("invalid escape", "a string contains an invalid escape sequence"),
    ("invalid unicode code point", "a string contains an invalid Unicode character"),
    ("key must be a string", "a property name must be a string in double quotes"),
    ("lone leading surrogate in hex escape", "a string contains half of a surrogate pair"),
    ("recursion limit exceeded", "nested deeper than 127 levels, which is the limit"),
    ("trailing characters", "unexpected text after the value"),
    ("unexpected end of hex escape", "a string contains half of a surrogate pair"),
];

/// Describes an error of serde_json without its position.
pub fn describe_error(error: &serde_json::Error) -> String {
    let message = strip_position(error);
    let known = SYNTAX_ERRORS.iter().find(|(name, _)| message.starts_with(name));
    known.map_or(message, |(_, meaning)| (*meaning).to_owned())
}

/// Returns the message of a serde_json error without its trailing position, such as ` at line 1
/// column 2`.
pub(crate) fn strip_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    message.strip_suffix(&position).map(str::to_owned).unwrap_or(message)
}

/// Returns the name of the value's JSON type for error messages, including the article, such as
/// `a string`.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Describes a value in an error message: arrays and objects by their type, other values by their
/// content.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => crate::error::shorten(&number.to_string(), 40),
        Value::String(text) => format!("the string {}", quoted(text)),
        Value::Array(_) | Value::Object(_) => type_name(value).to_owned(),
    }
}

/// Quotes and escapes a string for an error message, after truncating it to 60 characters.
pub fn quoted(text: &str) -> String {
    let short = crate::error::shorten(text, 60);
    serde_json::to_string(&short).unwrap_or_else(|_| "\"…\"".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{parse, parse_lossy, replace_surrogate_halves};

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

    /// Detects changes in the format of serde_json's error messages.
    #[test]
    fn positions_are_stripped_from_messages() {
        let error = parse(b"{\n  \"a\": trx\n}").unwrap_err();
        assert_eq!((error.line, error.message.as_str()), (2, "expected true, false or null"));
        let error = parse(b"").unwrap_err();
        assert_eq!((error.line, error.column), (1, 1));
        assert_eq!(error.message, "the text ends before a value");
        let error = parse("[".repeat(200).as_bytes()).unwrap_err();
        assert_eq!(error.message, "nested deeper than 127 levels, which is the limit");
    }

    #[test]
    fn syntax_errors_are_described_in_plain_words() {
        for (text, expected) in [
            ("[1", "the list is incomplete"),
            ("{\"a\":1", "the object is incomplete"),
            ("\"a", "the string is incomplete"),
            ("{\"a\":", "the text ends before a value"),
            ("\"a\nb\"", "a string contains a control character or line break without an escape"),
            ("nope", "expected true, false or null"),
            ("[}", "expected a value"),
            (r#""\x""#, "a string contains an invalid escape sequence"),
            ("{1:2}", "a property name must be a string in double quotes"),
            (r#""\ud83d""#, "a string contains half of a surrogate pair"),
            (r#""\ud83dx""#, "a string contains half of a surrogate pair"),
            ("{} {}", "unexpected text after the value"),
            ("[1,]", "trailing comma"),
            ("{\"a\" 1}", "expected `:`"),
            ("[1 2]", "expected `,` or `]`"),
            ("01", "invalid number"),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap_err().message, expected, "{text}");
        }
    }

    #[test]
    fn too_many_values_are_rejected() {
        for (item, count) in [("0", 1_000_000), ("{}", 1_000_000), ("[0 ]", 500_000)] {
            // The list is a value too.
            let fits = format!("[{}{item}]", format!("{item},").repeat(count - 2));
            assert!(parse(fits.as_bytes()).is_ok(), "{item}");
            let error = parse(format!("{{\"a\":\n{fits},\"b\":[1,2]}}").as_bytes()).unwrap_err();
            assert_eq!((error.line, error.is_unstorable()), (2, true));
            assert!(error.message.contains("more than 1000000 values"), "{error}");
        }
        let texts = format!("[{}\"\"]", r#"",[\",{","#.repeat(900_000));
        assert!(parse(texts.as_bytes()).is_ok());
    }

    #[test]
    fn numbers_never_change_silently() {
        let survives = r#"{"a":[1.5,0.30000000000000004,-0.0,1e2],"b":18446744073709551615,"a":1}"#;
        let value = parse(survives.as_bytes()).unwrap();
        assert_eq!(value["b"].as_u64(), Some(u64::MAX));
        for number in ["123456789012345678901234567890", "0.12345678901234567890", "1e400"] {
            let text = format!("{{\"a\":\n{number}}}");
            match (parse(text.as_bytes()), cfg!(feature = "exact-numbers")) {
                (Ok(value), true) => {
                    assert_eq!(value["a"].to_string().replace('+', ""), number);
                }
                (Err(error), false) => {
                    assert_eq!((error.line, error.is_unstorable()), (2, true), "{error}");
                    assert!(error.to_string().starts_with("JSON that can't be stored at line 2"));
                    assert!(error.message.contains("`exact-numbers`"), "{error}");
                }
                (result, _) => panic!("{number}: {result:?}"),
            }
        }
        for text in ["{\"a\":1.5x}", "tru", "{", "[1,]", "\"\\x\""] {
            assert!(!parse(text.as_bytes()).unwrap_err().is_unstorable(), "{text}");
        }
    }
}
