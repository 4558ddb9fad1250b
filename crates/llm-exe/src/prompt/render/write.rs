//! Converts values to strings as JavaScript does.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::error::RenderError;
use super::limits::Budget;
use super::value::Value;

/// The string to which JavaScript converts an object.
pub(crate) const OBJECT_TEXT: &str = "[object Object]";

/// Maximum nesting depth of arrays.
const MAX_NESTING: usize = 200;

/// Appends a string to the output.
///
/// # Errors
/// Returns an error if the result would exceed the size limit.
#[inline]
pub(crate) fn push(out: &mut String, text: &str, budget: &mut Budget) -> Result<(), RenderError> {
    let fits = text.len() <= out.capacity() - out.len();
    if fits && out.len() + text.len() <= budget.bytes() {
        out.push_str(text);
        return Ok(());
    }
    grow_and_push(out, text, budget)
}

/// Appends a string after allocating space for it.
#[cold]
#[inline(never)]
fn grow_and_push(out: &mut String, text: &str, budget: &mut Budget) -> Result<(), RenderError> {
    budget.check_growth(out.len(), text.len())?;
    // The old and the new buffer both exist while the text is copied. Growing by half instead of
    // doubling keeps the peak below three times the size of the text.
    out.reserve_exact(text.len().max(out.capacity() / 2));
    out.push_str(text);
    Ok(())
}

/// Appends a value as a tag renders it. Missing values and null are rendered as an empty string.
pub(crate) fn print(
    out: &mut String,
    value: &Value<'_>,
    budget: &mut Budget,
) -> Result<(), RenderError> {
    match value {
        Value::Undefined | Value::Null => Ok(()),
        Value::Text(text) => push(out, text, budget),
        Value::Array(items) => push_list(out, items, ",", 0, budget),
        value => push(out, &scalar_text(value), budget),
    }
}

/// Appends a value as JavaScript's `String(value)` converts it.
pub(crate) fn push_string(
    out: &mut String,
    value: &Value<'_>,
    budget: &mut Budget,
) -> Result<(), RenderError> {
    match value {
        Value::Undefined => push(out, "undefined", budget),
        Value::Null => push(out, "null", budget),
        value => print(out, value, budget),
    }
}

/// Converts a value to a string as JavaScript's `String(value)` does. The result is borrowed if the
/// value is a string.
pub(crate) fn to_string<'v>(
    value: &'v Value<'_>,
    budget: &mut Budget,
) -> Result<Cow<'v, str>, RenderError> {
    if let Some(text) = value.as_text() {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::new();
    push_string(&mut out, value, budget)?;
    budget.count_helper_bytes(out.len())?;
    Ok(Cow::Owned(out))
}

/// Appends the elements of an array, joined with a separator, as JavaScript's `join` does.
pub(crate) fn push_list(
    out: &mut String,
    items: &[Json],
    separator: &str,
    depth: usize,
    budget: &mut Budget,
) -> Result<(), RenderError> {
    if depth > MAX_NESTING {
        return Err(RenderError::TooDeep);
    }
    for (index, item) in items.iter().enumerate() {
        budget.step()?;
        if index > 0 {
            push(out, separator, budget)?;
        }
        match item {
            Json::Array(items) => push_list(out, items, ",", depth + 1, budget)?,
            item => print(out, &Value::from(item), budget)?,
        }
    }
    Ok(())
}

/// Returns the string form of a value other than an array, null or a missing value.
fn scalar_text<'v>(value: &'v Value<'_>) -> Cow<'v, str> {
    match value {
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        Value::Number(number) => number.to_js_string(),
        Value::OwnedText(text) => Cow::Borrowed(text),
        _ => Cow::Borrowed(OBJECT_TEXT),
    }
}
