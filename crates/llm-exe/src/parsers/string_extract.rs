//! The parser for `output: "stringExtract"`, which returns the one `enum` value that the reply
//! contains.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::Arc;

use icu_normalizer::ComposingNormalizerBorrowed;
use serde_json::Value;

use super::js_text::{
    CharTest, after_question, first_chars, fold_case, is_denied, is_negated, is_negation, is_space,
    is_whole_word, is_word_char, last_chars, trim,
};
use super::options::OutputOptions;
use super::parser::{Context, OutputError, ReplyParser};
use crate::json;
use crate::word_list::{contains_phrase, contains_word};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MatchMode {
    Word,
    Exact,
    Substring,
}

struct StringExtractParser {
    values: Vec<String>,
    ignore_case: bool,
    mode: MatchMode,
}

/// Creates the parser and removes its options from `options`.
pub(super) fn with_options(options: &mut OutputOptions) -> Arc<dyn ReplyParser> {
    let modes = [
        ("word", MatchMode::Word),
        ("exact", MatchMode::Exact),
        ("substring", MatchMode::Substring),
    ];
    Arc::new(StringExtractParser {
        values: options.take_strings("enum"),
        ignore_case: options.take_bool("ignoreCase", true),
        mode: options.take_choice("match", &modes, MatchMode::Word),
    })
}

/// Maximum number of `enum` values listed in the description of the expected reply.
const MAX_LISTED_VALUES: usize = 50;

/// Maximum product of the length of a reply in bytes and the number of `enum` values. The reply is
/// searched for each value.
const MAX_SEARCHED_BYTES: usize = 1 << 28;

/// Maximum number of bytes of a reply that is compared with the `enum` values as a whole. A value
/// has at most 4096 bytes, and in another letter case or normalization form at most three times as
/// many.
const MAX_WHOLE_BYTES: usize = 1 << 14;

/// Maximum number of quotes, marks of emphasis and full stops around a value.
const MAX_DECORATIONS: usize = 10;

/// Maximum number of characters before or after a value that are searched for a negation.
const MAX_CLAUSE_CHARS: usize = 60;

/// Maximum number of places in a reply that contain an `enum` value.
const MAX_PLACES: usize = 10_000;

impl ReplyParser for StringExtractParser {
    fn parse(&self, text: &str, _: &Context<'_>) -> Result<Value, OutputError> {
        if text.len().saturating_mul(self.values.len()) > MAX_SEARCHED_BYTES {
            return Err(OutputError(format!(
                "the reply of {} bytes is too long to be searched for {} `enum` values",
                text.len(),
                self.values.len()
            )));
        }
        let values: Vec<String> = self.values.iter().map(|value| self.normalize(value)).collect();
        let index = match self.find_whole(text, &values) {
            Some(index) => index,
            None if self.mode == MatchMode::Exact => {
                return Err(OutputError::new("the reply is not exactly one of the `enum` values"));
            }
            None => self.find_single(&self.normalize(text), &values)?,
        };
        Ok(self.values.get(index).map_or(Value::Null, |value| Value::String(value.clone())))
    }

    fn expected_form(&self) -> Option<String> {
        let listed: Vec<String> =
            self.values.iter().take(MAX_LISTED_VALUES).map(|value| json::quoted(value)).collect();
        let more = if self.values.len() > MAX_LISTED_VALUES { " and so on" } else { "" };
        Some(format!("exactly one of {}{more}", listed.join(", ")))
    }
}

impl StringExtractParser {
    /// Normalizes a string for comparison: to NFC and, if `ignoreCase` is set, to one letter case.
    fn normalize(&self, text: &str) -> String {
        let text = nfc(text);
        match (self.ignore_case, self.mode) {
            (false, _) => text.into_owned(),
            (true, MatchMode::Word) => fold_case(&text),
            (true, MatchMode::Exact | MatchMode::Substring) => text.to_lowercase(),
        }
    }

