//! Reads JSON with the deviations that models write, such as trailing commas and single quotes.
//!
//! The text is rewritten to strict JSON, which the strict reader then parses, so that numbers, the
//! order of keys, repeated names and limits are treated alike. The published JSON5 readers accept
//! hexadecimal numbers and NaN, convert numbers to floats, or do not know `True` and typographic
//! quotes.

use serde_json::Value;

use super::parse::{JsonError, parse_unique};

/// A deviation from JSON that has one reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deviation {
    TrailingComma,
    Comment,
    SingleQuotes,
    BareKey,
    ControlCharacter,
    PythonWord,
    TypographicQuotes,
    NonBreakingSpace,
    NumberForm,
}

impl Deviation {
    const COUNT: usize = 9;

    /// Describes the deviation in a warning.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Deviation::TrailingComma => "a trailing comma",
            Deviation::Comment => "a comment",
            Deviation::SingleQuotes => "single quotes",
            Deviation::BareKey => "a property name without quotes",
            Deviation::ControlCharacter => "a line break or control character in a string",
            Deviation::PythonWord => "True, False or None",
            Deviation::TypographicQuotes => "typographic quotes",
            Deviation::NonBreakingSpace => "a non-breaking space",
            Deviation::NumberForm => "a number such as .5, 1. or +1",
        }
    }
}

/// A value that was read from text that is not strict JSON.
#[derive(Debug)]
pub(crate) struct NearJson {
    pub(crate) value: Value,
    /// The first place of each kind of deviation as a byte offset, in order of appearance.
    pub(crate) deviations: Vec<(Deviation, usize)>,
}

