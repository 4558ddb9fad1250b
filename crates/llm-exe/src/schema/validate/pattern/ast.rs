//! The syntax tree of a pattern.

use std::ops::Range;

use super::set::Set;

/// A part of a pattern.
#[derive(Debug)]
pub(super) enum Node {
    /// One character.
    Char(char),
    /// One character out of a set.
    Set(Box<Set>),
    /// A condition on the characters around a position.
    Assertion(Assertion),
    /// A group, whose number is `None` if it does not capture.
    Group(Option<usize>, Box<Node>),
    /// The text of an earlier group.
    BackReference(BackReference),
    /// A lookahead or lookbehind.
    Lookaround(Lookaround, Box<Node>),
    /// A quantifier.
    Repeat(Repeat, Box<Node>),
    /// Parts that match one after another.
    Sequence(Vec<Node>),
    /// Parts of which one matches.
    Alternatives(Vec<Node>),
}

/// A condition on the characters around a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assertion {
    TextStart,
    TextEnd,
    LineStart,
    LineEnd,
    WordBoundary,
    NotWordBoundary,
}

impl Assertion {
    /// Returns whether the condition holds between two characters, which are `None` at the ends of
    /// the text.
    pub(super) fn holds(self, previous: Option<char>, next: Option<char>) -> bool {
        let is_boundary = || previous.is_some_and(is_word) != next.is_some_and(is_word);
        match self {
            Assertion::TextStart => previous.is_none(),
            Assertion::TextEnd => next.is_none(),
            Assertion::LineStart => previous.is_none_or(is_line_end),
            Assertion::LineEnd => next.is_none_or(is_line_end),
            Assertion::WordBoundary => is_boundary(),
            Assertion::NotWordBoundary => !is_boundary(),
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

/// A reference to a group.
#[derive(Debug, Clone, Copy)]
pub(super) struct BackReference {
    /// The index in [`Tree::references`].
    pub(super) index: usize,
    pub(super) ignore_case: bool,
}

/// A kind of lookaround.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lookaround {
    pub(super) behind: bool,
    pub(super) negated: bool,
}

/// A quantifier.
#[derive(Debug, Clone)]
pub(super) struct Repeat {
    pub(super) min: u32,
    /// The maximum, or `None` if the pattern has no maximum.
    pub(super) max: Option<u32>,
    pub(super) greedy: bool,
    /// The numbers of the groups in the part, which each repetition clears.
    pub(super) groups: Range<usize>,
}

/// A parsed pattern.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) root: Node,
    /// The numbers of the groups that back-references refer to.
    pub(super) references: Vec<usize>,
    /// The number of groups, including group 0, which is the whole match.
    pub(super) groups: usize,
    /// Whether the pattern contains lookaround or a back-reference.
    pub(super) needs_backtracking: bool,
}

impl Tree {
    /// Returns a pattern that matches no text.
    pub(super) fn never() -> Self {
        let root = Node::Set(Box::default());
        Tree { root, references: Vec::new(), groups: 1, needs_backtracking: false }
    }
}
