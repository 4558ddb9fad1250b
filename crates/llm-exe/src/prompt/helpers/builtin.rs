//! Handlebars' own helpers, apart from `each` and `with`, which the evaluator has.

use super::Args;
use crate::prompt::limits::{Budget, Fault};
use crate::prompt::value::Value;
use crate::prompt::write;

/// `{{#if x}}`, and `{{#unless x}}` turned around: truthy and no empty list; with
/// `includeZero=true`, 0 too.
pub(crate) fn is_met(args: &Args<'_, '_>, _: &mut Budget) -> Result<bool, Fault> {
    args.exactly(1)?;
    Ok(args.get(0).is_met(args.named("includeZero").is_truthy()))
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
