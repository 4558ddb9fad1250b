//! Why a document is no config, and where.

use std::fmt;

/// A fault of a document. It quotes nothing of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Line and column, both from 1, where it is about a place.
    pub place: Option<(usize, usize)>,
    /// What is wrong and what to do, without the place.
    pub message: String,
}

impl ConfigError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        ConfigError { place: None, message: message.into() }
    }

    pub(super) fn at(line: usize, column: usize, message: impl Into<String>) -> Self {
        ConfigError { place: Some((line, column)), message: message.into() }
    }

    /// The same, so many lines further down.
    pub(super) fn below(self, lines: usize) -> Self {
        let place = self.place.map(|(line, column)| (line + lines, column));
        ConfigError { place, ..self }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            None => f.write_str(&self.message),
            Some((line, column)) => {
                write!(f, "line {line}, column {column}: {}", self.message)
            }
        }
    }
}

impl std::error::Error for ConfigError {}
