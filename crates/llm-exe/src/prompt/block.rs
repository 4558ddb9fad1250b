//! Blocks: `{{#helper …}}`, and the plain `{{#name}}`, which tests, loops or goes inside.

use serde_json::Value as Json;

use super::ast::{Block, Call, Expr, Program, Start, Target, Variable};
use super::eval::{Renderer, Run};
use super::frame::{Closure, Data, Env, Turn};
use super::helpers::{Helper, Kind, builtin};
use super::limits::Fault;
use super::value::{Found, Value, array_index};

/// What has become of one arm of a block.
enum Taken {
    Yes,
    /// Its `else` is next, with the context as it is, or with an object in place of none.
    No {
        this: bool,
    },
}

/// One arm: a call, its program, and whether an `else` follows.
struct Arm<'a> {
    call: &'a Call,
    program: Option<&'a Program>,
    has_else: bool,
}

impl<'a> Renderer<'a> {
    #[inline(never)]
    pub(crate) fn block(&mut self, block: &'a Block, env: &Env<'_, 'a>) -> Run<()> {
        if let Target::Helper(helper @ Helper { kind: Kind::If { wanted }, .. }) = block.call.target
        {
            let met = self.is_met(helper, &block.call, env)?;
            return match (met == *wanted, &block.program, &block.inverse) {
                (true, Some(program), _) => self.run_here(program, env),
                (true, None, _) => Ok(()),
                _ if !block.chain.is_empty() => self.chain(block, true, env),
                (false, _, Some(inverse)) => self.run_here(inverse, env),
                (false, _, None) => Ok(()),
            };
        }
        self.any_block(block, env)
    }

    #[inline(never)]
    fn any_block(&mut self, block: &'a Block, env: &Env<'_, 'a>) -> Run<()> {
        let has_else = !block.chain.is_empty() || block.inverse.is_some();
        let arm = Arm { call: &block.call, program: block.program.as_ref(), has_else };
        match (self.arm(&arm, env)?, &block.inverse) {
            (Taken::Yes, _) => Ok(()),
            (Taken::No { this }, _) if !block.chain.is_empty() => self.chain(block, this, env),
            (Taken::No { this }, Some(inverse)) => self.otherwise(inverse, this, env),
            (Taken::No { .. }, None) => Ok(()),
        }
    }

    /// The `else if`s of a block, one after the other instead of one inside the other.
    #[inline(never)]
    fn chain(&mut self, block: &'a Block, this: bool, env: &Env<'_, 'a>) -> Run<()> {
        let object = env.this();
        let mut env = *env;
        let mut this = this;
        for (index, next) in block.chain.iter().enumerate() {
            if this {
                env.context = &object;
            }
            let has_else = index + 1 < block.chain.len() || block.inverse.is_some();
            let arm = Arm { call: &next.call, program: Some(&next.program), has_else };
            match self.arm(&arm, &env)? {
                Taken::Yes => return Ok(()),
                Taken::No { this: next } => this = next,
            }
        }
        match &block.inverse {
            Some(inverse) => self.otherwise(inverse, this, &env),
            None => Ok(()),
        }
    }

    /// The `else` of a block, with the context or, for helpers, an object in place of none.
    fn otherwise(&mut self, program: &'a Program, this: bool, env: &Env<'_, 'a>) -> Run<()> {
        if !this && env.context.is_nullish() {
            return self.inside(program, env.context, None, env);
        }
        self.run_here(program, env)
    }

    fn arm(&mut self, arm: &Arm<'a>, env: &Env<'_, 'a>) -> Run<Taken> {
        match arm.call.target {
            Target::Value => self.section(arm, env),
            Target::Helper(helper) => self.helper_block(helper, arm, env),
        }
    }

    fn helper_block(
        &mut self,
        helper: &'static Helper,
        arm: &Arm<'a>,
        env: &Env<'_, 'a>,
    ) -> Run<Taken> {
        let at = arm.call.path.at;
        match helper.kind {
            Kind::Value(_) => {
                let value = self.helper(helper, arm.call, env)?;
                self.print(&value, at, env)?;
                Ok(Taken::Yes)
            }
            Kind::Test { test, .. } => {
                let yes = self
                    .with_args(helper, arm.call, env, test)?
                    .map_err(|fault| env.helper_problem(helper, fault, at))?;
                self.choose(yes, arm, env)
            }
            Kind::If { wanted } => {
                let met = self.is_met(helper, arm.call, env)?;
                self.choose(met == wanted, arm, env)
            }
            Kind::Each => {
                let list = self.only_argument(helper, arm, env)?;
                let turns = self.each(&list, arm.program, env)?;
                Ok(if turns { Taken::Yes } else { Taken::No { this: true } })
            }
            Kind::With => {
                let value = self.only_argument(helper, arm, env)?;
                if value.is_empty() {
                    return Ok(Taken::No { this: true });
                }
                let values = Some([&value, &Value::Undefined]);
                self.maybe_inside(arm.program, &value, values, env)?;
                Ok(Taken::Yes)
            }
        }
    }

    /// Whether the condition of `if` is met.
    fn is_met(&mut self, helper: &'static Helper, call: &'a Call, env: &Env<'_, 'a>) -> Run<bool> {
        if let ([Expr::Path(path)], []) = (call.args.as_slice(), call.hash.as_slice()) {
            if let (Start::Data(variable, 0), []) = (path.start, path.parts.as_slice())
                && let Some(turn) = &env.data.turn
            {
                match variable {
                    Variable::First => return Ok(turn.index == 0),
                    Variable::Last => return Ok(turn.last),
                    _ => {}
                }
            }
            match self.in_data(path, env) {
                Found::Json(json) => return Ok(is_met(json)),
                Found::Missing => return Ok(false),
                Found::Elsewhere => return Ok(self.elsewhere(path, true, env)?.is_met(false)),
            }
        }
        self.with_args(helper, call, env, builtin::is_met)?
            .map_err(|fault| env.helper_problem(helper, fault, call.path.at))
    }

