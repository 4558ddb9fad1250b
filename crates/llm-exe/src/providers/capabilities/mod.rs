//! The capabilities of models: what a model accepts and supports, as data.
//!
//! `models.rs` contains the tables, which `scripts/models` writes from `data/models.toml`, and
//! `rows.rs` the types of their rows. A model uses the first row with a pattern that matches its
//! name. The last row of each table matches every name, so new models work without a new release of
//! this crate.

mod describe;
pub(crate) mod models;
pub(crate) mod rows;
mod table;

use crate::glob::matches;

pub use describe::Capability;
pub(crate) use rows::FeatureSupport;
pub use table::ModelTable;
pub(crate) use table::Table;

/// Returns whether one of a row's patterns, which are separated by spaces, matches a name.
pub(crate) fn is_match(patterns: &str, name: &str) -> bool {
    let mut rest = patterns;
    loop {
        // Most patterns are a prefix and `*`, so this decides almost all of them.
        let is_literal = |byte: u8| byte != b'*' && byte != b' ';
        let pairs = rest.bytes().zip(name.bytes());
        let same = pairs.take_while(|(byte, other)| byte == other && is_literal(*byte)).count();
        let end = rest.bytes().position(|byte| byte == b' ').unwrap_or(rest.len());
        match rest.as_bytes().get(same) {
            Some(b'*') if same + 1 == end => return true,
            Some(b'*') if rest.get(..end).is_some_and(|pattern| matches(pattern, name)) => {
                return true;
            }
            Some(b' ') | None if same == name.len() => return true,
            _ => {}
        }
        match rest.get(end + 1..) {
            Some(others) => rest = others,
            None => return false,
        }
    }
}

/// All values of `effort`, in ascending order.
pub(crate) const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// Returns the lowest supported value that is at least `effort`, or the highest supported value if
/// all are lower.
pub(crate) fn nearest_effort(effort: &str, supported: &[&'static str]) -> Option<&'static str> {
    let rank = |effort: &str| EFFORTS.iter().position(|known| *known == effort);
    let next_higher = supported.iter().find(|known| rank(known) >= rank(effort));
    next_higher.or(supported.last()).copied()
}

#[cfg(test)]
mod tests {
    use super::{is_match, nearest_effort};

    #[test]
    fn nearest_effort_is_the_next_higher_one_or_the_highest() {
        let supported = ["low", "medium", "high"];
        for (requested, expected) in
            [("none", "low"), ("minimal", "low"), ("medium", "medium"), ("max", "high")]
        {
            assert_eq!(nearest_effort(requested, &supported), Some(expected));
        }
        assert_eq!(nearest_effort("low", &[]), None);
    }

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
            ("modèle*", "modèle-1", true),
        ] {
            assert_eq!(is_match(patterns, name), expected, "{patterns:?} {name:?}");
        }
    }
}
