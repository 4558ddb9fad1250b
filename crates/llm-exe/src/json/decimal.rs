//! Exact decimal numbers.

use std::cmp::Ordering;
use std::fmt::{self, Write};

use serde_json::Number;

/// The largest exponent and, with a minus, the smallest. Exponents beyond them are clamped, so that
/// arithmetic with exponents can't overflow.
const EXPONENT_LIMIT: i64 = 1 << 60;
/// The number of digits that always fit into 64 bits.
const SMALL_DIGITS: usize = 19;

/// The value of a number: digits and a power of ten that they are multiplied with. Numbers with the
/// same value are equal, such as `1.50`, `15e-1` and `1.5`.
///
/// The size of an exponent costs nothing: `1e999999999` needs as much memory as `1e9`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Decimal {
    /// Whether the number is less than zero.
    negative: bool,
    digits: Digits,
    exponent: i64,
}

/// Digits that neither begin nor end with a zero. Equal digits have the same variant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Digits {
    /// Digits that fit into 64 bits. Zero has none.
    Small(u64),
    /// Other digits, in ASCII.
    Large(Box<str>),
}

impl Decimal {
    /// Parses a number in JSON syntax. The result for any other text is not specified.
    pub(crate) fn from_text(text: &str) -> Self {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let exponent = parse_exponent(exponent).saturating_sub(as_exponent(fraction.len()));
        let whole = whole.trim_start_matches('0');
        if whole.len() + fraction.len() <= SMALL_DIGITS {
            let digits = whole.bytes().chain(fraction.bytes());
            let value = digits.fold(0, |value, digit| 10 * value + u64::from(digit & 0xf));
            return Self::from_small(negative, value, exponent);
        }
        let joined = format!("{whole}{fraction}");
        let digits = joined.trim_start_matches('0');
        let significant = digits.trim_end_matches('0');
        let exponent = exponent.saturating_add(as_exponent(digits.len() - significant.len()));
        if significant.is_empty() {
            return Self::from_small(negative, 0, exponent);
        }
        if let Ok(value) = significant.parse() {
            return Self::from_small(negative, value, exponent);
        }
        let exponent = exponent.clamp(-EXPONENT_LIMIT, EXPONENT_LIMIT);
        Decimal { negative, digits: Digits::Large(significant.into()), exponent }
    }

    /// Creates a number from an integer and a power of ten.
    fn from_small(negative: bool, mut value: u64, mut exponent: i64) -> Self {
        if value == 0 {
            return Decimal { negative: false, digits: Digits::Small(0), exponent: 0 };
        }
        while value.is_multiple_of(10) {
            value /= 10;
            exponent = exponent.saturating_add(1);
        }
        let exponent = exponent.clamp(-EXPONENT_LIMIT, EXPONENT_LIMIT);
        Decimal { negative, digits: Digits::Small(value), exponent }
    }

    /// Returns whether the number has no fraction, so `1.0` and `1e2` are integers.
    pub(crate) fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    /// Returns whether the number is zero.
    pub(crate) fn is_zero(&self) -> bool {
        self.digits == Digits::Small(0)
    }

    /// Returns the power of ten that the digits are multiplied with.
    pub(crate) fn exponent(&self) -> i64 {
        self.exponent
    }

    /// Returns the digits, which neither begin nor end with a zero.
    pub(crate) fn digits(&self) -> std::borrow::Cow<'_, str> {
        match &self.digits {
            Digits::Small(0) => "".into(),
            Digits::Small(value) => value.to_string().into(),
            Digits::Large(digits) => (&**digits).into(),
        }
    }

    /// Returns the digits as an integer if they fit into 64 bits.
    pub(crate) fn small_digits(&self) -> Option<u64> {
        match self.digits {
            Digits::Small(value) => Some(value),
            Digits::Large(_) => None,
        }
    }

    /// Returns the number of digits.
    pub(crate) fn digit_count(&self) -> usize {
        match &self.digits {
            Digits::Small(value) => value.checked_ilog10().map_or(0, |log| log as usize + 1),
            Digits::Large(digits) => digits.len(),
        }
    }

    fn compare_absolute(&self, other: &Self) -> Ordering {
        if self.is_zero() || other.is_zero() {
            return other.is_zero().cmp(&self.is_zero());
        }
        let magnitude =
            |number: &Self| number.exponent.saturating_add(as_exponent(number.digit_count()));
        magnitude(self).cmp(&magnitude(other)).then_with(|| {
            if let (Digits::Small(a), Digits::Small(b)) = (&self.digits, &other.digits) {
                let scale = |value: u64, by: usize| {
                    u128::from(value) * 10_u128.pow(u32::try_from(by).unwrap_or(0))
                };
                let (a_count, b_count) = (self.digit_count(), other.digit_count());
                let count = a_count.max(b_count);
                return scale(*a, count - a_count).cmp(&scale(*b, count - b_count));
            }
            // The first digits have the same weight, and neither text ends with a zero.
            self.digits().cmp(&other.digits())
        })
    }
}

