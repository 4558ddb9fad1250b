//! Outcomes of the requests in an event.

use llm_exe::{Error, Report, Run};
use llm_exe_events::Outcome;

use crate::destination::{Destination, ResultPlace};

/// The outcome of one request of an event.
#[derive(Debug, Clone)]
pub(crate) struct RequestOutcome {
    /// The result or the error, or `Skipped` if there was nothing to run.
    pub(crate) outcome: Outcome,
    /// The report about the run, with its attempts and token usage.
    pub(crate) report: Report,
    /// Whether a stored result was returned instead of running the request.
    pub(crate) replayed: bool,
    /// The S3 object for the result. It is set even if no result was written to the object.
    pub(crate) place: Option<ResultPlace>,
    /// The destination that the result was sent to, if it was sent.
    pub(crate) sent_to: Option<Destination>,
}

impl RequestOutcome {
    /// Creates the outcome of a request from its run.
    pub(crate) fn from_run(run: Run) -> RequestOutcome {
        let outcome = run.outcome.map_or_else(Outcome::Failed, Outcome::Done);
        RequestOutcome { outcome, report: run.report, replayed: false, place: None, sent_to: None }
    }

    /// Creates the outcome of a request that failed before a provider was called.
    pub(crate) fn failed(error: Error) -> RequestOutcome {
        RequestOutcome::from_run(Run { outcome: Err(error), report: Report::default() })
    }

    /// Creates the outcome of a request that contains nothing to run.
    pub(crate) fn skipped() -> RequestOutcome {
        let (report, outcome) = (Report::default(), Outcome::Skipped);
        RequestOutcome { outcome, report, replayed: false, place: None, sent_to: None }
    }

    /// Replaces the result with an error and keeps the report.
    pub(crate) fn with_error(self, error: Error) -> RequestOutcome {
        let error = self.report.add_details_to(error);
        RequestOutcome { outcome: Outcome::Failed(error), ..self }
    }

    /// Adds the destination that the outcome was sent to. If sending failed, the request fails with
    /// the error of sending, unless it has already failed.
    pub(crate) fn with_sent(self, sent: Result<Option<Destination>, Error>) -> RequestOutcome {
        match sent {
            Ok(sent_to) => RequestOutcome { sent_to, ..self },
            Err(error) if self.error().is_none() => self.with_error(error),
            Err(_) => self,
        }
    }

    /// Adds a warning to the report, which is logged.
    pub(crate) fn add_warning(&mut self, warning: &str) {
        self.report.warnings.push(warning.to_owned());
    }

    /// Returns true if the request was run but names no destination for its result. Dry runs do not
    /// count, because they have no result to send.
    pub(crate) fn is_unsent(&self) -> bool {
        let has_run = matches!(self.outcome, Outcome::Done(_)) || self.report.attempts > 0;
        has_run && !self.report.dry_run && self.report.destination.is_none()
    }

    /// Returns true if there was nothing to run.
    pub(crate) fn is_skipped(&self) -> bool {
        matches!(self.outcome, Outcome::Skipped)
    }

    /// Returns the error, if the request failed.
    pub(crate) fn error(&self) -> Option<&Error> {
        match &self.outcome {
            Outcome::Failed(error) => Some(error),
            Outcome::Done(_) | Outcome::Skipped => None,
        }
    }
}
