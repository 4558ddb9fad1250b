//! The lexer outside of tags: literal text, escapes, raw blocks, and how a tag opens.
//!
//! It reads as handlebars.js does, except where braces of the text touch those of a tag, as
//! prompts with JSON have them: `{"a":{{x}}}` is a tag and a brace, and of `{{{x}}: 1}` the first
//! brace is text because nothing closes the three.

use super::ast::Span;
use super::scan::{bracketed_len, quoted_len, raw_close, trim_js_start};

/// How a tag opens.
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
    /// `{{else}}` or `{{^}}`, whole; `after` is its right flag.
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
    /// A comment, whole.
    Comment { after: bool },
}

/// What stands at one place of the template, outside of tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(Span),
    Tag { opening: Opening, before: bool, at: usize },
    End,
}

/// What a comment without an end is called.
pub(crate) const OPEN_COMMENT: &str = "a comment that is never closed";

/// The part of the lexer that knows where it is.
#[derive(Debug)]
pub(crate) struct Lexer<'t> {
    pub(crate) source: &'t str,
    pub(crate) at: usize,
    /// Where the last `{{{{/` stands: before it, four braces open a raw block.
    last_raw_end: usize,
    /// An escaped tag, `\{{x}}`, begins here.
    escaped: bool,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(source: &'t str) -> Self {
        let last_raw_end = source.rfind("{{{{/").unwrap_or(0);
        Lexer { source, at: 0, last_raw_end, escaped: false }
    }

    /// The source from byte `at` on.
    pub(crate) fn rest(&self, at: usize) -> &'t str {
        self.source.get(at..).unwrap_or_default()
    }

    /// The next text or opening of a tag.
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

    /// Where the text of an escaped tag ends: before the next tag, escaped or not.
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

    /// How many braces at the opening of a tag are text.
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

    /// Whether a tag of three braces is closed by three.
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

    /// Reads how the tag at the current place opens.
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

    fn comment(&mut self, at: usize) -> Result<Opening, (usize, &'static str)> {
        let dashed = self.rest(self.at).starts_with("--");
        let end = if dashed { self.end_of_dashed() } else { self.rest(self.at).find("}}") };
        let Some(end) = end else {
            return Err((at, OPEN_COMMENT));
        };
        let after = self.rest(self.at).get(..end).is_some_and(|inside| inside.ends_with('~'));
        self.at += end + 2;
        Ok(Opening::Comment { after })
    }

    /// The place of the braces after the first `--` or `--~`.
    fn end_of_dashed(&self) -> Option<usize> {
        let rest = self.rest(self.at);
        rest.match_indices("}}").map(|(at, _)| at).find(|at| {
            let inside = rest.get(..*at).unwrap_or_default();
            inside.strip_suffix('~').unwrap_or(inside).ends_with("--")
        })
    }

    /// `^`, `^}}`, `else`, `else}}`, or a plain tag.
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

    fn closed_else(&mut self, after_word: &str) -> Option<Opening> {
        let rest = trim_js_start(after_word);
        let (rest, after) = rest.strip_prefix('~').map_or((rest, false), |rest| (rest, true));
        let rest = rest.strip_prefix("}}")?;
        self.at = self.source.len() - rest.len();
        Some(Opening::Else { after })
    }

    pub(crate) fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest(self.at).starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    /// The texts of a raw block up to the close of the outermost, and the name in that close.
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
