//! The variables that a template used and the data lacked.

use std::collections::HashSet;

/// A variable that a template used and the data lacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The path as the template writes it.
    pub path: String,
    /// The line of its first use, counted from 1; in a partial's text, that of the partial's tag.
    pub line: usize,
    /// The column of its first use in characters, counted from 1.
    pub column: usize,
}

/// Missing variables as they are met: the path and where in the template.
#[derive(Debug, Default)]
pub(crate) struct Missed<'a> {
    seen: HashSet<&'a str>,
    found: Vec<(&'a str, usize)>,
}

impl<'a> Missed<'a> {
    pub(crate) fn add(&mut self, path: &'a str, at: usize) {
        if self.seen.insert(path) {
            self.found.push((path, at));
        }
    }

    /// Finds lines and columns, in one walk through the source.
    pub(crate) fn places(mut self, source: &str) -> Vec<Missing> {
        self.found.sort_by_key(|(_, at)| *at);
        let (mut line, mut column, mut from) = (1, 1, 0);
        let mut missing = Vec::with_capacity(self.found.len());
        for (path, at) in self.found {
            for c in source.get(from..at).unwrap_or_default().chars() {
                (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
            }
            from = at;
            missing.push(Missing { path: path.to_owned(), line, column });
        }
        missing
    }
}
