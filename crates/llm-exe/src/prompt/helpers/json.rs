//! Implements `json` and `indentJson`, which convert a value to JSON.

use super::args::Args;
use super::comparison::is_true;
use crate::prompt::render::error::RenderError;
use crate::prompt::render::json;
use crate::prompt::render::limits::Budget;
use crate::prompt::render::value::Value;

/// Number of spaces per indentation level in `indentJson`, as in npm llm-exe.
const INDENT: usize = 2;

/// Maximum number of spaces per indentation level, as in JavaScript's `JSON.stringify`.
const MAX_INDENT: f64 = 10.0;

/// Implements `{{json value}}` and `{{json value indent=2}}`, which return a value as JSON. Without
/// `indent`, the JSON is on one line.
pub(super) fn json<'a>(args: &Args<'_, 'a>, budget: &mut Budget) -> Result<Value<'a>, RenderError> {
    let value = args.get(0);
    if matches!(value, Value::Undefined) {
        return Ok(value);
    }
    let indent = match args.named("indent") {
        Value::Undefined => 0,
        indent => indent.to_number().clamp(0.0, MAX_INDENT) as usize,
    };
    to_json_text(&value, indent, budget)
}

/// Implements `{{indentJson value}}` and `{{indentJson value true}}`, which return an object or
/// array as indented JSON, or on one line if the second argument is `true`. A string is returned
/// unchanged.
pub(super) fn indent_json<'a>(
    args: &Args<'_, 'a>,
    budget: &mut Budget,
) -> Result<Value<'a>, RenderError> {
    let value = args.get(0);
    if value.is_object() {
        return to_json_text(&value, indentation(&args.get(1)), budget);
    }
    match value {
        Value::Null => Err(RenderError::helper("expects an object or a list, got null")),
        value if value.as_text().is_some() => Ok(value),
        value if !value.is_truthy() => Ok(Value::Text("")),
        _ => Err(RenderError::helper("expects an object, a list or a string")),
    }
}

/// Returns the number of spaces per indentation level, which is 0 if `collapse` is true.
pub(super) fn indentation(collapse: &Value<'_>) -> usize {
    if is_true(collapse) { 0 } else { INDENT }
}

pub(super) fn to_json_text<'a>(
    value: &Value<'_>,
    indent: usize,
    budget: &mut Budget,
) -> Result<Value<'a>, RenderError> {
    let mut out = String::new();
    json::write(&mut out, value, indent, budget)?;
    Ok(Value::owned_text(out))
}
