//! The deadline for processing a request.

use std::time::{Duration, Instant};

/// The instant by which the processing of a request must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Instant);

impl Deadline {
    /// The latest deadline, counted from now: a year. The clock of the operating system can't
    /// represent every [`Duration`].
    pub const MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

    /// Creates a deadline that is `time` from now, but at most [`Deadline::MAX`].
    pub fn after(time: Duration) -> Self {
        Deadline(Instant::now() + time.min(Self::MAX))
    }

    /// Creates a deadline at the given instant.
    pub fn at(instant: Instant) -> Self {
        Deadline(instant)
    }

    /// Returns the remaining time, or zero if the deadline has passed.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Returns this deadline, or a deadline `limit` from now if that is earlier.
    #[must_use]
    pub fn within(self, limit: Option<Duration>) -> Self {
        match limit {
            Some(limit) if limit < self.left() => Deadline::after(limit),
            _ => self,
        }
    }

    /// Splits the remaining time into `count` equal shares and returns the end of the first share.
    #[must_use]
    pub fn share(self, count: usize) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX).max(1);
        self.within(Some(self.left() / count))
    }

    /// Returns the deadline as an [`Instant`].
    pub fn instant(self) -> Instant {
        self.0
    }
}
