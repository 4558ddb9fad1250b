//! `json` and `indentJson`: a value as JSON.

use super::Args;
use super::comparison::is_on;
use crate::prompt::json;
use crate::prompt::limits::{Budget, Fault};
use crate::prompt::value::Value;

/// How llm-exe indents JSON.
const INDENT: usize = 2;

/// The widest indentation, as in JavaScript.
const WIDEST: f64 = 10.0;

/// `{{json value}}`, `{{json value indent=2}}`
pub(super) fn json<'a>(args: &Args<'_, 'a>, budget: &mut Budget) -> Result<Value<'a>, Fault> {
    args.exactly(1)?;
    let value = args.get(0);
    if matches!(value, Value::Undefined) {
        return Ok(value);
    }
    let indent = match args.named("indent") {
        Value::Undefined => 0,
        indent => indent.to_number().clamp(0.0, WIDEST) as usize,
    };
    text(&value, indent, budget)
}

/// `{{indentJson value}}`, `{{indentJson value true}}`: JSON of an object or list, in lines or,
/// with `true`, in one; a text stays as it is.
pub(super) fn indent_json<'a>(
    args: &Args<'_, 'a>,
    budget: &mut Budget,
) -> Result<Value<'a>, Fault> {
    let value = args.get(0);
    if value.is_object() {
        return text(&value, width(&args.get(1)), budget);
    }
    match value {
        Value::Null => Err(Fault::failed("takes an object or a list, not null")),
        value if value.as_text().is_some() => Ok(value),
        value if !value.is_truthy() => Ok(Value::Text("")),
        _ => Err(Fault::failed("takes an object, a list or a text")),
    }
}

/// The indentation, given whether lines are to be collapsed.
pub(super) fn width(collapse: &Value<'_>) -> usize {
    if is_on(collapse) { 0 } else { INDENT }
}

/// A value as JSON text.
pub(super) fn text<'a>(
    value: &Value<'_>,
    indent: usize,
    budget: &mut Budget,
) -> Result<Value<'a>, Fault> {
    let mut out = String::new();
    json::write(&mut out, value, indent, budget)?;
    Ok(Value::made(out))
}
