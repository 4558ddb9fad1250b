//! Lexes the inside of a tag: names, literals and the end of the tag.

use super::lexer::Lexer;
use super::scan::{bracketed_len, id_len, is_js_space, quoted_len, trim_js_start};
use crate::json::{NumberError, parse_number};

/// A token inside a tag.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// A segment of a path, or the key of a named argument. `literal` is true if the segment is
    /// written in brackets.
    Id {
        text: Box<str>,
        literal: bool,
    },
    /// A `.` or `/` between two segments of a path.
    Separator,
    Text(Box<str>),
    Number(serde_json::Number),
    /// A number that would lose digits, with the reason.
    LossyNumber(Box<str>),
    Bool(bool),
    Null,
    Undefined,
    /// The `@` before a name, as in `@index`.
    Data,
    /// The `=` of a named argument.
    Equals,
    /// The `(` that opens a sub-expression.
    OpenCall,
    /// The `)` that closes a sub-expression.
    CloseCall,
    /// The `as |` before block parameters.
    OpenParams,
    /// The `|` after block parameters.
    CloseParams,
    /// The end of the tag, which is `}}`, `}}}` or `}}}}` depending on its opening. `after` is true
    /// if the braces contain `~`.
    Close {
        after: bool,
    },
    /// The end of the template.
    End,
    /// A character that is not allowed at its position. It is the last character of the token.
    Invalid(char),
}

impl Token {
    /// Describes the token for an error message.
    pub(crate) fn describe(&self) -> String {
        match self {
            Token::Id { text, .. } => format!("`{text}`"),
            Token::Separator => "`.` or `/`".to_owned(),
            Token::Text(text) => format!("\"{text}\""),
            Token::Number(number) => format!("`{number}`"),
            Token::LossyNumber(reason) => reason.to_string(),
            Token::Bool(value) => format!("`{value}`"),
            Token::Null => "`null`".to_owned(),
            Token::Undefined => "`undefined`".to_owned(),
            Token::Data => "`@`".to_owned(),
            Token::Equals => "`=`".to_owned(),
            Token::OpenCall => "`(`".to_owned(),
            Token::CloseCall => "`)`".to_owned(),
            Token::OpenParams => "`as |`".to_owned(),
            Token::CloseParams => "`|`".to_owned(),
            Token::Close { .. } => "the end of the tag".to_owned(),
            Token::End => "the end of the template".to_owned(),
            Token::Invalid(quote @ ('"' | '\'')) => format!("an unclosed `{quote}`"),
            Token::Invalid('[') => "an unclosed `[`".to_owned(),
            Token::Invalid('}') => "`}`".to_owned(),
            Token::Invalid(c) => format!("`{c}`, which is not allowed here"),
        }
    }
}

/// The number of braces that close the current tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closing {
    Two,
    Three,
    Four,
}

impl Closing {
    /// Returns the braces in backticks, for an error message.
    pub(crate) fn braces(self) -> &'static str {
        match self {
            Closing::Two => "`}}`",
            Closing::Three => "`}}}`",
            Closing::Four => "`}}}}`",
        }
    }
}

impl Lexer<'_> {
    /// Skips white space and returns the next token of a tag with its byte offset.
    pub(crate) fn token(&mut self, closing: Closing) -> (Token, usize) {
        let rest = trim_js_start(self.rest(self.at));
        let start = self.source.len() - rest.len();
        let (token, len) = read_token(rest, closing);
        self.at = start + len;
        match token {
            Token::Invalid(c) => (token, self.at - c.len_utf8()),
            token => (token, start),
        }
    }
}

/// Reads the token at the start of `rest`. Like the other `read` functions in this module, it
/// returns the token and the token's length in bytes.
fn read_token(rest: &str, closing: Closing) -> (Token, usize) {
    let Some(first) = rest.chars().next() else {
        return (Token::End, 0);
    };
    if let Some(token) = read_close(rest, closing) {
        return token;
    }
    match first {
        '(' => (Token::OpenCall, 1),
        ')' => (Token::CloseCall, 1),
        '=' => (Token::Equals, 1),
        '@' => (Token::Data, 1),
        '|' => (Token::CloseParams, 1),
        '.' => read_dots(rest),
        '/' => (Token::Separator, 1),
        '"' | '\'' => match quoted_len(rest) {
            Some(len) => (Token::Text(unquote(rest, len, first)), len),
            None => (Token::Invalid(first), first.len_utf8()),
        },
        '[' => match bracketed_len(rest) {
            Some(len) => (bracketed_segment(rest, len), len),
            None => (Token::Invalid(first), first.len_utf8()),
        },
        _ => read_word(rest, first),
    }
}

