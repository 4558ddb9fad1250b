//! The environment of a statement, which consists of its contexts, `@` variables, block parameters
//! and inline partials. Each of these is a linked list of frames on the stack, so entering a block
//! or partial does not copy any data.

use super::error::RenderError;
use super::value::Value;
use crate::prompt::error::{ProblemKind, TemplateProblem};
use crate::prompt::helpers::args::Helper;
use crate::prompt::syntax::tree::{Call, Program};
use crate::prompt::unit::Unit;

/// The variables and partials that are visible to a statement.
#[derive(Clone, Copy)]
pub(crate) struct Env<'s, 'a> {
    /// The value of `this`.
    pub(crate) context: &'s Value<'a>,
    pub(crate) contexts: &'s Contexts<'s, 'a>,
    pub(crate) data: &'s DataFrame<'s, 'a>,
    pub(crate) params: Option<&'s Params<'s, 'a>>,
    pub(crate) inlines: Option<&'s Inlines<'s, 'a>>,
    /// The template or partial that contains the statement.
    pub(crate) unit: &'a Unit,
    /// The environment that included this partial or rendered this block.
    pub(crate) caller: Option<&'s Env<'s, 'a>>,
    /// The byte offset, in the main template, of the tag that included the outermost partial.
    /// `None` outside of partials.
    pub(crate) call_site: Option<usize>,
}

/// The current context and the contexts that `../` refers to, innermost first.
#[derive(Clone, Copy)]
pub(crate) struct Contexts<'s, 'a> {
    pub(crate) context: &'s Value<'a>,
    pub(crate) above: Option<&'s Contexts<'s, 'a>>,
}

/// The `@` variables of a block or partial, except `@root`.
#[derive(Clone, Copy, Default)]
pub(crate) struct DataFrame<'s, 'a> {
    pub(crate) above: Option<&'s DataFrame<'s, 'a>>,
    pub(crate) iteration: Option<Iteration<'s, 'a>>,
    /// The block that `{{> @partial-block}}` renders.
    pub(crate) block: Option<&'s PartialBlock<'s, 'a>>,
}

/// One iteration of a loop.
#[derive(Clone, Copy)]
pub(crate) struct Iteration<'s, 'a> {
    /// The key of the member in an object, or `None` for an array.
    pub(crate) key: Option<&'s Value<'a>>,
    pub(crate) index: usize,
    pub(crate) last: bool,
}

/// The block parameters of one enclosing block. The frames of all enclosing blocks with parameters
/// form a list, innermost first.
pub(crate) struct Params<'s, 'a> {
    /// The values of the first two block parameters, or `None` if the block does not provide any.
    pub(crate) values: Option<[&'s Value<'a>; 2]>,
    pub(crate) above: Option<&'s Params<'s, 'a>>,
}

/// A program with the environment in which it was defined.
#[derive(Clone, Copy)]
pub(crate) struct Closure<'s, 'a> {
    pub(crate) program: &'a Program,
    pub(crate) env: &'s Env<'s, 'a>,
    pub(crate) contexts: Option<&'s Contexts<'s, 'a>>,
    pub(crate) params: Option<&'s Params<'s, 'a>>,
}

/// The block that `{{> @partial-block}}` renders. If the block itself contains
/// `{{> @partial-block}}`, the nested tag renders `outer`.
#[derive(Clone, Copy)]
pub(crate) struct PartialBlock<'s, 'a> {
    pub(crate) closure: Closure<'s, 'a>,
    pub(crate) outer: Option<&'s PartialBlock<'s, 'a>>,
}

/// The inline partials that a program defines, linked to those of the enclosing programs.
///
/// As in handlebars.js, an inline partial can use the contexts and block parameters from outside
/// the program that defines it, but not those of the program itself.
pub(crate) struct Inlines<'s, 'a> {
    pub(crate) program: &'a Program,
    pub(crate) env: &'s Env<'s, 'a>,
    pub(crate) contexts: Option<&'s Contexts<'s, 'a>>,
    pub(crate) params: Option<&'s Params<'s, 'a>>,
    pub(crate) above: Option<&'s Inlines<'s, 'a>>,
}

