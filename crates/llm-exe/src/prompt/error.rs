//! Errors in a template, with a message, a position and an excerpt of the template.

use std::fmt;

use crate::error::shorten;

/// Maximum length of an error message in characters. Longer messages are truncated.
const MAX_MESSAGE_CHARS: usize = 400;

/// Maximum length of [`TemplateProblem::shown_line`] in characters.
const MAX_SHOWN_CHARS: usize = 120;

/// Maximum number of characters before the error's column in [`TemplateProblem::shown_line`].
const MAX_CHARS_BEFORE_COLUMN: usize = 60;

/// The kind of a [`TemplateProblem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// The template has a syntax error.
    Syntax,
    /// A tag calls a helper that does not exist.
    UnknownHelper,
    /// A tag includes a partial that is not defined.
    UnknownPartial,
    /// A helper returned an error, for example because of an invalid argument.
    HelperFailed,
    /// Blocks, partials or sub-expressions are nested too deeply.
    TooDeep,
    /// The rendered text, or the total output of helpers, exceeds the size limit.
    TooLarge,
    /// Rendering exceeded the time limit.
    TooSlow,
}

/// An error in a template, with its position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TemplateProblem {
    /// The kind of problem.
    pub kind: ProblemKind,
    /// The line number, counted from 1.
    pub line: usize,
    /// The column number in characters, counted from 1.
    pub column: usize,
    /// The description of the problem, without its position.
    pub message: String,
    /// The line of the template that contains the problem, shortened around the column.
    pub shown_line: String,
}

impl TemplateProblem {
    /// Creates a problem at the byte offset `offset` in `source`.
    pub(crate) fn new(
        kind: ProblemKind,
        source: &str,
        offset: usize,
        message: impl Into<String>,
    ) -> Self {
        let (line, column) = line_and_column(source, offset);
        let shown_line = shown_line(source, offset);
        // The message can contain a name from the data, whose length is not limited.
        let message = shorten(&message.into(), MAX_MESSAGE_CHARS);
        TemplateProblem { kind, line, column, message, shown_line }
    }
}

impl fmt::Display for TemplateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TemplateProblem { line, column, message, shown_line, .. } = self;
        write!(f, "line {line}, column {column}: {message}")?;
        if shown_line.is_empty() { Ok(()) } else { write!(f, ", in: {shown_line}") }
    }
}

/// A warning about a template, with its position.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TemplateWarning {
    /// The line number, counted from 1.
    pub line: usize,
    /// The column number in characters, counted from 1.
    pub column: usize,
    /// The description, without its position.
    pub message: String,
}

impl TemplateWarning {
    pub(crate) fn new(message: &str, line: usize, column: usize) -> Self {
        TemplateWarning { line, column, message: shorten(message, MAX_MESSAGE_CHARS) }
    }
}

/// Converts a byte offset to a line number and a column number in characters, both counted from 1.
pub(crate) fn line_and_column(source: &str, offset: usize) -> (usize, usize) {
    let before = source.get(..offset).unwrap_or(source);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (line, column)
}

/// Returns the line that contains a byte offset, shortened around the offset.
fn shown_line(source: &str, offset: usize) -> String {
    let (before, after) = source.split_at_checked(offset).unwrap_or((source, ""));
    let before = before.rsplit('\n').next().unwrap_or_default();
    let after = after.split('\n').next().unwrap_or_default();
    let skipped = before.chars().count().saturating_sub(MAX_CHARS_BEFORE_COLUMN);
    let mut shown = String::from(if skipped > 0 { "…" } else { "" });
    let mut rest = before.chars().skip(skipped).chain(after.chars());
    shown.extend(rest.by_ref().take(MAX_SHOWN_CHARS));
    if rest.next().is_some() {
        shown.push('…');
    }
    shown.trim().to_owned()
}
