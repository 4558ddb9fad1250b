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

    /// Converts the byte offsets to line and column numbers.
    pub(crate) fn locate(self, source: &str) -> Vec<Missing> {
        if self.paths.is_empty() {
            return Vec::new();
        }
        let located = locate(self.paths, source).into_iter();
        located
            .map(|(path, line, column)| Missing { path: path.to_owned(), line, column })
            .collect()
    }
}

/// Sorts items by their byte offsets in a source, and converts the offsets to line and column
/// numbers in one pass.
pub(crate) fn locate<T>(mut items: Vec<(T, usize)>, source: &str) -> Vec<(T, usize, usize)> {
    items.sort_by_key(|(_, at)| *at);
    let (mut line, mut column, mut from) = (1, 1, 0);
    let mut located = Vec::with_capacity(items.len());
    for (item, at) in items {
        for c in source.get(from..at).unwrap_or_default().chars() {
            (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        from = at;
        located.push((item, line, column));
    }
    located
}
