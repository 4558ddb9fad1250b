//! Limits the work of compiling a schema and checking a value.
//!
//! A clock can't do this, because nothing interrupts the check while it uses the only thread.

use std::cell::Cell;

/// Maximum size of a string that a pattern with lookaround or back-references is matched with.
pub(crate) const MAX_BACKTRACKED_BYTES: usize = 4096;

/// The number of units of work that may still be spent. Functions that share a budget borrow it, so
/// that one limit applies to all of them.
///
/// A unit is about ten nanoseconds of CPU time.
#[derive(Debug)]
pub(crate) struct Budget {
    left: Cell<u64>,
}

impl Budget {
    /// Creates a budget of a number of units.
    pub(crate) fn new(units: u64) -> Self {
        Budget { left: Cell::new(units) }
    }

    /// Subtracts a number of units.
    ///
    /// # Errors
    /// Returns an error if less than that is left. From then on, nothing is left.
    #[inline(always)]
    pub(crate) fn spend(&self, units: u64) -> Result<(), TooMuchWork> {
        let left = self.left.get().checked_sub(units);
        self.left.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or(TooMuchWork::Budget)
    }

    /// Returns the number of units that are left.
    #[cfg(test)]
    pub(crate) fn left(&self) -> u64 {
        self.left.get()
    }
}

/// The reason why a check was stopped before its result was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TooMuchWork {
    /// The budget is spent.
    #[error("checking the value takes too much work")]
    Budget,
    /// Checks are nested too deeply. More of them could overflow the stack.
    #[error("the value and its schema are nested too deeply")]
    Depth,
    /// A pattern with lookaround or a back-reference can take quadratic time or more.
    #[error(
        "a pattern with lookaround or a back-reference is only matched with strings of at most \
         {} bytes",
        MAX_BACKTRACKED_BYTES
    )]
    LongText,
}

#[cfg(test)]
mod tests {
    use super::{Budget, TooMuchWork};

    #[test]
    fn a_budget_is_spent_once() {
        let budget = Budget::new(10);
        assert_eq!(budget.spend(4), Ok(()));
        assert_eq!(budget.spend(6), Ok(()));
        assert_eq!(budget.spend(0), Ok(()));
        assert_eq!(budget.spend(1), Err(TooMuchWork::Budget));
    }

    #[test]
    fn nothing_is_left_after_an_error() {
        let budget = Budget::new(10);
        assert_eq!(budget.spend(11), Err(TooMuchWork::Budget));
        assert_eq!(budget.spend(1), Err(TooMuchWork::Budget));
    }
}