    /// Goes into a block or on to its `else`.
    fn choose(&mut self, yes: bool, arm: &Arm<'a>, env: &Env<'_, 'a>) -> Run<Taken> {
        if !yes {
            return Ok(Taken::No { this: true });
        }
        if let Some(program) = arm.program {
            self.run_here(program, env)?;
        }
        Ok(Taken::Yes)
    }

    fn only_argument(
        &mut self,
        helper: &'static Helper,
        arm: &Arm<'a>,
        env: &Env<'_, 'a>,
    ) -> Run<Value<'a>> {
        match arm.call.args.as_slice() {
            [only] => self.value(only, arm.has_else, env),
            _ => {
                let fault = Fault::failed("takes exactly one argument");
                Err(env.helper_problem(helper, fault, arm.call.path.at))
            }
        }
    }

    /// `{{#name}}`: a list is looped over, another value gone into, `true` passed.
    fn section(&mut self, arm: &Arm<'a>, env: &Env<'_, 'a>) -> Run<Taken> {
        let value = self.path(&arm.call.path, arm.has_else, env)?;
        match value {
            Value::Undefined | Value::Null | Value::Bool(false) => Ok(Taken::No { this: false }),
            Value::Bool(true) => {
                self.maybe_inside(arm.program, env.context, None, env)?;
                Ok(Taken::Yes)
            }
            Value::Array(_) => {
                let turns = self.each(&value, arm.program, env)?;
                Ok(if turns { Taken::Yes } else { Taken::No { this: false } })
            }
            value => {
                let values = Some([&Value::Undefined, &Value::Undefined]);
                self.maybe_inside(arm.program, &value, values, env)?;
                Ok(Taken::Yes)
            }
        }
    }

    /// Loops over a list or an object; says whether there was anything in it.
    fn each(
        &mut self,
        value: &Value<'a>,
        program: Option<&'a Program>,
        env: &Env<'_, 'a>,
    ) -> Run<bool> {
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let last = index + 1 == items.len();
                    let turn = Turn { key: None, index, last };
                    self.turn(program, &Value::from(item), turn, env)?;
                }
                Ok(!items.is_empty())
            }
            Value::Object(map) if !map.keys().any(|key| array_index(key).is_some()) => {
                for (index, (key, item)) in map.iter().enumerate() {
                    let last = index + 1 == map.len();
                    let turn = Turn { key: Some(&Value::Text(key)), index, last };
                    self.turn(program, &Value::from(item), turn, env)?;
                }
                Ok(!map.is_empty())
            }
            value if value.is_object() => {
                let keys = value.keys(&mut self.budget).map_err(|fault| env.problem(fault, 0))?;
                for (index, key) in keys.iter().enumerate() {
                    let last = index + 1 == keys.len();
                    let item = value.property(key);
                    let turn = Turn { key: Some(&Value::made(&**key)), index, last };
                    self.turn(program, &item, turn, env)?;
                }
                Ok(!keys.is_empty())
            }
            _ => Ok(false),
        }
    }

    fn turn(
        &mut self,
        program: Option<&'a Program>,
        item: &Value<'a>,
        turn: Turn<'_, 'a>,
        env: &Env<'_, 'a>,
    ) -> Run<()> {
        let Some(program) = program else {
            return self.budget.step().map_err(|fault| env.problem(fault, 0));
        };
        let index = Value::index(turn.index);
        let values = Some([item, turn.key.unwrap_or(&index)]);
        let data = Data { above: Some(env.data), turn: Some(turn), block: env.data.block };
        let closure = Closure { program, env, depths: Some(env.depths), params: env.params };
        self.run(&closure, item, &data, values, env)
    }

    fn maybe_inside(
        &mut self,
        program: Option<&'a Program>,
        context: &Value<'a>,
        values: Option<[&Value<'a>; 2]>,
        env: &Env<'_, 'a>,
    ) -> Run<()> {
        match program {
            Some(program) => self.inside(program, context, values, env),
            None => Ok(()),
        }
    }

    /// Runs one of a block's programs.
    pub(crate) fn inside(
        &mut self,
        program: &'a Program,
        context: &Value<'a>,
        values: Option<[&Value<'a>; 2]>,
        env: &Env<'_, 'a>,
    ) -> Run<()> {
        let closure = Closure { program, env, depths: Some(env.depths), params: env.params };
        self.run(&closure, context, env.data, values, env)
    }
}

/// What `if` makes of data.
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

impl<'a> Env<'_, 'a> {
    /// The context as helpers get it: an object in place of none.
    pub(crate) fn this(&self) -> Value<'a> {
        if self.context.is_nullish() { Value::Nothing } else { self.context.clone() }
    }

    /// A helper's complaint, under its name.
    pub(crate) fn helper_problem(
        &self,
        helper: &Helper,
        fault: Fault,
        at: usize,
    ) -> Box<super::TemplateProblem> {
        let fault = match fault {
            Fault::Said(said) => Fault::failed(format!("`{}` {}", helper.name, said.message)),
            fault => fault,
        };
        self.problem(fault, at)
    }
}
