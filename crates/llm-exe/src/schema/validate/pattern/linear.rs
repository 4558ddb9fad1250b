//! Matches patterns without lookaround and back-references, in time proportional to the length of
//! the text and the number of instructions.
//!
//! All ways to match are followed at the same time, one character after another. An instruction
//! such as `[a-z]{2,500}` is one state with a queue of the positions at which it was entered, so a
//! large count costs no more than a small one.

use std::collections::VecDeque;

use super::meter::Meter;
use super::program::{CharMatcher, Counts, Instruction, Program};
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
    let mut meter = Meter::new(budget);
    let size = program.instructions.len();
    meter.add(u64::try_from(size / 16).unwrap_or(u64::MAX))?;
    let mut search = Search {
        program,
        meter,
        entries: vec![VecDeque::new(); program.registers],
        stack: Vec::new(),
        clock: 0,
    };
    let found = search.run(text, &mut States::new(size), &mut States::new(size))?;
    search.meter.finish()?;
    Ok(found)
}

/// A set of the indexes of instructions, in the order in which they were added.
struct States {
    added: Vec<usize>,
    contains: Vec<bool>,
}

impl States {
    fn new(size: usize) -> Self {
        States { added: Vec::new(), contains: vec![false; size] }
    }

    /// Adds an index. Returns whether it is new.
    fn add(&mut self, index: usize) -> bool {
        let Some(contains) = self.contains.get_mut(index) else { return false };
        let is_new = !std::mem::replace(contains, true);
        if is_new {
            self.added.push(index);
        }
        is_new
    }

    fn clear(&mut self) {
        for index in self.added.drain(..) {
            if let Some(contains) = self.contains.get_mut(index) {
                *contains = false;
            }
        }
    }
}

/// The characters around a position.
type Around = (Option<char>, Option<char>);

struct Search<'p, 'b> {
    program: &'p Program,
    meter: Meter<'b>,
    /// For each [`Instruction::Many`], the positions at which it was entered and whose characters
    /// have all matched so far.
    entries: Vec<VecDeque<u32>>,
    stack: Vec<usize>,
    /// The current position, in characters.
    clock: u32,
}

impl Search<'_, '_> {
    fn run(
        &mut self,
        text: &str,
        states: &mut States,
        next_states: &mut States,
    ) -> Result<bool, TooMuchWork> {
        let anchored = self.program.is_anchored();
        let mut chars = text.chars();
        let mut around = (None, chars.next());
        loop {
            if (!anchored || around.0.is_none()) && self.enter(0, around, states)? {
                return Ok(true);
            }
            let Some(c) = around.1 else { return Ok(false) };
            if states.added.is_empty() && anchored {
                return Ok(false);
            }
            around = (around.1, chars.next());
            self.clock = self.clock.saturating_add(1);
            for &index in &states.added {
                if self.advance(index, c, around, next_states)? {
                    return Ok(true);
                }
            }
            std::mem::swap(states, next_states);
            next_states.clear();
        }
    }

    /// Lets a state consume a character. Returns whether this completes a match.
    fn advance(
        &mut self,
        index: usize,
        c: char,
        around: Around,
        states: &mut States,
    ) -> Result<bool, TooMuchWork> {
        match self.program.instructions.get(index) {
            Some(Instruction::One { matcher, .. }) => {
                self.meter.add(self.program.cost(*matcher))?;
                if self.program.accepts(*matcher, c) {
                    return self.enter(index + 1, around, states);
                }
            }
            Some(Instruction::Many { matcher, repeat, .. }) => {
                self.meter.add(self.program.cost(*matcher))?;
                let (stays, leaves) = self.count(*matcher, *repeat, c);
                if stays {
                    states.add(index);
                }
                if leaves {
                    return self.enter(index + 1, around, states);
                }
            }
            _ => {}
        }
        Ok(false)
    }

    /// Counts a character for a state that repeats. Returns whether the state can continue, and
    /// whether enough characters have matched.
    fn count(&mut self, matcher: CharMatcher, repeat: Counts, c: char) -> (bool, bool) {
        let Some(entries) = self.entries.get_mut(repeat.register) else { return (false, false) };
        let accepted = self.program.accepts(matcher, c);
        let clock = self.clock;
        // Other states may have entered at the new position already, which comes last.
        let is_over = |entry: u32| {
            entry < clock
                && (!accepted || repeat.max.is_some_and(|max| clock.saturating_sub(entry) > max))
        };
        while entries.front().is_some_and(|entry| is_over(*entry)) {
            entries.pop_front();
        }
        let Some(oldest) = entries.front().copied().filter(|oldest| *oldest < clock) else {
            return (false, false);
        };
        if repeat.max.is_none() {
            // The oldest entry matches whenever a later one does.
            entries.truncate(1);
        }
        (true, clock - oldest >= repeat.min)
    }

    /// Adds the states that are reached from an instruction without consuming a character. Returns
    /// whether they include a match.
    fn enter(
        &mut self,
        start: usize,
        around: Around,
        states: &mut States,
    ) -> Result<bool, TooMuchWork> {
        self.stack.push(start);
        while let Some(index) = self.stack.pop() {
            self.meter.add(1)?;
            let Some(instruction) = self.program.instructions.get(index) else { continue };
            if let Instruction::Many { repeat, .. } = instruction {
                // An entry needs memory, so it costs more than another step.
                self.meter.add(4)?;
                self.enter_many(*repeat, index);
            }
            if !states.add(index) {
                // A state that repeats is also added when it continues.
                continue;
            }
            match instruction {
                Instruction::Split(first, second) => self.stack.extend([*second, *first]),
                Instruction::Jump(target) => self.stack.push(*target),
                Instruction::Assertion(assertion) if assertion.holds(around.0, around.1) => {
                    self.stack.push(index + 1);
                }
                Instruction::Match => {
                    self.stack.clear();
                    return Ok(true);
                }
                _ => {}
            }
        }
        Ok(false)
    }

    /// Records that a state that repeats is entered at the current position.
    fn enter_many(&mut self, repeat: Counts, index: usize) {
        let clock = self.clock;
        if let Some(entries) = self.entries.get_mut(repeat.register)
            && entries.back() != Some(&clock)
        {
            entries.push_back(clock);
        }
        if repeat.min == 0 {
            self.stack.push(index + 1);
        }
    }
}
