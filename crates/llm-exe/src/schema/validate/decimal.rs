//! Implements `multipleOf` for exact decimals.

use super::budget::{Budget, TooMuchWork};
pub(crate) use crate::json::Decimal;

/// Maximum number of digits of a number in a schema.
pub(crate) const MAX_SCHEMA_DIGITS: usize = 400;

/// The number of decimal digits of a limb.
const LIMB_DIGITS: usize = 18;
/// The base of a limb, a power of ten. Ten times as much fits into 64 bits.
const LIMB_BASE: u64 = 10_u64.pow(18);
/// The number of limb operations that cost a unit.
const LIMBS_PER_UNIT: u64 = 16;

impl Decimal {
    /// Returns whether the number is an integer times `divisor`. Only zero is a multiple of zero.
    ///
    /// # Errors
    /// Returns an error if the budget is spent. The work is proportional to the product of both
    /// numbers of digits.
    pub(crate) fn is_multiple_of(
        &self,
        divisor: &Decimal,
        budget: &Budget,
    ) -> Result<bool, TooMuchWork> {
        budget.spend(1)?;
        if self.is_zero() || divisor.is_zero() {
            return Ok(self.is_zero());
        }
        // With the digits a and b, the quotient is a / b * 10^shift.
        let Ok(shift) = u64::try_from(self.exponent().saturating_sub(divisor.exponent())) else {
            // The digits of the number do not end with a zero, so a is not divisible by ten.
            return Ok(false);
        };
        // More zeros can't change the result: ten is 2 * 5, and b contains each of them less than
        // four times per digit.
        let zeros = shift.min(4 * as_u64(divisor.digit_count()));
        match (self.small_digits(), divisor.small_digits()) {
            (Some(digits), Some(divisor)) => Ok(is_small_multiple(digits, divisor, zeros)),
            _ => is_large_multiple(&self.digits(), &divisor.digits(), zeros, budget),
        }
    }
}

/// Returns whether `digits * 10^zeros` is a multiple of the divisor.
fn is_small_multiple(digits: u64, divisor: u64, zeros: u64) -> bool {
    let mut remainder = digits % divisor;
    for _ in 0..zeros {
        if remainder == 0 {
            break;
        }
        let next = u128::from(remainder) * 10 % u128::from(divisor);
        remainder = u64::try_from(next).unwrap_or_default();
    }
    remainder == 0
}

/// Returns the same for larger numbers by long division. The remainder stays below the divisor.
fn is_large_multiple(
    digits: &str,
    divisor: &str,
    zeros: u64,
    budget: &Budget,
) -> Result<bool, TooMuchWork> {
    let divisor = limbs(divisor);
    // Each digit needs one multiplication and on average five subtractions.
    let units_per_digit = 1 + 6 * as_u64(divisor.len()) / LIMBS_PER_UNIT;
    let mut remainder = vec![0; divisor.len()];
    let zeros = std::iter::repeat_n(b'0', usize::try_from(zeros).unwrap_or(usize::MAX));
    for digit in digits.bytes().chain(zeros) {
        budget.spend(units_per_digit)?;
        push_digit(&mut remainder, u64::from(digit & 0xf));
        while remainder.iter().rev().ge(divisor.iter().rev()) {
            subtract(&mut remainder, &divisor);
        }
    }
    Ok(remainder.iter().all(|limb| *limb == 0))
}

/// Returns the limbs of a number, the lowest first. One more than needed leaves space for a digit.
fn limbs(digits: &str) -> Vec<u64> {
    let mut limbs = vec![0; digits.len() / LIMB_DIGITS + 2];
    for digit in digits.bytes() {
        push_digit(&mut limbs, u64::from(digit & 0xf));
    }
    limbs
}

/// Appends a decimal digit to a number.
fn push_digit(limbs: &mut [u64], digit: u64) {
    let mut carry = digit;
    for limb in limbs {
        let value = *limb * 10 + carry;
        *limb = value % LIMB_BASE;
        carry = value / LIMB_BASE;
    }
}

