//! Compiles the syntax tree of a pattern into instructions.

use std::ops::Range;

use super::ast::{Assertion, BackReference, Lookaround, Node, Repeat, Tree};
use super::set::{CompiledSet, Set};
use crate::schema::validate::budget::{Budget, TooMuchWork};

/// The cost in units of compiling a set, which looks up every ASCII character.
const SET_UNITS: u64 = 100;

/// The cost in units of an instruction, which needs memory for as long as the schema is used.
const INSTRUCTION_UNITS: u64 = 4;

/// The instructions of a pattern. The first one is at index 0.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) instructions: Vec<Instruction>,
    pub(super) sets: Vec<CompiledSet>,
    /// The numbers of the groups that back-references refer to.
    pub(super) references: Vec<usize>,
    /// The number of groups, including group 0.
    pub(super) groups: usize,
    /// The number of instructions that need a register.
    pub(super) registers: usize,
    pub(super) needs_backtracking: bool,
}

/// An instruction. Unless it says otherwise, the next one has the next index.
#[derive(Debug, Clone)]
pub(super) enum Instruction {
    /// Matches one character.
    One {
        matcher: CharMatcher,
        backward: bool,
    },
    /// Matches a number of characters.
    Many {
        matcher: CharMatcher,
        repeat: Counts,
        backward: bool,
    },
    /// Continues at two instructions, and prefers the first one.
    Split(usize, usize),
    Jump(usize),
    Assertion(Assertion),
    /// Stores the position as the start of a group, or as its end.
    Capture {
        group: usize,
        end: bool,
    },
    /// Clears groups.
    Clear(Range<usize>),
    /// Stores the position in a register.
    Mark(usize),
    /// Fails if the position is still that of a register.
    Progress(usize),
    BackReference {
        reference: BackReference,
        backward: bool,
    },
    /// Matches the instructions that follow without consuming their text, then continues at `end`.
    Lookaround {
        look: Lookaround,
        end: usize,
    },
    /// The end of a match or of a lookaround.
    Match,
}

/// Matches a single character.
#[derive(Debug, Clone, Copy)]
pub(super) enum CharMatcher {
    Char(char),
    /// The index of a set.
    Set(usize),
}

/// The number of characters to match.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    pub(super) min: u32,
    pub(super) max: Option<u32>,
    pub(super) greedy: bool,
    pub(super) register: usize,
}

impl Program {
    /// Compiles a tree.
    ///
    /// # Errors
    /// Returns an error if the budget is spent, which bounds the number of instructions.
    pub(super) fn compile(tree: &Tree, budget: &Budget) -> Result<Program, TooMuchWork> {
        let program = Program {
            instructions: Vec::new(),
            sets: Vec::new(),
            references: tree.references.clone(),
            groups: tree.groups,
            registers: 0,
            needs_backtracking: tree.needs_backtracking,
        };
        let mut compiler = Compiler { program, budget, backward: false };
        compiler.add_node(&tree.root)?;
        compiler.push(Instruction::Match)?;
        Ok(compiler.program)
    }

    /// Returns whether a matcher accepts a character.
    pub(super) fn accepts(&self, matcher: CharMatcher, c: char) -> bool {
        match matcher {
            CharMatcher::Char(expected) => c == expected,
            CharMatcher::Set(index) => self.sets.get(index).is_some_and(|set| set.contains(c)),
        }
    }

    /// Returns the cost of [`Program::accepts`] in steps.
    pub(super) fn cost(&self, matcher: CharMatcher) -> u64 {
        match matcher {
            CharMatcher::Char(_) => 1,
            CharMatcher::Set(index) => self.sets.get(index).map_or(1, CompiledSet::cost),
        }
    }

    /// Returns whether every match begins at the start of the text.
    pub(super) fn is_anchored(&self) -> bool {
        let mut instructions = self.instructions.iter();
        let first = instructions.find(|first| !matches!(first, Instruction::Capture { .. }));
        matches!(first, Some(Instruction::Assertion(Assertion::TextStart)))
    }
}

struct Compiler<'b> {
    program: Program,
    budget: &'b Budget,
    /// Whether the text is matched from its end, as in a lookbehind.
    backward: bool,
}

