//! Matches patterns with lookaround or back-references by backtracking, as ECMA-262 defines it.
//!
//! The number of steps can be exponential, so they are charged to a budget.

use super::ast::{BackReference, Lookaround};
use super::meter::Meter;
use super::program::{CharMatcher, Counts, Instruction, Program};
use super::set::fold;
use crate::schema::validate::budget::{Budget, TooMuchWork};

/// Returns whether a text contains a match.
///
/// # Errors
/// Returns an error if the budget is spent.
pub(super) fn is_match(
    program: &Program,
    text: &str,
    budget: &Budget,
) -> Result<bool, TooMuchWork> {
    let mut search = Search {
        program,
        text,
        meter: Meter::new(budget),
        captures: vec![None; 2 * program.groups],
        marks: vec![usize::MAX; program.registers],
        undo: Vec::new(),
    };
    let mut found = false;
    for at in text.char_indices().map(|(at, _)| at).chain([text.len()]) {
        found = search.run(0, at)?;
        if found || program.is_anchored() {
            break;
        }
    }
    search.meter.finish()?;
    Ok(found)
}

struct Search<'p, 'b> {
    program: &'p Program,
    text: &'p str,
    meter: Meter<'b>,
    /// The start and the end of each group.
    captures: Vec<Option<usize>>,
    /// A position for each register.
    marks: Vec<usize>,
    undo: Vec<Undo>,
}

/// An action to take when the instructions that follow do not match.
enum Undo {
    /// Continues elsewhere.
    Continue {
        index: usize,
        at: usize,
    },
    /// Gives back one character of an [`Instruction::Many`] until `last` is reached.
    GiveBack {
        index: usize,
        at: usize,
        last: usize,
        backward: bool,
    },
    /// Matches one more character of an [`Instruction::Many`].
    TakeMore {
        index: usize,
        at: usize,
        left: Option<u32>,
    },
    Capture(usize, Option<usize>),
    Mark(usize, usize),
}

impl Search<'_, '_> {
    /// Runs the instructions until [`Instruction::Match`]. Returns whether they match at a
    /// position. The captures are those of the match.
    fn run(&mut self, start: usize, at: usize) -> Result<bool, TooMuchWork> {
        let base = self.undo.len();
        let mut state = Some((start, at));
        while let Some((index, at)) = state {
            self.meter.add(1)?;
            state = match self.program.instructions.get(index) {
                Some(Instruction::Match) => {
                    self.forget_choices(base)?;
                    return Ok(true);
                }
                Some(instruction) => self.step(instruction, index, at)?,
                None => None,
            };
            if state.is_none() {
                state = self.backtrack(base)?;
            }
        }
        Ok(false)
    }

    /// Executes an instruction. Returns the next instruction and position, or `None` if it fails.
    fn step(
        &mut self,
        instruction: &Instruction,
        index: usize,
        at: usize,
    ) -> Result<Option<(usize, usize)>, TooMuchWork> {
        let next = index + 1;
        Ok(match instruction {
            Instruction::One { matcher, backward } => {
                self.consume(*matcher, at, *backward)?.map(|at| (next, at))
            }
            Instruction::Many { matcher, repeat, backward } => {
                self.consume_many(*matcher, *repeat, *backward, index, at)?.map(|at| (next, at))
            }
            Instruction::Split(first, second) => {
                self.undo.push(Undo::Continue { index: *second, at });
                Some((*first, at))
            }
            Instruction::Jump(target) => Some((*target, at)),
            Instruction::Assertion(assertion) => {
                let holds = assertion.holds(self.char_at(at, true), self.char_at(at, false));
                holds.then_some((next, at))
            }
            Instruction::Capture { group, end } => {
                self.set_capture(2 * group + usize::from(*end), Some(at));
                Some((next, at))
            }
            Instruction::Clear(groups) => {
                for slot in 2 * groups.start..2 * groups.end {
                    self.meter.add(1)?;
                    self.set_capture(slot, None);
                }
                Some((next, at))
            }
            Instruction::Mark(register) => {
                if let Some(mark) = self.marks.get_mut(*register) {
                    self.undo.push(Undo::Mark(*register, *mark));
                    *mark = at;
                }
                Some((next, at))
            }
            Instruction::Progress(register) => {
                (self.marks.get(*register) != Some(&at)).then_some((next, at))
            }
            Instruction::BackReference { reference, backward } => {
                self.repeat_group(*reference, at, *backward)?.map(|at| (next, at))
            }
            Instruction::Lookaround { look, end } => {
                self.look(*look, index, at)?.then_some((*end, at))
            }
            Instruction::Match => None,
        })
    }

    /// Runs a lookaround. Returns whether its condition holds.
    fn look(&mut self, look: Lookaround, index: usize, at: usize) -> Result<bool, TooMuchWork> {
        let base = self.undo.len();
        let found = self.run(index + 1, at)?;
        if look.negated && found {
            // Captures in a negative lookaround are not visible outside of it.
            while self.undo.len() > base {
                self.undo_last();
            }
        }
        Ok(found != look.negated)
    }

    /// Removes the choices after `base` but keeps the entries that restore captures.
    fn forget_choices(&mut self, base: usize) -> Result<(), TooMuchWork> {
        let entries = self.undo.split_off(base);
        self.meter.add(u64::try_from(entries.len()).unwrap_or(u64::MAX))?;
        let restores = |entry: &Undo| matches!(entry, Undo::Capture(..) | Undo::Mark(..));
        self.undo.extend(entries.into_iter().filter(restores));
        Ok(())
    }

