//! Name resolution, which decides whether each name is a helper, a block parameter or a variable.
//!
//! Names are resolved once, after parsing, so that an unknown helper or partial is reported even in
//! a branch that is never rendered.

use super::tree::{
    Block, Call, DataVariable, Expr, Node, Pair, Partial, PartialName, Path, PathStart, Program,
    Target,
};
use crate::prompt::helpers;
use crate::prompt::helpers::args::{Helper, Kind};
use crate::prompt::helpers::comparison::check_operator;
use crate::request::suggestion;

/// Maximum number of unknown helpers, of included partials and of warnings to collect per source.
const MAX_COLLECTED: usize = 100;

/// The helpers and partials that a template source uses or defines.
#[derive(Debug, Default)]
pub(crate) struct Analysis {
    /// The names of unknown helpers that the source calls, with the byte offsets of the names.
    pub(crate) unknown_helpers: Vec<(String, usize)>,
    /// The names of the partials that must be defined, with the byte offsets of their tags.
    pub(crate) partials: Vec<(Box<str>, usize)>,
    /// Whether the source includes any partials, even under computed names.
    pub(crate) includes_partials: bool,
    /// The names of the inline partials that the source defines.
    pub(crate) inlines: Vec<Box<str>>,
    /// The warnings about arguments that helpers ignore, with the byte offsets of the calls.
    /// They are boxed because most sources have none.
    pub(crate) warnings: Option<Box<Warnings>>,
    /// Whether any path in the source contains `../`.
    pub(crate) uses_parent_context: bool,
}

/// Warnings with their byte offsets in the source.
#[derive(Debug, Default)]
pub(crate) struct Warnings(pub(crate) Vec<(String, usize)>);

/// Resolves all names in a syntax tree and stores the results in the tree.
pub(crate) fn analyze(program: &mut Program, source: &str) -> Analysis {
    let mut analyzer = Analyzer { source, analysis: Analysis::default(), scopes: Vec::new() };
    analyzer.program(program);
    analyzer.analysis
}

struct Analyzer<'s> {
    source: &'s str,
    analysis: Analysis,
    /// The block parameters of the enclosing blocks, innermost last. Blocks without parameters have
    /// no entry.
    scopes: Vec<Vec<Box<str>>>,
}

