//! How long there is: one instant that everything on the line is held to.

use std::time::{Duration, Instant};

/// The instant by which the answer must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Instant);

impl Deadline {
    /// In so long from now.
    pub fn after(time: Duration) -> Self {
        Deadline(Instant::now() + time)
    }

    /// At this instant.
    pub fn at(instant: Instant) -> Self {
        Deadline(instant)
    }

    /// What is left; zero when it has passed.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// The earlier of this one and `limit` from now.
    #[must_use]
    pub fn within(self, limit: Option<Duration>) -> Self {
        match limit {
            Some(limit) if limit < self.left() => Deadline::after(limit),
            _ => self,
        }
    }

    /// The first of so many equal shares of what is left.
    #[must_use]
    pub fn share(self, of: usize) -> Self {
        let shares = u32::try_from(of).unwrap_or(u32::MAX).max(1);
        self.within(Some(self.left() / shares))
    }

    /// The instant itself.
    pub fn instant(self) -> Instant {
        self.0
    }
}
