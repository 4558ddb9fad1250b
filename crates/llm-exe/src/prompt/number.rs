//! Numbers as JavaScript has them, except that integers beyond 2^53 stay as they were written.

use std::borrow::Cow;

/// A number: as the data or the template wrote it, or computed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number<'a> {
    Written(&'a str),
    Computed(f64),
}

impl<'a> Number<'a> {
    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Number::Written(text) => text.parse().unwrap_or(f64::NAN),
            Number::Computed(value) => value,
        }
    }

    /// The text that JavaScript would print.
    pub(crate) fn print(self) -> Cow<'a, str> {
        match self {
            Number::Written(text) if is_plain_integer(text) => Cow::Borrowed(text),
            number => Cow::Owned(print_f64(number.to_f64())),
        }
    }
}

/// The text that JavaScript would print for a number written as in JSON.
pub(crate) fn print(text: &str) -> String {
    Number::Written(text).print().into_owned()
}

fn print_f64(value: f64) -> String {
    ryu_js::Buffer::new().format(value).to_owned()
}

fn is_plain_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    text == "0" || (digits.first() != Some(&b'0') && digits.iter().all(u8::is_ascii_digit))
}

/// What JavaScript's `Number(text)` gives for a text.
pub(crate) fn from_text(text: &str) -> f64 {
    let text = text.trim_matches(super::lexer::is_js_space);
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