impl Analyzer<'_> {
    fn program(&mut self, program: &mut Program) {
        let has_params = !program.params.is_empty();
        if has_params {
            self.scopes.push(program.params.clone());
        }
        let mut body = Vec::with_capacity(program.body.len());
        for node in std::mem::take(&mut program.body) {
            match node {
                Node::Text(text) => {
                    let text = text.remaining.text(self.source);
                    if !text.is_empty() {
                        body.push(Node::Literal(text.into()));
                    }
                }
                Node::Mustache(mut mustache) => {
                    self.call(&mut mustache.call, false);
                    body.push(match mustache.call.target {
                        Target::Variable => Node::Value(Box::new(mustache.call.path)),
                        Target::Helper(_) | Target::InvalidCall(_) => Node::Mustache(mustache),
                    });
                }
                Node::Block(block) if block.is_raw && is_raw_helper(&block) => {
                    self.raw_contents(*block, &mut body);
                }
                Node::Block(mut block) => {
                    self.block(&mut block);
                    body.push(Node::Block(block));
                }
                Node::Partial(mut partial) => {
                    self.partial(&mut partial);
                    body.push(Node::Partial(partial));
                }
                Node::Inline(mut inline) => {
                    self.analysis.inlines.push(inline.name.clone());
                    self.program(&mut inline.program);
                    program.inlines.push(*inline);
                }
                Node::Comment(_) => {}
                node => body.push(node),
            }
        }
        program.body = body;
        if has_params {
            self.scopes.pop();
        }
    }

    /// Adds the content of a raw block of the helper `raw` as text.
    #[cold]
    #[inline(never)]
    fn raw_contents(&mut self, block: Block, body: &mut Vec<Node>) {
        self.check_arguments(&block.call, helpers::raw());
        for node in block.program.into_iter().flat_map(|program| program.body) {
            let Node::Text(text) = node else { continue };
            let text = text.remaining.text(self.source);
            if !text.is_empty() {
                body.push(Node::Literal(text.into()));
            }
        }
    }

    fn block(&mut self, block: &mut Block) {
        self.call(&mut block.call, false);
        for arm in &mut block.chain {
            self.call(&mut arm.call, false);
            self.program(&mut arm.program);
        }
        for program in block.program.iter_mut().chain(block.inverse.iter_mut()) {
            self.program(program);
        }
    }

    fn partial(&mut self, partial: &mut Partial) {
        self.analysis.includes_partials = true;
        match &mut partial.name {
            PartialName::Computed(call) => self.call(call, true),
            PartialName::Fixed(name) => {
                let must_exist = partial.block.is_none() && &**name != "@partial-block";
                if must_exist && self.analysis.partials.len() < MAX_COLLECTED {
                    self.analysis.partials.push((name.clone(), partial.at));
                }
            }
        }
        if let Some(context) = &mut partial.context {
            self.expr(context);
        }
        self.pairs(&mut partial.hash);
        if let Some(program) = &mut partial.block {
            self.program(program);
        }
    }

    /// Resolves the name and the arguments of a call. A name without arguments is a call only in a
    /// sub-expression.
    fn call(&mut self, call: &mut Call, is_sub_expression: bool) {
        for arg in &mut call.args {
            self.expr(arg);
        }
        self.pairs(&mut call.hash);
        let has_arguments = !call.args.is_empty() || !call.hash.is_empty();
        let is_call = has_arguments || is_sub_expression;
        let is_param = call.path.simple_name().is_some() && self.param(&call.path).is_some();
        let helper = if is_param { None } else { find_helper(&call.path, is_call) };
        call.target = match helper {
            None => Target::Variable,
            Some(helper) => {
                let Call { args, hash, .. } = &*call;
                let is_checked = helper.arguments.fits(args.len(), hash.len());
                if !is_checked || helper.name == "ifCond" {
                    self.check_arguments(call, helper);
                }
                if !is_checked && helper.arguments.is_wrong_count(call.args.len()) {
                    Target::InvalidCall(helper)
                } else {
                    Target::Helper(helper)
                }
            }
        };
        let unknown = is_call && !is_param && helper.is_none();
        if unknown && self.analysis.unknown_helpers.len() < MAX_COLLECTED {
            self.analysis.unknown_helpers.push((call.path.text.to_string(), call.path.at));
        }
        self.path(&mut call.path);
    }

    /// Adds warnings about the arguments of a call that have no effect.
    #[inline(never)]
    fn check_arguments(&mut self, call: &Call, helper: &Helper) {
        let Helper { name, arguments, .. } = helper;
        let max = arguments.max_positional();
        if !arguments.is_exact && call.args.len() < arguments.required.len() {
            let (expected, actual) = (arguments.required.len(), call.args.len());
            let signature = helper.signature();
            self.warn(call, || {
                format!("`{name}` expects {expected} arguments, got {actual}: `{signature}`")
            });
        }
        if !arguments.is_exact && call.args.len() > max {
            let position = max + 1;
            let signature = helper.signature();
            self.warn(call, || format!("`{name}` ignores argument {position}: `{signature}`"));
        }
        for Pair { key, .. } in &call.hash {
            if arguments.named.contains(&&**key) {
                continue;
            }
            let hint = match arguments.position(key) {
                Some(position) => format!("; pass it as argument {position}, without a name"),
                None => suggestion(key, arguments.named),
            };
            self.warn(call, || format!("`{name}` ignores the argument `{key}=`{hint}"));
        }
        if let (true, Some(Expr::Text(operator))) = (*name == "ifCond", call.args.get(1))
            && let Some(warning) = check_operator(operator)
        {
            self.warn(call, || warning);
        }
    }

    fn warn(&mut self, call: &Call, warning: impl FnOnce() -> String) {
        let Warnings(warnings) = &mut **self.analysis.warnings.get_or_insert_default();
        if warnings.len() < MAX_COLLECTED {
            warnings.push((warning(), call.path.at));
        }
    }

    fn pairs(&mut self, pairs: &mut [Pair]) {
        for pair in pairs {
            self.expr(&mut pair.value);
        }
    }

    fn expr(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Path(path) => self.path(path),
            Expr::Call(call) => self.call(call, true),
            _ => {}
        }
    }

    /// Resolves the start of a path and removes the segments that the start represents.
    fn path(&mut self, path: &mut Path) {
        self.analysis.uses_parent_context |= path.up > 0;
        let (start, resolved) = match (self.param(path), path.parts.first()) {
            (Some(param), _) => (param, 1),
            (None, Some(name)) if path.is_data && !name.is_empty() => {
                (PathStart::Data(DataVariable::from_name(name), path.up), 1)
            }
            // handlebars.js ignores an empty name and all segments after it.
            (None, Some(name)) if name.is_empty() => {
                (PathStart::Context(path.up), path.parts.len())
            }
            (None, _) => (PathStart::Context(path.up), 0),
        };
        path.start = start;
        path.parts.drain(..resolved);
    }

    /// Returns the block parameter that a path starts with, if any.
    fn param(&self, path: &Path) -> Option<PathStart> {
        let name = path.param_name()?;
        let scopes = self.scopes.iter().rev().enumerate();
        let mut starts = scopes.filter_map(|(up, params)| {
            let index = params.iter().position(|param| &**param == name)?;
            Some(PathStart::Param(up, index))
        });
        starts.next()
    }
}

/// Returns the helper that a path refers to.
///
/// Helpers that are built into Handlebars follow the rules of handlebars.js: they match the first
/// segment of a path with arguments, or a plain name without arguments. Other helpers require a
/// plain name with arguments, because a plain name without arguments is a variable.
fn find_helper(path: &Path, is_call: bool) -> Option<&'static Helper> {
    let simple = path.simple_name();
    if !is_call {
        return helpers::find_builtin(simple?);
    }
    let first = path.parts.first().map(|name| &**name)?;
    if let Some(helper) = helpers::find_builtin(first) {
        return Some(helper);
    }
    let helper = simple.filter(|_| !path.is_data).and_then(helpers::find);
    helper.filter(|helper| !matches!(helper.kind, Kind::Raw))
}

/// Returns whether a raw block is one of the helper `raw`.
fn is_raw_helper(block: &Block) -> bool {
    block.call.path.simple_name() == Some("raw")
}
