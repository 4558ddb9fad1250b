//! What a plain word of YAML means: the core schema of YAML 1.2, in which `yes`, `on`, `1_000` and
//! dates are text. <https://yaml.org/spec/1.2.2/#103-core-schema>

use serde_json::{Number, Value};

/// The value of a plain scalar.
///
/// # Errors
/// A number that JSON has no form for.
pub(super) fn value(text: &str) -> Result<Value, String> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(format!("{text} is no number of JSON; put it in quotes if it is text"));
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|digit| digit.is_digit(radix))
        {
            let read = u64::from_str_radix(digits, radix);
            return read.map(Value::from).map_err(|_| format!("{prefix}… is over 64 bits"));
        }
    }
    Ok(decimal(text, unsigned).map_or_else(|| Value::from(text), Value::Number))
}

/// A decimal number, written as JSON has it: no plus, no leading zeros, digits around the point.
fn decimal(text: &str, unsigned: &str) -> Option<Number> {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = !whole.is_empty() || fraction.is_some_and(|digits| !digits.is_empty());
    if !has_digits || !digits(whole) || !fraction.is_none_or(digits) {
        return None;
    }
    let mut number = String::from(if text.starts_with('-') { "-" } else { "" });
    let whole = whole.trim_start_matches('0');
    number.push_str(if whole.is_empty() { "0" } else { whole });
    if let Some(fraction) = fraction.filter(|digits| !digits.is_empty()) {
        number.push('.');
        number.push_str(fraction);
    }
    if let Some(exponent) = exponent {
        let plain = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if plain.is_empty() || !digits(plain) {
            return None;
        }
        number.push('e');
        number.push_str(exponent);
    }
    serde_json::from_str(&number).ok()
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn plain_words_are_read_by_the_core_schema() {
        for (text, expected) in [
            ("", "null"),
            ("~", "null"),
            ("nUll", "\"nUll\""),
            ("True", "true"),
            ("yes", "\"yes\""),
            ("off", "\"off\""),
            ("12", "12"),
            ("+012", "12"),
            ("-0", "-0"),
            ("0o17", "15"),
            ("017", "17"),
            ("0x1F", "31"),
            ("0b1", "\"0b1\""),
            ("1_000", "\"1_000\""),
            ("1.50", "1.50"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-1e3", "-1e+3"),
            ("1e", "\"1e\""),
            (".", "\".\""),
            ("-", "\"-\""),
            ("1.2.3", "\"1.2.3\""),
            ("2024-01-01", "\"2024-01-01\""),
            ("12:30", "\"12:30\""),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ] {
            assert_eq!(value(text).unwrap().to_string(), expected, "{text}");
        }
        for text in [".inf", "-.INF", ".nan", "0xfffffffffffffffff"] {
            assert!(value(text).is_err(), "{text}");
        }
    }
}
