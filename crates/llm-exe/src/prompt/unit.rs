//! A compiled template or partial.

use super::error::{ProblemKind, TemplateProblem, TemplateWarning};
use super::helpers;
use super::render::missing::locate;
use super::syntax::analyze::{Analysis, analyze};
use super::syntax::tree::Program;
use super::syntax::{parser, whitespace};

/// Maximum number of tags in a template. Each takes a few hundred bytes of memory.
const MAX_TAGS: usize = 30_000;

/// The source of a template or partial together with its syntax tree.
#[derive(Debug)]
pub(crate) struct Unit {
    /// The name of the partial, or `None` for a template.
    pub(crate) name: Option<Box<str>>,
    pub(crate) source: Box<str>,
    pub(crate) program: Program,
    pub(crate) analysis: Analysis,
    /// Whether all variables are optional arguments. If so, missing variables are not reported.
    pub(crate) optional_variables: bool,
}

impl Unit {
    /// Parses a source. Unknown helpers do not cause an error; they are returned as problems with
    /// the unit.
    ///
    /// # Errors
    /// Returns the first syntax error.
    pub(crate) fn new(
        name: Option<&str>,
        source: &str,
    ) -> Result<(Unit, Vec<TemplateProblem>), Box<TemplateProblem>> {
        // A tag has at least five bytes, so most templates are not searched.
        if source.len() / 5 > MAX_TAGS
            && let Some((at, _)) = source.match_indices("{{").nth(MAX_TAGS)
        {
            let message = format!("the template has more than {MAX_TAGS} tags");
            return Err(Box::new(TemplateProblem::new(ProblemKind::TooLarge, source, at, message)));
        }
        let mut program = parser::parse(source)?;
        whitespace::strip(&mut program, source);
        let mut analysis = analyze(&mut program, source);
        let unknown = std::mem::take(&mut analysis.unknown_helpers);
        let (name, source) = (name.map(Box::from), Box::from(source));
        let unit = Unit { name, source, program, analysis, optional_variables: false };
        let problem = |(name, at): (String, usize)| {
            let hint = helpers::suggest(&name);
            unit.problem(ProblemKind::UnknownHelper, at, format!("unknown helper `{name}`{hint}"))
        };
        let problems = unknown.into_iter().map(problem).collect();
        Ok((unit, problems))
    }

    /// Returns the warnings of the analysis and those from rendering, with their positions.
    #[cold]
    #[inline(never)]
    pub(crate) fn locate_warnings(&self, rendering: &[(String, usize)]) -> Box<[TemplateWarning]> {
        let analysis = self.analysis.warnings.as_ref().map_or(&[][..], |warnings| &warnings.0);
        // Rendering can repeat a warning of the analysis.
        let is_new = |(_, at): &&(String, usize)| analysis.iter().all(|(_, known)| known != at);
        let warnings = analysis.iter().chain(rendering.iter().filter(is_new));
        let items = warnings.map(|(message, at)| (message, *at)).collect();
        let located = locate(items, &self.source).into_iter();
        located.map(|(message, line, column)| TemplateWarning::new(message, line, column)).collect()
    }

    /// Creates a problem at the byte offset `at` of the source. If the source is a partial, the
    /// message includes the name of the partial.
    pub(crate) fn problem(&self, kind: ProblemKind, at: usize, message: String) -> TemplateProblem {
        let message = match &self.name {
            Some(name) => format!("in the partial `{name}`: {message}"),
            None => message,
        };
        TemplateProblem::new(kind, &self.source, at, message)
    }
}
