//! Prompts: Handlebars templates, compiled once and rendered with data.
//!
//! What comes in is a template's text and JSON data, what goes out is text and the names of the
//! variables that the data lacked. The language is that of handlebars.js 4.7, without escaping:
//! a prompt is text and not HTML. Text from the data is never compiled.
//!
//! The way through: `lexer` and `token` (characters to tokens), `parser` and `expression`
//! (tokens to the tree in `ast`), `whitespace` (lone tags leave no lines), `check` (names become
//! helpers, unknown ones become problems), then `eval`, `block`, `include` and `resolve` with the
//! `value`s they work on, within `limits`. A helper is a function and a row in `helpers`.

mod ast;
mod block;
mod check;
mod compare;
mod error;
mod eval;
mod expression;
mod frame;
mod helpers;
mod include;
mod json;
mod lexer;
mod limits;
mod missing;
mod number;
mod parser;
mod parser_partials;
mod partials;
mod resolve;
mod scan;
mod token;
mod value;
mod whitespace;
mod write;

use std::sync::Arc;

use serde_json::{Map, Value};

pub use error::{ProblemKind, TemplateProblem};
pub use limits::Limits;
pub use missing::Missing;
pub use partials::Partials;

/// A compiled template. Cloning it shares what was compiled.
#[derive(Debug, Clone)]
pub struct Template {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    unit: Unit,
    partials: Partials,
}

/// What a template can see: the data, and what the caller puts beside it.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The data; it wins over `extra`.
    pub data: &'a Map<String, Value>,
    /// More variables, such as `schema`.
    pub extra: &'a [(&'a str, &'a Value)],
}

impl<'a> Scope<'a> {
    fn get(&self, key: &str) -> Option<&'a Value> {
        let beside = || self.extra.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
        value::member(self.data, key).or_else(beside)
    }
}

/// A rendered template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// The variables that were used but not there, each once.
    pub missing: Vec<Missing>,
}

impl Template {
    /// Compiles a template that may use the built-in partials.
    ///
    /// # Errors
    /// The first place that cannot be read; or else every unknown helper and partial.
    pub fn compile(source: &str) -> Result<Template, Vec<TemplateProblem>> {
        Template::compile_with(source, &Partials::builtin())
    }

    /// Compiles a template that may use these partials.
    ///
    /// # Errors
    /// The first place that cannot be read; or else every unknown helper and partial.
    pub fn compile_with(
        source: &str,
        partials: &Partials,
    ) -> Result<Template, Vec<TemplateProblem>> {
        let (unit, mut problems) = Unit::new(None, source).map_err(|problem| vec![*problem])?;
        problems.extend(partials.unknown_in(&unit));
        if !problems.is_empty() {
            problems.sort_by_key(|problem| (problem.line, problem.column));
            return Err(problems);
        }
        Ok(Template { inner: Arc::new(Inner { unit, partials: partials.clone() }) })
    }

    /// Renders the template.
    ///
    /// # Errors
    /// What a helper refuses, a computed partial's name that no partial has, or a limit.
    pub fn render(&self, scope: &Scope<'_>, limits: &Limits) -> Result<Rendered, TemplateProblem> {
        let mut renderer = eval::Renderer::new(&self.inner, scope, limits);
        renderer.template().map_err(|problem| *problem)?;
        let missing = renderer.missed.places(&self.inner.unit.source);
        Ok(Rendered { text: renderer.out, missing })
    }

    /// The key of a template that is `{{> DialogueHistory key='…'}}` and nothing else: such a
    /// message stands for the messages under that key of the data. Names for the speakers may
    /// be given too; they matter to the partial's text only.
    pub fn dialogue_history_key(&self) -> Option<&str> {
        let unit = &self.inner.unit;
        let mut key = None;
        for node in &unit.program.body {
            match node {
                ast::Node::Shown(text) if text.trim().is_empty() => {}
                ast::Node::Partial(partial) if key.is_none() => {
                    key = Some(partials::dialogue_history_key(partial)?);
                }
                _ => return None,
            }
        }
        key
    }
}

/// One source and what was read from it: a template or a partial.
#[derive(Debug)]
struct Unit {
    /// The partial's name.
    name: Option<Box<str>>,
    source: Box<str>,
    program: ast::Program,
    findings: check::Findings,
    /// Whether any path goes up with `../`.
    uses_up: bool,
    /// What it lacks is not reported: its variables are optional arguments.
    quiet: bool,
}

impl Unit {
    /// Reads a source; the unknown helpers in it come back beside it.
    fn new(
        name: Option<&str>,
        source: &str,
    ) -> Result<(Unit, Vec<TemplateProblem>), Box<TemplateProblem>> {
        let mut program = parser::parse(source)?;
        whitespace::control(&mut program, source);
        let mut findings = check::check(&mut program, source);
        let unknown = std::mem::take(&mut findings.unknown_helpers);
        let uses_up = findings.uses_up;
        let (name, source) = (name.map(Box::from), Box::from(source));
        let unit = Unit { name, source, program, findings, uses_up, quiet: false };
        let problem = |(name, at): (String, usize)| {
            unit.problem(ProblemKind::UnknownHelper, at, format!("unknown helper `{name}`"))
        };
        let problems = unknown.into_iter().map(problem).collect();
        Ok((unit, problems))
    }

    fn problem(&self, kind: ProblemKind, at: usize, message: String) -> TemplateProblem {
        let message = match &self.name {
            Some(name) => format!("in the partial `{name}`: {message}"),
            None => message,
        };
        TemplateProblem::new(kind, &self.source, at, message)
    }
}
