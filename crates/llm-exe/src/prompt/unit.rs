//! A compiled source: the template itself or a partial.

use super::error::{ProblemKind, TemplateProblem};
use super::syntax::analyze::{Analysis, analyze};
use super::syntax::tree::Program;
use super::syntax::{parser, whitespace};

/// One source with its syntax tree: a template or a partial.
#[derive(Debug)]
pub(crate) struct Unit {
    /// The name of a partial; `None` for a template.
    pub(crate) name: Option<Box<str>>,
    pub(crate) source: Box<str>,
    pub(crate) program: Program,
    pub(crate) analysis: Analysis,
    /// Missing variables are not reported, because all variables are optional arguments.
    pub(crate) optional_variables: bool,
}

impl Unit {
    /// Parses a source. Unknown helpers are returned with the unit.
    ///
    /// # Errors
    /// The first syntax error.
    pub(crate) fn new(
        name: Option<&str>,
        source: &str,
    ) -> Result<(Unit, Vec<TemplateProblem>), Box<TemplateProblem>> {
        let mut program = parser::parse(source)?;
        whitespace::strip(&mut program, source);
        let mut analysis = analyze(&mut program, source);
        let unknown = std::mem::take(&mut analysis.unknown_helpers);
        let (name, source) = (name.map(Box::from), Box::from(source));
        let unit = Unit { name, source, program, analysis, optional_variables: false };
        let problem = |(name, at): (String, usize)| {
            unit.problem(ProblemKind::UnknownHelper, at, format!("unknown helper `{name}`"))
        };
        let problems = unknown.into_iter().map(problem).collect();
        Ok((unit, problems))
    }

    /// A problem at byte `at` of the source; the message names the partial.
    pub(crate) fn problem(&self, kind: ProblemKind, at: usize, message: String) -> TemplateProblem {
        let message = match &self.name {
            Some(name) => format!("in the partial `{name}`: {message}"),
            None => message,
        };
        TemplateProblem::new(kind, &self.source, at, message)
    }
}
