//! Renders the statements of a template.

use serde_json::Value as Json;

use super::error::RenderError;
use super::frame::{Closure, Contexts, DataFrame, Env, Inlines, Params};
use super::limits::{Budget, Limits};
use super::missing::MissingPaths;
use super::value::{Lookup, Value};
use super::{compare, write};
use crate::prompt::error::TemplateProblem;
use crate::prompt::partials::Partials;
use crate::prompt::scope::Scope;
use crate::prompt::syntax::tree::{Mustache, Node, Path, PathStart, Program, Target};
use crate::prompt::unit::Unit;

pub(crate) type RenderResult<T> = Result<T, Box<TemplateProblem>>;

/// Renders one template and holds the state of the rendering.
pub(crate) struct Renderer<'a> {
    pub(crate) unit: &'a Unit,
    pub(crate) partials: &'a Partials,
    pub(crate) root: Value<'a>,
    pub(crate) out: String,
    pub(crate) missing: MissingPaths<'a>,
    pub(crate) budget: Budget,
}

impl<'a> Renderer<'a> {
    pub(crate) fn new(
        unit: &'a Unit,
        partials: &'a Partials,
        scope: &'a Scope<'a>,
        limits: &Limits,
    ) -> Self {
        Renderer {
            unit,
            partials,
            root: Value::Root(scope),
            out: String::new(),
            missing: MissingPaths::default(),
            budget: Budget::new(limits),
        }
    }

    /// Renders the whole template.
    pub(crate) fn template(&mut self) -> RenderResult<()> {
        let unit = self.unit;
        let context = self.root.clone();
        let contexts = Contexts { context: &context, above: None };
        let data = DataFrame::default();
        let (params, inlines, caller, call_site) = (None, None, None, None);
        let (context, contexts, data) = (&context, &contexts, &data);
        let env = Env { context, contexts, data, params, inlines, unit, caller, call_site };
        self.out.reserve(unit.source.len().saturating_mul(2).min(self.budget.bytes()));
        self.with_inlines(&unit.program, &env, None, None)
    }

    /// Renders a program in which the inline partials that it defines are visible. These inline
    /// partials can use `contexts` and `params`.
    pub(crate) fn with_inlines(
        &mut self,
        program: &'a Program,
        env: &Env<'_, 'a>,
        contexts: Option<&Contexts<'_, 'a>>,
        params: Option<&Params<'_, 'a>>,
    ) -> RenderResult<()> {
        if program.inlines.is_empty() {
            return self.program(program, env);
        }
        let inlines = Inlines { program, env, contexts, params, above: env.inlines };
        self.program(program, &Env { inlines: Some(&inlines), ..*env })
    }

    /// Renders the statements of a program in order.
    fn program(&mut self, program: &'a Program, env: &Env<'_, 'a>) -> RenderResult<()> {
        for node in &program.body {
            match node {
                Node::Literal(text) => {
                    self.push_text(text).map_err(|error| env.problem(error, 0))?;
                }
                Node::Value(path) => self.print_path(path, env)?,
                Node::Mustache(mustache) => self.mustache(mustache, env)?,
                Node::Block(block) => self.block(block, env)?,
                Node::Partial(partial) => self.partial(partial, env)?,
                Node::Text(_) | Node::Inline(_) | Node::Comment(_) => {}
            }
        }
        Ok(())
    }

    /// Looks up a path and renders its value.
    fn print_path(&mut self, path: &'a Path, env: &Env<'_, 'a>) -> RenderResult<()> {
        let value = match self.fast_lookup(path, env) {
            Lookup::Json(Json::String(text)) => {
                return self.push_text(text).map_err(|error| env.problem(error, path.at));
            }
            Lookup::Json(json) => Value::from(json),
            Lookup::Missing => self.path(path, false, env)?,
            Lookup::Unsupported => match (path.start, path.parts.as_slice()) {
                (PathStart::Context(0), []) if !matches!(env.context, Value::Undefined) => {
                    return self.print_value(env.context, path, env);
                }
                _ => self.full_lookup(path, false, env)?,
            },
        };
        self.print_value(&value, path, env)
    }

    /// Renders the value at a path.
    #[inline]
    fn print_value(
        &mut self,
        value: &Value<'a>,
        path: &'a Path,
        env: &Env<'_, 'a>,
    ) -> RenderResult<()> {
        self.print(value, path.at, env)?;
        if value.is_object() {
            self.warn_object(value, path, env, |text| text.to_owned());
        }
        Ok(())
    }

