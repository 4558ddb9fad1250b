//! The parser for `output: "stringExtract"`, which returns the one `enum` value that the reply
//! contains.

use std::sync::Arc;

use serde_json::Value;

use super::js_text::{fold_case, is_negated, is_whole_word, trim};
use super::options::OutputOptions;
use super::parser::{Context, OutputError, ReplyParser};
use crate::json;

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
        let text = self.normalize(text);
        let mut matched = None;
        let mut places_left = MAX_PLACES;
        for value in &self.values {
            let offsets = self.find_offsets(&text, &self.normalize(value), &mut places_left)?;
            if offsets.is_empty() {
                continue;
            }
            if matched.is_some() {
                return Err(OutputError::new(
                    "the reply contains several `enum` values; expected one",
                ));
            }
            matched = Some((value, offsets));
        }
        let Some((value, offsets)) = matched else {
            return Err(OutputError::new(match self.mode {
                MatchMode::Exact => "the reply is not exactly one of the `enum` values",
                MatchMode::Word | MatchMode::Substring => {
                    "the reply contains none of the `enum` values"
                }
            }));
        };
        if offsets.iter().any(|offset| is_negated(text.get(..*offset).unwrap_or_default())) {
            return Err(OutputError::new(
                "the `enum` value in the reply is negated, as in \"not red\"",
            ));
        }
        Ok(Value::String(value.clone()))
    }

    fn expected_form(&self) -> Option<String> {
        let listed: Vec<String> =
            self.values.iter().take(MAX_LISTED_VALUES).map(|value| json::quoted(value)).collect();
        let more = if self.values.len() > MAX_LISTED_VALUES { " and so on" } else { "" };
        Some(format!("exactly one of {}{more}", listed.join(", ")))
    }
}

impl StringExtractParser {
    /// Normalizes the letter case of a string for comparison if `ignoreCase` is set.
    fn normalize(&self, text: &str) -> String {
        match (self.ignore_case, self.mode) {
            (false, _) => text.to_owned(),
            (true, MatchMode::Word) => fold_case(text),
            (true, MatchMode::Exact | MatchMode::Substring) => text.to_lowercase(),
        }
    }

    /// Returns the byte offsets of all occurrences of a value in the text. Subtracts the number of
    /// places that were compared from `places_left`.
    fn find_offsets(
        &self,
        text: &str,
        value: &str,
        places_left: &mut usize,
    ) -> Result<Vec<usize>, OutputError> {
        if self.mode == MatchMode::Exact {
            return Ok(if trim(text) == value { vec![0] } else { Vec::new() });
        }
        let mut offsets = Vec::new();
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| rest.find(value)) {
            let Some(left) = places_left.checked_sub(1) else {
                return Err(OutputError(format!(
                    "the reply contains `enum` values in more than {MAX_PLACES} places"
                )));
            };
            *places_left = left;
            let start = from + at;
            let end = start + value.len();
            if self.mode == MatchMode::Substring || is_whole_word(text, start, end) {
                offsets.push(start);
            }
            from = start + value.chars().next().map_or(1, char::len_utf8);
        }
        Ok(offsets)
    }
}
