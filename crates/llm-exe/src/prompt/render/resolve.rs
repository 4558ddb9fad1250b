//! Evaluates expressions: paths, arguments and helper calls.
//!
//! Most paths consist only of keys of plain objects in the data. A fast function looks up these
//! paths, and a slower function handles all others.

use serde_json::Value as Json;

use super::error::RenderError;
use super::eval::{RenderResult, Renderer};
use super::frame::{Env, Iteration};
use super::limits::Budget;
use super::value::{Lookup, Value};
use crate::prompt::helpers::args::{Args, Helper, Kind, TestFn};
use crate::prompt::helpers::fallback::at_path;
use crate::prompt::number::Number;
use crate::prompt::scope::member;
use crate::prompt::syntax::tree::{Call, DataVariable, Expr, Pair, Path, PathStart, Target};

/// Maximum number of positional arguments that are stored on the stack. Calls with more arguments
/// allocate.
const MAX_STACK_ARGS: usize = 3;

/// The clock is checked before a helper is called with a string of more than this many bytes,
/// because such a call can be slow.
const LONG_TEXT: usize = 1 << 12;

impl<'a> Renderer<'a> {
    /// Evaluates a path. If the value is missing and `optional` is false, the path is recorded as a
    /// missing variable.
    pub(crate) fn path(
        &mut self,
        path: &'a Path,
        optional: bool,
        env: &Env<'_, 'a>,
    ) -> RenderResult<Value<'a>> {
        match self.fast_lookup(path, env) {
            Lookup::Json(json) => Ok(Value::from(json)),
            Lookup::Missing => {
                if !optional {
                    self.record_missing(path, env);
                }
                Ok(Value::Undefined)
            }
            Lookup::Unsupported => self.full_lookup(path, optional, env),
        }
    }

    /// Evaluates a path that `fast_lookup` does not support.
    pub(crate) fn full_lookup(
        &mut self,
        path: &'a Path,
        optional: bool,
        env: &Env<'_, 'a>,
    ) -> RenderResult<Value<'a>> {
        let (value, present) =
            self.resolve(path, env).map_err(|error| env.problem(error, path.at))?;
        if !present && !optional {
            self.record_missing(path, env);
        }
        Ok(value)
    }

    /// Records a missing variable, unless all variables of the source are optional.
    fn record_missing(&mut self, path: &'a Path, env: &Env<'_, 'a>) {
        if !env.unit.optional_variables {
            self.missing.add(&path.text, env.call_site.unwrap_or(path.at));
        }
    }

    /// Records the variable whose path is the first argument of a helper, if it is missing.
    #[inline(never)]
    fn record_missing_key(&mut self, call: &'a Call, env: &Env<'_, 'a>) {
        if let Some(Expr::Text(path)) = call.args.first()
            && !env.unit.optional_variables
            && matches!(at_path(&env.this(), path), Value::Undefined)
        {
            self.missing.add(path, env.call_site.unwrap_or(call.path.at));
        }
    }

    /// Looks up a path if all its segments are keys of plain objects in the data.
    #[inline]
    pub(crate) fn fast_lookup(&self, path: &'a Path, env: &Env<'_, 'a>) -> Lookup<'a> {
        match (path.start, env.context, path.parts.as_slice()) {
            (PathStart::Context(0), Value::Object(map), [name]) => Lookup::from(member(map, name)),
            _ => self.fast_lookup_other(path, env),
        }
    }

    /// Handles the less common cases of `fast_lookup`, which are not inlined.
    #[inline(never)]
    fn fast_lookup_other(&self, path: &'a Path, env: &Env<'_, 'a>) -> Lookup<'a> {
        let context = match path.start {
            PathStart::Context(0) => Some(env.context),
            PathStart::Context(up) => env.contexts_above(up).map(|contexts| contexts.context),
            PathStart::Param(up, index) => {
                env.param(up).and_then(|values| values.get(index).copied())
            }
            PathStart::Data(DataVariable::Root, _) => Some(&self.root),
            PathStart::Data(..) => None,
        };
        match (context, path.parts.as_slice()) {
            (Some(Value::Object(map)), [name]) => Lookup::from(member(map, name)),
            (Some(context), [name, names @ ..]) => match context.fast_lookup(name) {
                Lookup::Json(json) => descend(json, names),
                lookup => lookup,
            },
            _ => Lookup::Unsupported,
        }
    }

    /// Returns the value of a path and whether the value is present.
    fn resolve(&self, path: &'a Path, env: &Env<'_, 'a>) -> Result<(Value<'a>, bool), RenderError> {
        let names = &path.parts;
        Ok(match path.start {
            PathStart::Context(0) => walk(env.context, names, Value::is_nullish),
            PathStart::Context(up) => {
                let context =
                    env.contexts_above(up).map_or(&Value::Undefined, |contexts| contexts.context);
                walk(context, names, Value::is_nullish)
            }
            PathStart::Param(up, index) => {
                walk(block_param(path, up, index, env)?, names, Value::is_nullish)
            }
            PathStart::Data(variable, up) => {
                let value = self.data_variable(variable, up, env);
                if names.is_empty() {
                    let present = !matches!(value, Value::Undefined);
                    return Ok((value, present));
                }
                walk(&value, names, |value| !value.is_truthy())
            }
        })
    }

    /// Returns the value of an `@` variable, such as `@index`.
    fn data_variable(&self, variable: DataVariable, up: usize, env: &Env<'_, 'a>) -> Value<'a> {
        let Some(data) = env.data_above(up) else {
            return Value::Undefined;
        };
        match (variable, &data.iteration) {
            (DataVariable::Root, _) => self.root.clone(),
            (DataVariable::PartialBlock, _) if data.block.is_some() => Value::EmptyObject,
            (DataVariable::Key, Some(Iteration { key: Some(key), .. })) => (*key).clone(),
            (DataVariable::Key, Some(iteration)) => Value::index(iteration.index),
            (DataVariable::Index, Some(iteration)) => Value::index(iteration.index),
            (DataVariable::First, Some(iteration)) => Value::Bool(iteration.index == 0),
            (DataVariable::Last, Some(iteration)) => Value::Bool(iteration.last),
            _ => Value::Undefined,
        }
    }

    /// Evaluates an argument. Unless it is optional, a missing variable is recorded.
    pub(crate) fn value(
        &mut self,
        expr: &'a Expr,
        optional: bool,
        env: &Env<'_, 'a>,
    ) -> RenderResult<Value<'a>> {
        Ok(match expr {
            Expr::Path(path) => self.path(path, optional, env)?,
            Expr::Call(call) => self.call(call, optional, env)?,
            Expr::Text(text) => Value::Text(text),
            Expr::Number(number) => Value::Number(Number::Literal(number)),
            Expr::Bool(value) => Value::Bool(*value),
            Expr::Null => Value::Null,
            Expr::Undefined => Value::Undefined,
        })
    }

    /// Evaluates a sub-expression. Unless it is optional, a missing variable is recorded.
    pub(crate) fn call(
        &mut self,
        call: &'a Call,
        optional: bool,
        env: &Env<'_, 'a>,
    ) -> RenderResult<Value<'a>> {
        let at = call.path.at;
        self.budget.enter().map_err(|error| env.problem(error, at))?;
        let value = match call.target {
            Target::Variable => self.path(&call.path, optional, env)?,
            Target::Helper(helper) => self.helper(helper, call, env)?,
            Target::InvalidCall(helper) => return Err(env.wrong_argument_count(helper, call)),
        };
        self.budget.leave();
        Ok(value)
    }

    /// Calls a helper and returns its value. Helpers that require a block return an error.
    pub(crate) fn helper(
        &mut self,
        helper: &'static Helper,
        call: &'a Call,
        env: &Env<'_, 'a>,
    ) -> RenderResult<Value<'a>> {
        let result = match helper.kind {
            Kind::Value(value) => self.with_args(helper, call, env, value)?,
            Kind::KeyValue(value) => {
                if !helper.first_argument_optional {
                    self.record_missing_key(call, env);
                }
                self.with_args(helper, call, env, value)?
            }
            Kind::Test { test } => self.test(helper, call, env, test)?.map(Value::Bool),
            Kind::If { .. } | Kind::Each | Kind::With | Kind::Raw => Err(RenderError::helper(
                format!("must be used as a block: `{{{{#{}}}}}`", helper.name),
            )),
        };
        result
            .and_then(|value| match &value {
                Value::OwnedText(text) => {
                    self.budget.count_helper_bytes(text.len()).map(|()| value)
                }
                _ => Ok(value),
            })
            .map_err(|error| env.helper_problem(helper, error, call.path.at))
    }

    /// Calls a helper that tests a condition, and adds the position to its warning.
    pub(crate) fn test(
        &mut self,
        helper: &'static Helper,
        call: &'a Call,
        env: &Env<'_, 'a>,
        test: TestFn,
    ) -> RenderResult<Result<bool, RenderError>> {
        let result = self.with_args(helper, call, env, test)?;
        self.budget.locate_note(env.call_site.unwrap_or(call.path.at));
        Ok(result)
    }

    /// Evaluates the arguments of a call and passes them to a helper's function.
    pub(crate) fn with_args<T>(
        &mut self,
        helper: &'static Helper,
        call: &'a Call,
        env: &Env<'_, 'a>,
        function: impl FnOnce(&Args<'_, 'a>, &mut Budget) -> T,
    ) -> RenderResult<T> {
        let (mut on_stack, mut on_heap);
        let list: &mut [Value<'a>] = if call.args.len() <= MAX_STACK_ARGS {
            on_stack = [const { Value::Undefined }; MAX_STACK_ARGS];
            on_stack.get_mut(..call.args.len()).unwrap_or_default()
        } else {
            on_heap = vec![Value::Undefined; call.args.len()];
            &mut on_heap
        };
        for (index, (slot, arg)) in list.iter_mut().zip(&call.args).enumerate() {
            *slot = self.value(arg, index == 0 && helper.first_argument_optional, env)?;
        }
        let named = self.pairs(&call.hash, env)?;
        if list.iter().any(|value| value.as_text().is_some_and(|text| text.len() > LONG_TEXT)) {
            let checked = self.budget.check_clock();
            checked.map_err(|error| env.helper_problem(helper, error, call.path.at))?;
        }
        let this = env.this();
        let args = Args { positional: list, named: &named, this: &this };
        Ok(function(&args, &mut self.budget))
    }

    /// Evaluates named arguments. As in handlebars.js, an argument `key=undefined` is ignored.
    pub(crate) fn pairs(
        &mut self,
        pairs: &'a [Pair],
        env: &Env<'_, 'a>,
    ) -> RenderResult<Vec<(&'a str, Value<'a>)>> {
        let mut values = Vec::with_capacity(pairs.len());
        for Pair { key, value } in pairs {
            if !matches!(value, Expr::Undefined) {
                values.push((&**key, self.value(value, false, env)?));
            }
        }
        Ok(values)
    }
}

/// Looks up a sequence of keys in JSON data. Returns `Unsupported` if a value along the way is not
/// an object.
fn descend<'a>(from: &'a Json, names: &[Box<str>]) -> Lookup<'a> {
    let mut json = from;
    for name in names {
        match json {
            Json::Object(map) => match member(map, name) {
                Some(member) => json = member,
                None => return Lookup::Missing,
            },
            _ => return Lookup::Unsupported,
        }
    }
    Lookup::Json(json)
}

/// Looks up a sequence of names in any value. The lookup stops early at a value for which `ends`
/// returns true. Returns the last value and whether the whole sequence is present.
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

/// Returns the value of a block parameter. Fails if the block does not provide block parameters.
fn block_param<'s, 'a>(
    path: &Path,
    up: usize,
    index: usize,
    env: &Env<'s, 'a>,
) -> Result<&'s Value<'a>, RenderError> {
    match env.param(up) {
        Some(values) => Ok(values.get(index).copied().unwrap_or(&Value::Undefined)),
        None => {
            let message = format!("`{}`: this block does not provide block parameters", path.text);
            Err(RenderError::helper(message))
        }
    }
}
