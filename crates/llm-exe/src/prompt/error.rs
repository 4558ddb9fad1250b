//! Problems of a template: the position, the message and the line with the problem.

use std::fmt;

use crate::error::shorten;

/// Maximum characters of a message; longer messages are shortened.
const MAX_MESSAGE_CHARS: usize = 400;

/// Maximum characters of the template's line in [`TemplateProblem::shown_line`].
const MAX_SHOWN_CHARS: usize = 120;

/// Maximum characters before the column in [`TemplateProblem::shown_line`].
const MAX_CHARS_BEFORE_COLUMN: usize = 60;

/// The kind of a template's problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// A syntax error.
    Syntax,
    /// A name with arguments that is not a helper.
    UnknownHelper,
    /// A partial that is not defined.
    UnknownPartial,
    /// A helper returned an error.
    HelperFailed,
    /// Blocks, partials or sub-expressions are nested more deeply than the limit.
    TooDeep,
    /// The rendered text, or the text made by helpers, is larger than the limit.
    TooLarge,
    /// Rendering took longer than the limit.
    TooSlow,
}

/// A problem of a template and its position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TemplateProblem {
    /// The kind of the problem.
    pub kind: ProblemKind,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The description of the problem, without the position.
    pub message: String,
    /// The line of the template, shortened around the column.
    pub shown_line: String,
}

impl TemplateProblem {
    /// Creates a problem at byte `offset` of `source`.
    pub(crate) fn new(
        kind: ProblemKind,
        source: &str,
        offset: usize,
        message: impl Into<String>,
    ) -> Self {
        let (line, column) = line_and_column(source, offset);
        let shown_line = shown_line(source, offset);
        // The message may contain a name from the data, which can have any length.
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

/// Converts a byte offset to a line and a column in characters, both counted from 1.
fn line_and_column(source: &str, offset: usize) -> (usize, usize) {
    let before = source.get(..offset).unwrap_or(source);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (line, column)
}

/// The line at a byte offset, shortened around the offset.
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
