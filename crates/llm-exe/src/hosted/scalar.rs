//! Parses plain (unquoted) YAML scalars according to the core schema of YAML 1.2, in which `yes`,
//! `on`, `1_000` and dates are strings. <https://yaml.org/spec/1.2.2/#103-core-schema>

use serde_json::Value;

use crate::json::{NumberError, parse_number};

/// Parses a plain scalar.
///
/// # Errors
/// Fails if the scalar is a number that JSON can't represent.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(format!(
            "{text} is not a number in JSON; put it in quotes to make it a string"
        ));
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|digit| digit.is_digit(radix))
        {
            let number = u64::from_str_radix(digits, radix);
            let error = |_| format!("the number {prefix}… does not fit in 64 bits");
            return number.map(Value::from).map_err(error);
        }
    }
    let Some(number) = decimal(text, unsigned) else { return Ok(Value::from(text)) };
    match parse_number(&number) {
        Ok(number) => Ok(Value::Number(number)),
        Err(NumberError::Lossy(error)) => {
            Err(format!("{error}, or put the number in quotes to make it a string"))
        }
        Err(NumberError::Invalid) => Ok(Value::from(text)),
    }
}

/// Rewrites a decimal number in JSON syntax, which allows neither a plus sign nor leading zeros,
/// and requires digits on both sides of the decimal point.
fn decimal(text: &str, unsigned: &str) -> Option<String> {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = !whole.is_empty() || fraction.is_some_and(|digits| !digits.is_empty());
    if !has_digits || !is_digits(whole) || !fraction.is_none_or(is_digits) {
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
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if digits.is_empty() || !is_digits(digits) {
            return None;
        }
        number.push('e');
        number.push_str(exponent);
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        for (text, expected) in [
            ("", "null"),
            ("~", "null"),
            ("nUll", "\"nUll\""),
            ("True", "true"),
            ("yes", "\"yes\""),
            ("off", "\"off\""),
            ("12", "12"),
            ("+012", "12"),
            ("0o17", "15"),
            ("017", "17"),
            ("0x1F", "31"),
            ("0b1", "\"0b1\""),
            ("1_000", "\"1_000\""),
            ("1.25", "1.25"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-1e-7", "-1e-7"),
            ("1e", "\"1e\""),
            (".", "\".\""),
            ("-", "\"-\""),
            ("1.2.3", "\"1.2.3\""),
            ("2024-01-01", "\"2024-01-01\""),
            ("12:30", "\"12:30\""),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), expected, "{text}");
        }
        let exact = [("-0", "-0"), ("1.50", "1.50"), ("-1e3", "-1e+3"), ("1e400", "1e+400")];
        for (text, expected) in exact {
            let printed = parse(text).map(|value| value.to_string());
            let is_exact = printed.as_deref() == Ok(expected);
            assert_eq!(is_exact, cfg!(feature = "exact-numbers"), "{text}: {printed:?}");
        }
        for text in [".inf", "-.INF", ".nan", "0xfffffffffffffffff"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
