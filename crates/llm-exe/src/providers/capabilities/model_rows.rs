//! The rows of a table, and how the row of a model is found.

use crate::glob::matches;

/// The rows of a table, and the names of the models that they describe.
#[derive(Debug)]
pub(crate) struct ModelRows<R: ?Sized> {
    /// A line for each row: the patterns for model names, separated by spaces. `*` matches any
    /// string. The dynamic linker adjusts the address of one text instead of one in each row.
    pub(crate) patterns: &'static str,
    pub(crate) rows: R,
}

impl<R: Copy> ModelRows<[R]> {
    /// Returns the first row with a pattern that matches a name, or `None` if only the last row
    /// matches, which matches every name.
    pub(crate) fn find(&self, name: &str) -> Option<R> {
        let (_, listed) = self.rows.split_last()?;
        listed.get(self.index(name)?).copied()
    }

    /// Returns the index of the first row with a pattern that matches a name.
    pub(crate) fn index(&self, name: &str) -> Option<usize> {
        find_line(self.patterns, name)
    }

    /// Returns the patterns of the row at an index.
    pub(crate) fn patterns_of(&self, index: Option<usize>) -> &'static str {
        index.and_then(|index| self.patterns.lines().nth(index)).unwrap_or("*")
    }

    /// Returns the rows with their patterns.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &R)> {
        self.patterns.lines().zip(&self.rows)
    }
}

/// Returns the index of the first line with a pattern that matches a name.
fn find_line(lines: &str, name: &str) -> Option<usize> {
    let mut index = 0;
    let mut rest = lines;
    loop {
        // Most patterns are a prefix and `*`, so this decides almost all of them.
        let is_literal = |byte: &u8| !matches!(byte, b'*' | b' ' | b'\n');
        let pairs = rest.bytes().zip(name.bytes());
        let same = pairs.take_while(|(byte, other)| byte == other && is_literal(byte)).count();
        let is_separator = |byte: &u8| matches!(byte, b' ' | b'\n');
        let after = rest.as_bytes().get(same..)?;
        let length = after.iter().position(is_separator).unwrap_or(after.len());
        let end = same + length;
        match after.first() {
            Some(b'*') if length == 1 => return Some(index),
            Some(b'*') if rest.get(..end).is_some_and(|pattern| matches(pattern, name)) => {
                return Some(index);
            }
            Some(b' ' | b'\n') | None if same == name.len() => return Some(index),
            _ => {}
        }
        index += usize::from(after.get(length) == Some(&b'\n'));
        rest = rest.get(end + 1..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::find_line;

    #[test]
    fn one_of_the_patterns_must_match() {
        for (patterns, name, expected) in [
            ("gpt-5 gpt-5-*", "gpt-5", true),
            ("gpt-5 gpt-5-*", "gpt-5-mini", true),
            ("gpt-5 gpt-5-*", "gpt-5-", true),
            ("gpt-5 gpt-5-*", "gpt-5.1", false),
            ("gpt-5 gpt-5-*", "gpt-5 gpt-5-*", false),
            ("gpt-5", "gpt-5*", false),
            ("gpt-5", "gpt", false),
            ("gpt-5", "", false),
            ("gpt-*codex* codex-*", "gpt-5.1-codex-max", true),
            ("gpt-*codex* codex-*", "gpt-5.1", false),
            ("gpt-*codex* codex-*", "codex-mini-latest", true),
            ("a* b*", "b", true),
            ("*", "", true),
            ("*", "any * thing", true),
            ("x*", "x*y", true),
            ("x*", "x\ny", true),
            ("modèle*", "modèle-1", true),
            ("", "x", false),
        ] {
            let message = format!("{patterns:?} {name:?}");
            assert_eq!(find_line(patterns, name), expected.then_some(0), "{message}");
            let lines = format!("other o*r\n{patterns}\nz*");
            assert_eq!(find_line(&lines, name), expected.then_some(1), "{message}");
        }
    }

    #[test]
    fn first_line_with_a_match_is_found() {
        let lines = "gpt-4o-mini*\ngpt-4o gpt-4o-*\ngpt-*\n*\n";
        for (name, expected) in [
            ("gpt-4o-mini", 0),
            ("gpt-4o", 1),
            ("gpt-4o-2024", 1),
            ("gpt-4o\ngpt", 2),
            ("gpt-5", 2),
            ("\n", 3),
            ("other", 3),
        ] {
            assert_eq!(find_line(lines, name), Some(expected), "{name:?}");
        }
    }
}
