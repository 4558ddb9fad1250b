//! Separates the prose of a text from what could be tokens of JSON: strings in either quote,
//! numbers, `true`, `None` and the like, names before a colon, commas, colons and brackets.

use std::ops::Range;

/// How quotes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    /// A quote begins a string, which ends on the same line.
    Strings,
    /// Each quote is a token, and the text between two quotes is read like any other text.
    Marks,
}

/// The positions of prose and of some tokens in a text, in ascending order.
#[derive(Debug, Default)]
pub(super) struct TextTokens {
    prose: Vec<usize>,
    colons: Vec<usize>,
    quotes: Vec<usize>,
    /// Closing brackets without a partner.
    pub(super) closing: Vec<usize>,
    /// The brackets that are open: whether they are lists.
    open: Vec<bool>,
    open_lists: usize,
}

impl TextTokens {
    /// Reads the text outside of the given places.
    pub(super) fn new(text: &str, skipped: &[Range<usize>], quotes: Quotes) -> Self {
        let mut tokens = TextTokens::default();
        let mut at = 0;
        for range in skipped {
            tokens.read(text, at..range.start, quotes);
            at = range.end;
        }
        tokens.read(text, at..text.len(), quotes);
        tokens
    }

    /// Returns whether a part of the text contains prose.
    pub(super) fn has_prose(&self, range: Range<usize>) -> bool {
        contains(&self.prose, range)
    }

    /// Returns whether a part of the text contains a colon outside of strings.
    pub(super) fn has_colon(&self, range: Range<usize>) -> bool {
        contains(&self.colons, range)
    }

    /// Returns the position of the last prose before a position.
    pub(super) fn last_prose(&self, before: usize) -> Option<usize> {
        last(&self.prose, before)
    }

    /// Returns whether a quote is between the last prose before a position and the position.
    pub(super) fn has_quote_since_prose(&self, before: usize) -> bool {
        let quote = last(&self.quotes, before);
        quote.is_some() && quote > last(&self.prose, before)
    }

    fn close(&mut self, is_list: bool, at: usize) {
        let lists = self.open_lists;
        let is_open = if is_list { lists > 0 } else { self.open.len() > lists };
        if !is_open {
            self.closing.push(at);
            return;
        }
        while let Some(list) = self.open.pop() {
            self.open_lists -= usize::from(list);
            if list == is_list {
                break;
            }
        }
    }

    fn read(&mut self, text: &str, range: Range<usize>, quotes: Quotes) {
        let part = text.get(range.clone()).unwrap_or_default();
        let mut at = 0;
        let mut is_in_word = false;
        // The end of the text in which no string ends, for each kind of quote.
        let (mut unclosed, mut unclosed_single) = (0, 0);
        while let Some(rest) = part.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(c) = rest.chars().next() else { break };
            let position = range.start + at;
            let mut length = c.len_utf8();
            match c {
                ',' => {}
                '[' | '{' => {
                    self.open.push(c == '[');
                    self.open_lists += usize::from(c == '[');
                }
                ']' | '}' => self.close(c == ']', position),
                ':' => self.colons.push(position),
                '"' => {
                    self.quotes.push(position);
                    let string = find_string_end(part, at, quotes, &mut unclosed);
                    length = string.map_or(length, |end| end - at);
                }
                '\'' if is_in_word => self.prose.push(position),
                '\'' => match find_string_end(part, at, quotes, &mut unclosed_single) {
                    Some(end) => length = end - at,
                    None => self.prose.push(position),
                },
                _ if c.is_whitespace() => {}
                _ => {
                    length = word_len(rest).max(length);
                    if !is_token(rest, length) {
                        self.prose.push(position);
                    }
                }
            }
            is_in_word = c.is_alphanumeric();
            at += length;
        }
    }
}

fn contains(positions: &[usize], range: Range<usize>) -> bool {
    let next = positions.get(positions.partition_point(|at| *at < range.start));
    next.is_some_and(|at| *at < range.end)
}

fn last(positions: &[usize], before: usize) -> Option<usize> {
    let count = positions.partition_point(|at| *at < before);
    positions.get(count.checked_sub(1)?).copied()
}

/// Returns the end of the string that begins with a quote at a position. The text before `unclosed`
/// contains no end of a string, so that no part of the text is searched twice.
fn find_string_end(text: &str, at: usize, quotes: Quotes, unclosed: &mut usize) -> Option<usize> {
    if quotes == Quotes::Marks || at < *unclosed {
        return None;
    }
    let bytes = text.as_bytes();
    let quote = bytes.get(at)?;
    let mut is_escaped = false;
    for (offset, byte) in bytes.iter().enumerate().skip(at + 1) {
        match byte {
            b'\n' | b'\r' => {
                *unclosed = offset;
                return None;
            }
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            byte if byte == quote => return Some(offset + 1),
            _ => {}
        }
    }
    *unclosed = bytes.len();
    None
}

/// Returns the length of the word or number at the start of a text.
fn word_len(text: &str) -> usize {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let is_part = |c: char| {
        c.is_alphanumeric() || matches!(c, '_' | '$') || (is_number && matches!(c, '.' | '+' | '-'))
    };
    text.find(|c| !is_part(c)).unwrap_or(text.len())
}

/// Returns whether the word of a length at the start of a text could be a token of JSON.
fn is_token(text: &str, length: usize) -> bool {
    let (word, rest) = text.split_at_checked(length).unwrap_or((text, ""));
    let digits = word.strip_prefix('-').unwrap_or(word);
    if digits.starts_with(|c: char| c.is_ascii_digit()) {
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-' | 'e' | 'E');
        return !digits.ends_with('.') && digits.chars().all(is_part);
    }
    let is_name = word.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$');
    let literals = ["true", "false", "null", "True", "False", "None"];
    // The quote before a name can be missing.
    let after_name = rest.strip_prefix(['"', '\'']).unwrap_or(rest).trim_start();
    literals.contains(&word) || (is_name && after_name.starts_with(':'))
}
