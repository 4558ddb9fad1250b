//! `eq`, `neq` and `ifCond`: tests that are used with a block or as a value.

use std::cmp::Ordering;

use super::args::Args;
use crate::prompt::render::compare;
use crate::prompt::render::error::RenderError;
use crate::prompt::render::limits::Budget;
use crate::prompt::render::value::Value;
use crate::prompt::render::write;
use crate::prompt::syntax::scan::is_js_space;

/// `{{#eq role "user, assistant"}}`: whether the text of the first argument equals one of the
/// comma-separated parts of the second.
pub(super) fn eq(args: &Args<'_, '_>, budget: &mut Budget) -> Result<bool, RenderError> {
    args.expect_count(2)?;
    let mut text = String::new();
    write::print(&mut text, &args.get(0), budget)?;
    let mut list = String::new();
    write::print(&mut list, &args.get(1), budget)?;
    Ok(list.split(',').any(|part| part.trim_matches(is_js_space) == text))
}

/// `{{#neq role "system"}}`: the opposite of `eq`.
pub(super) fn neq(args: &Args<'_, '_>, budget: &mut Budget) -> Result<bool, RenderError> {
    eq(args, budget).map(|equal| !equal)
}

/// `{{#ifCond count ">" 3}}`: compares with a JavaScript operator. An unknown operator is false.
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

/// Whether an option is `true` or `"true"`.
pub(super) fn is_true(value: &Value<'_>) -> bool {
    matches!(value, Value::Bool(true)) || value.as_text() == Some("true")
}
