//! The evaluator: statements in, text out. Blocks are in `block`, partials in `include`, paths
//! and arguments in `resolve`.

use serde_json::Value as Json;

use super::ast::{Mustache, Node, Path, Program, Start, Target};
use super::error::{ProblemKind, TemplateProblem};
use super::frame::{Closure, Data, Depth, Env, Inlines, Params};
use super::limits::{Budget, Fault, Limits};
use super::missing::Missed;
use super::value::{Found, Value};
use super::{Inner, Scope, compare, write};

pub(crate) type Run<T> = Result<T, Box<TemplateProblem>>;

/// One rendering.
pub(crate) struct Renderer<'a> {
    pub(crate) inner: &'a Inner,
    pub(crate) root: Value<'a>,
    pub(crate) out: String,
    pub(crate) missed: Missed<'a>,
    pub(crate) budget: Budget,
}

impl<'a> Renderer<'a> {
    pub(crate) fn new(inner: &'a Inner, scope: &'a Scope<'a>, limits: &Limits) -> Self {
        let root = Value::Root(scope);
        let (out, missed) = (String::new(), Missed::default());
        Renderer { inner, root, out, missed, budget: Budget::new(limits) }
    }

    /// Renders the whole template.
    pub(crate) fn template(&mut self) -> Run<()> {
        let unit = &self.inner.unit;
        let context = self.root.clone();
        let depths = Depth { context: &context, above: None };
        let data = Data::default();
        let (params, inlines, caller, call_site) = (None, None, None, None);
        let (context, depths, data) = (&context, &depths, &data);
        let env = Env { context, depths, data, params, inlines, unit, caller, call_site };
        self.out.reserve(unit.source.len().saturating_mul(2).min(self.budget.bytes()));
        self.with_inlines(&unit.program, &env, None, None)
    }

    /// Runs a program where it stands in reach of its own inline partials. `depths` and
    /// `params` are what those partials see.
    pub(crate) fn with_inlines(
        &mut self,
        program: &'a Program,
        env: &Env<'_, 'a>,
        depths: Option<&Depth<'_, 'a>>,
        params: Option<&Params<'_, 'a>>,
    ) -> Run<()> {
        if program.inlines.is_empty() {
            return self.program(program, env);
        }
        let inlines = Inlines { program, env, depths, params, above: env.inlines };
        self.program(program, &Env { inlines: Some(&inlines), ..*env })
    }

    fn program(&mut self, program: &'a Program, env: &Env<'_, 'a>) -> Run<()> {
        for node in &program.body {
            match node {
                Node::Shown(text) => {
                    self.text(text).map_err(|fault| env.problem(fault, 0))?;
                }
                Node::Value(path) => self.show(path, env)?,
                Node::Mustache(mustache) => self.mustache(mustache, env)?,
                Node::Block(block) => self.block(block, env)?,
                Node::Partial(partial) => self.partial(partial, env)?,
                Node::Text(_) | Node::Inline(_) | Node::Comment(_) => {}
            }
        }
        Ok(())
    }

    /// Prints the value of a path.
    fn show(&mut self, path: &'a Path, env: &Env<'_, 'a>) -> Run<()> {
        let value = match self.in_data(path, env) {
            Found::Json(Json::String(text)) => {
                return self.text(text).map_err(|fault| env.problem(fault, path.at));
            }
            Found::Json(json) => Value::from(json),
            Found::Missing => self.path(path, false, env)?,
            Found::Elsewhere => match (path.start, path.parts.as_slice()) {
                (Start::Context(0), []) if !matches!(env.context, Value::Undefined) => {
                    return self.print(env.context, path.at, env);
                }
                _ => self.elsewhere(path, false, env)?,
            },
        };
        self.print(&value, path.at, env)
    }

    #[inline(never)]
    fn mustache(&mut self, mustache: &'a Mustache, env: &Env<'_, 'a>) -> Run<()> {
        let call = &mustache.call;
        match call.target {
            Target::Value => self.show(&call.path, env),
            Target::Helper(helper) => {
                let value = self.helper(helper, call, env)?;
                self.print(&value, call.path.at, env)
            }
        }
    }

