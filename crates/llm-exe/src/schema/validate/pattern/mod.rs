//! Regular expressions of JSON Schema: ECMA-262 with the flag `u`.
//!
//! This is not one of the published engines because none of them has all of this: the syntax of
//! ECMA-262 with lookaround, a number of steps that is counted and limited, and few bytes.

mod ast;
mod backtrack;
mod error;
mod linear;
mod meter;
mod parse;
mod program;
mod set;

use std::sync::OnceLock;

use ast::{Assertion, Node, Tree};
pub(crate) use error::PatternError;
use parse::parse;
use program::Program;
use set::CompiledSet;

use super::budget::{Budget, MAX_BACKTRACKED_BYTES, TooMuchWork};

/// A regular expression whose syntax has been checked.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// The text of the pattern, which is compiled when it is first needed. Most requests are
    /// checked against few of the patterns of a schema.
    text: Box<str>,
    matcher: OnceLock<Matcher>,
    needs_backtracking: bool,
}

/// A compiled pattern, in the cheapest form that can match it.
#[derive(Debug)]
enum Matcher {
    /// A text without special characters, between the start and the end if they are asserted.
    Literal {
        text: Box<str>,
        at_start: bool,
        at_end: bool,
    },
    /// A number of characters out of one set, from the start to the end.
    AllOf {
        set: CompiledSet,
        min: usize,
        max: Option<usize>,
    },
    Program(Program),
}

impl Pattern {
    /// Parses a pattern. It is compiled when it is first matched.
    ///
    /// # Errors
    /// Returns the first error of the syntax and its position.
    pub(crate) fn parse(text: &str) -> Result<Pattern, PatternError> {
        let tree = parse(text)?;
        let matcher = OnceLock::new();
        if let Some(literal) = as_literal(&tree.root) {
            let _ = matcher.set(literal);
        }
        Ok(Pattern { text: text.into(), matcher, needs_backtracking: tree.needs_backtracking })
    }

    /// Returns whether a text contains a match.
    ///
    /// # Errors
    /// Returns an error if the budget is spent, or if the pattern has lookaround or a
    /// back-reference and the text is longer than [`MAX_BACKTRACKED_BYTES`].
    pub(crate) fn is_match(&self, text: &str, budget: &Budget) -> Result<bool, TooMuchWork> {
        if self.needs_backtracking && text.len() > MAX_BACKTRACKED_BYTES {
            return Err(TooMuchWork::LongText);
        }
        let matcher = match self.matcher.get() {
            Some(matcher) => matcher,
            None => {
                let compiled = Matcher::compile(&self.text, budget)?;
                self.matcher.get_or_init(|| compiled)
            }
        };
        matcher.is_match(text, budget)
    }
}

impl Matcher {
    fn compile(text: &str, budget: &Budget) -> Result<Matcher, TooMuchWork> {
        budget.spend(u64::try_from(text.len()).unwrap_or(u64::MAX))?;
        // `Pattern::parse` has accepted the text.
        let tree = parse(text).unwrap_or_else(|_| Tree::never());
        match as_all_of(&tree.root) {
            Some(matcher) => Ok(matcher),
            None => Ok(Matcher::Program(Program::compile(&tree, budget)?)),
        }
    }

    fn is_match(&self, text: &str, budget: &Budget) -> Result<bool, TooMuchWork> {
        let scanned = 1 + u64::try_from(text.len() / 16).unwrap_or(u64::MAX);
        match self {
            Matcher::Literal { text: literal, at_start, at_end } => {
                budget.spend(scanned)?;
                Ok(match (at_start, at_end) {
                    (true, true) => text == &**literal,
                    (true, false) => text.starts_with(&**literal),
                    (false, true) => text.ends_with(&**literal),
                    (false, false) => text.contains(&**literal),
                })
            }
            Matcher::AllOf { set, min, max } => {
                budget.spend(scanned.saturating_mul(4 * set.cost()))?;
                let mut count = 0;
                for c in text.chars() {
                    count += 1;
                    if !set.contains(c) {
                        return Ok(false);
                    }
                }
                Ok(count >= *min && max.is_none_or(|max| count <= max))
            }
            Matcher::Program(program) if program.needs_backtracking => {
                backtrack::is_match(program, text, budget)
            }
            Matcher::Program(program) => linear::is_match(program, text, budget),
        }
    }
}

/// Returns the matcher of a pattern that is only characters and the anchors around them.
fn as_literal(root: &Node) -> Option<Matcher> {
    let mut parts = match root {
        Node::Sequence(parts) => parts.as_slice(),
        single => std::slice::from_ref(single),
    };
    let mut at_start = false;
    if let [Node::Assertion(Assertion::TextStart), rest @ ..] = parts {
        (at_start, parts) = (true, rest);
    }
    let mut at_end = false;
    if let [rest @ .., Node::Assertion(Assertion::TextEnd)] = parts {
        (at_end, parts) = (true, rest);
    }
    let as_char = |part: &Node| if let Node::Char(c) = part { Some(*c) } else { None };
    let text: String = parts.iter().map(as_char).collect::<Option<_>>()?;
    Some(Matcher::Literal { text: text.into(), at_start, at_end })
}

/// Returns the matcher of a pattern such as `^[a-z]+$`.
fn as_all_of(root: &Node) -> Option<Matcher> {
    let Node::Sequence(parts) = root else { return None };
    let [
        Node::Assertion(Assertion::TextStart),
        Node::Repeat(repeat, inside),
        Node::Assertion(Assertion::TextEnd),
    ] = parts.as_slice()
    else {
        return None;
    };
    let Node::Set(set) = &**inside else { return None };
    let as_size = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let (min, max) = (as_size(repeat.min), repeat.max.map(as_size));
    Some(Matcher::AllOf { set: set.compile(), min, max })
}

#[cfg(test)]
mod tests;
