//! `output: "boolean"`: true, yes, y and 1, or false, no, n and 0; as the whole reply (`exact`)
//! or as the one answer within it (`extract`).

use std::sync::Arc;

use serde_json::Value;

use super::js_text::{is_negated, is_word, trim};
use super::options::GivenOptions;
use super::{Context, OutputError, Reads};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    Exact,
    Extract,
}

struct Boolean {
    found: Match,
}

/// The parser with its options.
pub(crate) fn set_up(given: &mut GivenOptions) -> Arc<dyn Reads> {
    let known = [("exact", Match::Exact), ("extract", Match::Extract)];
    Arc::new(Boolean { found: given.choice("match", &known, Match::Exact) })
}

impl Reads for Boolean {
    fn read(&self, text: &str, _: &Context<'_>) -> Result<Value, OutputError> {
        let text = text.to_lowercase();
        let found = match (meaning(trim(&text)), self.found) {
            (Some(value), _) => Ok(value),
            (None, Match::Extract) => extract(&text),
            (None, Match::Exact) => Err("the reply is not exactly true or false, yes or no"),
        };
        found.map(Value::Bool).map_err(OutputError::new)
    }
}

fn meaning(word: &str) -> Option<bool> {
    match word {
        "true" | "yes" | "y" | "1" => Some(true),
        "false" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// What says that there is no answer, though one of its words could be one.
const NO_ANSWERS: &[&str] =
    &["n/a", "no answer", "no clue", "no data", "no idea", "no information", "no opinion"];

/// The one meaning of the words of a text, in lower case.
fn extract(text: &str) -> Result<bool, &'static str> {
    let mut found: Option<bool> = None;
    let mut answered = false;
    let mut negated = false;
    for (start, word) in words(text) {
        let Some(value) = meaning(word) else {
            continue;
        };
        if found.is_some_and(|first| first != value) {
            return Err("the reply says both true and false");
        }
        found = Some(value);
        let before = text.get(..start).unwrap_or_default();
        let after = text.get(start + word.len()..).unwrap_or_default();
        answered = answered || !is_part_of_number(word, before, after);
        negated = negated || is_negated(before);
    }
    match found {
        Some(_) if negated => Err("the reply negates the answer that it names"),
        Some(_) if NO_ANSWERS.iter().any(|none| text.contains(none)) => {
            Err("the reply says that there is no answer")
        }
        Some(value) if answered => Ok(value),
        _ => Err("the reply says neither true nor false"),
    }
}

/// The words of a text, each with where it starts.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split(|c| !is_word(c)).filter_map(move |word| {
        // What is between two words is one character, of any length.
        let at = start;
        let end = at + word.len();
        start = end + text.get(end..)?.chars().next().map_or(0, char::len_utf8);
        (!word.is_empty()).then_some((at, word))
    })
}

/// Whether a digit is a piece of a number such as 0.5, 1,000, -1 or 1%.
fn is_part_of_number(word: &str, before: &str, after: &str) -> bool {
    let joins = |c: char| ".,/:".contains(c);
    let mut left = before.chars().rev();
    let mut right = after.chars();
    let (near_left, far_left) = (left.next(), left.next());
    let (near_right, far_right) = (right.next(), right.next());
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    word.starts_with(|c: char| c.is_ascii_digit())
        && (near_left.is_some_and(|c| ".-−+$€£¥#".contains(c))
            || (near_left.is_some_and(joins) && is_digit(far_left))
            || (near_right.is_some_and(joins) && is_digit(far_right))
            || near_right == Some('%'))
}
