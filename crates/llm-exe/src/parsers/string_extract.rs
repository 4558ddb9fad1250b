//! `output: "stringExtract"`: the one of `enum` that the reply names.

use std::sync::Arc;

use serde_json::Value;

use super::js_text::{folded, is_negated, stands_alone, trim};
use super::options::GivenOptions;
use super::{Context, OutputError, Reads};
use crate::json;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    Word,
    Exact,
    Substring,
}

struct StringExtract {
    known: Vec<String>,
    ignore_case: bool,
    found: Match,
}

/// The parser with its options.
pub(crate) fn set_up(given: &mut GivenOptions) -> Arc<dyn Reads> {
    let words = [("word", Match::Word), ("exact", Match::Exact), ("substring", Match::Substring)];
    Arc::new(StringExtract {
        known: given.texts("enum"),
        ignore_case: given.flag("ignoreCase", true),
        found: given.choice("match", &words, Match::Word),
    })
}

/// How many of the values the model is told again.
const MOST_TOLD: usize = 50;

impl Reads for StringExtract {
    fn read(&self, text: &str, _: &Context<'_>) -> Result<Value, OutputError> {
        let text = self.plain(text);
        let mut named = None;
        for value in &self.known {
            let places = self.places(&text, &self.plain(value));
            if places.is_empty() {
                continue;
            }
            if named.is_some() {
                return Err(OutputError::new("the reply names several values of enum"));
            }
            named = Some((value, places));
        }
        let Some((value, places)) = named else {
            return Err(OutputError::new(match self.found {
                Match::Exact => "the reply is not exactly one of the values of enum",
                Match::Word | Match::Substring => "the reply names none of the values of enum",
            }));
        };
        if places.iter().any(|at| is_negated(text.get(..*at).unwrap_or_default())) {
            return Err(OutputError::new("the reply negates the value of enum that it names"));
        }
        Ok(Value::String(value.clone()))
    }

    fn wanted(&self) -> Option<String> {
        let told: Vec<String> =
            self.known.iter().take(MOST_TOLD).map(|value| json::quoted(value)).collect();
        let more = if self.known.len() > MOST_TOLD { " and so on" } else { "" };
        Some(format!("exactly one of {}{more}", told.join(", ")))
    }
}

impl StringExtract {
    /// The text in the form that is compared.
    fn plain(&self, text: &str) -> String {
        match (self.ignore_case, self.found) {
            (false, _) => text.to_owned(),
            (true, Match::Word) => folded(text),
            (true, Match::Exact | Match::Substring) => text.to_lowercase(),
        }
    }

    /// Where in the text the value is named.
    fn places(&self, text: &str, value: &str) -> Vec<usize> {
        if self.found == Match::Exact {
            return if trim(text) == value { vec![0] } else { Vec::new() };
        }
        let mut places = Vec::new();
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| rest.find(value)) {
            let start = from + at;
            if self.found == Match::Substring || stands_alone(text, start, start + value.len()) {
                places.push(start);
            }
            from = start + value.chars().next().map_or(1, char::len_utf8);
        }
        places
    }
}
