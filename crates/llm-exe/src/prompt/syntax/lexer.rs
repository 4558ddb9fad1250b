//! Splits the source of a template into literal text and the openings of tags, and handles escapes,
//! raw blocks and comments.
//!
//! The lexer differs from handlebars.js where literal braces are adjacent to a tag, as in prompts
//! that contain JSON. `{"a":{{x}}}` is a tag followed by a literal brace. In `{{{x}}: 1}`, the
//! first brace is literal because the tag is not closed with `}}}`.

use super::scan::{bracketed_len, quoted_len, raw_close, trim_js_start};
use super::tree::Span;

/// The characters that open a tag and determine its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Opens a value: `{{` or `{{&`.
    Mustache,
    /// Opens a value with three braces: `{{{`.
    Triple,
    /// Opens a decorator: `{{*`.
    Decorator,
    /// Opens a block: `{{#`.
    Block,
    /// Opens a decorator block: `{{#*`.
    DecoratorBlock,
    /// Opens an inverted block: `{{^x`.
    InverseBlock,
    /// A complete `{{else}}` or `{{^}}` tag. `after` is true if the tag ends with `~}}`.
    Else { after: bool },
    /// Opens an `else if` branch: `{{else x`.
    ElseIf,
    /// Opens the closing tag of a block: `{{/`.
    Close,
    /// Opens a tag that includes a partial: `{{>`.
    Partial,
    /// Opens a partial with a block: `{{#>`.
    PartialBlock,
    /// Opens a raw block: `{{{{`.
    Raw,
    /// A complete comment. `after` is true if the comment ends with `~}}`.
    Comment { after: bool },
}

/// A token outside of tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(Span),
    /// The opening of the tag at byte offset `at`. `before` is true if the tag starts with `{{~`.
    Tag {
        opening: Opening,
        before: bool,
        at: usize,
    },
    End,
}

/// The error message for a comment that is never closed.
const UNCLOSED_COMMENT: &str =
    "the comment is never closed; expected `}}`, or `--}}` after `{{!--`";

/// Splits a template into text and tags. The module `token` adds the methods that lex the inside of
/// a tag.
#[derive(Debug)]
pub(crate) struct Lexer<'t> {
    pub(crate) source: &'t str,
    /// The current byte offset.
    pub(crate) at: usize,
    /// The byte offset of the last `{{{{/` in the source. After this offset, nothing could close a
    /// raw block. `{{{{` then opens one only before `raw`, so that the error is reported.
    last_raw_end: usize,
    /// Whether the tag at the current offset is escaped, as in `\{{x}}`.
    escaped: bool,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(source: &'t str) -> Self {
        let last_raw_end = source.rfind("{{{{/").unwrap_or(0);
        Lexer { source, at: 0, last_raw_end, escaped: false }
    }

    /// Returns the rest of the source from byte offset `at`.
    pub(crate) fn rest(&self, at: usize) -> &'t str {
        self.source.get(at..).unwrap_or_default()
    }

    /// Returns the next piece of text or the opening of the next tag.
    ///
    /// # Errors
    /// Returns a byte offset and a message if a comment is never closed.
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

    /// Returns the end of the text that begins with an escaped tag. The text ends where the next
    /// tag starts, even if that tag is also escaped.
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

    /// Returns how many of the opening braces at byte offset `at` are literal text before a tag.
    fn literal_braces(&self, at: usize) -> usize {
        let mut literal = 0;
        loop {
            let here = at + literal;
            let rest = self.rest(here);
            if rest.starts_with("{{{{") {
                if here < self.last_raw_end || opens_raw_helper(rest) {
                    return literal;
                }
            } else if !rest.starts_with("{{{") || self.opens_triple(here + 3) {
                return literal;
            }
            literal += 1;
        }
    }

    /// Returns whether the tag whose content starts at byte offset `from` is closed with three
    /// braces.
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

    /// Reads the rest of the comment whose tag starts at byte offset `at`.
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

    /// Returns the offset of the first `}}` after `--` or `--~`, relative to the current offset.
    fn end_of_dashed(&self) -> Option<usize> {
        let rest = self.rest(self.at);
        rest.match_indices("}}").map(|(at, _)| at).find(|at| {
            let inside = rest.get(..*at).unwrap_or_default();
            inside.strip_suffix('~').unwrap_or(inside).ends_with("--")
        })
    }

    /// Reads `^`, `^}}`, `else` or `else}}`. If the tag starts with none of these, it is an
    /// ordinary `{{x}}` tag.
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

    /// Reads the end of an `{{else}}` or `{{^}}` tag. Returns `None` if the tag does not end here.
    fn closed_else(&mut self, after_word: &str) -> Option<Opening> {
        let rest = trim_js_start(after_word);
        let (rest, after) = rest.strip_prefix('~').map_or((rest, false), |rest| (rest, true));
        let rest = rest.strip_prefix("}}")?;
        self.at = self.source.len() - rest.len();
        Some(Opening::Else { after })
    }

    /// Consumes `expected` if the rest of the source starts with it. Returns whether it does.
    fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest(self.at).starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    /// Reads a raw block up to and including its closing tag. Returns the pieces of text in the
    /// block, including any nested raw blocks, and the name in the closing tag. Returns `None` if
    /// the block is never closed.
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

/// Returns whether a text that begins with `{{{{` opens a block of the helper `raw`.
fn opens_raw_helper(text: &str) -> bool {
    let name = text.get(4..).map(trim_js_start).and_then(|name| name.strip_prefix("raw"));
    name.is_some_and(|rest| rest.starts_with(['}', ' ', '\t', '\n', '\r']))
}
