//! The lexer outside of tags: literal text, escapes, raw blocks, and the opening of a tag.
//!
//! It differs from handlebars.js where braces of the text touch the braces of a tag, as in prompts
//! that contain JSON: `{"a":{{x}}}` is a tag followed by a brace, and the first brace of
//! `{{{x}}: 1}` is text, because no `}}}` follows.

use super::scan::{bracketed_len, quoted_len, raw_close, trim_js_start};
use super::tree::Span;

/// The opening of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// `{{` or `{{&`
    Mustache,
    /// `{{{`
    Triple,
    /// `{{*`
    Decorator,
    /// `{{#`
    Block,
    /// `{{#*`
    DecoratorBlock,
    /// `{{^x`
    InverseBlock,
    /// A whole `{{else}}` or `{{^}}`; `after` is true for `~}}`.
    Else { after: bool },
    /// `{{else x`
    ElseIf,
    /// `{{/`
    Close,
    /// `{{>`
    Partial,
    /// `{{#>`
    PartialBlock,
    /// `{{{{`
    Raw,
    /// A whole comment; `after` is true for `~}}`.
    Comment { after: bool },
}

/// A token outside of tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(Span),
    /// The opening of the tag at byte `at`; `before` is true for `{{~`.
    Tag {
        opening: Opening,
        before: bool,
        at: usize,
    },
    End,
}

/// The error for a comment without an end.
const UNCLOSED_COMMENT: &str =
    "the comment is never closed; expected `}}`, or `--}}` after `{{!--`";

