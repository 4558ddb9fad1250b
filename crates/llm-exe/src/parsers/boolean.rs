//! The parser for `output: "boolean"`. It reads true, yes, y and 1 as true, and false, no, n and 0
//! as false. The word must be the whole reply (`exact`) or occur within other text (`extract`).

use std::sync::Arc;

use serde_json::Value;

use super::js_text::{after_question, is_denied, is_negated, is_space, is_word_char, trim};
use super::options::OutputOptions;
use super::parser::{Context, OutputError, ReplyParser};
use crate::word_list::{contains_phrase, contains_word};

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
const NO_ANSWER_PHRASES: &str =
    "n/a|n / a|n. a.|no answer|no clue|no data|no idea|no information|no opinion";

/// Words that can follow an answer without punctuation, as in "no it is not". Any other word after
/// `no` makes it a determiner, as in "no one knows", and after a digit a count, as in "1 cat".
const WORDS_AFTER_ANSWER: &str = "\
    i it its it's he she they we you this that these those there the a an and but so or as if \
    because since sorry thanks thank not";

/// Words that can follow `no` in addition, as in "no to that".
const WORDS_AFTER_NO: &str = "to for in at on with from";

/// Maximum number of words for true or false in a reply. The text around each of them is searched.
const MAX_PLACES: usize = 10_000;

const TOO_MANY_PLACES: &str = "the reply contains more than 10000 words for true or false";

/// Returns the value that all words for true and false in the text agree on. The text must be
/// lowercase.
fn extract(text: &str) -> Result<bool, &'static str> {
    let mut value: Option<bool> = None;
    let mut places_left = MAX_PLACES;
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
        places_left = places_left.checked_sub(1).ok_or(TOO_MANY_PLACES)?;
        let before = text.get(..start).unwrap_or_default();
        let after = text.get(start + word.len()..).unwrap_or_default();
        has_answer = has_answer || is_answer(word, before, after);
        has_negation = has_negation || is_negated(before) || is_denied_subject(after);
    }
    match value {
        Some(_) if has_negation => Err("the answer in the reply is negated, as in \"not true\""),
        Some(_) if contains_phrase(text, NO_ANSWER_PHRASES) => {
            Err("the reply states that it has no answer")
        }
        Some(value) if has_answer => Ok(value),
        Some(_) => Err("the reply contains no word for true or false that answers the question; \
                        \"no\" in \"no one knows\" does not"),
        None => Err("the reply contains no word for true or false"),
    }
}

/// Returns whether a word for true or false is an answer. It is not one as a part of a number, of
/// another word or of a question, or if it describes the next word.
fn is_answer(word: &str, before: &str, after: &str) -> bool {
    if is_part_of_number(word, before, after)
        || is_joined(word, before, after)
        || after_question(after).is_some()
    {
        return false;
    }
    if !matches!(word, "no" | "y" | "n" | "1" | "0") {
        return true;
    }
    // "No. 5"
    let rest = after.strip_prefix('.').unwrap_or_default().trim_start();
    if word == "no" && rest.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let next = after.trim_start_matches(|c| is_space(c) && !matches!(c, '\n' | '\r'));
    if next.len() == after.len() || !next.starts_with(is_word_char) {
        return true;
    }
    let end = next.find(|c| !is_word_char(c) && c != '\'').unwrap_or(next.len());
    let next = next.get(..end).unwrap_or_default();
    contains_word(WORDS_AFTER_ANSWER, next) || word == "no" && contains_word(WORDS_AFTER_NO, next)
}

/// Returns whether the word before a text is the subject of a sentence that denies it, as in "true
/// is wrong".
fn is_denied_subject(after: &str) -> bool {
    let verbs = "is isn was wasn would cannot can";
    let next = split_words(after).next();
    next.is_some_and(|(start, word)| start == 1 && contains_word(verbs, word)) && is_denied(after)
}

/// Returns whether the word is a part of a longer one: `no-go`, `yes/no`, `true_value`, `n.a.`.
fn is_joined(word: &str, before: &str, after: &str) -> bool {
    let is_joint = |c: char| "/'’".contains(c) || (c == '.' && word.len() == 1);
    let is_letter = |c: char| is_word_char(c) && !c.is_numeric();
    let mut left = before.chars().rev();
    let mut right = after.chars();
    (left.next().is_some_and(is_joint) && left.next().is_some_and(is_letter))
        || (right.next().is_some_and(|c| is_joint(c) || "-‐_".contains(c))
            && right.next().is_some_and(is_letter))
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
