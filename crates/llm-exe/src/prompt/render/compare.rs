//! JavaScript's loose comparisons, for `../` and `ifCond`.

use std::cmp::Ordering;

use super::error::RenderError;
use super::limits::Budget;
use super::value::Value;
use super::write;

/// JavaScript's `left == right`.
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

/// The order of two values for JavaScript's `<`, `<=`, `>` and `>=`; `None` if all are false.
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

/// Whether a list is too long for its text to equal `other`. This avoids building the text of a
/// long list for each of its elements.
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

/// Converts an object to its text, as JavaScript's `==` does.
fn to_primitive<'a>(value: &Value<'a>, budget: &mut Budget) -> Result<Value<'a>, RenderError> {
    match value {
        Value::Array(_) => Ok(Value::owned_text(&*write::to_string(value, budget)?)),
        value if value.is_object() => Ok(Value::Text(write::OBJECT_TEXT)),
        value => Ok(value.clone()),
    }
}