impl From<&Number> for Decimal {
    fn from(number: &Number) -> Self {
        if let Some(value) = number.as_u64() {
            return Self::from_small(false, value, 0);
        }
        if let Some(value) = number.as_i64() {
            return Self::from_small(value < 0, value.unsigned_abs(), 0);
        }
        // Most numbers fit into the buffer, so this needs no allocation.
        let mut short = ShortText::default();
        match write!(short, "{number}") {
            Ok(()) => Self::from_text(short.as_str()),
            Err(_) => Self::from_text(&number.to_string()),
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.compare_absolute(other),
            (true, true) => other.compare_absolute(self),
            (negative, _) => {
                if negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A text of a limited length without an allocation.
#[derive(Default)]
struct ShortText {
    bytes: [u8; 32],
    length: usize,
}

impl ShortText {
    fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl Write for ShortText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let free = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        free.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

fn as_exponent(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(EXPONENT_LIMIT)
}

/// Parses an exponent, such as `+5`. One that does not fit becomes the nearest one that does.
fn parse_exponent(text: &str) -> i64 {
    let digits = text.trim_start_matches(['+', '-']);
    let size = digits.parse().unwrap_or(i64::MAX);
    if text.starts_with('-') { -size } else { size }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;
    use std::hash::{DefaultHasher, Hash, Hasher};

    use super::Decimal;

    fn hash(number: &Decimal) -> u64 {
        let mut hasher = DefaultHasher::new();
        number.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn numbers_are_ordered_by_value() {
        // Each row has one value in several forms, and the rows are in ascending order.
        let rows: &[&[&str]] = &[
            &["-1e99999999999999999999", "-1e99999999999999999998"],
            &["-1e400", "-10e399", "-0.1E+401"],
            &["-1e2", "-100", "-100.0"],
            &["-99.5", "-995e-1"],
            &["-5e-324"],
            &["-1e-99999999999999999999"],
            &["0", "-0", "-0.0", "0.000", "0e5", "0e99999999999999999999", "0e-1"],
            &["1e-99999999999999999999", "10e-99999999999999999999"],
            &["5e-324"],
            &["0.1", "1e-1", "0.100", "0.00000000000000000000001e22"],
            &["0.1000000000000000000001"],
            &["0.3"],
            &["1", "1.0", "10e-1", "1.00000000000000000000000000000"],
            &["1.00000000000000000001"],
            &["1.5", "15e-1", "1.50"],
            &["9"],
            &["10", "1e1"],
            &["11"],
            &["9007199254740992"],
            &["9007199254740993"],
            &["9223372036854775807"],
            &["9999999999999999999"],
            &["10000000000000000000", "1e19"],
            &["18446744073709551615"],
            &["18446744073709551616", "18446744073709551616.0", "184467440737095516160e-1"],
            &["18446744073709551617"],
            &["1e999999999", "0.1e1000000000"],
            &["2e999999999"],
            &["1e99999999999999999999", "10e99999999999999999999"],
        ];
        let rows: Vec<Vec<Decimal>> = rows
            .iter()
            .map(|row| row.iter().map(|text| Decimal::from_text(text)).collect())
            .collect();
        for (index, row) in rows.iter().enumerate() {
            for (other_index, other_row) in rows.iter().enumerate() {
                for (a, b) in row.iter().flat_map(|a| other_row.iter().map(move |b| (a, b))) {
                    assert_eq!(a.cmp(b), index.cmp(&other_index), "{a:?} {b:?}");
                    assert_eq!(a == b, index == other_index, "{a:?} {b:?}");
                    assert!(index != other_index || hash(a) == hash(b), "{a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn numbers_of_serde_json_have_their_value() {
        for text in [
            "0",
            "-0.0",
            "7",
            "-7",
            "1.5",
            "-1.5e-7",
            "1e300",
            "5e-324",
            "1.7976931348623157e308",
            "0.1",
            "123456.789",
            "9223372036854775808",
            "18446744073709551615",
            "-9223372036854775808",
        ] {
            let number = serde_json::from_str(text).unwrap();
            let cmp = Decimal::from(&number).cmp(&Decimal::from_text(text));
            assert_eq!(cmp, Ordering::Equal, "{text}");
        }
    }

    #[test]
    fn integers_have_no_fraction() {
        for text in ["0", "-0.0", "1", "1.0", "1e2", "1.5e1", "1e99999999999999999999", "-120.00"] {
            assert!(Decimal::from_text(text).is_integer(), "{text}");
        }
        for text in ["0.5", "1e-1", "15e-1", "1e-99999999999999999999", "12345678901234567890.1"] {
            assert!(!Decimal::from_text(text).is_integer(), "{text}");
        }
    }

    #[test]
    fn digits_are_counted_without_zeros_around_them() {
        for (text, count) in [
            ("0", 0),
            ("7", 1),
            ("100", 1),
            ("0.0010", 1),
            ("105e9", 3),
            ("1234567890123456789", 19),
            ("12345678901234567891", 20),
            ("1234567890123456789123000", 22),
        ] {
            let number = Decimal::from_text(text);
            assert_eq!((number.digit_count(), number.digits().len()), (count, count), "{text}");
        }
    }
}
