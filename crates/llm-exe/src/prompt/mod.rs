//! Prompts are Handlebars templates that are compiled once and rendered with JSON data.
//!
//! Templates use the language of handlebars.js 4.7, but without HTML escaping because a prompt is
//! plain text. Strings in the data are never compiled as templates.
//!
//! `syntax` parses a template into a tree and `render` evaluates the tree within [`Limits`].
//! `helpers` contains the table of helpers, and `partials` contains the built-in partials.

mod error;
mod helpers;
mod number;
mod partials;
mod render;
mod scope;
mod syntax;
mod unit;

use std::sync::Arc;

pub use error::{ProblemKind, TemplateProblem, TemplateWarning};
pub use helpers::{HelperInfo, helpers};
pub use partials::Partials;
pub use render::limits::Limits;
pub use render::missing::Missing;
pub use scope::Scope;
pub use syntax::references::VariableUse;

use render::eval::Renderer;
use syntax::references::find_variables;
use syntax::tree::Node;
use unit::Unit;

/// A compiled template. Clones are cheap because they share the compiled tree.
#[derive(Debug, Clone)]
pub struct Template {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    unit: Unit,
    partials: Partials,
}

/// The result of rendering a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The rendered text.
    pub text: String,
    /// The variables that the template used but the data did not contain.
    pub missing: Vec<Missing>,
    warnings: Option<Box<[TemplateWarning]>>,
}

impl Rendered {
    /// Returns the warnings about arguments of helpers that have no effect.
    pub fn warnings(&self) -> &[TemplateWarning] {
        self.warnings.as_ref().map_or(&[], |warnings| warnings)
    }
}

impl Template {
    /// Compiles a template that may use the built-in partials.
    ///
    /// # Errors
    /// Returns the first syntax error or, if the syntax is valid, one error for each unknown helper
    /// and partial.
    pub fn compile(source: &str) -> Result<Template, Vec<TemplateProblem>> {
        let (unit, problems) = Unit::new(None, source).map_err(|problem| vec![*problem])?;
        // Compiling the built-in partials takes longer than compiling most templates.
        let includes_partials = unit.analysis.includes_partials;
        let partials = if includes_partials { Partials::builtin() } else { Partials::none() };
        Template::new(unit, problems, partials)
    }

    /// Compiles a template that may use the given partials.
    ///
    /// # Errors
    /// Returns the first syntax error or, if the syntax is valid, one error for each unknown helper
    /// and partial.
    pub fn compile_with(
        source: &str,
        partials: &Partials,
    ) -> Result<Template, Vec<TemplateProblem>> {
        let (unit, problems) = Unit::new(None, source).map_err(|problem| vec![*problem])?;
        Template::new(unit, problems, partials.clone())
    }

    /// Creates a template from a parsed source and the problems that were found in it.
    fn new(
        unit: Unit,
        mut problems: Vec<TemplateProblem>,
        partials: Partials,
    ) -> Result<Template, Vec<TemplateProblem>> {
        problems.extend(partials.unknown_in(&unit));
        if !problems.is_empty() {
            problems.sort_by_key(|problem| (problem.line, problem.column));
            return Err(problems);
        }
        Ok(Template { inner: Arc::new(Inner { unit, partials }) })
    }

    /// Renders the template with the variables in `scope`.
    ///
    /// # Errors
    /// Returns an error if a helper fails, if a partial name computed during rendering is unknown,
    /// or if a limit is exceeded.
    pub fn render(&self, scope: &Scope<'_>, limits: &Limits) -> Result<Rendered, TemplateProblem> {
        let Inner { unit, partials } = &*self.inner;
        let mut renderer = Renderer::new(unit, partials, scope, limits);
        renderer.template().map_err(|problem| *problem)?;
        let missing = renderer.missing.locate(&unit.source);
        let notes = renderer.budget.located_notes();
        let warnings = (notes.is_some() || unit.analysis.warnings.is_some())
            .then(|| unit.locate_warnings(notes.unwrap_or_default()));
        Ok(Rendered { text: renderer.out, missing, warnings })
    }

    /// Returns the variables to which the template refers, in the order of their first use. Those
    /// of partials that the program registers are not included.
    pub fn variables(&self) -> Vec<VariableUse> {
        find_variables(&self.inner.unit.program, &partials::reads_key)
    }

    /// Returns the key if the template consists only of `{{> DialogueHistory key='…'}}`. The caller
    /// then replaces the whole message with the chat messages that the data contains under this
    /// key. Arguments that name the speakers are ignored because messages have roles instead.
    pub fn dialogue_history_key(&self) -> Option<&str> {
        let unit = &self.inner.unit;
        let mut key = None;
        for node in &unit.program.body {
            match node {
                Node::Literal(text) if text.trim().is_empty() => {}
                Node::Partial(partial) if key.is_none() => {
                    key = Some(partials::dialogue_history_key(partial)?);
                }
                _ => return None,
            }
        }
        key
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn only_templates_that_include_a_partial_get_the_builtin_ones() {
        for (source, includes_partials) in [
            ("<question>\n{{question}} -> {{#if a}}>{{/if}}\n</question>", false),
            ("{{> MarkdownCode code='a'}}", true),
            ("{{> (getOr name)}}", true),
            ("{{#if a}}{{#each b}}{{> @partial-block}}{{/each}}{{/if}}", true),
            ("{{#> other}}{{a}}{{/other}}", true),
            ("{{#*inline \"a\"}}{{> MarkdownCode}}{{/inline}}", true),
        ] {
            let template = Template::compile(source).unwrap();
            let names = template.inner.partials.names();
            assert_eq!(names.contains(&"MarkdownCode"), includes_partials, "{source}");
        }
    }
}
