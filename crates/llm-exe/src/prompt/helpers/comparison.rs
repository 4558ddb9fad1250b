//! Implements the tests `eq`, `neq` and `ifCond`, which can be used with a block or as a value.

use std::cmp::Ordering;

use super::args::Args;
use crate::prompt::render::compare;
use crate::prompt::render::error::RenderError;
use crate::prompt::render::limits::Budget;
use crate::prompt::render::value::Value;
use crate::prompt::render::write;
use crate::prompt::syntax::scan::is_js_space;

/// Implements `{{#eq role "user, assistant"}}`, which is true if the first argument, converted to a
/// string, equals one of the comma-separated parts of the second.
pub(super) fn eq(args: &Args<'_, '_>, budget: &mut Budget) -> Result<bool, RenderError> {
    args.expect_count(2)?;
    let mut text = String::new();
    write::print(&mut text, &args.get(0), budget)?;
    let mut list = String::new();
    write::print(&mut list, &args.get(1), budget)?;
    Ok(list.split(',').any(|part| part.trim_matches(is_js_space) == text))
}

/// Implements `{{#neq role "system"}}`, the opposite of `eq`.
pub(super) fn neq(args: &Args<'_, '_>, budget: &mut Budget) -> Result<bool, RenderError> {
    eq(args, budget).map(|equal| !equal)
}

/// Implements `{{#ifCond count ">" 3}}`, which compares two values with a JavaScript operator. The
/// result is false if the operator is unknown.
pub(super) fn if_cond(args: &Args<'_, '_>, budget: &mut Budget) -> Result<bool, RenderError> {
    args.expect_count(3)?;
    let [left, operator, right] = [args.get(0), args.get(1), args.get(2)];
    let mut ordered = |matches: fn(Ordering) -> bool| -> Result<bool, RenderError> {
        Ok(compare::order(&left, &right, budget)?.is_some_and(matches))
    };
    match operator.as_text().unwrap_or_default() {
        "<" => ordered(Ordering::is_lt),
        "<=" => ordered(Ordering::is_le),
        ">" => ordered(Ordering::is_gt),
        ">=" => ordered(Ordering::is_ge),
        "==" => compare::loosely_equal(&left, &right, budget),
        "!=" => compare::loosely_equal(&left, &right, budget).map(|equal| !equal),
        "===" => Ok(left.strictly_equals(&right)),
        "!==" => Ok(!left.strictly_equals(&right)),
        "&&" => Ok(left.is_truthy() && right.is_truthy()),
        "||" => Ok(left.is_truthy() || right.is_truthy()),
        _ => Ok(false),
    }
}

/// Returns whether the value of an option is `true` or the string `"true"`.
pub(super) fn is_true(value: &Value<'_>) -> bool {
    matches!(value, Value::Bool(true)) || value.as_text() == Some("true")
}
