//! Partials: `{{> name}}`, with a block, inline, `@partial-block`, and by a computed name.

use std::borrow::Cow;

use super::ast::{Partial, PartialName};
use super::eval::{Renderer, Run};
use super::frame::{Closure, Data, Depth, Env, Inlines, PartialBlock};
use super::limits::{Budget, Fault};
use super::value::{Layer, Value};
use super::{Unit, write};

/// What a partial's name stands for.
enum Found<'s, 'a> {
    Unit(&'a Unit),
    Inline(Closure<'s, 'a>),
    Block(&'s PartialBlock<'s, 'a>),
}

/// What a partial's source is called with; inline partials and blocks have their own of the
/// latter two.
struct Given<'s, 'a> {
    context: &'s Value<'a>,
    data: &'s Data<'s, 'a>,
    inlines: Option<&'s Inlines<'s, 'a>>,
    call_site: Option<usize>,
}

/// The name under which a partial finds the block that was given to it.
const PARTIAL_BLOCK: &str = "@partial-block";

impl<'a> Renderer<'a> {
    #[inline(never)]
    pub(crate) fn partial(&mut self, partial: &'a Partial, env: &Env<'_, 'a>) -> Run<()> {
        let at = partial.at;
        let computed = match &partial.name {
            PartialName::Fixed(_) => None,
            PartialName::Computed(call) => Some(self.call(call, false, env)?),
        };
        let mut context = match &partial.context {
            Some(context) => self.value(context, false, env)?,
            None => env.context.clone(),
        };
        let over = self.pairs(&partial.hash, env)?;
        if !partial.hash.is_empty() {
            context = Value::Layer(Layer { base: context, over }.into());
        }
        let name = match (&partial.name, &computed) {
            (PartialName::Fixed(name), _) => Cow::Borrowed(&**name),
            (_, Some(name)) => {
                write::to_string(name, &mut self.budget).map_err(|fault| env.problem(fault, at))?
            }
            (_, None) => Cow::Borrowed(""),
        };
        let found = self.find(&name, computed.is_none(), env);

        let start = self.out.len();
        let call_site = Some(env.call_site.unwrap_or(at));
        match &partial.block {
            None => {
                let given =
                    Given { context: &context, data: env.data, inlines: env.inlines, call_site };
                self.include(found, &name, given, env, at)?;
            }
            Some(program) => {
                let closure =
                    Closure { program, env, depths: Some(env.depths), params: env.params };
                let block = PartialBlock { closure, outer: env.data.block };
                let turn = env.data.turn;
                let data = Data { above: Some(env.data), turn, block: Some(&block) };
                let (depths, params, above) = (Some(env.depths), env.params, env.inlines);
                let inlines = Inlines { program, env, depths, params, above };
                let inlines = if program.inlines.is_empty() { above } else { Some(&inlines) };
                let found = found.or(Some(Found::Block(&block)));
                let given = Given { context: &context, data: &data, inlines, call_site };
                self.include(found, &name, given, env, at)?;
            }
        }
        match partial.indent {
            Some(indent) => self
                .indent(start, indent.of(&env.unit.source))
                .map_err(|fault| env.problem(fault, at)),
            None => Ok(()),
        }
    }

    fn find<'s>(&self, name: &str, fixed: bool, env: &Env<'s, 'a>) -> Option<Found<'s, 'a>> {
        if let Some(inline) = env.inline(name) {
            return Some(Found::Inline(inline));
        }
        if let Some(unit) = self.inner.partials.get(name) {
            return Some(Found::Unit(unit));
        }
        let block = env.data.block.filter(|_| fixed && name == PARTIAL_BLOCK);
        block.map(Found::Block)
    }

    fn include(
        &mut self,
        found: Option<Found<'_, 'a>>,
        name: &str,
        given: Given<'_, 'a>,
        env: &Env<'_, 'a>,
        at: usize,
    ) -> Run<()> {
        let Given { context, data, inlines, call_site } = given;
        match found {
            None => Err(env.problem(Fault::no_partial(name), at)),
            Some(Found::Inline(closure)) => self.run(&closure, context, data, None, env),
            Some(Found::Block(block)) => {
                let (turn, outer) = (data.turn, block.outer);
                let data = Data { above: Some(data), turn, block: outer };
                self.run(&block.closure, context, &data, None, env)
            }
            Some(Found::Unit(unit)) => {
                self.budget.enter().map_err(|fault| env.problem(fault, at))?;
                let depths = Depth { context, above: None };
                let (depths, params, caller) = (&depths, None, Some(env));
                let env = Env { context, depths, data, params, inlines, unit, caller, call_site };
                self.with_inlines(&unit.program, &env, None, None)?;
                self.budget.leave();
                Ok(())
            }
        }
    }

    /// Indents every line from byte `start` of the output on.
    fn indent(&mut self, start: usize, indent: &str) -> Result<(), Fault> {
        let lines = self.out.split_off(start.min(self.out.len()));
        let budget: &mut Budget = &mut self.budget;
        for line in lines.split_inclusive('\n') {
            budget.step()?;
            write::push(&mut self.out, indent, budget)?;
            write::push(&mut self.out, line, budget)?;
        }
        Ok(())
    }
}
