//! `output: "number"`: the one number within the reply (`extract`) or the whole of it (`exact`).
//!
//! A number is digits, with commas at the thousands if any, a fraction and an exponent; one that
//! runs on into letters, a comma or a second point is none, but counts as one when it comes to
//! whether the reply holds several.

use std::sync::Arc;

use serde_json::{Number, Value};

use super::js_text::trim;
use super::options::GivenOptions;
use super::{Context, OutputError, Reads};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    Extract,
    Exact,
}

struct OneNumber {
    found: Match,
}

/// The parser with its options.
pub(crate) fn set_up(given: &mut GivenOptions) -> Arc<dyn Reads> {
    let known = [("extract", Match::Extract), ("exact", Match::Exact)];
    Arc::new(OneNumber { found: given.choice("match", &known, Match::Extract) })
}

impl Reads for OneNumber {
    fn read(&self, text: &str, _: &Context<'_>) -> Result<Value, OutputError> {
        let text = trim(text);
        let all = candidates(text);
        let sound = match (all.as_slice(), self.found) {
            ([one], Match::Exact) if one.sound && one.text == text && !text.starts_with('−') => {
                one
            }
            (_, Match::Exact) => {
                return Err(OutputError::new("the reply is not exactly a number"));
            }
            ([], _) => return Err(OutputError::new("the reply holds no number in digits")),
            ([one], _) if one.sound => one,
            ([_], _) => {
                let text = "the number in the reply runs on into other characters";
                return Err(OutputError::new(text));
            }
            _ => return Err(OutputError::new("the reply holds several numbers")),
        };
        let value = value(sound.text);
        value.map(Value::Number).ok_or_else(|| OutputError::new("the number is out of range"))
    }
}

/// What looks like a number in a text.
struct Candidate<'a> {
    text: &'a str,
    /// Whether it ends where a number may end.
    sound: bool,
}

fn candidates(text: &str) -> Vec<Candidate<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let before = text.get(..at).unwrap_or_default();
        let begins = !before.ends_with(runs_on);
        let Some(length) = begins.then(|| number_len(rest)).flatten() else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        let (number, after) = rest.split_at(length);
        let run = after.find(|c| !runs_on(c)).unwrap_or(after.len());
        let run = after.get(..run).unwrap_or_default();
        let goes_on = run.starts_with(|c| runs_on(c) && c != '.')
            || run.strip_prefix('.').is_some_and(|rest| rest.starts_with(is_digit));
        let dash = !number.starts_with(['+', '-', '−']) && before.ends_with(is_range_dash);
        let from_zero = before.trim_end_matches(is_range_dash);
        let unclear_sign = dash && !from_zero.ends_with(runs_on);
        if !is_ordinal(run) {
            found.push(Candidate { text: number, sound: !goes_on && !unclear_sign });
        }
        at += length + run.len();
    }
    found
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// Characters that a number can't touch without being a part of something longer.
fn runs_on(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.,".contains(c)
}

/// Dashes that may be a minus or may just be a dash.
fn is_range_dash(c: char) -> bool {
    "–—‒﹣－".contains(c)
}

/// Whether digits followed by this are a rank, as in `3rd`.
fn is_ordinal(run: &str) -> bool {
    matches!(run.trim_end_matches(['.', ',']), "st" | "nd" | "rd" | "th")
}

/// The length of the number at the start of a text, as much of it as there is.
fn number_len(text: &str) -> Option<usize> {
    let unsigned = text.strip_prefix(['+', '-', '−']).unwrap_or(text);
    let sign = text.len() - unsigned.len();
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
    Some(sign + end)
}

/// The number as JSON has it: integers of any length as they came, others as JavaScript prints
/// them; `None` where it is larger than any machine's number.
fn value(text: &str) -> Option<Number> {
    let plain = text.replace(',', "").replace('−', "-");
    let plain = plain.trim_start_matches('+');
    let float: f64 = plain.parse().ok()?;
    if !float.is_finite() {
        return None;
    }
    let (minus, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", plain),
    };
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let digits = digits.trim_start_matches('0');
        return if digits.is_empty() {
            Some(Number::from(0))
        } else {
            format!("{minus}{digits}").parse().ok()
        };
    }
    ryu_js::Buffer::new().format_finite(float).parse().ok()
}
