//! The parser for `output: "listToArray"`, and functions that parse lists and `key: value` pairs
//! for other parsers.
//!
//! As in npm `llm-exe` 3.x, either every line of a list has a marker or none does. `list_markers`
//! knows more markers than npm does. The list can be in a code block, and it can be JSON: an array
//! of its items, or an object of its pairs.

use serde_json::Value;

use super::find_json::{describe, strip_fence};
use super::js_text::{is_space, trim};
use super::json::describe_deviations;
use super::list_markers::{is_check_mark, strip_marker, strip_numbering};
use super::parser::{Context, MAX_ITEMS, OutputError, too_many_items};
use crate::json::{WrittenNumbers, parse_near, parse_unique};

/// Parses a list into an array of strings. A single line without a marker is not a list.
pub(super) fn list_to_array(text: &str, context: &Context<'_>) -> Result<Value, OutputError> {
    match parse_list(text, context)? {
        List::Object(_) => Err(OutputError::new("the reply is a JSON object; expected a list")),
        List::Items { items, has_markers: false } if items.len() == 1 => Err(OutputError::new(
            "the reply is a single line without a list marker; expected a list",
        )),
        List::Items { items, .. } => Ok(items.into_iter().map(Value::String).collect()),
    }
}

/// Parses a list of `key: value` lines. Each line is split at its first colon. Emphasis around a
/// key, around a key and its colon, around a value and around a whole line is removed.
pub(super) fn parse_key_value_pairs(
    text: &str,
    context: &Context<'_>,
) -> Result<Vec<(String, String)>, OutputError> {
    let items = match parse_list(text, context)? {
        List::Object(pairs) => return Ok(pairs),
        List::Items { items, .. } => items,
    };
    let mut pairs = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        match split_pair(strip_emphasis(&item)) {
            None => return Err(item_error(index, "has no colon; expected `key: value`")),
            Some(("", _)) => return Err(item_error(index, "has no key before the colon")),
            Some((key, value)) => pairs.push((key.to_owned(), value.to_owned())),
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

/// A list in a reply.
enum List {
    /// The items without their markers.
    Items { items: Vec<String>, has_markers: bool },
    /// The members of a JSON object.
    Object(Vec<(String, String)>),
}

fn parse_list(text: &str, context: &Context<'_>) -> Result<List, OutputError> {
    let text = trim(text);
    let text = strip_fence(text).map_or(text, |(_, content)| content);
    if text.starts_with(['[', '{'])
        && let Some(list) = parse_json_list(text, context)?
    {
        return Ok(list);
    }
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
    if lines.iter().any(|line| is_fence(line)) {
        let message = "the reply contains a code block and other text; expected only a list";
        return Err(OutputError::new(message));
    }
    let marked: Vec<&str> = lines.iter().filter_map(|line| strip_marker(line)).collect();
    let (items, has_markers) = match marked.len() {
        count if count == lines.len() => (marked, true),
        count => match strip_numbering(&lines) {
            Some(items) => (items, true),
            None if count == 0 => (lines, false),
            None => {
                let message = "only some lines of the reply have a list marker; expected a marker \
                               on all lines or on none";
                return Err(OutputError::new(message));
            }
        },
    };
    Ok(List::Items { items: items.into_iter().map(str::to_owned).collect(), has_markers })
}

/// Returns whether a line is a fence of a code block.
fn is_fence(line: &str) -> bool {
    let info = line.strip_prefix("```").map(|rest| rest.trim_start_matches('`'));
    info.is_some_and(|info| !info.contains('`')) || line.starts_with("~~~")
}

/// Reads a list that is JSON or near-JSON. Returns `None` if the text is not meant as JSON.
fn parse_json_list(text: &str, context: &Context<'_>) -> Result<Option<List>, OutputError> {
    let mut is_strict = true;
    let value = match parse_unique(text) {
        Ok(value) => value,
        Err(error) if !error.is_syntax() => return Err(describe(&error)),
        Err(error) => match parse_near(text).map_err(|error| describe(&error))? {
            Some(near) => {
                context.warn([describe_deviations(&near.deviations, text)]);
                is_strict = false;
                near.value
            }
            // A line that consists of a bracket is not an item.
            None if text
                .get(1..)
                .is_some_and(|rest| rest.trim_start_matches(' ').starts_with(['\n', '\r'])) =>
            {
                return Err(describe(&error));
            }
            None => return Ok(None),
        },
    };
    // The text of near-JSON can't be searched for numbers.
    let written = WrittenNumbers::new(if is_strict { text } else { "" });
    match value {
        Value::Array(values) if values.len() > MAX_ITEMS => Err(too_many_items("items")),
        Value::Array(values) => {
            let mut items = Vec::with_capacity(values.len());
            for value in values {
                items.push(scalar_text(value, items.len(), &written)?);
            }
            Ok(Some(List::Items { items, has_markers: true }))
        }
        Value::Object(members) => {
            let mut pairs = Vec::with_capacity(members.len());
            for (key, value) in members {
                let value = scalar_text(value, pairs.len(), &written)?;
                pairs.push((key, value));
            }
            Ok(Some(List::Object(pairs)))
        }
        _ => Ok(None),
    }
}

/// Returns the text of a string, a number or a boolean.
fn scalar_text(
    value: Value,
    index: usize,
    written: &WrittenNumbers,
) -> Result<String, OutputError> {
    match value {
        Value::String(text) => Ok(text),
        Value::Bool(_) => Ok(value.to_string()),
        Value::Number(number) => {
            let stored = number.to_string();
            Ok(written.find(&stored).map_or(stored, str::to_owned))
        }
        _ => Err(item_error(index, "is null, a list or an object; expected text")),
    }
}
