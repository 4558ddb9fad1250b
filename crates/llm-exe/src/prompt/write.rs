//! Values as text, the way JavaScript turns them into strings.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::limits::{Budget, Fault};
use super::value::Value;

/// What JavaScript prints for any object.
pub(crate) const OBJECT: &str = "[object Object]";

/// How deep lists may stand in each other when they are printed.
const NESTING: usize = 200;

/// Appends a text, if the limits allow.
pub(crate) fn push(out: &mut String, text: &str, budget: &mut Budget) -> Result<(), Fault> {
    budget.grow(out.len(), text.len())?;
    if out.capacity() - out.len() < text.len() {
        make_room(out, text.len());
    }
    out.push_str(text);
    Ok(())
}

/// Makes room for `more` bytes, by half of what there was: while a text moves to a larger place,
/// both take memory, and doubling would make three times the text of it.
#[cold]
fn make_room(out: &mut String, more: usize) {
    out.reserve_exact(more.max(out.capacity() / 2));
}

/// Appends a value as a tag prints it: a missing one prints nothing.
pub(crate) fn print(out: &mut String, value: &Value<'_>, budget: &mut Budget) -> Result<(), Fault> {
    match value {
        Value::Undefined | Value::Null => Ok(()),
        Value::Text(text) => push(out, text, budget),
        Value::Array(items) => list(out, items, ",", 0, budget),
        value => push(out, &short(value), budget),
    }
}

/// Appends a value as JavaScript's `String(value)` gives it.
pub(crate) fn string(
    out: &mut String,
    value: &Value<'_>,
    budget: &mut Budget,
) -> Result<(), Fault> {
    match value {
        Value::Undefined => push(out, "undefined", budget),
        Value::Null => push(out, "null", budget),
        value => print(out, value, budget),
    }
}

/// `String(value)`, borrowed where it already is a text.
pub(crate) fn to_string<'v>(
    value: &'v Value<'_>,
    budget: &mut Budget,
) -> Result<Cow<'v, str>, Fault> {
    if let Some(text) = value.as_text() {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::new();
    string(&mut out, value, budget)?;
    budget.make(out.len())?;
    Ok(Cow::Owned(out))
}

/// Appends a list's elements with something between them, as `join` does.
pub(crate) fn list(
    out: &mut String,
    items: &[Json],
    between: &str,
    depth: usize,
    budget: &mut Budget,
) -> Result<(), Fault> {
    if depth > NESTING {
        return Err(Fault::TooDeep);
    }
    for (index, item) in items.iter().enumerate() {
        budget.step()?;
        if index > 0 {
            push(out, between, budget)?;
        }
        match item {
            Json::Array(items) => list(out, items, ",", depth + 1, budget)?,
            item => print(out, &Value::from(item), budget)?,
        }
    }
    Ok(())
}

/// The text of a value that is neither a list nor missing.
fn short<'v>(value: &'v Value<'_>) -> Cow<'v, str> {
    match value {
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        Value::Number(number) => number.print(),
        Value::Made(text) => Cow::Borrowed(text),
        _ => Cow::Borrowed(OBJECT),
    }
}