    /// Returns the index of the value that is the whole reply. Unless the mode is `exact`, quotes,
    /// emphasis and a full stop around the value are ignored.
    fn find_whole(&self, text: &str, values: &[String]) -> Option<usize> {
        let mut text = trim(text);
        for _ in 0..MAX_DECORATIONS {
            if text.len() > MAX_WHOLE_BYTES {
                return None;
            }
            // Of values that differ only in case, the one with the same spelling is meant.
            let spelled = nfc(text);
            let is_spelled = |value: &String| nfc(value) == spelled;
            let normalized = self.normalize(text);
            let mut equal = values.iter().enumerate().filter(|(_, value)| **value == normalized);
            match (equal.next(), equal.next()) {
                (Some((index, _)), None) => return Some(index),
                (Some(_), Some(_)) => return self.values.iter().position(is_spelled),
                (None, _) if self.mode == MatchMode::Exact => return None,
                (None, _) => text = strip_decoration(text)?,
            }
        }
        None
    }

    /// Returns the index of the only value in the text. A value inside a longer one does not count.
    fn find_single(&self, text: &str, values: &[String]) -> Result<usize, OutputError> {
        let mut places = self.find_places(text, values)?;
        places.sort_by_key(|place| (place.start, Reverse(place.end)));
        let mut longest: Option<Place> = None;
        places.retain(|place| {
            let is_inside = longest.is_some_and(|longest| {
                place.end <= longest.end && (place.start, place.end) != (longest.start, longest.end)
            });
            if longest.is_none_or(|longest| place.end > longest.end) {
                longest = Some(*place);
            }
            !is_inside
        });
        let Some(first) = places.first() else {
            return Err(OutputError::new("the reply contains none of the `enum` values"));
        };
        if places.iter().any(|place| place.value != first.value) {
            return Err(OutputError::new("the reply contains several `enum` values; expected one"));
        }
        if places.iter().any(|place| is_negated_at(text, place.start, place.end)) {
            return Err(OutputError::new(
                "the `enum` value in the reply is negated, as in \"not red\" and \"red: no\"",
            ));
        }
        if places.iter().all(|place| is_question_at(text, place.end)) {
            return Err(OutputError::new(
                "the `enum` value in the reply is a part of a question without an answer",
            ));
        }
        if places.iter().any(|place| place.is_part) {
            return Err(OutputError::new(
                "the `enum` value in the reply is a part of a longer name or number, as \"C\" in \
                 \"C++\"",
            ));
        }
        Ok(first.value)
    }

    /// Returns all places of the text that contain a value.
    fn find_places(&self, text: &str, values: &[String]) -> Result<Vec<Place>, OutputError> {
        let mut places = Vec::new();
        let mut places_left = MAX_PLACES;
        for (index, value) in values.iter().enumerate() {
            let mut from = 0;
            while let Some(at) = text.get(from..).and_then(|rest| rest.find(value)) {
                let Some(left) = places_left.checked_sub(1) else {
                    return Err(OutputError(format!(
                        "the reply contains `enum` values in more than {MAX_PLACES} places"
                    )));
                };
                places_left = left;
                let start = from + at;
                let end = start + value.len();
                if self.mode == MatchMode::Substring || is_whole_word(text, start, end) {
                    let is_part = self.mode == MatchMode::Word && is_continued(text, start, end);
                    places.push(Place { value: index, start, end, is_part });
                }
                from = start + value.chars().next().map_or(1, char::len_utf8);
            }
        }
        Ok(places)
    }
}

/// A place of the text that contains a value.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The index of the value.
    value: usize,
    start: usize,
    end: usize,
    /// Whether the value is a part of a longer name or number.
    is_part: bool,
}

/// Converts a string to Unicode's normalization form C, in which `é` is one character.
fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// The quotes and the marks of emphasis that can be around a value.
const PAIRS: &[(&str, &str)] = &[
    ("\"", "\""),
    ("'", "'"),
    ("`", "`"),
    ("*", "*"),
    ("_", "_"),
    ("“", "”"),
    ("‘", "’"),
    ("„", "“"),
    ("«", "»"),
    ("»", "«"),
    ("「", "」"),
    ("『", "』"),
];

