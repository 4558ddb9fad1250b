//! The deadline of a run, which every step observes.

use std::time::{Duration, Instant};

/// The instant by which a run must have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Instant);

impl Deadline {
    /// A deadline that is `time` from now.
    pub fn after(time: Duration) -> Self {
        Deadline(Instant::now() + time)
    }

    /// A deadline at an instant.
    pub fn at(instant: Instant) -> Self {
        Deadline(instant)
    }

    /// The time that is left; zero if the deadline has passed.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// The earlier of this deadline and `limit` from now.
    #[must_use]
    pub fn within(self, limit: Option<Duration>) -> Self {
        match limit {
            Some(limit) if limit < self.left() => Deadline::after(limit),
            _ => self,
        }
    }

    /// The end of the first of `count` equal shares of the time that is left.
    #[must_use]
    pub fn share(self, count: usize) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX).max(1);
        self.within(Some(self.left() / count))
    }

    /// The instant of the deadline.
    pub fn instant(self) -> Instant {
        self.0
    }
}
