//! The parser for `output: "listToArray"`, and functions that parse lists and `key: value` pairs
//! for other parsers.
//!
//! As in npm `llm-exe` 3.x, either every line of a list has a marker or none does. More markers are
//! known than there: besides `-`, `*`, `•` and `1.`, other bullets and dashes, `+`, `1)`, `(1)` and
//! `a)`.

use serde_json::Value;

use super::js_text::{is_space, trim};
use super::parser::{Context, OutputError};

/// Maximum number of items in a list, and of code blocks.
pub(super) const MAX_ITEMS: usize = 100_000;

/// Creates the error about a reply with more than [`MAX_ITEMS`] items.
pub(super) fn too_many_items(name: &str) -> OutputError {
    OutputError(format!("the reply has more than {MAX_ITEMS} {name}"))
}

/// Parses a list into an array of strings. A single line without a marker is not a list.
pub(super) fn list_to_array(text: &str, _: &Context<'_>) -> Result<Value, OutputError> {
    let list = parse_list(text)?;
    if !list.has_markers && list.items.len() == 1 {
        return Err(OutputError::new(
            "the reply is a single line without a list marker; expected a list",
        ));
    }
    Ok(list.items.into_iter().map(Value::from).collect())
}

/// Parses a list of `key: value` lines. Each line is split at its first colon. Emphasis around a
/// key, around a key and its colon, around a value and around a whole line is removed.
pub(super) fn parse_key_value_pairs(text: &str) -> Result<Vec<(&str, &str)>, OutputError> {
    let mut pairs = Vec::new();
    for (index, item) in parse_list(text)?.items.into_iter().enumerate() {
        match split_pair(strip_emphasis(item)) {
            None => return Err(item_error(index, "has no colon; expected `key: value`")),
            Some(("", _)) => return Err(item_error(index, "has no key before the colon")),
            Some(pair) => pairs.push(pair),
        }
    }
    Ok(pairs)
}

/// Splits an item into its key and its value without their emphasis.
fn split_pair(item: &str) -> Option<(&str, &str)> {
    let (key, value) = split_emphasized_key(item).or_else(|| item.split_once(':'))?;
    Some((strip_emphasis(trim(key)), strip_emphasis(trim(value))))
}

/// Splits an item such as `**Name:** Tom`, in which the emphasis includes the colon.
fn split_emphasized_key(item: &str) -> Option<(&str, &str)> {
    MARKS.iter().find_map(|mark| {
        let (inside, value) = item.strip_prefix(mark)?.split_once(mark)?;
        let key = inside.trim_end_matches(is_space).strip_suffix(':')?;
        // In "**a**: **b:**", the first mark is closed before the colon.
        (!key.is_empty() && !key.starts_with(is_space)).then_some((key, value))
    })
}

/// The marks of emphasis in Markdown, the longer ones first.
const MARKS: &[&str] = &["***", "**", "__", "*", "_"];

/// Removes the marks of emphasis around a whole text. A mark without its partner stays, and so does
/// one next to white space.
fn strip_emphasis(text: &str) -> &str {
    let mut text = text;
    while let Some(inside) = MARKS.iter().find_map(|mark| emphasized(text, mark)) {
        text = inside;
    }
    text
}

/// Returns the text inside a pair of marks.
fn emphasized<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let inside = text.strip_prefix(mark)?.strip_suffix(mark)?;
    let is_tight = !inside.starts_with(is_space) && !inside.ends_with(is_space);
    let is_word_part = |at: usize| {
        let before = inside.get(..at).and_then(|text| text.chars().next_back());
        let after = inside.get(at + mark.len()..).and_then(|text| text.chars().next());
        mark.starts_with('_')
            && before.is_some_and(char::is_alphanumeric)
            && after.is_some_and(char::is_alphanumeric)
    };
    // In "*a* and *b*", the outer marks are not a pair.
    let is_pair = inside.match_indices(mark).all(|(at, _)| is_word_part(at));
    (!inside.is_empty() && is_tight && is_pair).then_some(inside)
}

/// Creates an error about the item at a zero-based index. The message counts items from 1.
pub(super) fn item_error(index: usize, problem: &str) -> OutputError {
    OutputError::new(format!("item {} of the reply {problem}", index + 1))
}