/// Removes a pair of quotes or of marks of emphasis, or else a full stop at the end. Returns `None`
/// if the text has neither.
fn strip_decoration(text: &str) -> Option<&str> {
    let inside = PAIRS.iter().find_map(|(open, close)| {
        text.strip_prefix(open).and_then(|text| text.strip_suffix(close))
    });
    let inside = inside.or_else(|| text.strip_suffix(['.', '。', '．']));
    inside.map(trim)
}

/// Returns whether the characters around the value at `text[start..end]` make it a part of another
/// name or number: `C++`, `C#`, `v1.5`, `v1-beta`, `spam_1`, `-5`, `can't`.
fn is_continued(text: &str, start: usize, end: usize) -> bool {
    let value = text.get(start..end).unwrap_or_default();
    let mut next = text.get(end..).unwrap_or_default().chars();
    let mut previous = text.get(..start).unwrap_or_default().chars().rev();
    let is_digit = |c: char| c.is_ascii_digit();
    let continues_after = match (next.next(), next.next()) {
        (Some('+' | '#'), _) => value.ends_with(char::is_alphanumeric),
        (Some('_' | '-'), Some(c)) => c.is_alphanumeric(),
        (Some('.'), Some(c)) => value.ends_with(is_digit) && c.is_alphanumeric(),
        (Some(','), Some(c)) => value.ends_with(is_digit) && is_digit(c),
        (Some('\'' | '’'), Some('t' | 'T')) => true,
        _ => false,
    };
    let continues_before = match (previous.next(), previous.next()) {
        (Some('-' | '−'), _) if value.starts_with(is_digit) => true,
        (Some('_' | '-'), Some(c)) => c.is_alphanumeric(),
        (Some('.' | ','), Some(c)) => value.starts_with(is_digit) && is_digit(c),
        _ => false,
    };
    continues_after || continues_before
}

/// Returns whether the value at `text[start..end]` is negated in its clause. In scripts without
/// spaces between words, the search is for characters that negate.
fn is_negated_at(text: &str, start: usize, end: usize) -> bool {
    let before = text.get(..start).unwrap_or_default();
    let after = text.get(end..).unwrap_or_default();
    let value = text.get(start..end).unwrap_or_default();
    if is_negated(before) || after.starts_with("-free") || after.starts_with("-less") {
        return true;
    }
    // After "no" or "not spam", another negation gives the reason.
    let is_separator: CharTest = |c| !is_word_char(c);
    let is_negative = value.split(is_separator).any(|word| {
        let word = word.to_lowercase();
        is_negation(&word) || contains_word(VERDICTS, &word)
    });
    if !is_negative && (is_crossed_out(before, after) || has_verdict(after) || is_denied(after)) {
        return true;
    }
    let is_end = |c| "。、，；：！？.,;:!?\n\r".contains(c);
    let before = last_chars(before, MAX_CLAUSE_CHARS).rsplit(is_end).next().unwrap_or_default();
    let after = first_chars(after, MAX_CLAUSE_CHARS).split(is_end).next().unwrap_or_default();
    contains_phrase(before, UNSPACED_NEGATIONS_BEFORE)
        || contains_phrase(after, UNSPACED_NEGATIONS_AFTER)
}

/// Words that deny the value before them if nothing else follows, as in "spam: no".
const VERDICTS: &str = "no not false n 0 none never nope negative incorrect wrong excluded absent \
                        denied rejected unlikely nein non";

/// Words that affirm the value in the question before them.
const AFFIRMATIONS: &str = "yes yep yeah true correct indeed";

