//! Lists as npm `llm-exe` 3.x reads them: lines that all have a marker (`-`, `*`, `•`, `1.`) or
//! none of them, and the pairs of `key: value` in them.

use super::OutputError;
use super::js_text::{is_space, trim};

/// The items of a list, without their markers.
pub(crate) struct Items<'a> {
    pub(crate) lines: Vec<&'a str>,
    pub(crate) marked: bool,
}

/// The lines of a list.
pub(crate) fn items(text: &str) -> Result<Items<'_>, OutputError> {
    let lines: Vec<&str> =
        text.split(['\n', '\r']).map(trim).filter(|line| !line.is_empty()).collect();
    let marked: Vec<&str> = lines.iter().filter_map(|line| unmarked(line)).collect();
    match marked.len() {
        0 => Ok(Items { lines, marked: false }),
        all if all == lines.len() => Ok(Items { lines: marked, marked: true }),
        _ => Err(OutputError::new("some lines of the reply have a list marker, some not")),
    }
}

/// The keys and values of a list, split at each line's first colon.
pub(crate) fn pairs(text: &str) -> Result<Vec<(&str, &str)>, OutputError> {
    let mut pairs = Vec::new();
    for (at, line) in items(text)?.lines.into_iter().enumerate() {
        match line.split_once(':').map(|(key, value)| (trim(key), trim(value))) {
            None => return Err(of_item(at, "has no colon; expected `key: value`")),
            Some(("", _)) => return Err(of_item(at, "has no key before its colon")),
            Some(pair) => pairs.push(pair),
        }
    }
    Ok(pairs)
}

/// What is wrong with an item, which is counted from 1.
pub(crate) fn of_item(at: usize, wrong: &str) -> OutputError {
    OutputError::new(format!("item {} of the reply {wrong}", at + 1))
}

/// The line without its marker, or `None` where it has none.
fn unmarked(line: &str) -> Option<&str> {
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
