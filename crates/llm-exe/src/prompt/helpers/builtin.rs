//! Handlebars' own helpers, apart from `each` and `with`, which the evaluator has.

use super::Args;
use crate::prompt::limits::{Budget, Fault};
use crate::prompt::value::Value;
use crate::prompt::write;

/// `{{#if x}}`: truthy and no empty list; with `includeZero=true`, 0 too.
pub(super) fn is_met(args: &Args<'_, '_>, _: &mut Budget) -> Result<bool, Fault> {
    args.exactly(1)?;
    let value = args.get(0);
    let falsy = !args.named("includeZero").is_truthy() && !value.is_truthy();
    Ok(!falsy && !value.is_empty())
}

/// `{{#unless x}}`
pub(super) fn is_not_met(args: &Args<'_, '_>, budget: &mut Budget) -> Result<bool, Fault> {
    is_met(args, budget).map(|met| !met)
}

/// `{{lookup list index}}`
pub(super) fn lookup<'a>(args: &Args<'_, 'a>, budget: &mut Budget) -> Result<Value<'a>, Fault> {
    let object = args.get(0);
    if args.list.is_empty() || (args.list.len() == 1 && object.is_truthy()) {
        return Err(Fault::failed("takes an object and a name"));
    }
    if !object.is_truthy() {
        return Ok(object);
    }
    let name = args.get(1);
    Ok(object.property(&write::to_string(&name, budget)?))
}

/// `{{log x}}`
pub(super) fn log<'a>(_: &Args<'_, 'a>, _: &mut Budget) -> Result<Value<'a>, Fault> {
    Ok(Value::Undefined)
}
