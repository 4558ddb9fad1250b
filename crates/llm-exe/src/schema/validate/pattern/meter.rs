//! Spends a budget in batches, because a step of matching is short. A step costs a unit.

use crate::schema::validate::budget::{Budget, TooMuchWork};

/// The number of steps after which the budget is charged.
const BATCH: u64 = 256;

/// Counts the steps of a match.
pub(super) struct Meter<'b> {
    budget: &'b Budget,
    steps: u64,
}

impl<'b> Meter<'b> {
    pub(super) fn new(budget: &'b Budget) -> Self {
        Meter { budget, steps: 0 }
    }

    /// Adds steps.
    ///
    /// # Errors
    /// Returns an error if the budget is spent.
    pub(super) fn add(&mut self, steps: u64) -> Result<(), TooMuchWork> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps < BATCH {
            return Ok(());
        }
        self.charge()
    }

    /// Charges the last steps, and one unit for the match itself.
    ///
    /// # Errors
    /// Returns an error if the budget is spent.
    pub(super) fn finish(mut self) -> Result<(), TooMuchWork> {
        self.steps = self.steps.saturating_add(1);
        self.charge()
    }

    fn charge(&mut self) -> Result<(), TooMuchWork> {
        self.budget.spend(std::mem::take(&mut self.steps))
    }
}
