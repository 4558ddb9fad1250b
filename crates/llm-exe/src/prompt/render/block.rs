//! Renders blocks, which are either helper calls such as `{{#helper x}}` or sections such as
//! `{{#name}}`.

use serde_json::Value as Json;

use super::error::RenderError;
use super::eval::{RenderResult, Renderer};
use super::frame::{Closure, DataFrame, Env, Iteration};
use super::value::{Lookup, Value, array_index};
use crate::prompt::helpers::args::{Helper, Kind};
use crate::prompt::helpers::builtin;
use crate::prompt::syntax::tree::{Block, Call, DataVariable, Expr, PathStart, Program, Target};

/// The outcome of rendering one arm of a block.
enum ArmOutcome {
    /// The arm's condition was met and its program was rendered.
    Done,
    /// The arm's condition was not met, so the next arm or the `else` must be rendered.
    /// `after_helper` is true if the arm calls a helper, in which case an empty object replaces a
    /// missing context.
    Else { after_helper: bool },
}

/// One arm of a block: its call, its program, and whether an `else` follows.
struct Arm<'a> {
    call: &'a Call,
    program: Option<&'a Program>,
    has_else: bool,
}

impl<'a> Renderer<'a> {
    #[inline(never)]
    pub(crate) fn block(&mut self, block: &'a Block, env: &Env<'_, 'a>) -> RenderResult<()> {
        if let Target::Helper(helper @ Helper { kind: Kind::If { expected }, .. }) =
            block.call.target
        {
            let met = self.is_met(helper, &block.call, env)?;
            return match (met == *expected, &block.program, &block.inverse) {
                (true, Some(program), _) => self.render_here(program, env),
                (true, None, _) => Ok(()),
                _ if !block.chain.is_empty() => self.chain(block, true, env),
                (false, _, Some(inverse)) => self.render_here(inverse, env),
                (false, _, None) => Ok(()),
            };
        }
        self.any_block(block, env)
    }

    #[inline(never)]
    fn any_block(&mut self, block: &'a Block, env: &Env<'_, 'a>) -> RenderResult<()> {
        let has_else = !block.chain.is_empty() || block.inverse.is_some();
        let arm = Arm { call: &block.call, program: block.program.as_ref(), has_else };
        match (self.arm(&arm, env)?, &block.inverse) {
            (ArmOutcome::Done, _) => Ok(()),
            (ArmOutcome::Else { after_helper }, _) if !block.chain.is_empty() => {
                self.chain(block, after_helper, env)
            }
            (ArmOutcome::Else { after_helper }, Some(inverse)) => {
                self.render_else(inverse, after_helper, env)
            }
            (ArmOutcome::Else { .. }, None) => Ok(()),
        }
    }

    /// Renders the `else if` and `else` parts of a block.
    #[inline(never)]
    fn chain(
        &mut self,
        block: &'a Block,
        after_helper: bool,
        env: &Env<'_, 'a>,
    ) -> RenderResult<()> {
        let object = env.this();
        let mut env = *env;
        let mut after_helper = after_helper;
        for (index, next) in block.chain.iter().enumerate() {
            if after_helper {
                env.context = &object;
            }
            let has_else = index + 1 < block.chain.len() || block.inverse.is_some();
            let arm = Arm { call: &next.call, program: Some(&next.program), has_else };
            match self.arm(&arm, &env)? {
                ArmOutcome::Done => return Ok(()),
                ArmOutcome::Else { after_helper: next } => after_helper = next,
            }
        }
        match &block.inverse {
            Some(inverse) => self.render_else(inverse, after_helper, &env),
            None => Ok(()),
        }
    }

    /// Renders the `else` part of a block. If a helper was called before it, an empty object
    /// replaces a missing context.
    fn render_else(
        &mut self,
        program: &'a Program,
        after_helper: bool,
        env: &Env<'_, 'a>,
    ) -> RenderResult<()> {
        if !after_helper && env.context.is_nullish() {
            return self.render_inside(program, env.context, None, env);
        }
        self.render_here(program, env)
    }