/// The items of a list, without their markers.
struct List<'a> {
    items: Vec<&'a str>,
    has_markers: bool,
}

fn parse_list(text: &str) -> Result<List<'_>, OutputError> {
    let lines = text.split(['\n', '\r']).map(trim).filter(|line| !line.is_empty());
    let lines: Vec<&str> = lines.take(MAX_ITEMS + 1).collect();
    if lines.len() > MAX_ITEMS {
        return Err(too_many_items("lines"));
    }
    if lines.iter().any(|line| line.starts_with(is_check_mark)) {
        let message = "lines of the reply begin with check marks, whose meaning would be lost; \
                       expected list markers such as a dash";
        return Err(OutputError::new(message));
    }
    let marked: Vec<&str> = lines.iter().filter_map(|line| strip_marker(line)).collect();
    match marked.len() {
        0 => Ok(List { items: lines, has_markers: false }),
        count if count == lines.len() => Ok(List { items: marked, has_markers: true }),
        _ => {
            let message = "only some lines of the reply have a list marker; expected a marker on \
                           all lines or on none";
            Err(OutputError::new(message))
        }
    }
}

/// Returns the line without its list marker, or `None` if the line has no marker.
fn strip_marker(line: &str) -> Option<&str> {
    let first = line.chars().next()?;
    let rest = line.get(first.len_utf8()..).unwrap_or_default();
    if is_bullet(first) {
        return Some(trim(rest.trim_start_matches('\u{fe0f}')));
    }
    let rest = if is_dash(first) || matches!(first, '*' | '+') {
        rest
    } else {
        let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
        match digits.strip_prefix('.').filter(|_| digits.len() < line.len()) {
            Some(rest) => rest,
            None => strip_parenthesis(line).or_else(|| strip_keycap(line))?,
        }
    };
    rest.starts_with(is_space).then(|| trim(rest))
}

/// Returns the text after `1)`, `(1)`, `a)` or `(a)`.
fn strip_parenthesis(line: &str) -> Option<&str> {
    let inside = line.strip_prefix(['(', '（']).unwrap_or(line);
    let (number, rest) = inside.split_once([')', '）'])?;
    let is_number = (1..=3).contains(&number.len()) && number.bytes().all(|c| c.is_ascii_digit());
    let mut letters = number.chars();
    let is_letter = letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none();
    (is_number || is_letter).then_some(rest)
}

/// Returns the text after the emoji of a digit, such as 1️⃣.
fn strip_keycap(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(|c: char| c.is_ascii_digit())?;
    rest.trim_start_matches('\u{fe0f}').strip_prefix('\u{20e3}')
}

/// Returns whether a character at the start of a line followed by white space is a list marker. It
/// is not one without white space, as in "-5".
fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '−' | '﹘' | '﹣' | '－')
}

/// Returns whether a character at the start of a line is a bullet, with or without white space.
fn is_bullet(c: char) -> bool {
    matches!(c,
        '•' | '‣' | '⁃' | '⁌' | '⁍' | '·' | '∙' | '⋅' | '・' | '･' | '￮' | '※'
        | '\u{2190}'..='\u{21ff}' // arrows
        | '\u{2460}'..='\u{24ff}' | '\u{2776}'..='\u{2793}' // numbers in circles
        | '\u{25a0}'..='\u{25ff}' // squares, circles and triangles
        | '\u{2605}'..='\u{2606}' | '\u{2719}'..='\u{274b}' | '\u{274d}' | '\u{274f}'..='\u{2767}'
        | '\u{2794}'..='\u{27be}' // arrows
        | '⦾' | '⦿' | '⁎' | '∗' | '\u{2b05}'..='\u{2b2f}' | '\u{2b50}'
        | '\u{1f534}'..='\u{1f53b}' | '\u{1f7e0}'..='\u{1f7eb}' // coloured circles and squares
        | '\u{1f449}'
    )
}

/// Returns whether a character is a check mark, which is part of the item's meaning.
fn is_check_mark(c: char) -> bool {
    matches!(c, '☐' | '☑' | '☒' | '✅' | '❌' | '❎' | '✓' | '✔' | '✕' | '✖' | '✗' | '✘')
}
