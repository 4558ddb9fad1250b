//! The parsers for `output: "markdownCodeBlock"` and `"markdownCodeBlocks"`, which return the code
//! and language of fenced code blocks.
//!
//! A fence consists of three or more backticks or tildes. As in npm `llm-exe`, a fence of backticks
//! may open or close a block in the middle of a line. An ambiguous reply is an error.

use std::ops::Range;

use serde_json::{Value, json};

use super::js_text::{is_space, trim};
use super::parser::{Context, MAX_ITEMS, OutputError, too_many_items};

/// Returns the code block as `{language, code}`. Returns an error unless the reply contains exactly
/// one block.
pub(super) fn markdown_code_block(text: &str, _: &Context<'_>) -> Result<Value, OutputError> {
    let mut blocks = find_code_blocks(text)?.into_iter();
    match (blocks.next(), blocks.len()) {
        (None, _) => Err(OutputError::new("the reply contains no fenced code block")),
        (Some(block), 0) => Ok(block.into_value()),
        (Some(_), more) => {
            let count = more + 1;
            let message = format!("the reply contains {count} fenced code blocks; expected one");
            Err(OutputError::new(message))
        }
    }
}

/// Returns all code blocks as an array of `{language, code}`. The array is empty if the reply
/// contains no fence.
pub(super) fn markdown_code_blocks(text: &str, _: &Context<'_>) -> Result<Value, OutputError> {
    let blocks = find_code_blocks(text)?;
    // Fences that do not begin a block can be those of escaped code, such as code in JSON.
    if blocks.is_empty() && ["```", "~~~"].iter().any(|fence| text.contains(fence)) {
        let message =
            "the reply contains fences, but no code block whose opening fence ends a line";
        return Err(OutputError::new(message));
    }
    Ok(blocks.into_iter().map(CodeBlock::into_value).collect())
}

#[derive(Debug, PartialEq)]
pub(super) struct CodeBlock<'a> {
    /// The first word after the opening fence, or an empty string if the fence has no language.
    pub(super) language: &'a str,
    /// The code, including the line break before the closing fence.
    pub(super) code: &'a str,
    /// The place of the block with its fences in the text.
    pub(super) place: Range<usize>,
}

impl CodeBlock<'_> {
    fn into_value(self) -> Value {
        json!({ "language": self.language, "code": self.code })
    }
}

/// Returns all code blocks of a text in order of appearance.
pub(super) fn find_code_blocks(text: &str) -> Result<Vec<CodeBlock<'_>>, OutputError> {
    let mut blocks = Vec::new();
    let mut at = 0;
    while let Some(opening) = find_opening(text, at) {
        if blocks.len() == MAX_ITEMS {
            return Err(too_many_items("code blocks"));
        }
        let (code_end, after) = find_closing(text, &opening)?;
        let code = text.get(opening.code_start..code_end).unwrap_or_default();
        let place = opening.start..after;
        blocks.push(CodeBlock { language: opening.language, code, place });
        at = after;
    }
    Ok(blocks)
}

/// A fence that opens a code block.
struct OpeningFence<'a> {
    /// The byte offset of the fence.
    start: usize,
    mark: char,
    length: usize,
    language: &'a str,
    /// The byte offset at which the code starts.
    code_start: usize,
}

/// Finds the next fence that opens a code block. The text after the fence, up to the end of the
/// line, contains the language. If backticks follow on the same line, a backtick fence is inline
/// code and is skipped.
fn find_opening(text: &str, from: usize) -> Option<OpeningFence<'_>> {
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
            at += inline_code_len(after, length);
            continue;
        }
        let line_end = info_end + rest.find(['\n', '\r']).unwrap_or(rest.len());
        let code_start = at + line_end + line_break_len(after.get(line_end..)?);
        let language = trim(info).split(is_space).next().unwrap_or_default();
        return Some(OpeningFence { start, mark, length, language, code_start });
    }
}

/// Returns the length of inline code, including its closing run of at least `length` backticks.
/// Without such a run, the inline code ends at the end of the line.
fn inline_code_len(after: &str, length: usize) -> usize {
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

/// Returns whether only white space precedes the offset on its line.
fn starts_line(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default().trim_end_matches(is_blank);
    before.is_empty() || before.ends_with(['\n', '\r'])
}

/// Returns whether the rest of the line contains only white space.
fn ends_line(after: &str) -> bool {
    let after = after.trim_start_matches(is_blank);
    after.is_empty() || after.starts_with(['\n', '\r'])
}

fn is_blank(c: char) -> bool {
    is_space(c) && c != '\n' && c != '\r'
}

fn line_break_len(rest: &str) -> usize {
    match rest.as_bytes() {
        [b'\r', b'\n', ..] => 2,
        [] => 0,
        _ => 1,
    }
}

/// Finds the fence that closes a code block. Returns the byte offsets at which the code and the
/// fence end.
fn find_closing(text: &str, opening: &OpeningFence<'_>) -> Result<(usize, usize), OutputError> {
    let mut at = opening.code_start;
    while let Some(offset) = text.get(at..).and_then(|rest| rest.find(opening.mark)) {
        let start = at + offset;
        let after = text.get(start..).unwrap_or_default().trim_start_matches(opening.mark);
        at = text.len() - after.len();
        if at - start < opening.length {
            continue;
        }
        let closes = match (opening.mark, starts_line(text, start)) {
            ('`', true) => after.starts_with(is_space) || after.is_empty(),
            ('`', false) => ends_line(after),
            (_, starts) => starts && ends_line(after),
        };
        if closes {
            return Ok((start, at));
        }
        if opening.mark == '`' {
            let message = "a code block in the reply contains another fence; expected a longer \
                           fence around the block";
            return Err(OutputError::new(message));
        }
    }
    Err(OutputError::new("a code block in the reply has no closing fence"))
}
