//! From names to what they mean: helpers, block parameters, or paths into the data. Done once,
//! after parsing; what is unknown is reported wherever it stands, rendered or not.

use super::ast::{
    Block, Call, Expr, Node, Pair, Partial, PartialName, Path, Program, Start, Target, Variable,
};
use super::helpers::{self, Helper};

/// What a source uses and defines.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Names with arguments that are no helpers, and where.
    pub(crate) unknown_helpers: Vec<(String, usize)>,
    /// The partials that must be there, and where.
    pub(crate) partials: Vec<(Box<str>, usize)>,
    /// The inline partials that are defined.
    pub(crate) inlines: Vec<Box<str>>,
    pub(crate) uses_up: bool,
}

/// How many unknown helpers, and partials, are kept of one source.
const MOST: usize = 100;

/// Completes a tree.
pub(crate) fn check(program: &mut Program, source: &str) -> Findings {
    let mut check = Check { source, findings: Findings::default(), scopes: Vec::new() };
    check.program(program);
    check.findings
}

struct Check<'s> {
    source: &'s str,
    findings: Findings,
    /// The block parameters of the programs around that name some, innermost last.
    scopes: Vec<Vec<Box<str>>>,
}

/// Where a call stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Tag,
    Block,
    SubExpression,
}

impl Check<'_> {
    fn program(&mut self, program: &mut Program) {
        let named = !program.params.is_empty();
        if named {
            self.scopes.push(program.params.clone());
        }
        let mut kept = Vec::with_capacity(program.body.len());
        for node in std::mem::take(&mut program.body) {
            match node {
                Node::Text(text) => {
                    let shown = text.shown.of(self.source);
                    if !shown.is_empty() {
                        kept.push(Node::Shown(shown.into()));
                    }
                }
                Node::Mustache(mut mustache) => {
                    self.call(&mut mustache.call, Place::Tag);
                    kept.push(match mustache.call.target {
                        Target::Value => Node::Value(Box::new(mustache.call.path)),
                        Target::Helper(_) => Node::Mustache(mustache),
                    });
                }
                Node::Block(mut block) => {
                    self.block(&mut block);
                    kept.push(Node::Block(block));
                }
                Node::Partial(mut partial) => {
                    self.partial(&mut partial);
                    kept.push(Node::Partial(partial));
                }
                Node::Inline(mut inline) => {
                    self.findings.inlines.push(inline.name.clone());
                    self.program(&mut inline.program);
                    program.inlines.push(*inline);
                }
                Node::Comment(_) => {}
                node => kept.push(node),
            }
        }
        program.body = kept;
        if named {
            self.scopes.pop();
        }
    }

    fn block(&mut self, block: &mut Block) {
        self.call(&mut block.call, Place::Block);
        for arm in &mut block.chain {
            self.call(&mut arm.call, Place::Block);
            self.program(&mut arm.program);
        }
        for program in block.program.iter_mut().chain(block.inverse.iter_mut()) {
            self.program(program);
        }
    }

    fn partial(&mut self, partial: &mut Partial) {
        match &mut partial.name {
            PartialName::Computed(call) => self.call(call, Place::SubExpression),
            PartialName::Fixed(name) => {
                let must_exist = partial.block.is_none() && &**name != "@partial-block";
                if must_exist && self.findings.partials.len() < MOST {
                    self.findings.partials.push((name.clone(), partial.at));
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

    fn call(&mut self, call: &mut Call, place: Place) {
        for arg in &mut call.args {
            self.expr(arg);
        }
        self.pairs(&mut call.hash);
        let has_arguments = !call.args.is_empty() || !call.hash.is_empty();
        let is_call = has_arguments || place == Place::SubExpression;
        let is_param = call.path.simple_name().is_some() && self.param(&call.path).is_some();
        let helper = if is_param { None } else { helper(&call.path, is_call) };
        call.target = helper.map_or(Target::Value, Target::Helper);
        let unknown = is_call && !is_param && helper.is_none();
        if unknown && self.findings.unknown_helpers.len() < MOST {
            let written = call.path.written.to_string();
            self.findings.unknown_helpers.push((written, call.path.at));
        }
        self.path(&mut call.path);
    }

    fn pairs(&mut self, pairs: &mut [Pair]) {
        for pair in pairs {
            self.expr(&mut pair.value);
        }
    }

    fn expr(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Path(path) => self.path(path),
            Expr::Call(call) => self.call(call, Place::SubExpression),
            _ => {}
        }
    }

    /// Finds what a path starts from.
    fn path(&mut self, path: &mut Path) {
        self.findings.uses_up |= path.up > 0;
        let (start, said) = match (self.param(path), path.parts.first()) {
            (Some(param), _) => (param, 1),
            (None, Some(name)) if path.data && !name.is_empty() => {
                (Start::Data(Variable::named(name), path.up), 1)
            }
            // handlebars.js takes an empty name for none, and what follows it for nothing.
            (None, Some(name)) if name.is_empty() => (Start::Context(path.up), path.parts.len()),
            (None, _) => (Start::Context(path.up), 0),
        };
        path.start = start;
        path.parts.drain(..said);
    }

    /// The block parameter that a path starts with.
    fn param(&self, path: &Path) -> Option<Start> {
        let name = path.param_name()?;
        let scopes = self.scopes.iter().rev().enumerate();
        let mut found = scopes.filter_map(|(up, params)| {
            params.iter().position(|param| &**param == name).map(|index| Start::Param(up, index))
        });
        found.next()
    }
}

/// The helper that a name means. Handlebars' own are found by the first segment of any path
/// with arguments, and even without arguments by a plain name; other helpers only by their
/// whole name, and with arguments: without, the name is a variable.
fn helper(path: &Path, is_call: bool) -> Option<&'static Helper> {
    let simple = path.simple_name();
    let first = if is_call { path.parts.first().map(|name| &**name) } else { simple };
    if let Some(helper) = helpers::find(first?).filter(|helper| helper.own_of_handlebars) {
        return Some(helper);
    }
    simple.filter(|_| is_call && !path.data).and_then(helpers::find)
}
