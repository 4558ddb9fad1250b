//! The parser for `output: "number"`. The reply must contain exactly one number (`extract`) or
//! consist of one (`exact`).
//!
//! A number consists of digits with optional thousands separators, fraction and exponent. A number
//! directly next to a letter or a second decimal point is invalid. Invalid numbers are
//! still counted, so "5kg or 6" contains several numbers. `number_words` reads the words around the
//! number that change its value.

use std::sync::Arc;

use serde_json::{Number, Value};

use super::js_text::{is_unspaced, is_word_char, trim};
use super::number_words;
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
        let mut candidates = Candidates { text, at: 0 };
        let first = candidates.next();
        if self.mode == MatchMode::Exact {
            return match first {
                Some(number) if number.valid && number.text == text && !text.starts_with('−') => {
                    json_number(text).map(Value::Number)
                }
                _ => Err(OutputError::new("the reply is not exactly one number")),
            };
        }
        let no_number = || OutputError::new("the reply contains no number written in digits");
        let number = first.ok_or_else(no_number)?;
        if candidates.next().is_some() {
            return Err(OutputError::new("the reply contains several numbers; expected one"));
        }
        if !number.text.contains(is_digit) {
            return Err(no_number());
        }
        if !number.valid {
            let message = "the number in the reply is directly next to other characters, as in \
                           \"5kg\"; expected a separate number";
            return Err(OutputError::new(message));
        }
        let end = number.start + number.text.len() + number.fraction.map_or(0, char::len_utf8);
        let Some(context) = number_words::read_context(text, number.start, end) else {
            let message = "a word or sign next to the number in the reply changes its value, as \
                           in \"5 dozen\"; expected the value in digits";
            return Err(OutputError::new(message));
        };
        json_number(&number.value(context)).map(Value::Number)
    }
}

/// A part of the reply that looks like a number.
struct Candidate<'a> {
    text: &'a str,
    /// The byte offset of the text in the reply.
    start: usize,
    /// The fraction character after the digits, as in `1½`.
    fraction: Option<char>,
    /// Whether the number is separate from other words and numbers and has an unambiguous sign.
    valid: bool,
}

impl Candidate<'_> {
    /// Returns the number with its fraction, and with the sign and the scale from the words around
    /// it. The decimal point is moved in the text, so that no digit is lost.
    fn value(&self, context: number_words::Context) -> String {
        let number_words::Context { negative, exponent } = context;
        let mut number = self.text.replace(',', "").replace('−', "-");
        if let Some((_, decimals)) = self.fraction.and_then(finite_fraction) {
            number.push_str(decimals);
        }
        if negative {
            number.insert(0, '-');
        }
        if exponent == 0 {
            return number;
        }
        if let Some(at) = number.find(['e', 'E']) {
            let written: i64 = number.get(at + 1..).and_then(|e| e.parse().ok()).unwrap_or(0);
            number.truncate(at);
            return format!("{number}e{}", written.saturating_add(exponent as i64));
        }
        let (whole, decimals) = number.split_once('.').unwrap_or((&number, ""));
        let moved = decimals.len().min(exponent);
        let (front, back) = decimals.split_at(moved);
        let zeros = "0".repeat(exponent - moved);
        let point = if back.is_empty() { "" } else { "." };
        format!("{whole}{front}{zeros}{point}{back}")
    }
}

/// The fraction characters whose value has finitely many decimals.
const FINITE_FRACTIONS: &[(char, &str)] = &[
    ('½', ".5"),
    ('¼', ".25"),
    ('¾', ".75"),
    ('⅕', ".2"),
    ('⅖', ".4"),
    ('⅗', ".6"),
    ('⅘', ".8"),
    ('⅛', ".125"),
    ('⅜', ".375"),
    ('⅝', ".625"),
    ('⅞', ".875"),
    ('⅒', ".1"),
];

fn finite_fraction(c: char) -> Option<(char, &'static str)> {
    FINITE_FRACTIONS.iter().find(|(fraction, _)| *fraction == c).copied()
}

