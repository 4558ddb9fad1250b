//! The limits of a rendering and the counters that enforce them.
//!
//! Every statement, iteration and helper call is a step. The clock is checked after a number of
//! steps, so that a template with many loops exceeds its time only slightly.

use std::time::{Duration, Instant};

use super::error::RenderError;

/// Upper bound of [`Limits::depth`], so that the stack always suffices.
const MAX_DEPTH: usize = 300;

/// Number of steps between two checks of the clock.
const STEPS_PER_CLOCK_CHECK: u32 = 128;

/// Helpers may produce this many times [`Limits::bytes`], including text that is not rendered.
const HELPER_OUTPUT_FACTOR: usize = 16;

/// The limits of one rendering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum nesting of blocks, partials and sub-expressions, including recursion; at most 300.
    pub depth: usize,
    /// Maximum bytes of rendered text.
    pub bytes: usize,
    /// Maximum duration.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { depth: 200, bytes: 4 << 20, time: Duration::from_secs(2) }
    }
}

/// The remaining budget of one rendering.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    deadline: Option<Instant>,
    /// Number of steps until the clock is checked.
    steps_left: u32,
    depth: usize,
    /// Bytes that helpers have produced.
    helper_bytes: usize,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        let deadline = Instant::now().checked_add(limits.time);
        let limits = Limits { depth: limits.depth.min(MAX_DEPTH), ..*limits };
        Budget { limits, deadline, steps_left: STEPS_PER_CLOCK_CHECK, depth: 0, helper_bytes: 0 }
    }

    /// Counts one unit of work.
    #[inline]
    pub(crate) fn step(&mut self) -> Result<(), RenderError> {
        self.steps_left -= 1;
        if self.steps_left == 0 { self.step_with_clock_check() } else { Ok(()) }
    }

    #[cold]
    #[inline(never)]
    fn step_with_clock_check(&mut self) -> Result<(), RenderError> {
        self.steps_left = STEPS_PER_CLOCK_CHECK;
        self.check_clock()
    }

    /// Checks the clock.
    pub(crate) fn check_clock(&self) -> Result<(), RenderError> {
        match self.deadline {
            Some(deadline) if Instant::now() > deadline => Err(RenderError::TooSlow),
            _ => Ok(()),
        }
    }

    /// Increases the depth; `leave` decreases it.
    #[inline]
    pub(crate) fn enter(&mut self) -> Result<(), RenderError> {
        if self.depth >= self.limits.depth {
            return Err(RenderError::TooDeep);
        }
        self.depth += 1;
        self.step()
    }

    /// Decreases the depth that `enter` increased.
    pub(crate) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Maximum bytes of rendered text.
    pub(crate) fn bytes(&self) -> usize {
        self.limits.bytes
    }

    /// Checks that a text of `bytes` may grow by `more`.
    pub(crate) fn check_growth(&self, bytes: usize, more: usize) -> Result<(), RenderError> {
        if bytes.saturating_add(more) > self.limits.bytes {
            Err(RenderError::TooLarge)
        } else {
            Ok(())
        }
    }

    /// Counts `bytes` that a helper produced.
    pub(crate) fn count_helper_bytes(&mut self, bytes: usize) -> Result<(), RenderError> {
        self.helper_bytes = self.helper_bytes.saturating_add(bytes);
        let max = self.limits.bytes.saturating_mul(HELPER_OUTPUT_FACTOR);
        if self.helper_bytes > max { Err(RenderError::TooLarge) } else { Ok(()) }
    }
}
