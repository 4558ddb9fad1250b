//! Missing variables: variables that a template used and the data did not contain.

use std::collections::HashSet;

/// A variable that a template used and the data did not contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The path as it is written in the template.
    pub path: String,
    /// The line of its first use, counted from 1; for a use inside a partial, the line of the
    /// partial's tag.
    pub line: usize,
    /// The column of its first use in characters, counted from 1.
    pub column: usize,
}

/// Collects missing variables: each path once, with its byte offset in the template.
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

    /// Converts the offsets to lines and columns, in one pass over the source.
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
