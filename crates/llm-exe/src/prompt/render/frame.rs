//! The environment of a statement: its context and the ones above it, `@` variables, block
//! parameters and inline partials. Each is a linked list of frames on the stack, so that entering a
//! block or a partial copies nothing.

use super::error::RenderError;
use super::value::Value;
use crate::prompt::error::{ProblemKind, TemplateProblem};
use crate::prompt::helpers::args::Helper;
use crate::prompt::syntax::tree::Program;
use crate::prompt::unit::Unit;

/// The environment of a statement.
#[derive(Clone, Copy)]
pub(crate) struct Env<'s, 'a> {
    /// `this`
    pub(crate) context: &'s Value<'a>,
    pub(crate) contexts: &'s Contexts<'s, 'a>,
    pub(crate) data: &'s DataFrame<'s, 'a>,
    pub(crate) params: Option<&'s Params<'s, 'a>>,
    pub(crate) inlines: Option<&'s Inlines<'s, 'a>>,
    /// The source that contains the statement.
    pub(crate) unit: &'a Unit,
    /// The environment that included this partial, or that rendered this block.
    pub(crate) caller: Option<&'s Env<'s, 'a>>,
    /// The offset of the outermost partial's tag in the template.
    pub(crate) call_site: Option<usize>,
}

/// The current context and the ones that `../` refers to, innermost first.
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
    /// The key in an object; `None` in a list.
    pub(crate) key: Option<&'s Value<'a>>,
    pub(crate) index: usize,
    pub(crate) last: bool,
}

/// The block parameters of the enclosing programs that have any, innermost first.
pub(crate) struct Params<'s, 'a> {
    /// The values of the first two parameters; `None` if the helper does not provide any.
    pub(crate) values: Option<[&'s Value<'a>; 2]>,
    pub(crate) above: Option<&'s Params<'s, 'a>>,
}

/// A program and the environment in which it was defined.
#[derive(Clone, Copy)]
pub(crate) struct Closure<'s, 'a> {
    pub(crate) program: &'a Program,
    pub(crate) env: &'s Env<'s, 'a>,
    pub(crate) contexts: Option<&'s Contexts<'s, 'a>>,
    pub(crate) params: Option<&'s Params<'s, 'a>>,
}

/// The block that `{{> @partial-block}}` renders, and the block that the same tag renders inside of
/// it.
#[derive(Clone, Copy)]
pub(crate) struct PartialBlock<'s, 'a> {
    pub(crate) closure: Closure<'s, 'a>,
    pub(crate) outer: Option<&'s PartialBlock<'s, 'a>>,
}

/// The visible inline partials: those of one program, and those of the programs around it.
///
/// As in handlebars.js, an inline partial uses the contexts and block parameters around its
/// program, not the ones of the program itself.
pub(crate) struct Inlines<'s, 'a> {
    pub(crate) program: &'a Program,
    pub(crate) env: &'s Env<'s, 'a>,
    pub(crate) contexts: Option<&'s Contexts<'s, 'a>>,
    pub(crate) params: Option<&'s Params<'s, 'a>>,
    pub(crate) above: Option<&'s Inlines<'s, 'a>>,
}

impl<'s, 'a> Env<'s, 'a> {
    /// The contexts that start with the one that `up` times `../` refers to.
    pub(crate) fn contexts_above(&self, up: usize) -> Option<&'s Contexts<'s, 'a>> {
        let mut contexts = self.contexts;
        for _ in 0..up {
            contexts = contexts.above?;
        }
        Some(contexts)
    }

    /// The values of the block parameters `up` programs above, if the block provides any.
    pub(crate) fn param(&self, up: usize) -> Option<[&'s Value<'a>; 2]> {
        let mut params = self.params?;
        for _ in 0..up {
            params = params.above?;
        }
        params.values
    }

    /// The `@` variables `up` frames above.
    pub(crate) fn data_above(&self, up: usize) -> Option<&'s DataFrame<'s, 'a>> {
        let mut data = self.data;
        for _ in 0..up {
            data = data.above?;
        }
        Some(data)
    }

    /// The visible inline partial with this name.
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

    /// The inline partials that are visible to a block defined in `home` when it is rendered from
    /// here: those of the innermost environment in the same source.
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
    /// The context that helpers receive: an empty object if there is no context.
    pub(crate) fn this(&self) -> Value<'a> {
        if self.context.is_nullish() { Value::EmptyObject } else { self.context.clone() }
    }

    /// Adds the position to an error: byte `at` of the source of this statement.
    #[cold]
    #[inline(never)]
    pub(crate) fn problem(&self, error: RenderError, at: usize) -> Box<TemplateProblem> {
        let (kind, message) = match error {
            RenderError::Failed(failure) => (failure.kind, failure.message),
            RenderError::TooDeep => {
                let message = "blocks, partials or values are nested more deeply than the limit";
                (ProblemKind::TooDeep, message.to_owned())
            }
            RenderError::TooLarge => {
                (ProblemKind::TooLarge, "the rendered text is larger than the limit".to_owned())
            }
            RenderError::TooSlow => {
                (ProblemKind::TooSlow, "rendering takes longer than the limit".to_owned())
            }
        };
        Box::new(self.unit.problem(kind, at, message))
    }

    /// Adds the name of a helper and the position to its error.
    pub(crate) fn helper_problem(
        &self,
        helper: &Helper,
        error: RenderError,
        at: usize,
    ) -> Box<TemplateProblem> {
        let error = match error {
            RenderError::Failed(failure) => {
                RenderError::helper(format!("`{}` {}", helper.name, failure.message))
            }
            error => error,
        };
        self.problem(error, at)
    }
}
