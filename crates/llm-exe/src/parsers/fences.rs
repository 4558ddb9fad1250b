//! Fenced code blocks: three or more backticks or tildes, a language, code, and the fence again.
//!
//! Like npm `llm-exe`, a fence of backticks may open or close in the middle of a line; what can
//! be read in two ways is a fault.

use serde_json::{Value, json};

use super::OutputError;
use super::js_text::{is_space, trim};

/// A code block.
#[derive(Debug, PartialEq)]
pub(crate) struct Block<'a> {
    /// The first word behind the fence; may be empty.
    language: &'a str,
    /// The code as it came, with the line break before the closing fence.
    code: &'a str,
}

impl Block<'_> {
    /// As parsers answer it.
    pub(crate) fn into_value(self) -> Value {
        json!({ "language": self.language, "code": self.code })
    }
}

/// The code blocks of a text, in order.
pub(crate) fn blocks(text: &str) -> Result<Vec<Block<'_>>, OutputError> {
    let mut blocks = Vec::new();
    let mut at = 0;
    while let Some(opened) = opening(text, at) {
        let (code_end, after) = closing(text, &opened)?;
        let code = text.get(opened.code..code_end).unwrap_or_default();
        blocks.push(Block { language: opened.language, code });
        at = after;
    }
    Ok(blocks)
}

/// A fence that opens a block.
struct Opening<'a> {
    mark: char,
    length: usize,
    language: &'a str,
    /// Where the code starts.
    code: usize,
}

/// The next fence that opens a block: the rest of its line names the language and holds no
/// backtick. What is fenced within a line is text.
fn opening(text: &str, from: usize) -> Option<Opening<'_>> {
    let mut at = from;
    loop {
        let start = at + text.get(at..)?.find(['`', '~'])?;
        let rest = text.get(start..)?;
        let mark = rest.chars().next()?;
        let after = rest.trim_start_matches(mark);
        let length = rest.len() - after.len();
        at = start + length;
        if length < 3 || (mark == '~' && !starts_line(text, start)) {
            continue;
        }
        let info_end = after.find(['`', '\n', '\r']).unwrap_or(after.len());
        let (info, rest) = after.split_at(info_end);
        if mark == '`' && rest.starts_with('`') {
            at += inline_end(after, length);
            continue;
        }
        let line_end = info_end + rest.find(['\n', '\r']).unwrap_or(rest.len());
        let code = at + line_end + break_len(after.get(line_end..)?);
        let language = trim(info).split(is_space).next().unwrap_or_default();
        return Some(Opening { mark, length, language, code });
    }
}

/// How much of a line belongs to the backticks that opened something within it: all up to as
/// many again, or the whole line.
fn inline_end(after: &str, length: usize) -> usize {
    let mut run = 0;
    for (at, c) in after.char_indices() {
        match c {
            '`' => run += 1,
            _ if run >= length => return at,
            '\n' | '\r' => return at,
            _ => run = 0,
        }
    }
    after.len()
}

/// Whether nothing but white space stands before it in its line.
fn starts_line(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default().trim_end_matches(is_blank);
    before.is_empty() || before.ends_with(['\n', '\r'])
}

/// Whether nothing but white space follows in the line.
fn ends_line(after: &str) -> bool {
    let after = after.trim_start_matches(is_blank);
    after.is_empty() || after.starts_with(['\n', '\r'])
}

fn is_blank(c: char) -> bool {
    is_space(c) && c != '\n' && c != '\r'
}

fn break_len(rest: &str) -> usize {
    match rest.as_bytes() {
        [b'\r', b'\n', ..] => 2,
        [] => 0,
        _ => 1,
    }
}

/// Where the code of a block ends, and where its closing fence does.
fn closing(text: &str, opened: &Opening<'_>) -> Result<(usize, usize), OutputError> {
    let mut at = opened.code;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(opened.mark)) {
        let start = at + found;
        let after = text.get(start..).unwrap_or_default().trim_start_matches(opened.mark);
        at = text.len() - after.len();
        if at - start < opened.length {
            continue;
        }
        let closes = match (opened.mark, starts_line(text, start)) {
            ('`', true) => after.starts_with(is_space) || after.is_empty(),
            ('`', false) => ends_line(after),
            (_, starts) => starts && ends_line(after),
        };
        if closes {
            return Ok((start, at));
        }
        if opened.mark == '`' {
            let text = "a fence stands inside a code block of the reply; such a block needs a \
                        longer fence around it";
            return Err(OutputError::new(text));
        }
    }
    Err(OutputError::new("a code block of the reply is not closed"))
}