/// Subtracts a number that is not larger.
fn subtract(limbs: &mut [u64], subtrahend: &[u64]) {
    let mut borrow = 0;
    for (limb, other) in limbs.iter_mut().zip(subtrahend) {
        let other = other + borrow;
        borrow = u64::from(*limb < other);
        *limb = *limb + borrow * LIMB_BASE - other;
    }
}

fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::budget::{Budget, TooMuchWork};
    use super::{Decimal, is_large_multiple, is_small_multiple};

    fn is_multiple(number: &str, divisor: &str) -> bool {
        let (number, divisor) = (Decimal::from_text(number), Decimal::from_text(divisor));
        number.is_multiple_of(&divisor, &Budget::new(1_000_000)).unwrap()
    }

    #[test]
    fn multiples_are_exact() {
        let nines = "9".repeat(400);
        let huge = format!("{nines}{}", "0".repeat(500));
        for (number, divisor, expected) in [
            ("0", "3", true),
            ("0", "0", true),
            ("5", "0", false),
            ("9", "3", true),
            ("-9", "3", true),
            ("9", "-3", true),
            ("10", "3", false),
            ("0.3", "0.1", true),
            ("1.1", "0.1", true),
            ("0.35", "0.1", false),
            ("19.99", "0.01", true),
            ("4.35", "0.01", true),
            ("4.355", "0.01", false),
            ("1", "0.3", false),
            ("3", "1.5", true),
            ("1e308", "0.123456789", false),
            ("1e308", "1e-8", true),
            ("1e999999999", "7", false),
            ("1e999999999", "1024", true),
            ("7e999999999", "7", true),
            ("1e99999999999999999999", "0.5", true),
            ("1e-99999999999999999999", "0.5", false),
            ("1e-999999999", "1e-999999999", true),
            ("1e-7", "1e-8", true),
            ("1e-8", "1e-7", false),
            ("12345678901234567890123456789", "3", true),
            ("12345678901234567890123456788", "3", false),
            ("12345678901234567890123456789", "12345678901234567890123456789", true),
            ("18446744073709551616", "4294967296", true),
            ("18446744073709551617", "4294967296", false),
            ("18446744073709551615", "18446744073709551615", true),
            ("9999999999999999999", "10000000000000000000", false),
            ("1e30", "36893488147419103232", false),
            ("1e70", "36893488147419103232", true),
            ("1e64", "36893488147419103232", false),
            ("1e65", "36893488147419103232", true),
            (&huge, &nines, true),
            (&huge, "99", true),
            (&huge, "98", false),
            (&nines, &huge, false),
        ] {
            assert_eq!(is_multiple(number, divisor), expected, "{number} {divisor}");
        }
    }

    #[test]
    fn long_division_agrees_with_small_division() {
        let mut multiples = 0;
        for seed in 1_u64..5000 {
            let number = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (seed % 50);
            let divisor = 1 + (number.rotate_left(17) >> (40 + seed % 24));
            let number = if seed % 3 == 0 { number / divisor * divisor } else { number };
            for (zeros, factor) in [(0, 1), (5, 100_000)] {
                let expected = u128::from(number) * factor % u128::from(divisor) == 0;
                multiples += u32::from(expected);
                let budget = Budget::new(1_000_000);
                // Neither number is normalized here, which the functions do not rely on.
                assert_eq!(is_small_multiple(number, divisor, zeros), expected);
                let (number, divisor) = (number.to_string(), divisor.to_string());
                let found = is_large_multiple(&number, &divisor, zeros, &budget).unwrap();
                assert_eq!(found, expected, "{number}e{zeros} {divisor}");
            }
        }
        assert!(multiples > 1000 && multiples < 9000, "{multiples}");
    }

    #[test]
    fn long_numbers_cost_what_their_digits_cost() {
        let number = Decimal::from_text(&"7".repeat(100_000));
        let divisor = Decimal::from_text(&"3".repeat(400));
        let spent = number.is_multiple_of(&divisor, &Budget::new(100_000));
        assert_eq!(spent, Err(TooMuchWork::Budget));
        let exponent = Decimal::from_text("1e999999999");
        assert_eq!(exponent.is_multiple_of(&divisor, &Budget::new(100_000)), Ok(false));
    }
}