    /// Returns to the last choice after `base`, and to its captures.
    fn backtrack(&mut self, base: usize) -> Result<Option<(usize, usize)>, TooMuchWork> {
        while self.undo.len() > base {
            self.meter.add(1)?;
            if let Some(state) = self.undo_last() {
                return Ok(Some(state));
            }
        }
        Ok(None)
    }

    fn undo_last(&mut self) -> Option<(usize, usize)> {
        match self.undo.pop()? {
            Undo::Continue { index, at } => Some((index, at)),
            Undo::GiveBack { index, at, last, backward } => {
                let length = self.char_at(at, !backward)?.len_utf8();
                let at = if backward { at + length } else { at - length };
                if at != last {
                    self.undo.push(Undo::GiveBack { index, at, last, backward });
                }
                Some((index, at))
            }
            Undo::TakeMore { index, at, left } => {
                let Some(Instruction::Many { matcher, backward, .. }) =
                    self.program.instructions.get(index)
                else {
                    return None;
                };
                let at = self.accept(*matcher, at, *backward)?;
                let left = left.map(|left| left - 1);
                if left != Some(0) {
                    self.undo.push(Undo::TakeMore { index, at, left });
                }
                Some((index + 1, at))
            }
            Undo::Capture(slot, value) => {
                if let Some(capture) = self.captures.get_mut(slot) {
                    *capture = value;
                }
                None
            }
            Undo::Mark(register, value) => {
                if let Some(mark) = self.marks.get_mut(register) {
                    *mark = value;
                }
                None
            }
        }
    }

    fn set_capture(&mut self, slot: usize, value: Option<usize>) {
        if let Some(capture) = self.captures.get_mut(slot)
            && *capture != value
        {
            self.undo.push(Undo::Capture(slot, *capture));
            *capture = value;
        }
    }

    /// Returns the character after a position, or before it.
    fn char_at(&self, at: usize, before: bool) -> Option<char> {
        let (previous, next) = self.text.split_at_checked(at)?;
        if before { previous.chars().next_back() } else { next.chars().next() }
    }

    /// Returns the position after one character, or `None` if it does not match.
    fn accept(&self, matcher: CharMatcher, at: usize, backward: bool) -> Option<usize> {
        let c = self.char_at(at, backward)?;
        let length = c.len_utf8();
        let end = if backward { at - length } else { at + length };
        self.program.accepts(matcher, c).then_some(end)
    }

    fn consume(
        &mut self,
        matcher: CharMatcher,
        at: usize,
        backward: bool,
    ) -> Result<Option<usize>, TooMuchWork> {
        self.meter.add(self.program.cost(matcher))?;
        Ok(self.accept(matcher, at, backward))
    }

    /// Matches as many characters as possible, or as few, and stores the other choices.
    fn consume_many(
        &mut self,
        matcher: CharMatcher,
        repeat: Counts,
        backward: bool,
        index: usize,
        start: usize,
    ) -> Result<Option<usize>, TooMuchWork> {
        let mut at = start;
        for _ in 0..repeat.min {
            let Some(next) = self.consume(matcher, at, backward)? else { return Ok(None) };
            at = next;
        }
        let last = at;
        let left = repeat.max.map(|max| max.saturating_sub(repeat.min));
        if !repeat.greedy {
            if left != Some(0) {
                self.undo.push(Undo::TakeMore { index, at, left });
            }
            return Ok(Some(at));
        }
        let mut count = 0;
        while left.is_none_or(|left| count < left)
            && let Some(next) = self.consume(matcher, at, backward)?
        {
            at = next;
            count = count.saturating_add(1);
        }
        if at != last {
            self.undo.push(Undo::GiveBack { index: index + 1, at, last, backward });
        }
        Ok(Some(at))
    }

    /// Matches the text of a group again. A group that has not matched is the empty text.
    fn repeat_group(
        &mut self,
        reference: BackReference,
        at: usize,
        backward: bool,
    ) -> Result<Option<usize>, TooMuchWork> {
        let group = self.program.references.get(reference.index).copied().unwrap_or_default();
        let capture = |slot: usize| self.captures.get(slot).copied().flatten();
        let (Some(start), Some(end)) = (capture(2 * group), capture(2 * group + 1)) else {
            return Ok(Some(at));
        };
        let Some((before, after)) = self.text.split_at_checked(at) else { return Ok(None) };
        let group_text = self.text.get(start..end).unwrap_or_default();
        self.meter.add(u64::try_from(group_text.len()).unwrap_or(u64::MAX))?;
        let same = |a: char, b: char| a == b || reference.ignore_case && fold(a) == fold(b);
        let mut at = at;
        let mut next = (before.chars(), after.chars());
        let mut expected = group_text.chars();
        while let Some(expected) = if backward { expected.next_back() } else { expected.next() } {
            let c = if backward { next.0.next_back() } else { next.1.next() };
            let Some(c) = c.filter(|c| same(*c, expected)) else { return Ok(None) };
            at = if backward { at - c.len_utf8() } else { at + c.len_utf8() };
        }
        Ok(Some(at))
    }
}
