//! The state of one run: the deadline, the origins of the request, and the report.

use std::time::Instant;

use serde_json::Value;

use super::outcome::Run;
use super::report::Report;
use crate::deadline::Deadline;
use crate::error::Error;

/// The state of one run, which is passed through all of its steps.
///
/// A [`Deadline`] converts into a context. For a request that did not come from a queue, topic or
/// bucket, call `runner.run(deadline, request)`.
#[derive(Debug, Clone)]
pub struct Context {
    /// The deadline of the current step. Each target gets a share of the remaining time, so this is
    /// earlier than the run's deadline while fallbacks remain.
    pub(super) deadline: Deadline,
    pub(super) origins: Vec<String>,
    pub(super) started: Instant,
    pub(super) report: Report,
}

impl Context {
    /// Creates a context for a run that starts now and must end by `deadline`.
    pub fn new(deadline: Deadline) -> Self {
        let (origins, report) = (Vec::new(), Report::default());
        Context { deadline, origins, started: Instant::now(), report }
    }

    /// Sets the ARNs of the queues, topics and buckets that delivered the request. None of them may
    /// be the request's `destination`, because the result would trigger another run.
    #[must_use]
    pub fn with_origins(self, origins: &[String]) -> Self {
        Context { origins: origins.to_vec(), ..self }
    }

    /// Ends the run.
    pub(super) fn finish(mut self, outcome: Result<Value, Error>) -> Run {
        self.report.durations.total = self.started.elapsed();
        Run { outcome, report: self.report }
    }

    /// Ends the run with an error.
    pub(super) fn fail(self, error: Error) -> Run {
        self.finish(Err(error))
    }
}

impl From<Deadline> for Context {
    fn from(deadline: Deadline) -> Self {
        Context::new(deadline)
    }
}
