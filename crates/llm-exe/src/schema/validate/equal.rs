//! Compares JSON values as JSON Schema does: numbers by their value, so that 1 equals 1.0, and
//! objects without regard to the order of their properties.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Number, Value};

use super::budget::{Budget, TooMuchWork};
use super::decimal::Decimal;

/// Lists up to this length are compared pair by pair instead of by hash.
pub(super) const MAX_PAIRWISE: usize = 8;

/// Returns whether two values are equal.
///
/// # Errors
/// Returns an error if the budget is spent.
pub(super) fn equal(first: &Value, second: &Value, budget: &Budget) -> Result<bool, TooMuchWork> {
    budget.spend(1)?;
    match (first, second) {
        (Value::Null, Value::Null) => Ok(true),
        (Value::Bool(first), Value::Bool(second)) => Ok(first == second),
        (Value::Number(first), Value::Number(second)) => Ok(equal_numbers(first, second)),
        (Value::String(first), Value::String(second)) => {
            if first.len() == second.len() {
                budget.spend(byte_work(first.len()))?;
            }
            Ok(first == second)
        }
        (Value::Array(first), Value::Array(second)) => {
            if first.len() != second.len() {
                return Ok(false);
            }
            for (first, second) in first.iter().zip(second) {
                if !equal(first, second, budget)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Object(first), Value::Object(second)) => {
            if first.len() != second.len() {
                return Ok(false);
            }
            for (name, first) in first {
                budget.spend(lookup_work(name))?;
                match second.get(name) {
                    Some(second) if equal(first, second, budget)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Returns whether two numbers have the same value.
fn equal_numbers(first: &Number, second: &Number) -> bool {
    match (first.as_i64(), second.as_i64()) {
        (Some(first), Some(second)) => first == second,
        _ => first == second || Decimal::from(first) == Decimal::from(second),
    }
}

/// Returns a hash that is the same for equal values.
///
/// # Errors
/// Returns an error if the budget is spent.
pub(super) fn hash(value: &Value, budget: &Budget) -> Result<u64, TooMuchWork> {
    let mut hasher = DefaultHasher::new();
    match value {
        Value::Null => budget.spend(2)?,
        Value::Bool(flag) => {
            budget.spend(2)?;
            (1u8, flag).hash(&mut hasher);
        }
        Value::Number(number) => {
            budget.spend(4)?;
            // Equal numbers are rounded to the same float. Zero can have a sign.
            let float = number.as_f64().unwrap_or_default();
            (2u8, if float == 0.0 { 0 } else { float.to_bits() }).hash(&mut hasher);
        }
        Value::String(text) => {
            budget.spend(4 + byte_work(text.len()))?;
            (3u8, text).hash(&mut hasher);
        }
        Value::Array(items) => {
            budget.spend(4)?;
            hasher.write_u8(4);
            for item in items {
                hash(item, budget)?.hash(&mut hasher);
            }
        }
        Value::Object(fields) => {
            // A sum does not depend on the order of the properties.
            let mut sum = 0u64;
            for (name, field) in fields {
                budget.spend(lookup_work(name))?;
                let mut pair = DefaultHasher::new();
                (name, hash(field, budget)?).hash(&mut pair);
                sum = sum.wrapping_add(pair.finish());
            }
            (5u8, sum).hash(&mut hasher);
        }
    }
    Ok(hasher.finish())
}

/// Returns the positions of two equal items, or `None` if all items are different.
///
/// # Errors
/// Returns an error if the budget is spent.
pub(super) fn equal_items(
    items: &[Value],
    budget: &Budget,
) -> Result<Option<(usize, usize)>, TooMuchWork> {
    if items.len() <= MAX_PAIRWISE {
        for (index, item) in items.iter().enumerate() {
            for (earlier, other) in items.iter().enumerate().take(index) {
                if equal(item, other, budget)? {
                    return Ok(Some((earlier, index)));
                }
            }
        }
        return Ok(None);
    }
    let mut hashes = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        hashes.push((hash(item, budget)?, index));
    }
    hashes.sort_unstable();
    for same in hashes.chunk_by(|first, second| first.0 == second.0) {
        for (position, (_, index)) in same.iter().enumerate() {
            for (_, earlier) in same.iter().take(position) {
                if let (Some(item), Some(other)) = (items.get(*index), items.get(*earlier))
                    && equal(item, other, budget)?
                {
                    return Ok(Some((*earlier, *index)));
                }
            }
        }
    }
    Ok(None)
}

/// Returns the number of units of work to compare or hash a number of bytes.
pub(super) fn byte_work(bytes: usize) -> u64 {
    u64::try_from(bytes / 32).unwrap_or(u64::MAX)
}

/// Returns the number of units of work to look up a property.
pub(super) fn lookup_work(name: &str) -> u64 {
    4 + byte_work(name.len())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::budget::Budget;
    use super::{equal, equal_items, hash};

    #[test]
    fn equal_values_have_equal_hashes() {
        let budget = Budget::new(10_000);
        for (first, second, same) in [
            (json!(1), json!(1.0), true),
            (json!(0), json!(-0.0), true),
            (json!({"a": 1, "b": [2]}), json!({"b": [2.0], "a": 1}), true),
            (json!([1, 2]), json!([2, 1]), false),
            (json!(0), json!(false), false),
            (json!(""), json!(null), false),
            (json!({"a": null}), json!({"b": null}), false),
            (json!(9007199254740993u64), json!(9007199254740992u64), false),
        ] {
            assert_eq!(equal(&first, &second, &budget), Ok(same), "{first} {second}");
            let hashes = (hash(&first, &budget).unwrap(), hash(&second, &budget).unwrap());
            assert!(!same || hashes.0 == hashes.1, "{first} {second}");
        }
    }

    #[test]
    fn equal_items_are_found_in_short_and_long_lists() {
        for length in [2, 8, 9, 1000] {
            let mut items: Vec<Value> = (0..length).map(Value::from).collect();
            let budget = Budget::new(1_000_000);
            assert_eq!(equal_items(&items, &budget), Ok(None));
            items.push(json!(1.0));
            assert_eq!(equal_items(&items, &budget), Ok(Some((1, length))));
        }
        assert!(equal_items(&vec![json!(1); 1000], &Budget::new(1000)).is_err());
    }
}
