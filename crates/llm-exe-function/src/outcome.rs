//! How one request of an event ended.

use llm_exe::results::{Destination, ResultPlace};
use llm_exe::{Error, Report, Run};
use llm_exe_events::Outcome;

/// How one request of an event ended.
#[derive(Debug, Clone)]
pub(crate) struct RequestOutcome {
    /// What becomes of it.
    pub(crate) outcome: Outcome,
    /// What was done for it.
    pub(crate) report: Report,
    /// Whether it ended so before, and nobody was asked.
    pub(crate) replayed: bool,
    /// Where its result is kept.
    pub(crate) place: Option<ResultPlace>,
    /// Where its result was sent.
    pub(crate) sent_to: Option<Destination>,
}

impl RequestOutcome {
    /// As a run ended.
    pub(crate) fn of(run: Run) -> RequestOutcome {
        let outcome = run.outcome.map_or_else(Outcome::Failed, Outcome::Done);
        RequestOutcome { outcome, report: run.report, replayed: false, place: None, sent_to: None }
    }

    /// Without anybody having been asked.
    pub(crate) fn failed(error: Error) -> RequestOutcome {
        RequestOutcome::of(Run { outcome: Err(error), report: Report::default() })
    }

    /// It asked for nothing.
    pub(crate) fn skipped() -> RequestOutcome {
        let (report, outcome) = (Report::default(), Outcome::Skipped);
        RequestOutcome { outcome, report, replayed: false, place: None, sent_to: None }
    }

    /// The same, ending otherwise after all: what was done was done.
    pub(crate) fn but(self, error: Error) -> RequestOutcome {
        RequestOutcome { outcome: Outcome::Failed(error), ..self }
    }

    /// The same with a warning, for the log.
    pub(crate) fn warn(&mut self, text: &str) {
        self.report.warnings.push(text.to_owned());
    }

    /// Whether it ran for a result that its request sends nowhere. A dry run has no result.
    pub(crate) fn is_unsent(&self) -> bool {
        let has_run = matches!(self.outcome, Outcome::Done(_)) || self.report.attempts > 0;
        has_run && !self.report.dry_run && self.report.destination.is_none()
    }

    /// Whether it asked for nothing.
    pub(crate) fn is_skipped(&self) -> bool {
        matches!(self.outcome, Outcome::Skipped)
    }

    /// Why it failed, if it did.
    pub(crate) fn error(&self) -> Option<&Error> {
        match &self.outcome {
            Outcome::Failed(error) => Some(error),
            Outcome::Done(_) | Outcome::Skipped => None,
        }
    }
}
