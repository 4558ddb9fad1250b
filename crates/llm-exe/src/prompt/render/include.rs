//! Renders partials: `{{> name}}`, inline partials and `@partial-block`.

use std::borrow::Cow;

use super::error::RenderError;
use super::eval::{RenderResult, Renderer};
use super::frame::{Closure, Contexts, DataFrame, Env, Inlines, PartialBlock};
use super::value::{Overlay, Value};
use super::write;
use crate::prompt::helpers::fallback::at_path;
use crate::prompt::partials::builtin_arguments;
use crate::prompt::syntax::tree::{Partial, PartialName};
use crate::prompt::unit::Unit;
use crate::request::suggestion;
use crate::word_list::contains_word;

/// The name with which a partial includes the block that its caller passed, as in
/// `{{> @partial-block}}`.
const PARTIAL_BLOCK: &str = "@partial-block";

/// What the name of a partial refers to.
enum Definition<'s, 'a> {
    Unit(&'a Unit),
    Inline(Closure<'s, 'a>),
    Block(&'s PartialBlock<'s, 'a>),
}

/// The environment that a tag passes to the partial that it includes. Inline partials and blocks
/// ignore `inlines` and `call_site` and use those of the environment that defined them.
struct IncludeArgs<'s, 'a> {
    context: &'s Value<'a>,
    data: &'s DataFrame<'s, 'a>,
    inlines: Option<&'s Inlines<'s, 'a>>,
    call_site: Option<usize>,
}

impl<'a> Renderer<'a> {
    #[inline(never)]
    pub(crate) fn partial(&mut self, partial: &'a Partial, env: &Env<'_, 'a>) -> RenderResult<()> {
        let at = partial.at;
        let computed = match &partial.name {
            PartialName::Fixed(_) => None,
            PartialName::Computed(call) => Some(self.call(call, false, env)?),
        };
        let mut context = match &partial.context {
            Some(context) => self.value(context, false, env)?,
            None => env.context.clone(),
        };
        let named = self.pairs(&partial.hash, env)?;
        if !partial.hash.is_empty() {
            context = Value::Overlay(Overlay { base: context, named }.into());
        }
        let name = match (&partial.name, &computed) {
            (PartialName::Fixed(name), _) => Cow::Borrowed(&**name),
            (_, Some(name)) => {
                write::to_string(name, &mut self.budget).map_err(|error| env.problem(error, at))?
            }
            (_, None) => Cow::Borrowed(""),
        };
        let definition = self.find_partial(&name, computed.is_none(), env);
        let site = env.call_site.unwrap_or(at);
        if let Some(Definition::Unit(unit)) = &definition
            && unit.optional_variables
            && !env.unit.optional_variables
        {
            let checked = self.check_builtin_arguments(&name, partial, &context, site);
            checked.map_err(|error| env.problem(error, at))?;
        }

        let start = self.out.len();
        let call_site = Some(site);
        match &partial.block {
            None => {
                let args = IncludeArgs {
                    context: &context,
                    data: env.data,
                    inlines: env.inlines,
                    call_site,
                };
                self.include(definition, &name, args, env, at)?;
            }
            Some(program) => {
                let closure =
                    Closure { program, env, contexts: Some(env.contexts), params: env.params };
                let block = PartialBlock { closure, outer: env.data.block };
                let iteration = env.data.iteration;
                let data = DataFrame { above: Some(env.data), iteration, block: Some(&block) };
                let (contexts, params, above) = (Some(env.contexts), env.params, env.inlines);
                let inlines = Inlines { program, env, contexts, params, above };
                let inlines = if program.inlines.is_empty() { above } else { Some(&inlines) };
                let definition = definition.or(Some(Definition::Block(&block)));
                let args = IncludeArgs { context: &context, data: &data, inlines, call_site };
                self.include(definition, &name, args, env, at)?;
            }
        }
        match partial.indent {
            Some(indent) => self
                .indent_output(start, indent.text(&env.unit.source))
                .map_err(|error| env.problem(error, at)),
            None => Ok(()),
        }
    }

    /// Reports arguments that a built-in partial does not have, required ones that are missing, and
    /// a `key` that is not in the data.
    ///
    /// # Errors
    /// Returns an error if a `key` is required but missing.
    #[inline(never)]
    fn check_builtin_arguments(
        &mut self,
        name: &str,
        partial: &'a Partial,
        context: &Value<'a>,
        site: usize,
    ) -> Result<(), RenderError> {
        let Some((required, optional)) = builtin_arguments(name) else {
            return Ok(());
        };
        let is_passed = |name: &str| partial.hash.iter().any(|pair| &*pair.key == name);
        let mut hint = String::new();
        for key in partial.hash.iter().map(|pair| &*pair.key) {
            if contains_word(required, key) || contains_word(optional, key) {
                continue;
            }
            let mut known: Vec<&str> = required.split_ascii_whitespace().collect();
            known.extend(optional.split_ascii_whitespace());
            hint = format!("the argument `{key}=`{}", suggestion(key, &known));
            self.budget.note(|| format!("`{{{{> {name}}}}}` ignores {hint}"));
            self.budget.locate_note(site);
        }
        for argument in required.split_ascii_whitespace() {
            match context.property(argument) {
                Value::Undefined if argument == "key" => {
                    let ignored = if hint.is_empty() { hint } else { format!(", got {hint}") };
                    let message = format!("`{{{{> {name}}}}}` needs the argument `key=`{ignored}");
                    return Err(RenderError::helper(message));
                }
                // A missing variable that is passed has been reported.
                Value::Undefined if !is_passed(argument) => self.missing.add(argument, site),
                Value::Text(path) if argument == "key" => {
                    if matches!(at_path(context, path), Value::Undefined) {
                        self.missing.add(path, site);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn find_partial<'s>(
        &self,
        name: &str,
        fixed: bool,
        env: &Env<'s, 'a>,
    ) -> Option<Definition<'s, 'a>> {
        if let Some(inline) = env.inline(name) {
            return Some(Definition::Inline(inline));
        }
        if let Some(unit) = self.partials.get(name) {
            return Some(Definition::Unit(unit));
        }
        let block = env.data.block.filter(|_| fixed && name == PARTIAL_BLOCK);
        block.map(Definition::Block)
    }

    fn include(
        &mut self,
        definition: Option<Definition<'_, 'a>>,
        name: &str,
        args: IncludeArgs<'_, 'a>,
        env: &Env<'_, 'a>,
        at: usize,
    ) -> RenderResult<()> {
        let IncludeArgs { context, data, inlines, call_site } = args;
        match definition {
            None => Err(env.problem(RenderError::unknown_partial(name), at)),
            Some(Definition::Inline(closure)) => {
                self.render_closure(&closure, context, data, None, env)
            }
            Some(Definition::Block(block)) => {
                let (iteration, outer) = (data.iteration, block.outer);
                let data = DataFrame { above: Some(data), iteration, block: outer };
                self.render_closure(&block.closure, context, &data, None, env)
            }
            Some(Definition::Unit(unit)) => {
                self.budget.enter().map_err(|error| env.problem(error, at))?;
                let contexts = Contexts { context, above: None };
                let (contexts, params, caller) = (&contexts, None, Some(env));
                let env = Env { context, contexts, data, params, inlines, unit, caller, call_site };
                self.with_inlines(&unit.program, &env, None, None)?;
                self.budget.leave();
                Ok(())
            }
        }
    }

    /// Indents every line of the output from byte offset `start`.
    fn indent_output(&mut self, start: usize, indent: &str) -> Result<(), RenderError> {
        let lines = self.out.split_off(start.min(self.out.len()));
        for line in lines.split_inclusive('\n') {
            self.budget.step()?;
            write::push(&mut self.out, indent, &mut self.budget)?;
            write::push(&mut self.out, line, &mut self.budget)?;
        }
        Ok(())
    }
}
