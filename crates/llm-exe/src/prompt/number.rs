//! Numbers as JavaScript has them, except that integers beyond 2^53 stay as they were written.

use std::borrow::Cow;

use serde_json::Value;

/// A number: as the data or the template wrote it, or counted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number<'a> {
    ParsedRequest(&'a str),
    Count(usize),
}

impl<'a> Number<'a> {
    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Number::ParsedRequest(text) => text.parse().unwrap_or(f64::NAN),
            Number::Count(count) => count as f64,
        }
    }

    /// The number as JSON has it.
    pub(crate) fn to_json(self) -> Value {
        match self {
            Number::ParsedRequest(text) => text.parse().map_or(Value::Null, Value::Number),
            Number::Count(count) => Value::from(count),
        }
    }

    /// The text that JavaScript would print.
    pub(crate) fn print(self) -> Cow<'a, str> {
        let known = match self {
            Number::ParsedRequest(text) => printed(text),
            Number::Count(count) => DIGITS.get(count).copied(),
        };
        match (known, self) {
            (Some(text), _) => Cow::Borrowed(text),
            (None, Number::Count(count)) => Cow::Owned(count.to_string()),
            (None, number) => Cow::Owned(ryu_js::Buffer::new().format(number.to_f64()).to_owned()),
        }
    }
}

/// The counts that are printed most.
const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// The text that JavaScript would print for a number written as in JSON.
pub(crate) fn print(text: &str) -> String {
    Number::ParsedRequest(text).print().into_owned()
}

/// How many digits a fraction may have, those before it included, to be sure that it is the
/// shortest text of its number.
const SURE_DIGITS: usize = 15;

/// What JavaScript prints for a number, if that shows in how the number is written: an integer
/// of any length without leading zeros, or a short fraction without trailing ones.
fn printed(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let whole = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let starts_with_zero = digits.first() == Some(&b'0');
    match digits.get(whole..)? {
        [] => (!starts_with_zero || text == "0").then_some(text),
        [b'.', b'0'] if !starts_with_zero && whole <= SURE_DIGITS => text.get(..text.len() - 2),
        [b'.', fraction @ ..] => {
            let plain = fraction.iter().all(u8::is_ascii_digit) && fraction.last() != Some(&b'0');
            let zeros = fraction.iter().take_while(|byte| **byte == b'0').count();
            let in_reach = !starts_with_zero || (whole == 1 && zeros < 6);
            let short = !fraction.is_empty() && whole + fraction.len() <= SURE_DIGITS;
            (plain && in_reach && short).then_some(text)
        }
        _ => None,
    }
}

/// What JavaScript's `Number(text)` gives for a text.
pub(crate) fn from_text(text: &str) -> f64 {
    let text = text.trim_matches(super::scan::is_js_space);
    if text.is_empty() {
        return 0.0;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "Infinity" {
        return if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let radix = |prefix: [&str; 2], radix| {
        let digits = text.strip_prefix(prefix[0]).or(text.strip_prefix(prefix[1]))?;
        let digit = |c: char| c.to_digit(radix).map(f64::from);
        let value = |sum: f64, c| digit(c).map(|digit| sum * f64::from(radix) + digit);
        if digits.is_empty() { None } else { digits.chars().try_fold(0.0, value) }
    };
    if let Some(value) = radix(["0x", "0X"], 16)
        .or_else(|| radix(["0o", "0O"], 8))
        .or_else(|| radix(["0b", "0B"], 2))
    {
        return value;
    }
    // Rust also reads `inf`, `nan` and `infinity`, which JavaScript does not.
    if unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        text.parse().unwrap_or(f64::NAN)
    } else {
        f64::NAN
    }
}
