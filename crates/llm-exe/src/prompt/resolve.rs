//! Paths, arguments and helper calls: what an expression is worth.

use super::ast::{Call, Expr, Pair, Path, Target};
use super::eval::{Renderer, Run};
use super::frame::{Env, Turn};
use super::helpers::{Args, Helper, Kind};
use super::limits::{Budget, Fault};
use super::number::Number;
use super::value::Value;

impl<'a> Renderer<'a> {
    /// The value of a path. Unless it is only `tested`, a missing one is noted.
    pub(crate) fn path(
        &mut self,
        path: &'a Path,
        tested: bool,
        env: &Env<'_, 'a>,
    ) -> Run<Value<'a>> {
        let (value, present) =
            self.look_up(path, env).map_err(|fault| env.problem(fault, path.at))?;
        if !present && !tested {
            self.missed.add(&path.written, env.call_site.unwrap_or(path.at));
        }
        Ok(value)
    }

    /// The value of a path, and whether all of the path was there.
    fn look_up(&self, path: &'a Path, env: &Env<'_, 'a>) -> Result<(Value<'a>, bool), Fault> {
        let mut parts = path.parts.iter();
        let mut value = if let Some((up, index)) = path.param {
            parts.next();
            block_param(path, up, index, env)?
        } else if path.parts.first().is_none_or(|name| name.is_empty()) {
            // handlebars.js takes an empty name for none.
            parts = [].iter();
            env.above(path.up)
        } else if path.data {
            let name = parts.next().map_or("", |name| &**name);
            self.data(name, path.up, env)
        } else {
            env.above(path.up)
        };
        for name in parts {
            let ends = if path.data { !value.is_truthy() } else { value.is_nullish() };
            if ends {
                return Ok((value, false));
            }
            value = value.property(name);
        }
        let present = !matches!(value, Value::Undefined);
        Ok((value, present))
    }

    /// An `@` variable.
    fn data(&self, name: &str, up: usize, env: &Env<'_, 'a>) -> Value<'a> {
        let Some(data) = env.data_above(up) else {
            return Value::Undefined;
        };
        match (name, &data.turn) {
            ("root", _) => self.root.clone(),
            ("partial-block", _) if data.block.is_some() => Value::Nothing,
            ("key", Some(Turn { key, .. })) => key.clone(),
            ("index", Some(Turn { index, .. })) => Value::index(*index),
            ("first", Some(Turn { index, .. })) => Value::Bool(*index == 0),
            ("last", Some(Turn { last, .. })) => Value::Bool(*last),
            _ => Value::Undefined,
        }
    }

    /// The value of an argument.
    pub(crate) fn value(
        &mut self,
        expr: &'a Expr,
        tested: bool,
        env: &Env<'_, 'a>,
    ) -> Run<Value<'a>> {
        Ok(match expr {
            Expr::Path(path) => self.path(path, tested, env)?,
            Expr::Call(call) => self.call(call, tested, env)?,
            Expr::Text(text) => Value::Text(text),
            Expr::Number(number) => Value::Number(Number::Written(number.as_str())),
            Expr::Bool(value) => Value::Bool(*value),
            Expr::Null => Value::Null,
            Expr::Undefined => Value::Undefined,
        })
    }

    /// The value of a sub-expression.
    pub(crate) fn call(
        &mut self,
        call: &'a Call,
        tested: bool,
        env: &Env<'_, 'a>,
    ) -> Run<Value<'a>> {
        let at = call.path.at;
        self.budget.enter().map_err(|fault| env.problem(fault, at))?;
        let value = match call.target {
            Target::Value => self.path(&call.path, tested, env)?,
            Target::Helper(helper) => self.helper(helper, call, env)?,
        };
        self.budget.leave();
        Ok(value)
    }

    /// What a helper gives where no block follows it.
    pub(crate) fn helper(
        &mut self,
        helper: &'static Helper,
        call: &'a Call,
        env: &Env<'_, 'a>,
    ) -> Run<Value<'a>> {
        let result = match helper.kind {
            Kind::Value(value) => self.with_args(helper, call, env, value)?,
            Kind::Test { test, inline: true } => {
                self.with_args(helper, call, env, test)?.map(Value::Bool)
            }
            Kind::Test { inline: false, .. } | Kind::Each | Kind::With => {
                Err(Fault::failed("needs a block: write it with `#`"))
            }
        };
        result.map_err(|fault| env.helper_problem(helper, fault, call.path.at))
    }

    /// Calls a helper's function with the arguments of a call.
    pub(crate) fn with_args<T>(
        &mut self,
        helper: &'static Helper,
        call: &'a Call,
        env: &Env<'_, 'a>,
        function: impl FnOnce(&Args<'_, 'a>, &mut Budget) -> T,
    ) -> Run<T> {
        let mut list = Vec::with_capacity(call.args.len());
        for (index, arg) in call.args.iter().enumerate() {
            list.push(self.value(arg, index == 0 && helper.tests_first, env)?);
        }
        let named = self.pairs(&call.hash, env)?;
        let this = env.this();
        let args = Args { list: &list, named: &named, this: &this };
        Ok(function(&args, &mut self.budget))
    }

    /// The values of `key=value` pairs.
    pub(crate) fn pairs(
        &mut self,
        pairs: &'a [Pair],
        env: &Env<'_, 'a>,
    ) -> Run<Vec<(&'a str, Value<'a>)>> {
        let mut values = Vec::with_capacity(pairs.len());
        for Pair { key, value } in pairs {
            values.push((&**key, self.value(value, false, env)?));
        }
        Ok(values)
    }
}

fn block_param<'a>(
    path: &Path,
    up: usize,
    index: usize,
    env: &Env<'_, 'a>,
) -> Result<Value<'a>, Fault> {
    let mut params = env.params;
    for _ in 0..up {
        params = params.and_then(|params| params.above);
    }
    match params.and_then(|params| params.values.as_ref()) {
        Some(values) => Ok(values.get(index).cloned().unwrap_or(Value::Undefined)),
        None => {
            let name = path.parts.first().map_or("", |name| &**name);
            Err(Fault::failed(format!("the block of `{name}` gives no block parameters")))
        }
    }
}
