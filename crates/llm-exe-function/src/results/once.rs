//! One request, run once: within the time that is left for it, and without a panic getting out.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use llm_exe::{Context, Deadline, Error, ErrorKind, Executor, Report, Run};
use serde_json::Value;

use super::Results;

/// What the run may overstep its deadline by before it is cut off from outside.
const GRACE: Duration = Duration::from_millis(100);

/// The most time that is kept back for what is done with a result.
const LONGEST_AFTERMATH: Duration = Duration::from_secs(2);

impl Results {
    /// When a run has to end, so that its result can still be kept and told.
    pub(super) fn before(&self, deadline: Deadline) -> Deadline {
        let left = deadline.left();
        let after = (left / 5).min(LONGEST_AFTERMATH);
        deadline.within(Some(left.saturating_sub(after)))
    }
}

/// Runs a request, with whatever goes wrong in it turned into an error.
pub(crate) async fn run(
    executor: &Executor,
    body: Value,
    origins: &[String],
    deadline: Deadline,
) -> Run {
    let run = executor.run(Context::new(deadline).with_origins(origins), body);
    let run = AssertUnwindSafe(run).catch_unwind();
    let latest = deadline.instant() + GRACE;
    let error = match tokio::time::timeout_at(latest.into(), run).await {
        Ok(Ok(run)) => return run,
        Ok(Err(_)) => Error::new(ErrorKind::Internal, "the request made the function panic"),
        Err(_) => Error::new(ErrorKind::Timeout, "the function's time ran out"),
    };
    Run { outcome: Err(error), report: Report::default() }
}
