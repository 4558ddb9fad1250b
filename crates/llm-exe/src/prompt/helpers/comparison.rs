//! `eq`, `neq` and `ifCond`: with a block they choose, without one they give true or false.

use std::cmp::Ordering;

use super::Args;
use crate::prompt::compare;
use crate::prompt::limits::{Budget, Fault};
use crate::prompt::scan::is_js_space;
use crate::prompt::value::Value;
use crate::prompt::write;

/// `{{#eq role "user, assistant"}}`: whether the first, as text, is among the second's parts.
pub(super) fn eq(args: &Args<'_, '_>, budget: &mut Budget) -> Result<bool, Fault> {
    args.exactly(2)?;
    let mut wanted = String::new();
    write::print(&mut wanted, &args.get(0), budget)?;
    let mut list = String::new();
    write::print(&mut list, &args.get(1), budget)?;
    Ok(list.split(',').any(|part| part.trim_matches(is_js_space) == wanted))
}

/// `{{#neq role "system"}}`
pub(super) fn neq(args: &Args<'_, '_>, budget: &mut Budget) -> Result<bool, Fault> {
    eq(args, budget).map(|equal| !equal)
}

/// `{{#ifCond count ">" 3}}`, with JavaScript's operators. An unknown operator is never met.
pub(super) fn if_cond(args: &Args<'_, '_>, budget: &mut Budget) -> Result<bool, Fault> {
    args.exactly(3)?;
    let [one, operator, two] = [args.get(0), args.get(1), args.get(2)];
    let mut ordered = |wanted: fn(Ordering) -> bool| -> Result<bool, Fault> {
        Ok(compare::order(&one, &two, budget)?.is_some_and(wanted))
    };
    match operator.as_text().unwrap_or_default() {
        "<" => ordered(Ordering::is_lt),
        "<=" => ordered(Ordering::is_le),
        ">" => ordered(Ordering::is_gt),
        ">=" => ordered(Ordering::is_ge),
        "==" => compare::loosely_equal(&one, &two, budget),
        "!=" => compare::loosely_equal(&one, &two, budget).map(|equal| !equal),
        "===" => Ok(one.same(&two)),
        "!==" => Ok(!one.same(&two)),
        "&&" => Ok(one.is_truthy() && two.is_truthy()),
        "||" => Ok(one.is_truthy() || two.is_truthy()),
        _ => Ok(false),
    }
}

/// Whether an option that is given as `true` or `"true"` is on.
pub(super) fn is_on(value: &Value<'_>) -> bool {
    matches!(value, Value::Bool(true)) || value.as_text() == Some("true")
}