/// Parses a text that contains exactly one value in near-JSON. Returns `None` if the text is
/// neither JSON nor near-JSON.
///
/// # Errors
/// Returns an error if a name occurs twice in an object, or if the value can't be stored. Its
/// position is approximate.
pub(crate) fn parse_near(text: &str) -> Result<Option<NearJson>, JsonError> {
    let mut rewriter = Rewriter::new(text);
    if rewriter.rewrite().is_none() {
        return Ok(None);
    }
    match parse_unique(&rewriter.json) {
        Ok(value) => Ok(Some(NearJson { value, deviations: rewriter.deviations })),
        Err(error) if error.is_syntax() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The kind of the token before the current one, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Previous {
    /// The end of a value, which a comma may follow.
    Value,
    /// An opening brace or a comma, which the name of a property may follow.
    Opening,
    Other,
}

/// Rewrites a text token by token. Errors of the structure are left to the strict reader.
struct Rewriter<'t> {
    text: &'t str,
    at: usize,
    json: String,
    previous: Previous,
    /// The position of a comma that is dropped if a closing bracket follows.
    comma: Option<usize>,
    /// The number of open brackets.
    depth: usize,
    deviations: Vec<(Deviation, usize)>,
}

impl<'t> Rewriter<'t> {
    fn new(text: &'t str) -> Self {
        let (json, deviations) = (String::new(), Vec::new());
        let (previous, comma) = (Previous::Other, None);
        Rewriter { text, at: 0, json, previous, comma, depth: 0, deviations }
    }

    /// Returns `None` if the text contains a token that neither JSON nor near-JSON has.
    fn rewrite(&mut self) -> Option<()> {
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\n' | '\r' | '\t' => self.copy(c),
                '\u{a0}' | '\u{2007}' | '\u{202f}' => {
                    self.add(Deviation::NonBreakingSpace, self.at);
                    self.next_char();
                    self.json.push(' ');
                }
                '/' => self.skip_comment()?,
                ',' => {
                    self.end_comma();
                    self.comma = (self.previous == Previous::Value).then_some(self.at);
                    if self.comma.is_none() {
                        self.json.push(',');
                    }
                    self.next_char();
                    self.previous = Previous::Opening;
                }
                '}' | ']' => {
                    if let Some(at) = self.comma.take() {
                        self.add(Deviation::TrailingComma, at);
                    }
                    self.depth = self.depth.checked_sub(1)?;
                    self.copy(c);
                    self.previous = Previous::Value;
                }
                _ => {
                    self.end_comma();
                    self.rewrite_token(c)?;
                }
            }
        }
        self.end_comma();
        Some(())
    }

    fn rewrite_token(&mut self, c: char) -> Option<()> {
        match c {
            '{' | '[' => {
                self.depth += 1;
                self.copy(c);
                self.previous = if c == '{' { Previous::Opening } else { Previous::Other };
                return Some(());
            }
            ':' => {
                self.copy(c);
                self.previous = Previous::Other;
                return Some(());
            }
            '"' => self.rewrite_string('"')?,
            '\'' => {
                self.add(Deviation::SingleQuotes, self.at);
                self.rewrite_string('\'')?;
            }
            '“' | '‘' => {
                self.add(Deviation::TypographicQuotes, self.at);
                self.rewrite_string(if c == '“' { '”' } else { '’' })?;
            }
            '0'..='9' | '+' | '-' | '.' => self.rewrite_number()?,
            _ => self.rewrite_word()?,
        }
        self.previous = Previous::Value;
        Some(())
    }

    /// Writes a comma that turned out to separate two values.
    fn end_comma(&mut self) {
        if self.comma.take().is_some() {
            self.json.push(',');
        }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next_char(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Writes the next character, which is `c`, unchanged.
    fn copy(&mut self, c: char) {
        self.at += c.len_utf8();
        self.json.push(c);
    }

    /// Skips and returns the characters at the current position that satisfy a condition.
    fn take_while(&mut self, condition: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|c| !condition(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn add(&mut self, deviation: Deviation, at: usize) {
        let is_new = self.deviations.iter().all(|(known, _)| *known != deviation);
        if is_new && self.deviations.len() < Deviation::COUNT {
            self.deviations.push((deviation, at));
        }
    }

    /// Replaces a comment with a space.
    fn skip_comment(&mut self) -> Option<()> {
        let rest = self.rest();
        let length = if rest.starts_with("//") {
            rest.find(['\n', '\r']).unwrap_or(rest.len())
        } else {
            rest.strip_prefix("/*")?.find("*/")? + 4
        };
        let comment = rest.get(..length)?;
        // Text outside of the value that looks like another value has a second reading. An odd
        // number of quotes means that the comment begins inside a string.
        let is_ambiguous = self.depth == 0 && comment.contains(['{', '[']);
        if is_ambiguous || comment.matches('"').count() % 2 == 1 {
            return None;
        }
        self.add(Deviation::Comment, self.at);
        self.at += length;
        self.json.push(' ');
        Some(())
    }

    /// Rewrites a string that ends with the quote `end`.
    fn rewrite_string(&mut self, end: char) -> Option<()> {
        let start = self.at;
        self.next_char();
        self.json.push('"');
        loop {
            let at = self.at;
            match self.next_char()? {
                c if c == end => break,
                '\\' => match self.next_char()? {
                    '\'' => {
                        self.add(Deviation::SingleQuotes, at);
                        self.json.push('\'');
                    }
                    c => self.json.extend(['\\', c]),
                },
                // It can be the end of a string as well.
                '"' if end != '\'' => return None,
                '“' if end == '”' => return None,
                '"' => self.json.push_str("\\\""),
                c if c < ' ' => {
                    self.add(Deviation::ControlCharacter, at);
                    self.json.push_str(&format!("\\u{:04x}", u32::from(c)));
                }
                c => self.json.push(c),
            }
        }
        self.json.push('"');
        let content = self.text.get(start..self.at).unwrap_or_default();
        (end != '\'' || !contains_string_end(content)).then_some(())
    }

    fn rewrite_number(&mut self) -> Option<()> {
        let start = self.at;
        let mut number = self.take_while(|c| matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'));
        let is_digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let (written, json_start) = (number, self.json.len());
        if let Some(rest) = number.strip_prefix('+') {
            number = rest;
        } else if let Some(rest) = number.strip_prefix('-') {
            number = rest;
            self.json.push('-');
        }
        if number.strip_prefix('.').is_some_and(is_digit) {
            self.json.push('0');
        } else if !is_digit(number) {
            return None;
        }
        let is_integer = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        number = number.strip_suffix('.').filter(|text| is_integer(text)).unwrap_or(number);
        self.json.push_str(number);
        if self.json.get(json_start..) != Some(written) {
            self.add(Deviation::NumberForm, start);
        }
        Some(())
    }

    fn rewrite_word(&mut self) -> Option<()> {
        let start = self.at;
        if !self.peek().is_some_and(|c| c.is_alphabetic() || c == '_' || c == '$') {
            return None;
        }
        let word = self.take_while(|c| c.is_alphanumeric() || c == '_' || c == '$');
        let is_key = self.rest().trim_start().starts_with(':');
        let literal = ["true", "false", "null"].into_iter().find(|literal| *literal == word);
        let python_word = [("True", "true"), ("False", "false"), ("None", "null")]
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word))
            .map(|(_, literal)| literal);
        match (literal, python_word) {
            (Some(literal), _) if !is_key => self.json.push_str(literal),
            (_, Some(literal)) if !is_key => {
                self.add(Deviation::PythonWord, start);
                self.json.push_str(literal);
            }
            // A word with another meaning is not a name.
            (None, None) if is_key && self.previous == Previous::Opening => {
                self.add(Deviation::BareKey, start);
                self.json.extend(["\"", word, "\""]);
            }
            _ => return None,
        }
        Some(())
    }
}

/// Returns whether the content of a string in single quotes contains the end of a string in double
/// quotes, so that the string can be read as several ones.
fn contains_string_end(content: &str) -> bool {
    let mut parts = content.split('"').map(str::trim);
    parts.next();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if part.starts_with(':') || (part == "," && parts.peek().is_some()) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Deviation, parse_near};

    #[test]
    fn each_deviation_is_read_and_reported() {
        for (text, expected, deviation, at) in [
            ("{\"a\":1,}", json!({"a": 1}), Deviation::TrailingComma, 6),
            ("[1,2 , ]", json!([1, 2]), Deviation::TrailingComma, 5),
            ("[[1,],{}]", json!([[1], {}]), Deviation::TrailingComma, 3),
            ("{\"a\":1 // one\n}", json!({"a": 1}), Deviation::Comment, 7),
            ("// x\r[1]", json!([1]), Deviation::Comment, 0),
            ("[1,/*x*/2]", json!([1, 2]), Deviation::Comment, 3),
            ("[1/**/]", json!([1]), Deviation::Comment, 2),
            ("{'a':'b'}", json!({"a": "b"}), Deviation::SingleQuotes, 1),
            ("['say \"hi\", he']", json!(["say \"hi\", he"]), Deviation::SingleQuotes, 1),
            ("{\"a\":\"it\\'s\"}", json!({"a": "it's"}), Deviation::SingleQuotes, 8),
            ("{a:1}", json!({"a": 1}), Deviation::BareKey, 1),
            ("{\"x\":{ $a_1 :1}}", json!({"x": {"$a_1": 1}}), Deviation::BareKey, 7),
            ("{\"a\":1,été:1}", json!({"a": 1, "été": 1}), Deviation::BareKey, 7),
            ("{\"a\":\"x\ny\"}", json!({"a": "x\ny"}), Deviation::ControlCharacter, 7),
            ("[\"\t\u{1}\"]", json!(["\t\u{1}"]), Deviation::ControlCharacter, 2),
            ("{\"a\":True,\"b\":None}", json!({"a": true, "b": null}), Deviation::PythonWord, 5),
            ("[FALSE,none]", json!([false, null]), Deviation::PythonWord, 1),
            ("{“a”:1}", json!({"a": 1}), Deviation::TypographicQuotes, 1),
            ("[‘a’]", json!(["a"]), Deviation::TypographicQuotes, 1),
            ("{\"a\":\u{a0}1}", json!({"a": 1}), Deviation::NonBreakingSpace, 5),
            ("{\"a\":.5}", json!({"a": 0.5}), Deviation::NumberForm, 5),
            ("[1.]", json!([1]), Deviation::NumberForm, 1),
            ("[+1]", json!([1]), Deviation::NumberForm, 1),
            ("[-.5]", json!([-0.5]), Deviation::NumberForm, 1),
        ] {
            let near = parse_near(text).unwrap().unwrap_or_else(|| panic!("{text}"));
            assert_eq!(near.value, expected, "{text}");
            assert_eq!(near.deviations, [(deviation, at)], "{text}");
        }
    }

    #[test]
    fn all_digits_and_the_order_of_keys_are_preserved() {
        let near = parse_near("{z:1.50,a:12345678901234567890,}").unwrap().unwrap();
        let number = if cfg!(feature = "exact-numbers") { "1.50" } else { "1.5" };
        let expected = format!("{{\"z\":{number},\"a\":12345678901234567890}}");
        assert_eq!(near.value.to_string(), expected);
    }

    #[test]
    fn repeated_names_are_an_error() {
        for text in ["{a:1,\"a\":2}", "{'a':1,\"\\u0061\":1,}", "[{a:1,b:2,a:3}]"] {
            let error = parse_near(text).unwrap_err();
            assert!(error.message.contains("the name \"a\" appears twice"), "{text}: {error}");
        }
    }

    #[test]
    fn other_text_is_rejected() {
        for text in [
            "",
            "{\"a\":1",
            "{\"a\":1,",
            "{\"a\":1 \"b\":2}",
            "{a: hello}",
            "{\"a\":\"say \"hi\" now\"}",
            "[1,2,...]",
            "{\"a\":1}}",
            "{\"a\":1},",
            "[NaN]",
            "[Infinity]",
            "[-Infinity]",
            "[0x1F]",
            "[NULL]",
            "[nil]",
            "[undefined]",
            "[,]",
            "[1,,]",
            "[,1]",
            "{,}",
            "[1/**/2]",
            "[+ 1]",
            "[+-1]",
            "[.]",
            "[1.e5]",
            "[01]",
            "[--1]",
            "[+]",
            "[a:1]",
            "{a-b:1}",
            "{1:1}",
            "{True:1}",
            "{null:1}",
            "{'a:1}",
            "{'a\":1,\"b':2}",
            "['a\", \"b']",
            "{“a\":1,\"b”:2}",
            "{“a:1,“b”:2}",
            "{\"a“:1}",
            "{”a”:1}",
            "[1] // or [2]",
            "[\n//a\",\n1\n]",
            "[1 /* x]",
            "[1 # x\n]",
            "['it's']",
            "[\"\\x41\"]",
            "[`a`]",
            "[(1)]",
            "{'a':1};",
            "Sure: {'a':1}",
        ] {
            let near = parse_near(text).unwrap();
            assert!(near.is_none(), "{text}: {near:?}");
        }
        for depth in [127, 128] {
            let text = format!("{}1,{}", "[".repeat(depth), "]".repeat(depth));
            assert_eq!(parse_near(&text).unwrap().is_some(), depth == 127);
        }
    }
}
