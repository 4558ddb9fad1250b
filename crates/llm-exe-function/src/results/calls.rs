//! Runs the request of a caller that waits for the response. The request may have an
//! `idempotencyKey` and a destination for its result.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt;
use llm_exe::{Context, Deadline, Error, ErrorKind, HandBackPolicy, Report, Run, Runner};
use llm_exe_events::RecordRequest;
use serde_json::Value;

use super::idempotency::IdempotentCall;
use super::stored_result::StoredResult;
use super::{Caller, DIRECT, Results};
use crate::outcome::RequestOutcome;

/// How long a run may exceed its deadline before it is cancelled.
const GRACE: Duration = Duration::from_millis(100);

/// Maximum time reserved for storing and sending a result.
const MAX_RESERVE: Duration = Duration::from_secs(2);

impl Results {
    /// Runs a caller's request and sends the result to the destination that the request names.
    pub(crate) async fn run_call(
        &self,
        runner: &Runner,
        request: RecordRequest,
        caller: &Caller<'_>,
        deadline: Deadline,
    ) -> RequestOutcome {
        let RecordRequest { source, id, origins, body, .. } = request;
        let parsed = body.and_then(|mut body| match self.prefix() {
            Some(prefix) => {
                let call = IdempotentCall::take_from(&mut body)?;
                Ok((body, call.map(|call| (call, prefix))))
            }
            // Without a result prefix, `idempotencyKey` stays in the body, so that the runner
            // reports it together with other problems of the request.
            None => Ok((body, None)),
        });
        let (body, call) = match parsed {
            Ok(parsed) => parsed,
            Err(error) => return RequestOutcome::failed(error),
        };
        // Time is reserved for sending if the request, or the hosted config that it refers to, may
        // name a destination.
        // The same holds for tools, whose conversation may be stored.
        let may_send =
            ["destination", "key", "url", "tools"].iter().any(|name| body.get(name).is_some());
        let run = async |until: Deadline| {
            self.run_request(runner, body, &origins, caller, until, deadline).await
        };
        let to_stored = |run: &Run| StoredResult::from_run(&id, source, None, run);
        let (outcome, result) = match call {
            Some((call, prefix)) => {
                let place = call.place(prefix, caller.name.unwrap_or(DIRECT));
                // The random number makes the holder unique, because Lambda may deliver an event
                // twice at the same time with the same request id.
                let holder = format!("{id} {:016x}", fastrand::u64(..));
                Box::pin(self.run_once(&call, place, &holder, deadline, run, to_stored)).await
            }
            None => {
                let until = if may_send { self.run_deadline(deadline) } else { deadline };
                let run = run(until).await;
                let result = run.report.destination.is_some().then(|| to_stored(&run));
                (RequestOutcome::from_run(run), result)
            }
        };
        let Some(result) = result.filter(|_| !outcome.report.dry_run) else {
            return outcome;
        };
        let Some(destination) = result.destination() else {
            return outcome;
        };
        let place = outcome.place.as_ref();
        // The future is boxed, because it is large and most requests have no destination.
        let sent = Box::pin(self.send(&destination, &result, place, None, deadline)).await;
        outcome.with_sent(sent.map(|()| Some(destination)))
    }

    /// Returns the deadline of the run itself, which leaves time to store and send the result
    /// before `deadline`.
    pub(super) fn run_deadline(&self, deadline: Deadline) -> Deadline {
        let left = deadline.left();
        let reserve = (left / 5).min(MAX_RESERVE);
        deadline.within(Some(left.saturating_sub(reserve)))
    }
}

impl Results {
    /// Runs a request, and stores the conversation if calls of tools are handed back. A panic
    /// becomes an `Internal` error, and exceeding `until` becomes a `Timeout` error.
    pub(super) async fn run_request(
        &self,
        runner: &Runner,
        mut body: Value,
        origins: &[String],
        caller: &Caller<'_>,
        until: Deadline,
        deadline: Deadline,
    ) -> Run {
        let hand_back = match (self.prefix(), caller.name) {
            (Some(_), _) => HandBackPolicy::Stored,
            (None, Some(_)) => HandBackPolicy::ToCaller,
            (None, None) => HandBackPolicy::Never,
        };
        let mut context = Context::new(until).with_origins(origins).with_hand_back(hand_back);
        // Only tools depend on the caller. A hosted config may contain tools.
        if ["tools", "key", "url"].iter().any(|name| body.get(name).is_some()) {
            context = context.with_caller(caller.context());
        }
        let owner = caller.name.unwrap_or(DIRECT);
        if let Some(prefix) = self.prefix().filter(|_| body.get("continue").is_some()) {
            let taken = self.take_conversation(prefix, &mut body, owner, until);
            match Box::pin(taken).await {
                Ok(Some(conversation)) => context = context.with_conversation(conversation),
                Ok(None) => {}
                Err(error) => return Run { outcome: Err(error), report: Report::default() },
            }
        }
        // The future is large, so it is pinned here and not moved.
        let run = std::pin::pin!(runner.run(context, body));
        let run = catch_failure(run, until).await;
        let run = match self.prefix().filter(|_| run.report.handed_back) {
            Some(prefix) => Box::pin(self.store_conversation(prefix, run, owner, deadline)).await,
            None => run,
        };
        let mut run = run.with_envelope();
        // The result contains the texts, which would stay in memory until all records are done.
        for tool_run in &mut run.report.tool_runs {
            tool_run.arguments = String::new();
            tool_run.outcome =
                tool_run.outcome.as_ref().map(|_| String::new()).map_err(|_| String::new());
        }
        run
    }
}

/// Awaits a run until shortly after its deadline. A panic becomes an error.
async fn catch_failure(run: Pin<&mut impl Future<Output = Run>>, deadline: Deadline) -> Run {
    let run = AssertUnwindSafe(run).catch_unwind();
    let latest = deadline.instant() + GRACE;
    let error = match tokio::time::timeout_at(latest.into(), run).await {
        Ok(Ok(run)) => return run,
        Ok(Err(_)) => {
            Error::new(ErrorKind::Internal, "the function panicked while running the request")
        }
        Err(_) => Error::new(ErrorKind::Timeout, "the function ran out of time"),
    };
    Run { outcome: Err(error), report: Report::default() }
}
