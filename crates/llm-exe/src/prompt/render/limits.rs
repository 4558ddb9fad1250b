//! The limits on rendering and the counters that enforce them.
//!
//! Each statement, iteration and helper call counts as a step. Because reading the clock is slow,
//! it is read only once every `STEPS_PER_CLOCK_CHECK` steps. A template can therefore slightly
//! exceed its time limit.

use std::time::{Duration, Instant};

use super::error::RenderError;

/// Upper bound of [`Limits::depth`], chosen so that rendering can't overflow the stack.
const MAX_DEPTH: usize = 300;

/// Number of steps between two checks of the clock.
const STEPS_PER_CLOCK_CHECK: u32 = 128;

/// Maximum number of clock checks, which limits rendering to 10 million steps. These take about a
/// third of a second, during which other requests wait. Unlike the time limit, this limit does not
/// depend on the speed and the load of the machine.
const MAX_CLOCK_CHECKS: u32 = 10_000_000 / STEPS_PER_CLOCK_CHECK;

/// Maximum time of all searches for regular expressions.
const MAX_SEARCH_TIME: Duration = Duration::from_millis(250);

/// Maximum number of warnings of helpers, at different positions.
const MAX_NOTES: usize = 100;

/// Maximum number of warnings of helpers, including repeated ones.
const MAX_REPEATED_NOTES: usize = 1000;

/// The total output of helpers may be this many times [`Limits::bytes`], because not all of it is
/// rendered.
const HELPER_OUTPUT_FACTOR: usize = 16;

/// Limits for rendering a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum nesting depth of blocks, partials and sub-expressions, including recursive partials.
    /// Values above 300 have the same effect as 300.
    pub depth: usize,
    /// Maximum size of the rendered text in bytes.
    pub bytes: usize,
    /// Maximum rendering time.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { depth: 200, bytes: 4 << 20, time: Duration::from_secs(2) }
    }
}

/// Tracks how much of the limits a rendering has used.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    deadline: Option<Instant>,
    /// Number of steps until the clock is checked again.
    steps_left: u32,
    /// Number of clock checks until the step limit is reached.
    clock_checks_left: u32,
    /// The time that is left for searches for regular expressions.
    search_time_left: Duration,
    depth: usize,
    /// Number of bytes that helpers have produced so far.
    helper_bytes: usize,
    /// The warnings of helpers.
    notes: Option<Box<Notes>>,
}

/// The warnings of helpers. They are boxed because most renderings have none.
#[derive(Debug, Default)]
struct Notes {
    /// The warning of the helper that is being called.
    current: Option<String>,
    /// The warnings with the byte offsets of their calls in the template.
    located: Vec<(String, usize)>,
    /// How many warnings there were, including repeated ones.
    count: usize,
}

impl Notes {
    #[cold]
    fn locate(&mut self, at: usize) {
        let is_new = self.located.iter().all(|(_, known)| *known != at);
        if let Some(warning) = self.current.take()
            && is_new
            && self.located.len() < MAX_NOTES
        {
            self.located.push((warning, at));
        }
    }
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        let deadline = Instant::now().checked_add(limits.time);
        let limits = Limits { depth: limits.depth.min(MAX_DEPTH), ..*limits };
        Budget {
            limits,
            deadline,
            steps_left: STEPS_PER_CLOCK_CHECK,
            clock_checks_left: MAX_CLOCK_CHECKS,
            search_time_left: MAX_SEARCH_TIME,
            depth: 0,
            helper_bytes: 0,
            notes: None,
        }
    }

    /// Stores a warning of the helper that is being called. Warnings after the first
    /// [`MAX_REPEATED_NOTES`] are ignored, because a loop can repeat one many times.
    #[cold]
    pub(crate) fn note(&mut self, warning: impl FnOnce() -> String) {
        let notes = self.notes.get_or_insert_default();
        if notes.count < MAX_REPEATED_NOTES {
            notes.count += 1;
            notes.current = Some(warning());
        }
    }

    /// Adds the position to the warning of the helper that was called last, if it has one. A
    /// position that has a warning gets no other one.
    #[inline]
    pub(crate) fn locate_note(&mut self, at: usize) {
        if let Some(notes) = &mut self.notes {
            notes.locate(at);
        }
    }

    /// Returns the warnings of helpers with the byte offsets of their calls.
    pub(crate) fn located_notes(&self) -> Option<&[(String, usize)]> {
        self.notes.as_ref().map(|notes| &*notes.located)
    }

    /// Counts one step. Returns an error if this step checks the clock and the time limit is
    /// exceeded.
    #[inline]
    pub(crate) fn step(&mut self) -> Result<(), RenderError> {
        self.steps_left -= 1;
        if self.steps_left == 0 { self.step_with_clock_check() } else { Ok(()) }
    }

    #[cold]
    #[inline(never)]
    fn step_with_clock_check(&mut self) -> Result<(), RenderError> {
        self.steps_left = STEPS_PER_CLOCK_CHECK;
        let left = self.clock_checks_left.checked_sub(1).ok_or(RenderError::TooSlow)?;
        self.clock_checks_left = left;
        self.check_clock()
    }

    /// Counts the time of a search. Returns an error if all searches together took too long.
    pub(crate) fn count_search_time(&mut self, elapsed: Duration) -> Result<(), RenderError> {
        let left = self.search_time_left.checked_sub(elapsed).ok_or(RenderError::TooSlow)?;
        self.search_time_left = left;
        Ok(())
    }

    /// Returns an error if the time limit is exceeded.
    pub(crate) fn check_clock(&self) -> Result<(), RenderError> {
        match self.deadline {
            Some(deadline) if Instant::now() > deadline => Err(RenderError::TooSlow),
            _ => Ok(()),
        }
    }

    /// Increases the nesting depth. The caller must call `leave` afterwards.
    #[inline]
    pub(crate) fn enter(&mut self) -> Result<(), RenderError> {
        if self.depth >= self.limits.depth {
            return Err(RenderError::TooDeep);
        }
        self.depth += 1;
        self.step()
    }

    /// Decreases the nesting depth that `enter` increased.
    pub(crate) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Returns the maximum size of the rendered text in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.limits.bytes
    }

    /// Returns an error if appending `more` bytes to a text of `bytes` bytes would exceed the size
    /// limit.
    pub(crate) fn check_growth(&self, bytes: usize, more: usize) -> Result<(), RenderError> {
        let (size, max) = (bytes.saturating_add(more), self.limits.bytes);
        if size > max { Err(RenderError::too_large("rendered text", max, size)) } else { Ok(()) }
    }

    /// Counts bytes that a helper produced. Returns an error if the total exceeds the limit.
    pub(crate) fn count_helper_bytes(&mut self, bytes: usize) -> Result<(), RenderError> {
        self.helper_bytes = self.helper_bytes.saturating_add(bytes);
        let max = self.limits.bytes.saturating_mul(HELPER_OUTPUT_FACTOR);
        if self.helper_bytes > max {
            return Err(RenderError::too_large("output of helpers", max, self.helper_bytes));
        }
        Ok(())
    }
}
