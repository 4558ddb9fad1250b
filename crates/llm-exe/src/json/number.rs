//! Parses JSON numbers without losing digits.
//!
//! With the feature `exact-numbers`, serde_json stores the text of every number. Without it, a
//! number is stored as a 64-bit integer or float, and a number that would not survive this is an
//! error.

use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use super::decimal::Decimal;
use crate::error::shorten;

/// Returns whether serde_json stores the text of numbers. Cargo unifies features, so another crate
/// of the program can enable this without the feature `exact-numbers`.
pub(crate) fn stores_text() -> bool {
    cfg!(feature = "exact-numbers") || serde_json::from_str::<Number>("1e400").is_ok()
}

/// Why a text was not converted to a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NumberError {
    /// The text is not a number in JSON syntax.
    Invalid,
    /// The number would lose digits.
    Lossy(LossyNumber),
}

/// A number that can be stored only with the feature `exact-numbers`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the number {0} would lose digits; {ENABLE_FEATURE}")]
pub(crate) struct LossyNumber(String);

/// How to store numbers that do not fit into 64 bits.
pub(super) const ENABLE_FEATURE: &str =
    "to keep them, enable the feature `exact-numbers` of the crate llm-exe";

/// The advice to a model whose reply contains a number that does not fit into 64 bits.
const USE_FEWER_DIGITS: &str = "write numbers with at most 15 digits";

/// Replaces the advice to enable a feature in a message about a reply by advice that a model can
/// follow.
pub(crate) fn reword_for_model(message: &str) -> String {
    message.replace(ENABLE_FEATURE, USE_FEWER_DIGITS)
}

/// serde_json's message for a number that does not fit into a 64-bit float.
pub(super) const OUT_OF_RANGE: &str = "number out of range";

/// Parses a number in JSON syntax, which white space may surround.
///
/// # Errors
/// Returns an error if the text is not a number, or if the number would lose digits.
pub(crate) fn parse_number(text: &str) -> Result<Number, NumberError> {
    let number = serde_json::from_str::<Number>(text);
    if stores_text() {
        return number.map_err(|_| NumberError::Invalid);
    }
    match number {
        Ok(number) if number.is_i64() || number.is_u64() => Ok(number),
        Ok(_) => parse_float(text.trim()).map_err(NumberError::Lossy),
        Err(error) if error.to_string().starts_with(OUT_OF_RANGE) => {
            Err(NumberError::Lossy(LossyNumber(shorten(text.trim(), 40))))
        }
        Err(_) => Err(NumberError::Invalid),
    }
}

/// Parses a number whose text contains a fraction or an exponent, or that is not a 64-bit integer.
/// serde_json's own conversion can be off by one bit.
pub(super) fn parse_float(text: &str) -> Result<Number, LossyNumber> {
    let float = text.parse().ok().filter(|float: &f64| float.is_finite());
    let exact =
        float.filter(|float| Decimal::from_text(text) == Decimal::from_text(&format!("{float:e}")));
    exact.and_then(Number::from_f64).ok_or_else(|| LossyNumber(shorten(text, 40)))
}

/// The texts of the numbers in a JSON document, in order. The part of the document that has been
/// read must be valid.
pub(super) struct NumberTexts<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> NumberTexts<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        NumberTexts { text, at: 0 }
    }
}

impl<'t> Iterator for NumberTexts<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let mut in_string = false;
        loop {
            match *self.text.get(self.at)? {
                b'\\' if in_string => self.at += 1,
                b'"' => in_string = !in_string,
                b'-' | b'0'..=b'9' if !in_string => break,
                _ => {}
            }
            self.at += 1;
        }
        let rest = self.text.get(self.at..)?;
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let length = rest.iter().take_while(|byte| is_part(byte)).count();
        self.at += length;
        std::str::from_utf8(rest.get(..length)?).ok()
    }
}

/// The numbers with an exponent in a JSON document, as they are written. serde_json stores `1E5` as
/// `1e+5`.
#[derive(Debug)]
pub(crate) struct WrittenNumbers {
    /// The written forms by the stored ones, or null for a number that is written in several forms.
    forms: Map<String, Value>,
}

impl WrittenNumbers {
    /// Reads the numbers of a valid document.
    pub(crate) fn new(text: &str) -> Self {
        let mut forms = Map::new();
        for written in NumberTexts::new(text.as_bytes()).filter(|text| text.contains(['e', 'E'])) {
            let Ok(number) = serde_json::from_str::<Number>(written) else { continue };
            match forms.entry(number.to_string()) {
                Entry::Vacant(entry) => {
                    entry.insert(Value::from(written));
                }
                Entry::Occupied(mut entry) if entry.get() != written => {
                    entry.insert(Value::Null);
                }
                Entry::Occupied(_) => {}
            }
        }
        WrittenNumbers { forms }
    }

    /// Returns how the document writes a number, if it writes it in one form only.
    pub(crate) fn find(&self, stored: &str) -> Option<&str> {
        self.forms.get(stored)?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::{NumberError, NumberTexts, parse_float, parse_number, stores_text};

    #[test]
    fn floats_that_survive_64_bits_are_exact() {
        for (text, stored) in [
            ("1.50", "1.5"),
            ("-0", "-0.0"),
            ("0e99999999999999999999", "0.0"),
            ("0.30000000000000004", "0.30000000000000004"),
            ("1E2", "100.0"),
            ("123456789012345680000.0", "123456789012345680000.0"),
            ("5e-324", "5e-324"),
            ("-2.2250738585072014e-308", "-2.2250738585072014e-308"),
        ] {
            let number = parse_float(text).unwrap();
            assert_eq!(number.as_f64().map(f64::to_bits), text.parse().ok().map(f64::to_bits));
            assert_eq!(number.as_f64(), stored.parse().ok(), "{text}");
        }
        for text in [
            "123456789012345678901234567890",
            "18446744073709551616",
            "-9223372036854775809",
            "0.1000000000000000055511151231257827",
            "1e400",
            "-1e400",
            "1e-400",
            "1e99999999999999999999",
            "2.00000000000000000001",
        ] {
            let error = parse_float(text).unwrap_err().to_string();
            assert!(error.contains("`exact-numbers`"), "{error}");
            match parse_number(text) {
                Ok(number) => assert!(stores_text() && cfg!(feature = "exact-numbers"), "{number}"),
                Err(error) => assert!(matches!(error, NumberError::Lossy(_)) && !stores_text()),
            }
        }
        for text in ["", "x", "1.", "01", "+1", "1 2"] {
            assert_eq!(parse_number(text), Err(NumberError::Invalid), "{text}");
        }
    }

    #[test]
    fn number_texts_are_found_outside_of_strings() {
        let text = br#"{"1":[-2.5e+3,"4\"5\\"],"a":6 ,"b":[7,true,null]}"#;
        let numbers: Vec<&str> = NumberTexts::new(text).collect();
        assert_eq!(numbers, ["-2.5e+3", "6", "7"]);
    }
}