impl<'s, 'a> Env<'s, 'a> {
    /// Returns the chain of contexts that starts `up` levels above the current context.
    pub(crate) fn contexts_above(&self, up: usize) -> Option<&'s Contexts<'s, 'a>> {
        let mut contexts = self.contexts;
        for _ in 0..up {
            contexts = contexts.above?;
        }
        Some(contexts)
    }

    /// Returns the values of the block parameters `up` frames above, if that block provides any.
    pub(crate) fn param(&self, up: usize) -> Option<[&'s Value<'a>; 2]> {
        let mut params = self.params?;
        for _ in 0..up {
            params = params.above?;
        }
        params.values
    }

    /// Returns the `@` variables `up` frames above.
    pub(crate) fn data_above(&self, up: usize) -> Option<&'s DataFrame<'s, 'a>> {
        let mut data = self.data;
        for _ in 0..up {
            data = data.above?;
        }
        Some(data)
    }

    /// Returns the visible inline partial with the given name.
    pub(crate) fn inline(&self, name: &str) -> Option<Closure<'s, 'a>> {
        let mut inlines = self.inlines;
        while let Some(Inlines { program, env, contexts, params, above }) = inlines {
            let found = program.inlines.iter().rev().find(|inline| &*inline.name == name);
            if let Some(inline) = found {
                let (contexts, params) = (*contexts, *params);
                return Some(Closure { program: &inline.program, env, contexts, params });
            }
            inlines = *above;
        }
        None
    }

    /// Returns the inline partials that are visible to a block that was defined in `home` and is
    /// rendered from this environment. They are those of the innermost calling environment with the
    /// same source as `home`.
    pub(crate) fn visible_inlines(&self, home: &Env<'s, 'a>) -> Option<&'s Inlines<'s, 'a>> {
        if std::ptr::eq(self.unit, home.unit) {
            return self.inlines;
        }
        let mut caller = self.caller;
        while let Some(env) = caller {
            if std::ptr::eq(env.unit, home.unit) {
                return env.inlines;
            }
            caller = env.caller;
        }
        home.inlines
    }

    /// Returns the context that helpers receive, which is an empty object if the context is missing
    /// or null.
    pub(crate) fn this(&self) -> Value<'a> {
        if self.context.is_nullish() { Value::EmptyObject } else { self.context.clone() }
    }

    /// Adds the position to an error. `at` is a byte offset in the source of this statement.
    #[cold]
    #[inline(never)]
    pub(crate) fn problem(&self, error: RenderError, at: usize) -> Box<TemplateProblem> {
        let (kind, message) = match error {
            RenderError::Failed(failure) => (failure.kind, failure.message),
            RenderError::TooDeep => {
                let message = "blocks, partials or values are nested too deeply";
                (ProblemKind::TooDeep, message.to_owned())
            }
            RenderError::TooSlow => {
                (ProblemKind::TooSlow, "rendering exceeds the time limit".to_owned())
            }
        };
        Box::new(self.unit.problem(kind, at, message))
    }

    /// Creates the error for a call with a wrong number of arguments.
    #[cold]
    #[inline(never)]
    pub(crate) fn wrong_argument_count(
        &self,
        helper: &Helper,
        call: &Call,
    ) -> Box<TemplateProblem> {
        let expected = helper.arguments.required.len();
        let error = RenderError::wrong_argument_count(expected, call.args.len());
        self.helper_problem(helper, error, call.path.at)
    }

    /// Adds the helper's name and the position to an error that the helper returned.
    pub(crate) fn helper_problem(
        &self,
        helper: &Helper,
        error: RenderError,
        at: usize,
    ) -> Box<TemplateProblem> {
        let error = match error {
            RenderError::Failed(failure) if failure.kind != ProblemKind::TooLarge => {
                RenderError::helper(format!("`{}` {}", helper.name, failure.message))
            }
            error => error,
        };
        self.problem(error, at)
    }
}