/// Splits a template into text and tags. The methods in `token` split the inside of a tag.
#[derive(Debug)]
pub(crate) struct Lexer<'t> {
    pub(crate) source: &'t str,
    /// The current byte offset.
    pub(crate) at: usize,
    /// The offset of the last `{{{{/`. Four braces open a raw block only before it.
    last_raw_end: usize,
    /// Whether an escaped tag, `\{{x}}`, starts at the current offset.
    escaped: bool,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(source: &'t str) -> Self {
        let last_raw_end = source.rfind("{{{{/").unwrap_or(0);
        Lexer { source, at: 0, last_raw_end, escaped: false }
    }

    /// The rest of the source, from byte `at`.
    pub(crate) fn rest(&self, at: usize) -> &'t str {
        self.source.get(at..).unwrap_or_default()
    }

    /// Returns the next text or the opening of the next tag.
    ///
    /// # Errors
    /// A comment that is not closed: its byte offset and the message.
    pub(crate) fn piece(&mut self) -> Result<Piece, (usize, &'static str)> {
        let start = self.at;
        if std::mem::take(&mut self.escaped) {
            self.at = self.end_of_escaped(start);
            return Ok(Piece::Text(Span { start, end: self.at }));
        }
        let Some(found) = self.rest(start).find("{{") else {
            self.at = self.source.len();
            let end = self.at;
            return Ok(if start == end { Piece::End } else { Piece::Text(Span { start, end }) });
        };
        let tag = start + found;
        let before = self.source.get(start..tag).unwrap_or_default();
        let mut end = tag;
        if before.ends_with("\\\\") {
            end -= 1;
        } else if before.ends_with('\\') {
            end -= 1;
            self.escaped = true;
        }
        self.at = tag;
        if end == tag {
            end += self.literal_braces(tag);
            self.at = end;
        }
        if end > start {
            return Ok(Piece::Text(Span { start, end }));
        }
        if self.escaped { self.piece() } else { self.opening() }
    }

    /// The end of the text of an escaped tag: the start of the next tag, escaped or not.
    fn end_of_escaped(&self, start: usize) -> usize {
        let from = start + 2;
        let Some(found) = self.rest(from).find("{{") else {
            return self.source.len();
        };
        let between = self.source.get(from..from + found).unwrap_or_default();
        let backslashes =
            if between.ends_with("\\\\") { 2 } else { between.ends_with('\\').into() };
        from + found - backslashes
    }

    /// The number of braces at the opening of a tag that are text.
    fn literal_braces(&self, at: usize) -> usize {
        let mut literal = 0;
        loop {
            let here = at + literal;
            let rest = self.rest(here);
            if rest.starts_with("{{{{") {
                if here < self.last_raw_end {
                    return literal;
                }
            } else if !rest.starts_with("{{{") || self.opens_triple(here + 3) {
                return literal;
            }
            literal += 1;
        }
    }

    /// Whether the tag whose content starts at byte `from` closes with three braces.
    fn opens_triple(&self, from: usize) -> bool {
        let text = self.rest(from);
        if text.starts_with(['~', '#', '/', '^', '>', '!', '&', '*', '{']) {
            return false;
        }
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            let here = text.get(at..).unwrap_or_default();
            match byte {
                b'"' | b'\'' => at += quoted_len(here).unwrap_or(1),
                b'[' => at += bracketed_len(here).unwrap_or(1),
                b'}' => return here.starts_with("}}}") || here.starts_with("}~}}"),
                b'~' if here.starts_with("~}}") => return false,
                b'{' => return false,
                _ => at += 1,
            }
        }
        false
    }

    /// Reads the opening of the tag at the current offset.
    fn opening(&mut self) -> Result<Piece, (usize, &'static str)> {
        let at = self.at;
        if self.rest(at).starts_with("{{{{") {
            self.at += 4;
            return Ok(Piece::Tag { opening: Opening::Raw, before: false, at });
        }
        self.at += 2;
        let before = self.eat("~");
        let opening = if self.eat("{") {
            Opening::Triple
        } else if self.eat(">") {
            Opening::Partial
        } else if self.eat("#>") {
            Opening::PartialBlock
        } else if self.eat("#*") {
            Opening::DecoratorBlock
        } else if self.eat("#") {
            Opening::Block
        } else if self.eat("/") {
            Opening::Close
        } else if self.eat("!") {
            self.comment(at)?
        } else if self.eat("&") {
            Opening::Mustache
        } else if self.eat("*") {
            Opening::Decorator
        } else {
            self.inverse()
        };
        Ok(Piece::Tag { opening, before, at })
    }

    /// Reads the rest of a comment whose tag starts at byte `at`.
    fn comment(&mut self, at: usize) -> Result<Opening, (usize, &'static str)> {
        let dashed = self.rest(self.at).starts_with("--");
        let end = if dashed { self.end_of_dashed() } else { self.rest(self.at).find("}}") };
        let Some(end) = end else {
            return Err((at, UNCLOSED_COMMENT));
        };
        let after = self.rest(self.at).get(..end).is_some_and(|inside| inside.ends_with('~'));
        self.at += end + 2;
        Ok(Opening::Comment { after })
    }

    /// The offset of the first `}}` after `--` or `--~`, from the current one.
    fn end_of_dashed(&self) -> Option<usize> {
        let rest = self.rest(self.at);
        rest.match_indices("}}").map(|(at, _)| at).find(|at| {
            let inside = rest.get(..*at).unwrap_or_default();
            inside.strip_suffix('~').unwrap_or(inside).ends_with("--")
        })
    }

    /// Reads `^`, `^}}`, `else`, `else}}`, or the opening of a plain tag.
    fn inverse(&mut self) -> Opening {
        let rest = self.rest(self.at);
        if let Some(after_caret) = rest.strip_prefix('^') {
            if let Some(opening) = self.closed_else(after_caret) {
                return opening;
            }
            self.at += 1;
            return Opening::InverseBlock;
        }
        let Some(after_else) = trim_js_start(rest).strip_prefix("else") else {
            return Opening::Mustache;
        };
        if let Some(opening) = self.closed_else(after_else) {
            return opening;
        }
        let next = after_else.bytes().next();
        if next.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Opening::Mustache;
        }
        self.at = self.source.len() - after_else.len();
        Opening::ElseIf
    }

    /// Reads the end of `{{else}}` or `{{^}}`; `None` if the tag has arguments.
    fn closed_else(&mut self, after_word: &str) -> Option<Opening> {
        let rest = trim_js_start(after_word);
        let (rest, after) = rest.strip_prefix('~').map_or((rest, false), |rest| (rest, true));
        let rest = rest.strip_prefix("}}")?;
        self.at = self.source.len() - rest.len();
        Some(Opening::Else { after })
    }

    /// Consumes `expected` if the rest starts with it.
    fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest(self.at).starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    /// Reads the texts of a raw block up to its closing tag, and the name in that tag. Raw blocks
    /// inside of it are text. Returns `None` if the block is not closed.
    pub(crate) fn raw_contents(&mut self) -> Option<(Vec<Span>, Span)> {
        let mut texts = Vec::new();
        let mut depth = 1;
        loop {
            let start = self.at;
            let rest = self.rest(start);
            if rest.starts_with("{{{{") && !rest.starts_with("{{{{/") && rest.len() > 4 {
                depth += 1;
                self.at += 4;
            } else if let Some((name, len)) = raw_close(rest) {
                depth -= 1;
                self.at += len;
                if depth == 0 {
                    let name = Span { start: start + 5, end: start + 5 + name };
                    return Some((texts, name));
                }
            } else {
                let skip = rest.chars().next()?.len_utf8();
                self.at += skip + rest.get(skip..)?.find("{{{{")?;
            }
            texts.push(Span { start, end: self.at });
        }
    }
}
