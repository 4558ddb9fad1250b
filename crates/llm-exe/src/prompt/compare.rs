//! JavaScript's loose comparisons, which `../` and `ifCond` depend on.

use std::cmp::Ordering;

use super::limits::{Budget, Fault};
use super::value::Value;
use super::write;

/// `one == two`
pub(crate) fn loosely_equal(
    one: &Value<'_>,
    two: &Value<'_>,
    budget: &mut Budget,
) -> Result<bool, Fault> {
    if one.is_nullish() || two.is_nullish() {
        return Ok(one.is_nullish() && two.is_nullish());
    }
    if one.is_object() && two.is_object() {
        return Ok(one.same(two));
    }
    if differ_in_length(one, two) || differ_in_length(two, one) {
        return Ok(false);
    }
    let (one, two) = (primitive(one, budget)?, primitive(two, budget)?);
    Ok(match (one.as_text(), two.as_text()) {
        (Some(one), Some(two)) => one == two,
        _ => one.to_number() == two.to_number(),
    })
}

/// How two values stand to each other for `<` and its kin; `None` when neither way.
pub(crate) fn order(
    one: &Value<'_>,
    two: &Value<'_>,
    budget: &mut Budget,
) -> Result<Option<Ordering>, Fault> {
    let (one, two) = (primitive(one, budget)?, primitive(two, budget)?);
    Ok(match (one.as_text(), two.as_text()) {
        (Some(one), Some(two)) => Some(one.encode_utf16().cmp(two.encode_utf16())),
        _ => one.to_number().partial_cmp(&two.to_number()),
    })
}

/// Whether a list is so long that its text cannot be this text or number: asking costs nothing,
/// while building the text of a long list for each of its elements would.
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

/// An object becomes the text that JavaScript makes of it.
fn primitive<'a>(value: &Value<'a>, budget: &mut Budget) -> Result<Value<'a>, Fault> {
    match value {
        Value::Array(_) => Ok(Value::made(&*write::to_string(value, budget)?)),
        value if value.is_object() => Ok(Value::Text(write::OBJECT)),
        value => Ok(value.clone()),
    }
}
