//! What a statement can see while it renders: its context, those above it, the `@` variables,
//! block parameters and inline partials. Everything is a chain of frames on Rust's stack, so
//! that going into a block or a partial copies nothing.

use super::Unit;
use super::ast::Program;
use super::value::Value;

/// All that a statement can see.
#[derive(Clone, Copy)]
pub(crate) struct Env<'s, 'a> {
    /// `this`
    pub(crate) context: &'s Value<'a>,
    pub(crate) depths: &'s Depth<'s, 'a>,
    pub(crate) data: &'s Data<'s, 'a>,
    pub(crate) params: Option<&'s Params<'s, 'a>>,
    pub(crate) inlines: Option<&'s Inlines<'s, 'a>>,
    /// The source that the statement stands in.
    pub(crate) unit: &'a Unit,
    /// Where this source, as a partial, or this block, from a partial, was asked for.
    pub(crate) caller: Option<&'s Env<'s, 'a>>,
    /// The place in the template itself that the outermost partial was asked for.
    pub(crate) call_site: Option<usize>,
}

/// The contexts that `../` goes through.
#[derive(Clone, Copy)]
pub(crate) struct Depth<'s, 'a> {
    pub(crate) context: &'s Value<'a>,
    pub(crate) above: Option<&'s Depth<'s, 'a>>,
}

/// The `@` variables apart from `@root`.
#[derive(Clone, Copy, Default)]
pub(crate) struct Data<'s, 'a> {
    pub(crate) above: Option<&'s Data<'s, 'a>>,
    pub(crate) turn: Option<Turn<'s, 'a>>,
    /// What `{{> @partial-block}}` renders.
    pub(crate) block: Option<&'s PartialBlock<'s, 'a>>,
}

/// One turn of a loop.
#[derive(Clone, Copy)]
pub(crate) struct Turn<'s, 'a> {
    /// The key in an object; a list has its index.
    pub(crate) key: Option<&'s Value<'a>>,
    pub(crate) index: usize,
    pub(crate) last: bool,
}

/// The block parameters around a statement, a node for each program that names some.
pub(crate) struct Params<'s, 'a> {
    /// What the helper gave: nothing at all, or a value for the first and perhaps the second.
    pub(crate) values: Option<[&'s Value<'a>; 2]>,
    pub(crate) above: Option<&'s Params<'s, 'a>>,
}

/// A program together with what it sees where it was written.
#[derive(Clone, Copy)]
pub(crate) struct Closure<'s, 'a> {
    pub(crate) program: &'a Program,
    pub(crate) env: &'s Env<'s, 'a>,
    pub(crate) depths: Option<&'s Depth<'s, 'a>>,
    pub(crate) params: Option<&'s Params<'s, 'a>>,
}

/// What `{{> @partial-block}}` renders, and what it means inside of that.
#[derive(Clone, Copy)]
pub(crate) struct PartialBlock<'s, 'a> {
    pub(crate) closure: Closure<'s, 'a>,
    pub(crate) outer: Option<&'s PartialBlock<'s, 'a>>,
}

/// The inline partials in reach: those of one program, and what was in reach before.
///
/// As in handlebars.js they see the contexts and block parameters around their program, not
/// those of the program itself.
pub(crate) struct Inlines<'s, 'a> {
    pub(crate) program: &'a Program,
    pub(crate) env: &'s Env<'s, 'a>,
    pub(crate) depths: Option<&'s Depth<'s, 'a>>,
    pub(crate) params: Option<&'s Params<'s, 'a>>,
    pub(crate) above: Option<&'s Inlines<'s, 'a>>,
}

impl<'s, 'a> Env<'s, 'a> {
    /// What `../` leads to, `up` times.
    pub(crate) fn depth(&self, up: usize) -> Option<&'s Depth<'s, 'a>> {
        let mut depth = self.depths;
        for _ in 0..up {
            depth = depth.above?;
        }
        Some(depth)
    }

    /// The block parameters `up` programs above, if the block gives any.
    pub(crate) fn param(&self, up: usize) -> Option<[&'s Value<'a>; 2]> {
        let mut params = self.params?;
        for _ in 0..up {
            params = params.above?;
        }
        params.values
    }

    /// The `@` variables `up` frames above.
    pub(crate) fn data_above(&self, up: usize) -> Option<&'s Data<'s, 'a>> {
        let mut data = self.data;
        for _ in 0..up {
            data = data.above?;
        }
        Some(data)
    }

    /// The inline partial of this name, if one is in reach.
    pub(crate) fn inline(&self, name: &str) -> Option<Closure<'s, 'a>> {
        let mut inlines = self.inlines;
        while let Some(Inlines { program, env, depths, params, above }) = inlines {
            let found = program.inlines.iter().rev().find(|inline| &*inline.name == name);
            if let Some(inline) = found {
                let (depths, params) = (*depths, *params);
                return Some(Closure { program: &inline.program, env, depths, params });
            }
            inlines = *above;
        }
        None
    }

    /// The inline partials that a block of `unit` has in reach when it is called from here:
    /// those of the innermost call into that source.
    pub(crate) fn inlines_of(&self, home: &Env<'s, 'a>) -> Option<&'s Inlines<'s, 'a>> {
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
}