/// Finds the candidates in a text.
struct Candidates<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Candidates<'a> {
    type Item = Candidate<'a>;

    fn next(&mut self) -> Option<Candidate<'a>> {
        let text = self.text;
        while let Some(rest) = text.get(self.at..).filter(|rest| !rest.is_empty()) {
            let start = self.at;
            let before = text.get(..start).unwrap_or_default();
            let first = rest.chars().next().unwrap_or_default();
            let may_start = !before.ends_with(is_number_like);
            if let Some(length) = may_start.then(|| number_len(rest)).flatten() {
                let (candidate, length) = read_candidate(before, rest, length);
                self.at += length;
                if candidate.is_some() {
                    return candidate;
                }
                continue;
            }
            // Digits of another script, or a sign such as ½ or ①. In "m²" it belongs to a word.
            if is_other_numeral(first) && !before.ends_with(is_part_of_word) {
                let len = rest.find(|c| !is_other_numeral(c)).unwrap_or(rest.len());
                self.at += len;
                let text = rest.get(..len).unwrap_or_default();
                return Some(Candidate { text, start, fraction: None, valid: false });
            }
            self.at += first.len_utf8();
        }
        None
    }
}

/// Reads the number of `length` bytes at the start of `rest` and the characters that touch it.
/// Returns no candidate for an ordinal, and the length of what was read.
fn read_candidate<'a>(
    before: &'a str,
    rest: &'a str,
    length: usize,
) -> (Option<Candidate<'a>>, usize) {
    let (number, after) = rest.split_at(length);
    let has_whole_digits_only = number
        .trim_start_matches(['+', '-', '−'])
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b',');
    let fraction =
        after.chars().next().filter(|c| has_whole_digits_only && finite_fraction(*c).is_some());
    let after = after.get(fraction.map_or(0, char::len_utf8)..).unwrap_or_default();
    let suffix_len = after.find(|c| !touches(c)).unwrap_or(after.len());
    let suffix = after.get(..suffix_len).unwrap_or_default();
    let is_comma = suffix == "," && !after.get(1..).is_some_and(|rest| rest.starts_with(is_digit));
    let continues = suffix.starts_with(|c| touches(c) && c != '.') && !is_comma
        || suffix.strip_prefix('.').is_some_and(|rest| rest.starts_with(is_digit));
    let follows_dash = !number.starts_with(['+', '-', '−']) && before.ends_with(is_ambiguous_dash);
    let before_dash = before.trim_end_matches(is_ambiguous_dash);
    // In "1–5", the dash means a range. In "–5", it may be a minus sign.
    let unclear_sign = follows_dash && !before_dash.ends_with(is_number_like);
    let valid = !continues && !unclear_sign;
    let candidate = Candidate { text: number, start: before.len(), fraction, valid };
    let length = rest.len() - after.len() + suffix.len();
    ((!is_ordinal_suffix(suffix)).then_some(candidate), length)
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// Returns whether a character directly before or after a number belongs to the same word or
/// number.
fn is_number_like(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.,".contains(c)
}

/// Returns whether a character after a number belongs to the same word or number. In East Asian
/// scripts, units directly follow numbers, so their letters do not.
fn touches(c: char) -> bool {
    let is_hangul =
        ('\u{1100}'..='\u{11ff}').contains(&c) || ('\u{ac00}'..='\u{d7af}').contains(&c);
    is_number_like(c) || is_other_numeral(c) || (is_word_char(c) && !is_unspaced(c) && !is_hangul)
}

/// Returns whether the character before a numeral makes it a part of a word or of a unit.
fn is_part_of_word(c: char) -> bool {
    is_number_like(c) || is_word_char(c)
}

/// Returns whether the character is a numeral other than an ASCII digit, such as ½, ² or ٤.
fn is_other_numeral(c: char) -> bool {
    c.is_numeric() && !c.is_ascii()
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
