//! The error for a document that is not a valid config.

use std::fmt;

/// A line and a column in a document, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a document is not a valid config. The message does not quote prompts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where the problem is, unless it concerns the whole document.
    pub position: Option<Position>,
    /// What is wrong and what to do about it, without the position.
    pub message: String,
}

impl ConfigError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        ConfigError { position: None, message: message.into() }
    }

    pub(super) fn at(line: usize, column: usize, message: impl Into<String>) -> Self {
        ConfigError { position: Some(Position { line, column }), message: message.into() }
    }

    /// Moves the position down by a number of lines.
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
