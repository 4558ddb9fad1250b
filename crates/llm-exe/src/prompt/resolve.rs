//! Paths, arguments and helper calls: what an expression is worth.

use serde_json::{Map, Value as Json};

use super::ast::{Call, Expr, Pair, Path, Start, Target, Variable};
use super::eval::{Renderer, Run};
use super::frame::Env;
use super::helpers::{Args, Helper, Kind};
use super::limits::{Budget, Fault};
use super::number::Number;
use super::value::{Value, member};

/// Up to this many arguments are kept on the stack.
const FEW: usize = 3;

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
        if !present && !tested && !env.unit.quiet {
            self.missed.add(&path.written, env.call_site.unwrap_or(path.at));
        }
        Ok(value)
    }

    /// The value of a path, and whether all of the path was there.
    fn look_up(&self, path: &'a Path, env: &Env<'_, 'a>) -> Result<(Value<'a>, bool), Fault> {
        let names = path.parts.get(path.said..).unwrap_or_default();
        let start = match path.start {
            Start::Context(0) => match (env.context, names) {
                (Value::Object(map), [name, names @ ..]) => return Ok(inside(map, name, names)),
                (context, _) => context.clone(),
            },
            Start::Context(up) => env.above(up),
            Start::Param(up, index) => block_param(path, up, index, env)?,
            Start::Data(variable, up) => {
                let value = self.data(variable, up, env);
                return Ok(walk(value, names, |value| !value.is_truthy()));
            }
        };
        Ok(match (start, names) {
            (Value::Object(map), [name, names @ ..]) => inside(map, name, names),
            (start, names) => walk(start, names, Value::is_nullish),
        })
    }

    /// An `@` variable.
    fn data(&self, variable: Variable, up: usize, env: &Env<'_, 'a>) -> Value<'a> {
        let Some(data) = env.data_above(up) else {
            return Value::Undefined;
        };
        match (variable, &data.turn) {
            (Variable::Root, _) => self.root.clone(),
            (Variable::PartialBlock, _) if data.block.is_some() => Value::Nothing,
            (Variable::Key, Some(turn)) => turn.key.clone(),
            (Variable::Index, Some(turn)) => Value::index(turn.index),
            (Variable::First, Some(turn)) => Value::Bool(turn.index == 0),
            (Variable::Last, Some(turn)) => Value::Bool(turn.last),
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
        result
            .and_then(|value| match &value {
                Value::Made(text) => self.budget.make(text.len()).map(|()| value),
                _ => Ok(value),
            })
            .map_err(|fault| env.helper_problem(helper, fault, call.path.at))
    }

    /// Calls a helper's function with the arguments of a call.
    pub(crate) fn with_args<T>(
        &mut self,
        helper: &'static Helper,
        call: &'a Call,
        env: &Env<'_, 'a>,
        function: impl FnOnce(&Args<'_, 'a>, &mut Budget) -> T,
    ) -> Run<T> {
        let (mut few, mut many);
        let list: &mut [Value<'a>] = if call.args.len() <= FEW {
            few = [const { Value::Undefined }; FEW];
            few.get_mut(..call.args.len()).unwrap_or_default()
        } else {
            many = vec![Value::Undefined; call.args.len()];
            &mut many
        };
        for (index, (place, arg)) in list.iter_mut().zip(&call.args).enumerate() {
            *place = self.value(arg, index == 0 && helper.tests_first, env)?;
        }
        let named = self.pairs(&call.hash, env)?;
        let this = env.this();
        let args = Args { list, named: &named, this: &this };
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

/// What names lead to from an object of the data; objects inside of objects are the usual case.
fn inside<'a>(map: &'a Map<String, Json>, name: &str, names: &'a [Box<str>]) -> (Value<'a>, bool) {
    let Some(mut json) = member(map, name) else {
        return (Value::Undefined, false);
    };
    let mut names = names;
    while let (Json::Object(map), [name, rest @ ..]) = (json, names) {
        let Some(found) = member(map, name) else {
            return (Value::Undefined, false);
        };
        (json, names) = (found, rest);
    }
    walk(Value::from(json), names, Value::is_nullish)
}

/// What names lead to from any value; `ends` says after which values nothing follows.
fn walk<'a>(
    from: Value<'a>,
    names: &'a [Box<str>],
    ends: impl Fn(&Value<'a>) -> bool,
) -> (Value<'a>, bool) {
    let mut value = from;
    for name in names {
        if ends(&value) {
            return (value, false);
        }
        value = value.property(name);
    }
    let present = !matches!(value, Value::Undefined);
    (value, present)
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
