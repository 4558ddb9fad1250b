//! What a rendering may use, and the account of what it has used.
//!
//! Every statement, every turn of a loop and every helper is a step; the clock is looked at
//! once in a while, so that no template, however it loops, outlives its time by much.

use std::time::{Duration, Instant};

use super::error::ProblemKind;

/// How deep a rendering may go whatever is asked for, so that the stack always suffices.
const DEEPEST: usize = 300;

/// What one rendering may use at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How deep blocks, partials and sub-expressions may nest, recursion included; 300 at most.
    pub depth: usize,
    /// How many bytes of text may come out.
    pub bytes: usize,
    /// How long it may take.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { depth: 200, bytes: 4 << 20, time: Duration::from_secs(2) }
    }
}

/// Why a helper, or rendering as such, stopped. It is small, since every step may give one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    Said(Box<Complaint>),
    TooDeep,
    TooLarge,
    TooSlow,
}

/// A fault with words of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) kind: ProblemKind,
    pub(crate) message: String,
}

impl Fault {
    /// A helper cannot work with what it was given.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        let (kind, message) = (ProblemKind::HelperFailed, message.into());
        Fault::Said(Box::new(Complaint { kind, message }))
    }

    /// A partial is not there, which only showed while rendering.
    pub(crate) fn no_partial(name: &str) -> Self {
        let (kind, message) = (ProblemKind::UnknownPartial, format!("unknown partial `{name}`"));
        Fault::Said(Box::new(Complaint { kind, message }))
    }
}

/// How many steps pass between two looks at the clock.
const STEPS_PER_LOOK: u32 = 128;

/// How many times the size limit helpers may produce in all, what they throw away included.
const MADE_PER_BYTES: usize = 16;

/// The account of one rendering.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    until: Option<Instant>,
    /// How many steps are left until the clock is looked at.
    steps_left: u32,
    depth: usize,
    made: usize,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        let until = Instant::now().checked_add(limits.time);
        let limits = Limits { depth: limits.depth.min(DEEPEST), ..*limits };
        Budget { limits, until, steps_left: STEPS_PER_LOOK, depth: 0, made: 0 }
    }

    /// Counts one unit of work.
    #[inline]
    pub(crate) fn step(&mut self) -> Result<(), Fault> {
        self.steps_left -= 1;
        if self.steps_left == 0 { self.late_step() } else { Ok(()) }
    }

    #[cold]
    #[inline(never)]
    fn late_step(&mut self) -> Result<(), Fault> {
        self.steps_left = STEPS_PER_LOOK;
        self.look()
    }

    /// Looks at the clock.
    pub(crate) fn look(&self) -> Result<(), Fault> {
        match self.until {
            Some(until) if Instant::now() > until => Err(Fault::TooSlow),
            _ => Ok(()),
        }
    }

    /// Goes one level deeper; `leave` comes back.
    #[inline]
    pub(crate) fn enter(&mut self) -> Result<(), Fault> {
        if self.depth >= self.limits.depth {
            return Err(Fault::TooDeep);
        }
        self.depth += 1;
        self.step()
    }

    /// Comes back from `enter`.
    pub(crate) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// How many bytes of text may come out.
    pub(crate) fn bytes(&self) -> usize {
        self.limits.bytes
    }

    /// Whether a text of `bytes` may still grow by `more`.
    pub(crate) fn grow(&self, bytes: usize, more: usize) -> Result<(), Fault> {
        if bytes.saturating_add(more) > self.limits.bytes { Err(Fault::TooLarge) } else { Ok(()) }
    }

    /// Accounts for `bytes` that a helper made.
    pub(crate) fn make(&mut self, bytes: usize) -> Result<(), Fault> {
        self.made = self.made.saturating_add(bytes);
        let most = self.limits.bytes.saturating_mul(MADE_PER_BYTES);
        if self.made > most { Err(Fault::TooLarge) } else { Ok(()) }
    }
}
