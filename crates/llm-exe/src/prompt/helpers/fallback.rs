//! Implements `getOr`, `getKeyOr` and `default`, which return a fallback if a value is missing.

use super::args::Args;
use crate::prompt::render::error::RenderError;
use crate::prompt::render::limits::Budget;
use crate::prompt::render::value::Value;

/// Implements `{{getOr name "you"}}`, which returns the second argument if the first is missing or
/// an empty string. Null is returned unchanged.
pub(super) fn get_or<'a>(args: &Args<'_, 'a>, _: &mut Budget) -> Result<Value<'a>, RenderError> {
    Ok(or_fallback(args.get(0), args))
}

/// Implements `{{getKeyOr "user.name" "you"}}`, which works like `getOr` but looks up the first
/// argument as a path in the context.
pub(super) fn get_key_or<'a>(
    args: &Args<'_, 'a>,
    _: &mut Budget,
) -> Result<Value<'a>, RenderError> {
    let value = at_path(args.this, key(args)?);
    Ok(or_fallback(value, args))
}

/// Implements `{{default name "you"}}`, which returns the second argument if the first is missing,
/// null or an empty string.
pub(super) fn default<'a>(args: &Args<'_, 'a>, _: &mut Budget) -> Result<Value<'a>, RenderError> {
    let value = args.get(0);
    Ok(if value.is_nullish() { args.get(1) } else { or_fallback(value, args) })
}

/// Returns the value, or the second argument if the value is missing or an empty string.
fn or_fallback<'a>(value: Value<'a>, args: &Args<'_, 'a>) -> Value<'a> {
    let missing = matches!(value, Value::Undefined) || value.as_text() == Some("");
    if missing { args.get(1) } else { value }
}

/// Returns the first argument, which must be a string that contains a path.
pub(super) fn key<'v>(args: &'v Args<'_, '_>) -> Result<&'v str, RenderError> {
    let key = args.positional.first().and_then(Value::as_text);
    key.ok_or_else(|| RenderError::helper("expects a quoted key as its first argument"))
}

/// Returns the value at a path such as `a.b[0]`. The path is first split only at brackets and
/// commas, because a key can contain dots. If this finds no truthy value, the path is also split at
/// dots. Null counts as missing.
pub(crate) fn at_path<'a>(from: &Value<'a>, path: &str) -> Value<'a> {
    let value = walk(from, path, &[',', '[', ']']);
    let value = if value.is_truthy() { value } else { walk(from, path, &[',', '[', ']', '.']) };
    if value.is_nullish() { Value::Undefined } else { value }
}

/// Splits a path into keys and looks them up one after another.
fn walk<'a>(from: &Value<'a>, path: &str, separators: &[char]) -> Value<'a> {
    let mut steps = path.split(separators).filter(|step| !step.is_empty()).peekable();
    if steps.peek().is_none() {
        return Value::Undefined;
    }
    steps.fold(from.clone(), |value, step| value.property(step))
}
