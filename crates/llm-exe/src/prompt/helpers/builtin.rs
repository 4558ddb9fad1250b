//! Implements Handlebars' `if`, `unless`, `lookup` and `log`. The renderer implements `each` and
//! `with`.

use super::args::Args;
use crate::prompt::render::error::RenderError;
use crate::prompt::render::limits::Budget;
use crate::prompt::render::value::Value;
use crate::prompt::render::write;

/// Evaluates the condition of `{{#if x}}` and `{{#unless x}}`. The condition is true for a truthy
/// value other than an empty array. With `includeZero=true`, it is also true for 0.
pub(crate) fn is_met(args: &Args<'_, '_>, _: &mut Budget) -> Result<bool, RenderError> {
    Ok(args.get(0).is_met(args.named("includeZero").is_truthy()))
}

/// Implements `{{lookup list index}}`, which returns the element at a computed key or index.
pub(super) fn lookup<'a>(
    args: &Args<'_, 'a>,
    budget: &mut Budget,
) -> Result<Value<'a>, RenderError> {
    let object = args.get(0);
    let count = args.positional.len();
    if count == 0 || (count != 2 && object.is_truthy()) {
        return Err(RenderError::helper("expects an object and a key"));
    }
    if !object.is_truthy() {
        return Ok(object);
    }
    let key = args.get(1);
    Ok(object.property(&write::to_string(&key, budget)?))
}

/// Implements `{{log x}}`, which has no effect. It logs nothing because prompts are never logged.
pub(super) fn log<'a>(_: &Args<'_, 'a>, _: &mut Budget) -> Result<Value<'a>, RenderError> {
    Ok(Value::Undefined)
}