    fn arm(&mut self, arm: &Arm<'a>, env: &Env<'_, 'a>) -> RenderResult<ArmOutcome> {
        match arm.call.target {
            Target::Variable => self.section(arm, env),
            Target::Helper(helper) => self.helper_block(helper, arm, env),
            Target::InvalidCall(helper) => Err(env.wrong_argument_count(helper, arm.call)),
        }
    }

    fn helper_block(
        &mut self,
        helper: &'static Helper,
        arm: &Arm<'a>,
        env: &Env<'_, 'a>,
    ) -> RenderResult<ArmOutcome> {
        let at = arm.call.path.at;
        match helper.kind {
            Kind::Value(_) | Kind::KeyValue(_) => {
                let value = self.helper(helper, arm.call, env)?;
                self.print(&value, at, env)?;
                Ok(ArmOutcome::Done)
            }
            Kind::Test { test, .. } => {
                let met = self
                    .test(helper, arm.call, env, test)?
                    .map_err(|error| env.helper_problem(helper, error, at))?;
                self.render_if(met, arm, env)
            }
            Kind::Raw => Ok(ArmOutcome::Done),
            Kind::If { expected } => {
                let met = self.is_met(helper, arm.call, env)?;
                self.render_if(met == expected, arm, env)
            }
            Kind::Each => {
                let list = self.only_argument(helper, arm, env)?;
                let any = self.each(&list, arm.program, env)?;
                Ok(if any { ArmOutcome::Done } else { ArmOutcome::Else { after_helper: true } })
            }
            Kind::With => {
                let value = self.only_argument(helper, arm, env)?;
                if value.is_empty() {
                    return Ok(ArmOutcome::Else { after_helper: true });
                }
                let values = Some([&value, &Value::Undefined]);
                self.render_optional(arm.program, &value, values, env)?;
                Ok(ArmOutcome::Done)
            }
        }
    }

    /// Evaluates the condition of `if` or `unless`.
    fn is_met(
        &mut self,
        helper: &'static Helper,
        call: &'a Call,
        env: &Env<'_, 'a>,
    ) -> RenderResult<bool> {
        if let ([Expr::Path(path)], []) = (call.args.as_slice(), call.hash.as_slice()) {
            if let (PathStart::Data(variable, 0), []) = (path.start, path.parts.as_slice())
                && let Some(iteration) = &env.data.iteration
            {
                match variable {
                    DataVariable::First => return Ok(iteration.index == 0),
                    DataVariable::Last => return Ok(iteration.last),
                    _ => {}
                }
            }
            match self.fast_lookup(path, env) {
                Lookup::Json(json) => return Ok(is_met(json)),
                Lookup::Missing => return Ok(false),
                Lookup::Unsupported => return Ok(self.full_lookup(path, true, env)?.is_met(false)),
            }
        }
        self.with_args(helper, call, env, builtin::is_met)?
            .map_err(|error| env.helper_problem(helper, error, call.path.at))
    }

    /// Renders the program of an arm if the arm's condition is met.
    fn render_if(
        &mut self,
        met: bool,
        arm: &Arm<'a>,
        env: &Env<'_, 'a>,
    ) -> RenderResult<ArmOutcome> {
        if !met {
            return Ok(ArmOutcome::Else { after_helper: true });
        }
        if let Some(program) = arm.program {
            self.render_here(program, env)?;
        }
        Ok(ArmOutcome::Done)
    }

