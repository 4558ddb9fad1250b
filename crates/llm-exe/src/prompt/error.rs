//! What can be wrong with a template: where, what, and the line that shows it.

use std::fmt;

use crate::error::shorten;

/// How many characters of a message are told.
const LONGEST: usize = 400;

/// What kind of problem a template has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// The template cannot be read.
    Syntax,
    /// A name with arguments that no helper has.
    UnknownHelper,
    /// A partial that nobody has defined.
    UnknownPartial,
    /// A helper refused its arguments.
    HelperFailed,
    /// Blocks, partials or sub-expressions inside each other beyond the limit.
    TooDeep,
    /// The rendered text, or what helpers made on the way, is beyond the limit.
    TooLarge,
    /// Rendering took longer than the limit.
    TooSlow,
}

/// One problem of a template, with the place where it was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TemplateProblem {
    /// What kind of problem it is.
    pub kind: ProblemKind,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What is wrong and what to do, without the place.
    pub message: String,
    /// The line of the template, shortened around the column.
    pub shown_line: String,
}

impl TemplateProblem {
    /// A problem at byte `offset` of `source`.
    pub(crate) fn new(
        kind: ProblemKind,
        source: &str,
        offset: usize,
        message: impl Into<String>,
    ) -> Self {
        let (line, column) = place(source, offset);
        let shown_line = shown_line(source, offset);
        // It may name what is as long as the data allow.
        let message = shorten(&message.into(), LONGEST);
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

/// Line and column of a byte offset, both counted from 1; columns are characters.
pub(crate) fn place(source: &str, offset: usize) -> (usize, usize) {
    let before = source.get(..offset).unwrap_or(source);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (line, column)
}

/// How many characters of a line are shown, and how many of them before the column.
const SHOWN: usize = 120;
const SHOWN_BEFORE: usize = 60;

fn shown_line(source: &str, offset: usize) -> String {
    let (before, after) = source.split_at_checked(offset).unwrap_or((source, ""));
    let before = before.rsplit('\n').next().unwrap_or_default();
    let after = after.split('\n').next().unwrap_or_default();
    let skipped = before.chars().count().saturating_sub(SHOWN_BEFORE);
    let mut shown = String::from(if skipped > 0 { "…" } else { "" });
    let mut rest = before.chars().skip(skipped).chain(after.chars());
    shown.extend(rest.by_ref().take(SHOWN));
    if rest.next().is_some() {
        shown.push('…');
    }
    shown.trim().to_owned()
}