    /// Adds a warning if a value that was printed is an object or contains one, because its text is
    /// rarely what the author meant. `argument` returns the argument of `json` for the value.
    #[cold]
    #[inline(never)]
    fn warn_object(
        &mut self,
        value: &Value<'a>,
        path: &'a Path,
        env: &Env<'_, 'a>,
        argument: fn(&str) -> String,
    ) {
        let has_object = match value {
            Value::Array(items) => items.iter().any(Json::is_object),
            _ => true,
        };
        if has_object {
            let text = &path.text;
            self.budget.note(|| {
                let (printed, argument) = (write::OBJECT_TEXT, argument(text));
                format!(
                    "`{text}` is an object or contains one, which is printed as {printed}; write \
                     {{{{json {argument}}}}} for its JSON"
                )
            });
            self.budget.locate_note(env.call_site.unwrap_or(path.at));
        }
    }

    #[inline(never)]
    fn mustache(&mut self, mustache: &'a Mustache, env: &Env<'_, 'a>) -> RenderResult<()> {
        let call = &mustache.call;
        match call.target {
            Target::Variable => self.print_path(&call.path, env),
            Target::Helper(helper) => {
                let value = self.helper(helper, call, env)?;
                self.print(&value, call.path.at, env)?;
                if value.is_object() {
                    self.warn_object(&value, &call.path, env, |name| format!("({name} …)"));
                }
                Ok(())
            }
            Target::InvalidCall(helper) => Err(env.wrong_argument_count(helper, call)),
        }
    }

    #[inline]
    fn push_text(&mut self, text: &str) -> Result<(), RenderError> {
        write::push(&mut self.out, text, &mut self.budget)?;
        self.budget.step()
    }

    /// Renders a value. `at` is the byte offset of its tag in the source.
    pub(crate) fn print(
        &mut self,
        value: &Value<'a>,
        at: usize,
        env: &Env<'_, 'a>,
    ) -> RenderResult<()> {
        write::print(&mut self.out, value, &mut self.budget)
            .and_then(|()| self.budget.step())
            .map_err(|error| env.problem(error, at))
    }

    /// Renders a closure with the given context and values for its block parameters. `caller` is
    /// the environment from which the closure is rendered.
    pub(crate) fn render_closure(
        &mut self,
        closure: &Closure<'_, 'a>,
        context: &Value<'a>,
        data: &DataFrame<'_, 'a>,
        values: Option<[&Value<'a>; 2]>,
        caller: &Env<'_, 'a>,
    ) -> RenderResult<()> {
        let Closure { program, env: home, contexts: above, params } = *closure;
        let problem = |error| caller.problem(error, 0);
        self.budget.enter().map_err(problem)?;
        let is_new = match above {
            Some(above) if home.unit.analysis.uses_parent_context => {
                self.is_new_context(context, above.context).map_err(problem)?
            }
            Some(_) => false,
            None => true,
        };
        let pushed = Contexts { context, above };
        let contexts = above.filter(|_| !is_new).unwrap_or(&pushed);
        let own_params = Params { values, above: params };
        let has_params = !program.params.is_empty();
        let env = Env {
            context,
            contexts,
            data,
            params: if has_params { Some(&own_params) } else { params },
            inlines: caller.visible_inlines(home),
            unit: home.unit,
            caller: Some(caller),
            call_site: home.call_site,
        };
        self.with_inlines(program, &env, above, params)?;
        self.budget.leave();
        Ok(())
    }

    /// Renders a program with the current context.
    pub(crate) fn render_here(
        &mut self,
        program: &'a Program,
        env: &Env<'_, 'a>,
    ) -> RenderResult<()> {
        let plain = program.params.is_empty() && program.inlines.is_empty();
        if !plain || matches!(env.context, Value::EmptyObject) || env.context.is_nullish() {
            return self.render_inside(program, &env.this(), None, env);
        }
        self.budget.enter().map_err(|error| env.problem(error, 0))?;
        self.program(program, env)?;
        self.budget.leave();
        Ok(())
    }

    /// Returns whether a block's context differs from the context outside the block. If they are
    /// the same, `../` inside the block skips the outer context.
    fn is_new_context(
        &mut self,
        context: &Value<'a>,
        outer: &Value<'a>,
    ) -> Result<bool, RenderError> {
        match (context, outer) {
            (Value::Object(context), Value::Object(outer)) => {
                return Ok(!std::ptr::eq(*context, *outer));
            }
            (Value::EmptyObject, Value::Null) => return Ok(false),
            (Value::Object(_), Value::Root(_) | Value::Overlay(_)) => return Ok(true),
            (Value::Text(text), Value::Object(_) | Value::Root(_)) => {
                return Ok(*text != write::OBJECT_TEXT);
            }
            _ => {}
        }
        Ok(!compare::loosely_equal(context, outer, &mut self.budget)?)
    }
}
