//! Errors in hosted configs, with their position in the document.

use std::fmt;

/// A position in a document. Lines and columns are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line number.
    pub line: usize,
    /// The column number.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// The error for a document that is not a valid hosted config. Its message does not quote prompts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The position of the problem, or `None` if the problem concerns the whole document.
    pub position: Option<Position>,
    /// A description of the problem and how to fix it, without the position.
    pub message: String,
}

impl ConfigError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        ConfigError { position: None, message: message.into() }
    }

    pub(super) fn at(line: usize, column: usize, message: impl Into<String>) -> Self {
        ConfigError { position: Some(Position { line, column }), message: message.into() }
    }

    /// Converts a position within a section of the document to a position in the document. `lines`
    /// is the number of lines above the section.
    pub(super) fn shifted_down(self, lines: usize) -> Self {
        let position =
            self.position.map(|Position { line, column }| Position { line: line + lines, column });
        ConfigError { position, ..self }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            None => f.write_str(&self.message),
            Some(position) => write!(f, "{position}: {}", self.message),
        }
    }
}

impl std::error::Error for ConfigError {}