/// Returns whether a verdict on the value follows it, such as `: no`, `= false`, `(not found)`,
/// `? No.` or `→ 0%`.
fn has_verdict(after: &str) -> bool {
    let is_separator: CharTest = |c| is_space(c) || "*_`\"'”’»:=-–—→?(,.;|".contains(c);
    let near = first_chars(after, MAX_CLAUSE_CHARS);
    let verdict = near.trim_start_matches(is_separator);
    let separator = near.get(..near.len() - verdict.len()).unwrap_or_default();
    let (word, rest) = split_word(verdict);
    if separator.is_empty() || !contains_word(VERDICTS, &word.to_lowercase()) {
        return false;
    }
    if rest.starts_with("/a") || rest.starts_with('%') {
        return true;
    }
    if ends_sentence(rest) {
        // "low (0)" contains a code of the value.
        return word != "0" || separator.contains([':', '=']);
    }
    // "spam: not found", but "spam, not sure"
    let (_, rest) = split_word(rest.trim_start());
    let is_loose = separator.contains([',', '.', ';', '\n', '\r']);
    !is_loose && word.eq_ignore_ascii_case("not") && ends_sentence(rest)
}

/// Splits a text after the word at its start.
fn split_word(text: &str) -> (&str, &str) {
    let is_end: CharTest = |c| !is_word_char(c);
    let length = text.find(is_end).unwrap_or(text.len());
    text.split_at_checked(length).unwrap_or_default()
}

/// Returns whether nothing else follows in the clause.
fn ends_sentence(rest: &str) -> bool {
    let is_mark: CharTest = |c| "*_`\"'”’»".contains(c);
    let rest = rest.trim_start_matches(is_mark);
    let mut rest = rest.chars();
    let (first, second) = (rest.next(), rest.next());
    first.is_none_or(|c| "),;:!?]}。\n\r".contains(c))
        // Not the decimal point of "0.9".
        || (first == Some('.') && second.is_none_or(is_space))
}

/// Returns whether a sign next to the value denies it: `!spam`, `≠ spam`, `~~spam~~`, `❌ spam`,
/// `[ ] spam`, `spam: ❌`.
fn is_crossed_out(before: &str, after: &str) -> bool {
    let trimmed = before.trim_end();
    let is_operator = trimmed.strip_suffix('!').is_some_and(|rest| {
        // "Hello! Spam" and "So: spam!! Spam"
        !rest.ends_with(|c: char| is_word_char(c) || "!?.)\"'”’".contains(c))
    });
    let signs = "≠ ¬ ~ != <> ❌ ✗ ✘ ✖ ☐ ☒ 🚫";
    let is_marked = trimmed.ends_with("[ ]")
        || signs.split(' ').any(|sign| trimmed.ends_with(sign))
            && !(trimmed.ends_with('~') && trimmed.len() < before.len());
    let is_separator: CharTest = |c| is_space(c) || "*_`\"':=-–—→?(".contains(c);
    let verdict = after.trim_start_matches(is_separator);
    is_operator || is_marked || verdict.starts_with(['❌', '✗', '✘', '✖', '🚫'])
}

/// Returns whether the value that ends at a place is a part of a question, unless the text after
/// the question affirms it, as in "Is it spam? Yes."
fn is_question_at(text: &str, end: usize) -> bool {
    let Some(answer) = after_question(text.get(end..).unwrap_or_default()) else { return false };
    let is_mark: CharTest = |c| is_space(c) || "*_`\"'”’)".contains(c);
    let answer = answer.trim_start_matches(is_mark);
    !contains_word(AFFIRMATIONS, &split_word(answer).0.to_lowercase())
}

/// Texts that negate a later word of the clause in Chinese, Thai, Lao and Khmer.
const UNSPACED_NEGATIONS_BEFORE: &str = "不|非|没|沒|無|无|未|否|ไม่|มิใช่|ບໍ່|មិន";

/// Texts that negate an earlier word of the clause in Japanese and Burmese.
const UNSPACED_NEGATIONS_AFTER: &str = "ない|なく|ません|無し|なし|以外|不是|之外|ไม่|မဟုတ်|ဘူး";
