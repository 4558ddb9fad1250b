//! Numbers that behave as in JavaScript, except that integers beyond 2^53 keep all their digits.

use std::borrow::Cow;

use serde_json::Value;

use super::syntax::scan::is_js_space;

/// A number from the data or the template, or a count that the renderer computed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number<'a> {
    /// A number from the data or the template.
    Literal(&'a serde_json::Number),
    /// An array index or a length.
    Count(usize),
}

impl<'a> Number<'a> {
    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Number::Literal(number) => text_of(number).parse().unwrap_or(f64::NAN),
            Number::Count(count) => count as f64,
        }
    }

    /// Converts the number to a JSON value.
    pub(crate) fn to_json(self) -> Value {
        match self {
            Number::Literal(number) => Value::Number(number.clone()),
            Number::Count(count) => Value::from(count),
        }
    }

    /// Formats the number as JavaScript's `String(number)` does.
    pub(crate) fn to_js_string(self) -> Cow<'a, str> {
        match self {
            Number::Literal(number) => shortest_form(text_of(number)).unwrap_or_else(|| {
                Cow::Owned(ryu_js::Buffer::new().format(self.to_f64()).to_owned())
            }),
            Number::Count(count) => match DIGITS.get(count) {
                Some(digit) => Cow::Borrowed(digit),
                None => Cow::Owned(count.to_string()),
            },
        }
    }
}

/// Preformatted small counts, which are rendered without an allocation.
const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// Returns the JSON text of a number, with all digits that serde_json stores.
#[cfg(feature = "exact-numbers")]
fn text_of(number: &serde_json::Number) -> Cow<'_, str> {
    Cow::Borrowed(number.as_str())
}

/// Returns the JSON text of a number, with all digits that serde_json stores.
#[cfg(not(feature = "exact-numbers"))]
fn text_of(number: &serde_json::Number) -> Cow<'_, str> {
    Cow::Owned(number.to_string())
}

/// Maximum number of significant digits with which a decimal number without trailing zeros is
/// always the shortest representation of its `f64`.
const MAX_EXACT_DIGITS: usize = 15;

/// Returns the text that JavaScript prints for a number, without parsing the number. Supports only
/// integers without leading zeros and short fractions, and returns `None` for other numbers.
fn shortest_form(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let length = shortest_form_len(&text)?;
    Some(match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(..length)?),
        Cow::Owned(mut text) => {
            text.truncate(length);
            Cow::Owned(text)
        }
    })
}

/// Returns the length of the text that JavaScript prints, which is a prefix of the JSON text.
fn shortest_form_len(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let whole = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let starts_with_zero = digits.first() == Some(&b'0');
    match digits.get(whole..)? {
        [] => (!starts_with_zero || text == "0").then_some(text.len()),
        [b'.', b'0'] if !starts_with_zero && whole <= MAX_EXACT_DIGITS => Some(text.len() - 2),
        [b'.', fraction @ ..] => {
            let plain = fraction.iter().all(u8::is_ascii_digit) && fraction.last() != Some(&b'0');
            let zeros = fraction.iter().take_while(|byte| **byte == b'0').count();
            // JavaScript prints numbers below 1e-6 with an exponent.
            let no_exponent = !starts_with_zero || (whole == 1 && zeros < 6);
            let short = !fraction.is_empty() && whole + fraction.len() <= MAX_EXACT_DIGITS;
            (plain && no_exponent && short).then_some(text.len())
        }
        _ => None,
    }
}

/// Parses a string as JavaScript's `Number(text)` does.
pub(crate) fn from_text(text: &str) -> f64 {
    let text = text.trim_matches(is_js_space);
    if text.is_empty() {
        return 0.0;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "Infinity" {
        return if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let with_radix = |prefix: [&str; 2], radix| {
        let digits = text.strip_prefix(prefix[0]).or(text.strip_prefix(prefix[1]))?;
        let digit = |c: char| c.to_digit(radix).map(f64::from);
        let value = |sum: f64, c| digit(c).map(|digit| sum * f64::from(radix) + digit);
        if digits.is_empty() { None } else { digits.chars().try_fold(0.0, value) }
    };
    if let Some(value) = with_radix(["0x", "0X"], 16)
        .or_else(|| with_radix(["0o", "0O"], 8))
        .or_else(|| with_radix(["0b", "0B"], 2))
    {
        return value;
    }
    // Unlike JavaScript, Rust also parses `inf`, `nan` and `infinity` as numbers.
    if unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        text.parse().unwrap_or(f64::NAN)
    } else {
        f64::NAN
    }
}
