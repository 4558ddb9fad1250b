//! Blocks: `{{#helper …}}`, and the plain `{{#name}}`, which tests, loops or goes inside.

use super::ast::{Block, Call, Program, Target};
use super::eval::{Renderer, Run};
use super::frame::{Closure, Data, Env, Turn};
use super::helpers::{Helper, Kind};
use super::limits::Fault;
use super::value::{Value, array_index};

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
    pub(crate) fn block(&mut self, block: &'a Block, env: &Env<'_, 'a>) -> Run<()> {
        let nothing = env.this();
        let mut env = *env;
        let mut rest = block.chain.iter();
        let mut call = &block.call;
        let mut program = block.program.as_ref();
        loop {
            let has_else = rest.len() > 0 || block.inverse.is_some();
            match self.arm(&Arm { call, program, has_else }, &env)? {
                Taken::Yes => return Ok(()),
                Taken::No { this: true } => env.context = &nothing,
                Taken::No { this: false } => {}
            }
            match rest.next() {
                Some(next) => (call, program) = (&next.call, Some(&next.program)),
                None => break,
            }
        }
        match &block.inverse {
            Some(inverse) => self.inside(inverse, env.context.clone(), None, &env),
            None => Ok(()),
        }
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
                if !yes {
                    return Ok(Taken::No { this: true });
                }
                self.maybe_inside(arm.program, env.this(), None, env)?;
                Ok(Taken::Yes)
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
                let values = Some([value.clone(), Value::Undefined]);
                self.maybe_inside(arm.program, value, values, env)?;
                Ok(Taken::Yes)
            }
        }
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
                self.maybe_inside(arm.program, env.context.clone(), None, env)?;
                Ok(Taken::Yes)
            }
            Value::Array(_) => {
                let turns = self.each(&value, arm.program, env)?;
                Ok(if turns { Taken::Yes } else { Taken::No { this: false } })
            }
            value => {
                let values = Some([Value::Undefined, Value::Undefined]);
                self.maybe_inside(arm.program, value, values, env)?;
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
                    let turn = Turn { key: Value::index(index), index, last };
                    self.turn(program, Value::from(item), turn, env)?;
                }
                Ok(!items.is_empty())
            }
            Value::Object(map) if !map.keys().any(|key| array_index(key).is_some()) => {
                for (index, (key, item)) in map.iter().enumerate() {
                    let last = index + 1 == map.len();
                    let turn = Turn { key: Value::Text(key), index, last };
                    self.turn(program, Value::from(item), turn, env)?;
                }
                Ok(!map.is_empty())
            }
            value if value.is_object() => {
                let keys = value.keys(&mut self.budget).map_err(|fault| env.problem(fault, 0))?;
                for (index, key) in keys.iter().enumerate() {
                    let last = index + 1 == keys.len();
                    let item = value.property(key);
                    let turn = Turn { key: Value::made(&**key), index, last };
                    self.turn(program, item, turn, env)?;
                }
                Ok(!keys.is_empty())
            }
            _ => Ok(false),
        }
    }

    fn turn(
        &mut self,
        program: Option<&'a Program>,
        item: Value<'a>,
        turn: Turn<'a>,
        env: &Env<'_, 'a>,
    ) -> Run<()> {
        self.budget.step().map_err(|fault| env.problem(fault, 0))?;
        let Some(program) = program else {
            return Ok(());
        };
        let named = !program.params.is_empty();
        let values = named.then(|| [item.clone(), turn.key.clone()]);
        let data = Data { above: Some(env.data), turn: Some(turn), block: env.data.block };
        let closure = Closure { program, env, depths: Some(env.depths), params: env.params };
        self.run(&closure, item, &data, values, env)
    }

    fn maybe_inside(
        &mut self,
        program: Option<&'a Program>,
        context: Value<'a>,
        values: Option<[Value<'a>; 2]>,
        env: &Env<'_, 'a>,
    ) -> Run<()> {
        match program {
            Some(program) => self.inside(program, context, values, env),
            None => Ok(()),
        }
    }

    /// Runs one of a block's programs.
    fn inside(
        &mut self,
        program: &'a Program,
        context: Value<'a>,
        values: Option<[Value<'a>; 2]>,
        env: &Env<'_, 'a>,
    ) -> Run<()> {
        let closure = Closure { program, env, depths: Some(env.depths), params: env.params };
        self.run(&closure, context, env.data, values, env)
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
            Fault::Failed(message) => Fault::Failed(format!("`{}` {message}", helper.name)),
            fault => fault,
        };
        self.problem(fault, at)
    }
}