impl Compiler<'_> {
    fn push(&mut self, instruction: Instruction) -> Result<usize, TooMuchWork> {
        self.budget.spend(INSTRUCTION_UNITS)?;
        self.program.instructions.push(instruction);
        Ok(self.next() - 1)
    }

    /// Returns the index of the next instruction.
    fn next(&self) -> usize {
        self.program.instructions.len()
    }

    fn replace(&mut self, index: usize, instruction: Instruction) {
        if let Some(old) = self.program.instructions.get_mut(index) {
            *old = instruction;
        }
    }

    fn add_node(&mut self, node: &Node) -> Result<(), TooMuchWork> {
        let backward = self.backward;
        match node {
            Node::Char(_) | Node::Set(_) => {
                let matcher = self.add_matcher(node)?;
                if let Some(matcher) = matcher {
                    self.push(Instruction::One { matcher, backward })?;
                }
            }
            Node::Assertion(assertion) => {
                self.push(Instruction::Assertion(*assertion))?;
            }
            Node::Group(group, inside) => self.add_group(*group, inside)?,
            Node::BackReference(reference) => {
                self.push(Instruction::BackReference { reference: *reference, backward })?;
            }
            Node::Lookaround(look, inside) => {
                let start = self.push(Instruction::Match)?;
                self.backward = look.behind;
                self.add_node(inside)?;
                self.backward = backward;
                self.push(Instruction::Match)?;
                let end = self.next();
                self.replace(start, Instruction::Lookaround { look: *look, end });
            }
            Node::Repeat(repeat, inside) => self.add_repeat(repeat, inside)?,
            Node::Sequence(parts) if backward => {
                parts.iter().rev().try_for_each(|part| self.add_node(part))?;
            }
            Node::Sequence(parts) => parts.iter().try_for_each(|part| self.add_node(part))?,
            Node::Alternatives(alternatives) => self.add_alternatives(alternatives)?,
        }
        Ok(())
    }

    /// Returns the matcher of a node that matches exactly one character.
    fn add_matcher(&mut self, node: &Node) -> Result<Option<CharMatcher>, TooMuchWork> {
        Ok(match node {
            Node::Char(c) => Some(CharMatcher::Char(*c)),
            Node::Set(set) => Some(CharMatcher::Set(self.add_set(set)?)),
            _ => None,
        })
    }

    fn add_set(&mut self, set: &Set) -> Result<usize, TooMuchWork> {
        let size = set.ranges.len() + set.properties.len();
        self.budget.spend(SET_UNITS.saturating_add(u64::try_from(size).unwrap_or(u64::MAX)))?;
        self.program.sets.push(set.compile());
        Ok(self.program.sets.len() - 1)
    }

    fn add_group(&mut self, group: Option<usize>, inside: &Node) -> Result<(), TooMuchWork> {
        let captured = group.filter(|group| self.program.references.contains(group));
        let Some(group) = captured else { return self.add_node(inside) };
        self.push(Instruction::Capture { group, end: self.backward })?;
        self.add_node(inside)?;
        self.push(Instruction::Capture { group, end: !self.backward })?;
        Ok(())
    }

    fn add_alternatives(&mut self, alternatives: &[Node]) -> Result<(), TooMuchWork> {
        let mut jumps = Vec::new();
        let Some((last, others)) = alternatives.split_last() else { return Ok(()) };
        for alternative in others {
            let split = self.push(Instruction::Match)?;
            self.add_node(alternative)?;
            jumps.push(self.push(Instruction::Match)?);
            self.replace(split, Instruction::Split(split + 1, self.next()));
        }
        self.add_node(last)?;
        for jump in jumps {
            self.replace(jump, Instruction::Jump(self.next()));
        }
        Ok(())
    }

    fn add_repeat(&mut self, repeat: &Repeat, inside: &Node) -> Result<(), TooMuchWork> {
        let Repeat { min, max, greedy, .. } = *repeat;
        if let Some(matcher) = self.add_matcher(inside)? {
            let repeat = Counts { min, max, greedy, register: self.add_register() };
            self.push(Instruction::Many { matcher, repeat, backward: self.backward })?;
            return Ok(());
        }
        // Without captures and lookaround, `x{2,}` is the same as `xx+`, and nested quantifiers do
        // not multiply the number of instructions.
        let plus = min > 0 && max.is_none() && !self.program.needs_backtracking;
        let copies = if plus { min - 1 } else { min };
        for _ in 0..copies {
            // A copy can have no instructions.
            self.budget.spend(1)?;
            self.add_clear(repeat)?;
            self.add_node(inside)?;
        }
        if plus {
            let start = self.next();
            self.add_node(inside)?;
            self.push(Instruction::Split(start, self.next() + 1))?;
            return Ok(());
        }
        let mut splits = Vec::new();
        match max {
            None => {
                splits.push(self.add_optional(repeat, inside)?);
                if let Some(first) = splits.first() {
                    self.push(Instruction::Jump(*first))?;
                }
            }
            Some(max) => {
                for _ in min..max {
                    splits.push(self.add_optional(repeat, inside)?);
                }
            }
        }
        let end = self.next();
        for split in splits {
            let (first, second) = if greedy { (split + 1, end) } else { (end, split + 1) };
            self.replace(split, Instruction::Split(first, second));
        }
        Ok(())
    }

    /// Adds a repetition that may be skipped and that may not be empty. Returns the index of its
    /// [`Instruction::Split`].
    fn add_optional(&mut self, repeat: &Repeat, inside: &Node) -> Result<usize, TooMuchWork> {
        let split = self.push(Instruction::Match)?;
        let register = self.program.needs_backtracking.then(|| self.add_register());
        if let Some(register) = register {
            self.push(Instruction::Mark(register))?;
        }
        self.add_clear(repeat)?;
        self.add_node(inside)?;
        if let Some(register) = register {
            self.push(Instruction::Progress(register))?;
        }
        Ok(split)
    }

    fn add_clear(&mut self, repeat: &Repeat) -> Result<(), TooMuchWork> {
        let is_used = |group: &usize| repeat.groups.contains(group);
        if self.program.references.iter().any(is_used) {
            self.push(Instruction::Clear(repeat.groups.clone()))?;
        }
        Ok(())
    }

    fn add_register(&mut self) -> usize {
        self.program.registers += 1;
        self.program.registers - 1
    }
}