    #[inline]
    fn text(&mut self, text: &str) -> Result<(), Fault> {
        write::push(&mut self.out, text, &mut self.budget)?;
        self.budget.step()
    }

    /// Prints a value that byte `at` of the source asks for.
    pub(crate) fn print(&mut self, value: &Value<'a>, at: usize, env: &Env<'_, 'a>) -> Run<()> {
        write::print(&mut self.out, value, &mut self.budget)
            .and_then(|()| self.budget.step())
            .map_err(|fault| env.problem(fault, at))
    }

    /// Runs a block's program with a context and block parameters, called from `caller`.
    pub(crate) fn run(
        &mut self,
        closure: &Closure<'_, 'a>,
        context: &Value<'a>,
        data: &Data<'_, 'a>,
        values: Option<[&Value<'a>; 2]>,
        caller: &Env<'_, 'a>,
    ) -> Run<()> {
        let Closure { program, env: home, depths: above, params } = *closure;
        let fault = |fault| caller.problem(fault, 0);
        self.budget.enter().map_err(fault)?;
        let pushes = match above {
            Some(above) if home.unit.uses_up => {
                self.is_new(context, above.context).map_err(fault)?
            }
            Some(_) => false,
            None => true,
        };
        let pushed = Depth { context, above };
        let depths = above.filter(|_| !pushes).unwrap_or(&pushed);
        let own_params = Params { values, above: params };
        let named = !program.params.is_empty();
        let env = Env {
            context,
            depths,
            data,
            params: if named { Some(&own_params) } else { params },
            inlines: caller.inlines_of(home),
            unit: home.unit,
            caller: Some(caller),
            call_site: home.call_site,
        };
        self.with_inlines(program, &env, above, params)?;
        self.budget.leave();
        Ok(())
    }

    /// Runs a program with the context as it is.
    pub(crate) fn run_here(&mut self, program: &'a Program, env: &Env<'_, 'a>) -> Run<()> {
        let plain = program.params.is_empty() && program.inlines.is_empty();
        if !plain || matches!(env.context, Value::Nothing) || env.context.is_nullish() {
            return self.inside(program, &env.this(), None, env);
        }
        self.budget.enter().map_err(|fault| env.problem(fault, 0))?;
        self.program(program, env)?;
        self.budget.leave();
        Ok(())
    }

    /// Whether a context is another than the one around it, so that `../` leads there.
    fn is_new(&mut self, context: &Value<'a>, around: &Value<'a>) -> Result<bool, Fault> {
        match (context, around) {
            (Value::Object(one), Value::Object(two)) => return Ok(!std::ptr::eq(*one, *two)),
            (Value::Nothing, Value::Null) => return Ok(false),
            (Value::Object(_), Value::Root(_) | Value::Layer(_)) => return Ok(true),
            (Value::Text(text), Value::Object(_) | Value::Root(_)) => {
                return Ok(*text != write::OBJECT);
            }
            _ => {}
        }
        Ok(!compare::loosely_equal(context, around, &mut self.budget)?)
    }
}

impl Env<'_, '_> {
    /// What went wrong, at byte `at` of the source that is rendering.
    #[cold]
    #[inline(never)]
    pub(crate) fn problem(&self, fault: Fault, at: usize) -> Box<TemplateProblem> {
        let (kind, message) = match fault {
            Fault::Said(said) => (said.kind, said.message),
            Fault::TooDeep => {
                (ProblemKind::TooDeep, "blocks and partials go deeper than the limit".to_owned())
            }
            Fault::TooLarge => {
                (ProblemKind::TooLarge, "the rendered text is larger than the limit".to_owned())
            }
            Fault::TooSlow => {
                (ProblemKind::TooSlow, "rendering takes longer than the limit".to_owned())
            }
        };
        Box::new(self.unit.problem(kind, at, message))
    }
}