fn read_close(rest: &str, closing: Closing) -> Option<(Token, usize)> {
    let close = |after, len| Some((Token::Close { after }, len));
    match closing {
        Closing::Two if rest.starts_with("}}") => close(false, 2),
        Closing::Two if rest.starts_with("~}}") => close(true, 3),
        Closing::Three if rest.starts_with("}}}") => close(false, 3),
        Closing::Three if rest.starts_with("}~}}") => close(true, 4),
        Closing::Four if rest.starts_with("}}}}") => close(false, 4),
        _ => None,
    }
}

fn read_dots(rest: &str) -> (Token, usize) {
    let id = |text: &str| Token::Id { text: text.into(), literal: false };
    if rest.starts_with("..") {
        (id(".."), 2)
    } else if is_word_end(rest, 1, "=./|") {
        (id("."), 1)
    } else {
        (Token::Separator, 1)
    }
}

/// Returns whether a word can end at byte offset `at`. A word ends before white space, before the
/// end of the tag, sub-expression or template, and before any of the characters in `also`.
fn is_word_end(rest: &str, at: usize, also: &str) -> bool {
    let next = rest.get(at..).and_then(|rest| rest.chars().next());
    next.is_none_or(|c| matches!(c, '~' | '}' | ')') || is_js_space(c) || also.contains(c))
}

fn read_word(rest: &str, first: char) -> (Token, usize) {
    if let Some(len) = params_len(rest) {
        return (Token::OpenParams, len);
    }
    let len = id_len(rest);
    let text = rest.get(..len).unwrap_or_default();
    if let Some(number) = read_number(rest) {
        return number;
    }
    if len == 0 || !is_word_end(rest, len, "=./|") {
        let c = rest.get(len..).and_then(|rest| rest.chars().next()).unwrap_or(first);
        return (Token::Invalid(c), len + c.len_utf8());
    }
    let token = match text {
        _ if !is_word_end(rest, len, "") => None,
        "true" => Some(Token::Bool(true)),
        "false" => Some(Token::Bool(false)),
        "null" => Some(Token::Null),
        "undefined" => Some(Token::Undefined),
        _ => None,
    };
    (token.unwrap_or_else(|| Token::Id { text: text.into(), literal: false }), len)
}

/// Returns the length of `as`, whitespace and `|` if `rest` starts with them.
fn params_len(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix("as")?;
    let bar = trim_js_start(after);
    (bar.len() < after.len() && bar.starts_with('|')).then(|| rest.len() - bar.len() + 1)
}

fn read_number(rest: &str) -> Option<(Token, usize)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let sign = usize::from(rest.starts_with('-'));
    let whole = digits(rest.get(sign..)?);
    let mut len = sign + whole;
    if let Some(fraction) = rest.get(len..).and_then(|rest| rest.strip_prefix('.')) {
        let fraction = digits(fraction);
        len += if fraction > 0 { fraction + 1 } else { 0 };
    }
    if whole == 0 || !is_word_end(rest, len, "") {
        return None;
    }
    Some((number_token(rest.get(..len)?)?, len))
}

/// Parses a number. handlebars.js allows leading zeros, but JSON does not, so they are removed.
fn number_token(text: &str) -> Option<Token> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let trimmed = digits.trim_start_matches('0');
    let zero = if trimmed.is_empty() || trimmed.starts_with('.') { "0" } else { "" };
    match parse_number(&format!("{sign}{zero}{trimmed}")) {
        Ok(number) => Some(Token::Number(number)),
        Err(NumberError::Lossy(error)) => Some(Token::LossyNumber(error.to_string().into())),
        Err(NumberError::Invalid) => None,
    }
}

fn unquote(rest: &str, len: usize, quote: char) -> Box<str> {
    let inside = rest.get(1..len - 1).unwrap_or_default();
    if inside.contains('\\') {
        inside.replace(&format!("\\{quote}"), &quote.to_string()).into()
    } else {
        inside.into()
    }
}

/// Creates the token for a segment in brackets. As in handlebars.js, the brackets are part of the
/// name if the segment contains a line break.
fn bracketed_segment(rest: &str, len: usize) -> Token {
    let whole = rest.get(..len).unwrap_or_default();
    let mut text = String::with_capacity(len);
    let mut chars = whole.chars().peekable();
    while let Some(c) = chars.next() {
        let escapes = c == '\\' && matches!(chars.peek(), Some('\\' | ']'));
        text.push(if escapes { chars.next().unwrap_or(c) } else { c });
    }
    if text.contains(['\n', '\r', '\u{2028}', '\u{2029}']) {
        return Token::Id { text: text.into(), literal: false };
    }
    let inside = text.get(1..text.len() - 1).unwrap_or_default();
    Token::Id { text: inside.into(), literal: true }
}