    fn only_argument(
        &mut self,
        helper: &'static Helper,
        arm: &Arm<'a>,
        env: &Env<'_, 'a>,
    ) -> RenderResult<Value<'a>> {
        match arm.call.args.as_slice() {
            [argument] => self.value(argument, arm.has_else, env),
            _ => {
                let error = RenderError::wrong_argument_count(1, arm.call.args.len());
                Err(env.helper_problem(helper, error, arm.call.path.at))
            }
        }
    }

    /// Renders a section, `{{#name}}`. An array renders the section once for each element, and
    /// `true` renders it with the current context. Missing values, null and false render the `else`
    /// part. Any other value becomes the context of the section.
    fn section(&mut self, arm: &Arm<'a>, env: &Env<'_, 'a>) -> RenderResult<ArmOutcome> {
        let value = self.path(&arm.call.path, arm.has_else, env)?;
        match value {
            Value::Undefined | Value::Null | Value::Bool(false) => {
                Ok(ArmOutcome::Else { after_helper: false })
            }
            Value::Bool(true) => {
                self.render_optional(arm.program, env.context, None, env)?;
                Ok(ArmOutcome::Done)
            }
            Value::Array(_) => {
                let any = self.each(&value, arm.program, env)?;
                Ok(if any { ArmOutcome::Done } else { ArmOutcome::Else { after_helper: false } })
            }
            value => {
                let values = Some([&Value::Undefined, &Value::Undefined]);
                self.render_optional(arm.program, &value, values, env)?;
                Ok(ArmOutcome::Done)
            }
        }
    }

    /// Renders a program for each element of an array or member of an object. Returns whether the
    /// value had any.
    fn each(
        &mut self,
        value: &Value<'a>,
        program: Option<&'a Program>,
        env: &Env<'_, 'a>,
    ) -> RenderResult<bool> {
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let last = index + 1 == items.len();
                    let iteration = Iteration { key: None, index, last };
                    self.render_iteration(program, &Value::from(item), iteration, env)?;
                }
                Ok(!items.is_empty())
            }
            Value::Object(map) if !map.keys().any(|key| array_index(key).is_some()) => {
                for (index, (key, item)) in map.iter().enumerate() {
                    let last = index + 1 == map.len();
                    let iteration = Iteration { key: Some(&Value::Text(key)), index, last };
                    self.render_iteration(program, &Value::from(item), iteration, env)?;
                }
                Ok(!map.is_empty())
            }
            value if value.is_object() => {
                let keys = value.keys(&mut self.budget).map_err(|error| env.problem(error, 0))?;
                for (index, key) in keys.iter().enumerate() {
                    let last = index + 1 == keys.len();
                    let item = value.property(key);
                    let iteration =
                        Iteration { key: Some(&Value::owned_text(&**key)), index, last };
                    self.render_iteration(program, &item, iteration, env)?;
                }
                Ok(!keys.is_empty())
            }
            _ => Ok(false),
        }
    }

    fn render_iteration(
        &mut self,
        program: Option<&'a Program>,
        item: &Value<'a>,
        iteration: Iteration<'_, 'a>,
        env: &Env<'_, 'a>,
    ) -> RenderResult<()> {
        let Some(program) = program else {
            return self.budget.step().map_err(|error| env.problem(error, 0));
        };
        let index = Value::index(iteration.index);
        let values = Some([item, iteration.key.unwrap_or(&index)]);
        let data =
            DataFrame { above: Some(env.data), iteration: Some(iteration), block: env.data.block };
        let closure = Closure { program, env, contexts: Some(env.contexts), params: env.params };
        self.render_closure(&closure, item, &data, values, env)
    }

    fn render_optional(
        &mut self,
        program: Option<&'a Program>,
        context: &Value<'a>,
        values: Option<[&Value<'a>; 2]>,
        env: &Env<'_, 'a>,
    ) -> RenderResult<()> {
        match program {
            Some(program) => self.render_inside(program, context, values, env),
            None => Ok(()),
        }
    }

    /// Renders the program of a block with the given context and values for its block parameters.
    pub(crate) fn render_inside(
        &mut self,
        program: &'a Program,
        context: &Value<'a>,
        values: Option<[&Value<'a>; 2]>,
        env: &Env<'_, 'a>,
    ) -> RenderResult<()> {
        let closure = Closure { program, env, contexts: Some(env.contexts), params: env.params };
        self.render_closure(&closure, context, env.data, values, env)
    }
}

/// Evaluates the condition of `if` for a JSON value from the data.
fn is_met(json: &Json) -> bool {
    match json {
        Json::Null => false,
        Json::Bool(value) => *value,
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(_) => true,
        number => Value::from(number).is_truthy(),
    }
}
