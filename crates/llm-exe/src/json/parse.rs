//! Parses JSON and describes its errors.

use serde_json::Value;

use super::number;
use super::reader::{self, COMPACT_BYTES, Names, ReadError};
use super::size::{MAX_VALUES, find_excess_value};

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
    kind: Kind,
}

/// The kind of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The text is not JSON.
    Syntax,
    /// The JSON may be valid but can't be stored.
    Unstorable,
    /// A name occurs twice in an object.
    RepeatedName,
}

impl JsonError {
    /// Returns whether the text is not JSON. Otherwise it may be JSON, but contains a number that
    /// would lose digits, too many values, or a name twice in one object.
    pub(crate) fn is_syntax(&self) -> bool {
        self.kind == Kind::Syntax
    }

    /// Describes the error without its position and message.
    pub(crate) fn summary(&self) -> &'static str {
        match self.kind {
            Kind::Syntax => "not valid JSON",
            Kind::Unstorable => "JSON that can't be stored",
            Kind::RepeatedName => "JSON with a repeated name",
        }
    }
}

/// Parses a text that contains exactly one JSON value. A byte order mark at the start is skipped.
/// If a name occurs twice in an object, the last value is used.
///
/// # Errors
/// Returns the reason and the position if the text is not valid JSON, if it is nested deeper than
/// 127 levels, if it has more than 1,000,000 values and names of fields, or if a number
/// would lose digits.
pub fn parse(text: &[u8]) -> Result<Value, JsonError> {
    parse_with(text, |text| {
        if !number::stores_text() || text.len() >= COMPACT_BYTES {
            return reader::read(text, Names::MayRepeat);
        }
        // Checking the encoding once is faster than checking it for each string.
        let value = match str::from_utf8(text) {
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_slice(text),
        };
        value.map_err(ReadError::from)
    })
}

/// Parses a text like [`parse`], but a name that occurs twice in an object is an error, even if its
/// values are equal.
///
/// # Errors
/// Returns the errors of [`parse`], or the position of a repeated name.
pub(crate) fn parse_unique(text: &str) -> Result<Value, JsonError> {
    parse_with(text.as_bytes(), |text| reader::read(text, Names::Unique))
}

fn parse_with(
    text: &[u8],
    read: impl FnOnce(&[u8]) -> Result<Value, ReadError>,
) -> Result<Value, JsonError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if let Some(at) = find_excess_value(text) {
        return Err(too_many_values(text, at));
    }
    read(text).map_err(|ReadError { error, is_repeated_name }| {
        let message = describe_error(&error);
        let (line, column) = (error.line(), error.column().max(1));
        if !number::stores_text() && message == number::OUT_OF_RANGE {
            let message = format!("a number is out of range; {}", number::ENABLE_FEATURE);
            return JsonError { line, column, message, kind: Kind::Unstorable };
        }
        let kind = match is_repeated_name {
            true => Kind::RepeatedName,
            // The other error of `reader` that is not about the syntax is a number.
            false if error.is_data() => Kind::Unstorable,
            false => Kind::Syntax,
        };
        JsonError { line, column, message, kind }
    })
}

fn too_many_values(text: &[u8], at: usize) -> JsonError {
    let before = text.get(..at).unwrap_or_default();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    let message = format!("more than {MAX_VALUES} values and names, which is the limit");
    JsonError { line, column, message, kind: Kind::Unstorable }
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

#[cfg(test)]
mod tests {
    use super::{Kind, parse, parse_unique};

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
        for (item, count) in
            [("0", 1_000_000), ("{}", 1_000_000), ("[0 ]", 500_000), (r#"{"":0}"#, 333_333)]
        {
            // The list is a value too.
            let fits = format!("[{}{item}]", format!("{item},").repeat(count - 2));
            assert!(parse(fits.as_bytes()).is_ok(), "{item}");
            let error = parse(format!("{{\"a\":\n{fits},\"b\":[1,2]}}").as_bytes()).unwrap_err();
            assert_eq!((error.line, error.kind), (2, Kind::Unstorable));
            assert!(error.message.contains("more than 1000000 values and names"), "{error}");
        }
        let texts = format!("[{}\"\"]", r#"",[\",{","#.repeat(900_000));
        assert!(parse(texts.as_bytes()).is_ok());
    }

    #[test]
    fn repeated_names_are_errors_at_every_depth() {
        for (text, column, name) in [
            (r#"{"a":1,"a":2}"#, 10, "a"),
            (r#"{"a":1,"a":1}"#, 10, "a"),
            (r#"{"a":1,"\u0061":2}"#, 15, "a"),
            (r#"{"":[],"":[]}"#, 9, ""),
            (r#"[1,{"x":{"b":[{"c":{},"d":1.50,"c":0}]}}]"#, 34, "c"),
        ] {
            assert!(parse(text.as_bytes()).is_ok(), "{text}");
            let error = parse_unique(text).unwrap_err();
            assert_eq!((error.line, error.kind), (1, Kind::RepeatedName), "{text}");
            assert!(error.column.abs_diff(column) <= 2, "{text}: {error}");
            let message = format!("the name \"{name}\" appears twice in one object");
            assert_eq!(error.message, message);
        }
        for text in [r#"{"a":{"a":1},"b":{"a":1}}"#, r#"[{"a":1},{"a":1}]"#, "{}", "1", "\"a\""] {
            assert_eq!(parse_unique(text).unwrap(), parse(text.as_bytes()).unwrap(), "{text}");
        }
    }

    #[test]
    fn numbers_never_change_silently() {
        let survives = r#"{"a":[1.5,0.30000000000000004,-0.0,1e2],"b":18446744073709551615,"a":1}"#;
        let value = parse(survives.as_bytes()).unwrap();
        assert_eq!(value["b"].as_u64(), Some(u64::MAX));
        for number in ["123456789012345678901234567890", "0.12345678901234567890", "1e400"] {
            let text = format!("{{\"a\":\n{number}}}");
            assert_eq!(parse_unique(&text), parse(text.as_bytes()));
            match (parse(text.as_bytes()), cfg!(feature = "exact-numbers")) {
                (Ok(value), true) => {
                    assert_eq!(value["a"].to_string().replace('+', ""), number);
                }
                (Err(error), false) => {
                    assert_eq!((error.line, error.kind), (2, Kind::Unstorable), "{error}");
                    assert!(error.to_string().starts_with("JSON that can't be stored at line 2"));
                    assert!(error.message.contains("`exact-numbers`"), "{error}");
                }
                (result, _) => panic!("{number}: {result:?}"),
            }
        }
        for text in ["{\"a\":1.5x}", "tru", "{", "[1,]", "\"\\x\""] {
            assert!(parse(text.as_bytes()).unwrap_err().is_syntax(), "{text}");
        }
    }
}
