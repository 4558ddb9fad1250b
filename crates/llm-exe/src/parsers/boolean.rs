//! The parser for `output: "boolean"`. It reads true, yes, y and 1 as true, and false, no, n and 0
//! as false. The word must be the whole reply (`exact`) or occur within other text (`extract`).

use std::sync::Arc;

use serde_json::Value;

use super::js_text::{is_negated, is_word_char, trim};
use super::options::OutputOptions;
use super::parser::{Context, OutputError, ReplyParser};
use crate::word_list::contains_phrase;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MatchMode {
    Exact,
    Extract,
}

struct BooleanParser {
    mode: MatchMode,
}

/// Creates the parser and removes its options from `options`.
pub(super) fn with_options(options: &mut OutputOptions) -> Arc<dyn ReplyParser> {
    let modes = [("exact", MatchMode::Exact), ("extract", MatchMode::Extract)];
    Arc::new(BooleanParser { mode: options.take_choice("match", &modes, MatchMode::Exact) })
}

impl ReplyParser for BooleanParser {
    fn parse(&self, text: &str, _: &Context<'_>) -> Result<Value, OutputError> {
        let text = text.to_lowercase();
        let value = match (parse_word(trim(&text)), self.mode) {
            (Some(value), _) => Ok(value),
            (None, MatchMode::Extract) => extract(&text),
            (None, MatchMode::Exact) => Err("the reply is not exactly true, false, yes or no"),
        };
        value.map(Value::Bool).map_err(OutputError::new)
    }
}

fn parse_word(word: &str) -> Option<bool> {
    match word {
        "true" | "yes" | "y" | "1" => Some(true),
        "false" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// Phrases that contain a word for false but do not answer the question.
const NO_ANSWER_PHRASES: &str = "n/a|no answer|no clue|no data|no idea|no information|no opinion";

/// Returns the value that all words for true and false in the text agree on. The text must be
/// lowercase.
fn extract(text: &str) -> Result<bool, &'static str> {
    let mut value: Option<bool> = None;
    let mut has_answer = false;
    let mut has_negation = false;
    for (start, word) in split_words(text) {
        let Some(word_value) = parse_word(word) else {
            continue;
        };
        if value.is_some_and(|earlier| earlier != word_value) {
            return Err("the reply contains words for both true and false");
        }
        value = Some(word_value);
        let before = text.get(..start).unwrap_or_default();
        let after = text.get(start + word.len()..).unwrap_or_default();
        has_answer = has_answer || !is_part_of_number(word, before, after);
        has_negation = has_negation || is_negated(before);
    }
    match value {
        Some(_) if has_negation => Err("the answer in the reply is negated, as in \"not true\""),
        Some(_) if contains_phrase(text, NO_ANSWER_PHRASES) => {
            Err("the reply states that it has no answer")
        }
        Some(value) if has_answer => Ok(value),
        _ => Err("the reply contains no word for true or false"),
    }
}

/// Returns the words of a text with their byte offsets.
fn split_words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split(|c| !is_word_char(c)).filter_map(move |word| {
        let word_start = start;
        let end = word_start + word.len();
        // Each word is followed by one separator character, which may have several bytes.
        start = end + text.get(end..)?.chars().next().map_or(0, char::len_utf8);
        (!word.is_empty()).then_some((word_start, word))
    })
}

/// Returns whether the word is only part of a number, such as 0.5, 1,000, -1 or 1%.
fn is_part_of_number(word: &str, before: &str, after: &str) -> bool {
    let is_separator = |c: char| ".,/:".contains(c);
    let mut left = before.chars().rev();
    let mut right = after.chars();
    let (near_left, far_left) = (left.next(), left.next());
    let (near_right, far_right) = (right.next(), right.next());
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    word.starts_with(|c: char| c.is_ascii_digit())
        && (near_left.is_some_and(|c| ".-−+$€£¥#".contains(c))
            || (near_left.is_some_and(is_separator) && is_digit(far_left))
            || (near_right.is_some_and(is_separator) && is_digit(far_right))
            || near_right == Some('%'))
}
