//! The parser for `output: "number"`. The reply must contain exactly one number (`extract`) or
//! consist of one (`exact`).
//!
//! A number consists of digits with optional thousands separators, fraction and exponent. A number
//! directly next to a letter, a comma or a second decimal point is invalid. Invalid numbers are
//! still counted, so "5kg or 6" contains several numbers.

use std::sync::Arc;

use serde_json::{Number, Value};

use super::js_text::trim;
use super::options::OutputOptions;
use super::parser::{Context, OutputError, ReplyParser};
use crate::json::{NumberError, parse_number};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MatchMode {
    Extract,
    Exact,
}

struct NumberParser {
    mode: MatchMode,
}

/// Creates the parser and removes its options from `options`.
pub(super) fn with_options(options: &mut OutputOptions) -> Arc<dyn ReplyParser> {
    let modes = [("extract", MatchMode::Extract), ("exact", MatchMode::Exact)];
    Arc::new(NumberParser { mode: options.take_choice("match", &modes, MatchMode::Extract) })
}

impl ReplyParser for NumberParser {
    fn parse(&self, text: &str, _: &Context<'_>) -> Result<Value, OutputError> {
        let text = trim(text);
        let candidates = find_candidates(text);
        let number = match (candidates.as_slice(), self.mode) {
            ([number], MatchMode::Exact)
                if number.valid && number.text == text && !text.starts_with('−') =>
            {
                number
            }
            (_, MatchMode::Exact) => {
                return Err(OutputError::new("the reply is not exactly one number"));
            }
            ([], _) => {
                return Err(OutputError::new("the reply contains no number written in digits"));
            }
            ([number], _) if number.valid => number,
            ([_], _) => {
                let message = "the number in the reply is directly next to other characters, as in \
                               \"5kg\"; expected a separate number";
                return Err(OutputError::new(message));
            }
            _ => return Err(OutputError::new("the reply contains several numbers; expected one")),
        };
        json_number(number.text).map(Value::Number)
    }
}

/// A part of the reply that looks like a number.
struct Candidate<'a> {
    text: &'a str,
    /// Whether the number is separate from other words and numbers and has an unambiguous sign.
    valid: bool,
}

fn find_candidates(text: &str) -> Vec<Candidate<'_>> {
    let mut candidates = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let before = text.get(..at).unwrap_or_default();
        let may_start = !before.ends_with(is_number_like);
        let Some(length) = may_start.then(|| number_len(rest)).flatten() else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        let (number, after) = rest.split_at(length);
        let suffix_len = after.find(|c| !is_number_like(c)).unwrap_or(after.len());
        let suffix = after.get(..suffix_len).unwrap_or_default();
        let continues = suffix.starts_with(|c| is_number_like(c) && c != '.')
            || suffix.strip_prefix('.').is_some_and(|rest| rest.starts_with(is_digit));
        let follows_dash =
            !number.starts_with(['+', '-', '−']) && before.ends_with(is_ambiguous_dash);
        let before_dash = before.trim_end_matches(is_ambiguous_dash);
        // In "1–5", the dash means a range. In "–5", it may be a minus sign.
        let unclear_sign = follows_dash && !before_dash.ends_with(is_number_like);
        if !is_ordinal_suffix(suffix) {
            candidates.push(Candidate { text: number, valid: !continues && !unclear_sign });
        }
        at += length + suffix.len();
    }
    candidates
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// Returns whether a character directly before or after a number belongs to the same word or
/// number.
fn is_number_like(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.,".contains(c)
}

/// Returns whether the character is a dash that could also be intended as a minus sign.
fn is_ambiguous_dash(c: char) -> bool {
    "–—‒﹣－".contains(c)
}

/// Returns whether the suffix makes the number an ordinal such as `3rd`.
fn is_ordinal_suffix(suffix: &str) -> bool {
    matches!(suffix.trim_end_matches(['.', ',']), "st" | "nd" | "rd" | "th")
}

/// Returns the length in bytes of the longest number at the start of the text, or `None` if the
/// text does not start with a number.
fn number_len(text: &str) -> Option<usize> {
    let unsigned = text.strip_prefix(['+', '-', '−']).unwrap_or(text);
    let sign_len = text.len() - unsigned.len();
    let digits = |from: usize| unsigned.bytes().skip(from).take_while(u8::is_ascii_digit).count();
    let mut end = digits(0);
    if (1..=3).contains(&end) {
        while unsigned.as_bytes().get(end) == Some(&b',') && digits(end + 1) == 3 {
            end += 4;
        }
    }
    if unsigned.as_bytes().get(end) == Some(&b'.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    }
    if end == 0 {
        return None;
    }
    if matches!(unsigned.as_bytes().get(end), Some(b'e' | b'E')) {
        let signed = matches!(unsigned.as_bytes().get(end + 1), Some(b'+' | b'-'));
        let from = end + 1 + usize::from(signed);
        if digits(from) > 0 {
            end = from + digits(from);
        }
    }
    Some(sign_len + end)
}

/// Converts the text of a number to a JSON number. Integers keep all digits, and other numbers are
/// formatted as in JavaScript.
///
/// # Errors
/// Returns an error if the number is too large for an `f64`, or if an integer would lose digits.
fn json_number(text: &str) -> Result<Number, OutputError> {
    let plain = text.replace(',', "").replace('−', "-");
    let plain = plain.trim_start_matches('+');
    let too_large = || OutputError::new("the number in the reply is too large for a 64-bit float");
    let float: f64 = plain.parse().map_err(|_| too_large())?;
    if !float.is_finite() {
        return Err(too_large());
    }
    let to_json = |text: &str| {
        parse_number(text).map_err(|error| match error {
            NumberError::Lossy(error) => OutputError::new(error.to_string()),
            NumberError::Invalid => too_large(),
        })
    };
    let (minus, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", plain),
    };
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let digits = digits.trim_start_matches('0');
        return if digits.is_empty() {
            Ok(Number::from(0))
        } else {
            to_json(&format!("{minus}{digits}"))
        };
    }
    to_json(ryu_js::Buffer::new().format_finite(float))
}
