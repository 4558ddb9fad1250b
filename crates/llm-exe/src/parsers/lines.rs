//! The parser for `output: "listToArray"`, and functions that parse lists and `key: value` pairs
//! for other parsers.
//!
//! As in npm `llm-exe` 3.x, either every line of a list has a marker (`-`, `*`, `•`, `1.`) or none
//! does.

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

/// Parses a list of `key: value` lines. Each line is split at its first colon.
pub(super) fn parse_key_value_pairs(text: &str) -> Result<Vec<(&str, &str)>, OutputError> {
    let mut pairs = Vec::new();
    for (index, item) in parse_list(text)?.items.into_iter().enumerate() {
        match item.split_once(':').map(|(key, value)| (trim(key), trim(value))) {
            None => return Err(item_error(index, "has no colon; expected `key: value`")),
            Some(("", _)) => return Err(item_error(index, "has no key before the colon")),
            Some(pair) => pairs.push(pair),
        }
    }
    Ok(pairs)
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
    if let Some(rest) = line.strip_prefix('•') {
        return Some(trim(rest));
    }
    let rest = match line.strip_prefix(['-', '*']) {
        Some(rest) => rest,
        None => {
            let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
            if rest.len() == line.len() {
                return None;
            }
            rest.strip_prefix('.')?
        }
    };
    rest.starts_with(is_space).then(|| trim(rest))
}
