//! JavaScript's loose comparisons, which `ifCond` and the resolution of `../` use.

use std::cmp::Ordering;

use super::error::RenderError;
use super::limits::Budget;
use super::value::Value;
use super::write;

/// Compares two values as JavaScript's `left == right` does.
pub(crate) fn loosely_equal(
    left: &Value<'_>,
    right: &Value<'_>,
    budget: &mut Budget,
) -> Result<bool, RenderError> {
    if left.is_nullish() || right.is_nullish() {
        return Ok(left.is_nullish() && right.is_nullish());
    }
    if left.is_object() && right.is_object() {
        return Ok(left.strictly_equals(right));
    }
    if differ_in_length(left, right) || differ_in_length(right, left) {
        return Ok(false);
    }
    let (left, right) = (to_primitive(left, budget)?, to_primitive(right, budget)?);
    Ok(match (left.as_text(), right.as_text()) {
        (Some(left), Some(right)) => left == right,
        _ => left.to_number() == right.to_number(),
    })
}

/// Compares two values as JavaScript's `<`, `<=`, `>` and `>=` do. Returns `None` if all four
/// comparisons are false.
pub(crate) fn order(
    left: &Value<'_>,
    right: &Value<'_>,
    budget: &mut Budget,
) -> Result<Option<Ordering>, RenderError> {
    let (left, right) = (to_primitive(left, budget)?, to_primitive(right, budget)?);
    Ok(match (left.as_text(), right.as_text()) {
        (Some(left), Some(right)) => Some(left.encode_utf16().cmp(right.encode_utf16())),
        _ => left.to_number().partial_cmp(&right.to_number()),
    })
}

/// Returns whether `list` is an array whose string form is certainly too long to equal `other`. In
/// a loop over a long array, this avoids building the string form of the whole array for each
/// element.
fn differ_in_length(list: &Value<'_>, other: &Value<'_>) -> bool {
    let Value::Array(items) = list else {
        return false;
    };
    let commas = items.len().saturating_sub(1);
    match other.as_text() {
        Some(text) => text.len() < commas,
        None => commas > 0,
    }
}

/// Converts an array or object to a string, as JavaScript's `==` does. Other values are returned
/// unchanged.
fn to_primitive<'a>(value: &Value<'a>, budget: &mut Budget) -> Result<Value<'a>, RenderError> {
    match value {
        Value::Array(_) => Ok(Value::owned_text(&*write::to_string(value, budget)?)),
        value if value.is_object() => Ok(Value::Text(write::OBJECT_TEXT)),
        value => Ok(value.clone()),
    }
}
