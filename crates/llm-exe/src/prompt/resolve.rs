//! Paths, arguments and helper calls: what an expression is worth.

use serde_json::Value as Json;

use super::ast::{Call, Expr, Pair, Path, Start, Target, Variable};
use super::eval::{Renderer, Run};
use super::frame::{Env, Turn};
use super::helpers::{Args, Helper, Kind};
use super::limits::{Budget, Fault};
use super::number::Number;
use super::value::{Found, Value, member};

/// Up to this many arguments are kept on the stack.
const FEW: usize = 3;

/// Work on a text of more bytes than this is no small step: the clock is looked at before it.
const LONG: usize = 1 << 12;

impl<'a> Renderer<'a> {
    /// The value of a path. Unless it is only `tested`, a missing one is noted.
    pub(crate) fn path(
        &mut self,
        path: &'a Path,
        tested: bool,
        env: &Env<'_, 'a>,
    ) -> Run<Value<'a>> {
        match self.in_data(path, env) {
            Found::Json(json) => Ok(Value::from(json)),
            Found::Missing => {
                if !tested {
                    self.missing(path, env);
                }
                Ok(Value::Undefined)
            }
            Found::Elsewhere => self.elsewhere(path, tested, env),
        }
    }

    /// The value of a path that the short way does not lead to.
    pub(crate) fn elsewhere(
        &mut self,
        path: &'a Path,
        tested: bool,
        env: &Env<'_, 'a>,
    ) -> Run<Value<'a>> {
        let (value, present) =
            self.look_up(path, env).map_err(|fault| env.problem(fault, path.at))?;
        if !present && !tested {
            self.missing(path, env);
        }
        Ok(value)
    }

    /// Notes a missing variable.
    fn missing(&mut self, path: &'a Path, env: &Env<'_, 'a>) {
        if !env.unit.quiet {
            self.missed.add(&path.written, env.call_site.unwrap_or(path.at));
        }
    }

    /// The short way, for paths that lead from an object of the data through objects.
    #[inline]
    pub(crate) fn in_data(&self, path: &'a Path, env: &Env<'_, 'a>) -> Found<'a> {
        match (path.start, env.context, path.parts.as_slice()) {
            (Start::Context(0), Value::Object(map), [name]) => Found::from(member(map, name)),
            _ => self.further_in_data(path, env),
        }
    }

    #[inline(never)]
    fn further_in_data(&self, path: &'a Path, env: &Env<'_, 'a>) -> Found<'a> {
        let context = match path.start {
            Start::Context(0) => Some(env.context),
            Start::Context(up) => env.depth(up).map(|depth| depth.context),
            Start::Param(up, index) => env.param(up).and_then(|values| values.get(index).copied()),
            Start::Data(Variable::Root, _) => Some(&self.root),
            Start::Data(..) => None,
        };
        match (context, path.parts.as_slice()) {
            (Some(Value::Object(map)), [name]) => Found::from(member(map, name)),
            (Some(context), [name, names @ ..]) => match context.own(name) {
                Found::Json(json) => inside(json, names),
                found => found,
            },
            _ => Found::Elsewhere,
        }
    }

    /// The value of a path, and whether all of the path was there.
    fn look_up(&self, path: &'a Path, env: &Env<'_, 'a>) -> Result<(Value<'a>, bool), Fault> {
        let names = &path.parts;
        Ok(match path.start {
            Start::Context(0) => walk(env.context, names, Value::is_nullish),
            Start::Context(up) => {
                let context = env.depth(up).map_or(&Value::Undefined, |depth| depth.context);
                walk(context, names, Value::is_nullish)
            }
            Start::Param(up, index) => {
                walk(block_param(path, up, index, env)?, names, Value::is_nullish)
            }
            Start::Data(variable, up) => {
                let value = self.data(variable, up, env);
                if names.is_empty() {
                    let present = !matches!(value, Value::Undefined);
                    return Ok((value, present));
                }
                walk(&value, names, |value| !value.is_truthy())
            }
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
            (Variable::Key, Some(Turn { key: Some(key), .. })) => (*key).clone(),
            (Variable::Key, Some(turn)) => Value::index(turn.index),
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
            Expr::Number(number) => Value::Number(Number::ParsedRequest(number.as_str())),
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
            Kind::Test { test } => self.with_args(helper, call, env, test)?.map(Value::Bool),
            Kind::If { .. } | Kind::Each | Kind::With => {
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
        if list.iter().any(|value| value.as_text().is_some_and(|text| text.len() > LONG)) {
            let look = self.budget.look();
            look.map_err(|fault| env.helper_problem(helper, fault, call.path.at))?;
        }
        let this = env.this();
        let args = Args { list, named: &named, this: &this };
        Ok(function(&args, &mut self.budget))
    }

    /// The values of `key=value` pairs. As in handlebars.js, `key=undefined` says nothing.
    pub(crate) fn pairs(
        &mut self,
        pairs: &'a [Pair],
        env: &Env<'_, 'a>,
    ) -> Run<Vec<(&'a str, Value<'a>)>> {
        let mut values = Vec::with_capacity(pairs.len());
        for Pair { key, value } in pairs {
            if !matches!(value, Expr::Undefined) {
                values.push((&**key, self.value(value, false, env)?));
            }
        }
        Ok(values)
    }
}

/// What names lead to through objects of the data.
fn inside<'a>(from: &'a Json, names: &[Box<str>]) -> Found<'a> {
    let mut json = from;
    for name in names {
        match json {
            Json::Object(map) => match member(map, name) {
                Some(found) => json = found,
                None => return Found::Missing,
            },
            _ => return Found::Elsewhere,
        }
    }
    Found::Json(json)
}

/// What names lead to from any value; `ends` says after which values nothing follows.
fn walk<'a>(
    from: &Value<'a>,
    names: &'a [Box<str>],
    ends: impl Fn(&Value<'a>) -> bool,
) -> (Value<'a>, bool) {
    let (first, names) = match names {
        [first, names @ ..] if !ends(from) => (first, names),
        _ => return (from.clone(), names.is_empty() && !matches!(from, Value::Undefined)),
    };
    let mut value = from.property(first);
    for name in names {
        if ends(&value) {
            return (value, false);
        }
        value = value.property(name);
    }
    let present = !matches!(value, Value::Undefined);
    (value, present)
}

fn block_param<'s, 'a>(
    path: &Path,
    up: usize,
    index: usize,
    env: &Env<'s, 'a>,
) -> Result<&'s Value<'a>, Fault> {
    match env.param(up) {
        Some(values) => Ok(values.get(index).copied().unwrap_or(&Value::Undefined)),
        None => {
            let message = format!("`{}`: the block gives no block parameters", path.written);
            Err(Fault::failed(message))
        }
    }
}
