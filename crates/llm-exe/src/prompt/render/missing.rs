//! Collects missing variables, which a template uses but the data does not contain.

use std::collections::HashSet;

/// A variable that the template used but the data did not contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The path of the variable as written in the template.
    pub path: String,
    /// The line number of the first use, counted from 1. For a use in a partial, this is the line
    /// of the tag that includes the partial.
    pub line: usize,
    /// The column number of the first use in characters, counted from 1.
    pub column: usize,
}

/// Collects each missing variable once, with its byte offset in the template.
#[derive(Debug, Default)]
pub(crate) struct MissingPaths<'a> {
    seen: HashSet<&'a str>,
    paths: Vec<(&'a str, usize)>,
}

impl<'a> MissingPaths<'a> {
    pub(crate) fn add(&mut self, path: &'a str, at: usize) {
        if self.seen.insert(path) {
            self.paths.push((path, at));
        }
    }

    /// Converts the byte offsets to line and column numbers in one pass over the source.
    pub(crate) fn locate(mut self, source: &str) -> Vec<Missing> {
        self.paths.sort_by_key(|(_, at)| *at);
        let (mut line, mut column, mut from) = (1, 1, 0);
        let mut missing = Vec::with_capacity(self.paths.len());
        for (path, at) in self.paths {
            for c in source.get(from..at).unwrap_or_default().chars() {
                (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
            }
            from = at;
            missing.push(Missing { path: path.to_owned(), line, column });
        }
        missing
    }
}
