//! `getOr`, `getKeyOr` and `default`: a value, or another one in its place.

use super::Args;
use crate::prompt::limits::{Budget, Fault};
use crate::prompt::value::Value;

/// `{{getOr name "you"}}`: the second if the first is missing or an empty text; null stays.
pub(super) fn get_or<'a>(args: &Args<'_, 'a>, _: &mut Budget) -> Result<Value<'a>, Fault> {
    Ok(unless_missing(args.get(0), args))
}

/// `{{getKeyOr "user.name" "you"}}`: the same for what a path leads to from the context.
pub(super) fn get_key_or<'a>(args: &Args<'_, 'a>, _: &mut Budget) -> Result<Value<'a>, Fault> {
    let value = at_path(args.this, key(args)?);
    Ok(unless_missing(value, args))
}

/// `{{default name "you"}}`: the second if the first is missing, null or an empty text.
pub(super) fn default<'a>(args: &Args<'_, 'a>, _: &mut Budget) -> Result<Value<'a>, Fault> {
    args.exactly(2)?;
    let value = args.get(0);
    Ok(if value.is_nullish() { args.get(1) } else { unless_missing(value, args) })
}

fn unless_missing<'a>(value: Value<'a>, args: &Args<'_, 'a>) -> Value<'a> {
    let missing = matches!(value, Value::Undefined) || value.as_text() == Some("");
    if missing { args.get(1) } else { value }
}

/// The first argument, which must be the name of a key.
pub(super) fn key<'v>(args: &'v Args<'_, '_>) -> Result<&'v str, Fault> {
    let key = args.list.first().and_then(Value::as_text);
    key.ok_or_else(|| Fault::failed("takes the name of a key as its first argument"))
}

/// What a path such as `a.b[0]` leads to: the keys between brackets and commas are tried with
/// their dots first, then without. Own keys only; null is as good as missing.
pub(super) fn at_path<'a>(from: &Value<'a>, path: &str) -> Value<'a> {
    let found = walk(from, path, &[',', '[', ']']);
    let found = if found.is_truthy() { found } else { walk(from, path, &[',', '[', ']', '.']) };
    if found.is_nullish() { Value::Undefined } else { found }
}

fn walk<'a>(from: &Value<'a>, path: &str, separators: &[char]) -> Value<'a> {
    let mut steps = path.split(separators).filter(|step| !step.is_empty()).peekable();
    if steps.peek().is_none() {
        return Value::Undefined;
    }
    steps.fold(from.clone(), |value, step| value.property(step))
}
