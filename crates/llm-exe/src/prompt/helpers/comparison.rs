//! Implements the tests `eq`, `neq`, `ifCond`, `ifEquals` and `unlessEquals`, which can be used
//! with a block or as a value.

use std::cmp::Ordering;

use super::args::Args;
use crate::error::shorten;
use crate::json;
use crate::prompt::render::compare;
use crate::prompt::render::error::RenderError;
use crate::prompt::render::limits::Budget;
use crate::prompt::render::value::Value;
use crate::prompt::render::write;
use crate::prompt::syntax::scan::is_js_space;

/// Implements `{{#eq role "user, assistant"}}`, which is true if the first argument, converted to a
/// string, equals one of the comma-separated parts of the second.
pub(super) fn eq(args: &Args<'_, '_>, budget: &mut Budget) -> Result<bool, RenderError> {
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
/// result is false, with a warning, if the operator is unknown.
pub(super) fn if_cond(args: &Args<'_, '_>, budget: &mut Budget) -> Result<bool, RenderError> {
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
        _ => {
            budget.note(|| unknown_operator(operator.as_text()));
            Ok(false)
        }
    }
}

/// Maximum number of characters of an unknown operator that a warning quotes.
const MAX_OPERATOR_CHARS: usize = 40;

/// The operators of `ifCond`.
const OPERATORS: &[&str] = &["<", "<=", ">", ">=", "==", "!=", "===", "!==", "&&", "||"];

/// Returns the warning about an operator of `ifCond` that does not exist, if it is not one of the
/// known ones.
pub(crate) fn check_operator(operator: &str) -> Option<String> {
    (!OPERATORS.contains(&operator)).then(|| unknown_operator(Some(operator)))
}

fn unknown_operator(received: Option<&str>) -> String {
    let known = OPERATORS.join(" ");
    let received = match received {
        Some(text) => {
            format!("the unknown operator {}", json::quoted(&shorten(text, MAX_OPERATOR_CHARS)))
        }
        None => "an operator that is not a string".to_owned(),
    };
    format!("`ifCond` is always false with {received}; expected one of {known}")
}

/// Implements `{{#ifEquals count 5}}`, which compares two values without conversion, as
/// JavaScript's `===` does.
pub(super) fn equals(args: &Args<'_, '_>, _: &mut Budget) -> Result<bool, RenderError> {
    Ok(args.get(0).strictly_equals(&args.get(1)))
}

/// Implements `{{#unlessEquals count 5}}`, the opposite of `ifEquals`.
pub(super) fn differs(args: &Args<'_, '_>, budget: &mut Budget) -> Result<bool, RenderError> {
    equals(args, budget).map(|equal| !equal)
}

/// Returns whether the value of an option is `true` or the string `"true"`.
pub(super) fn is_true(value: &Value<'_>) -> bool {
    matches!(value, Value::Bool(true)) || value.as_text() == Some("true")
}
