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
use super::progress::RunIdentity;
use super::stored_result::StoredResult;
use super::{Caller, DIRECT, GRACE, Results};
use crate::outcome::RequestOutcome;
use crate::streaming::requested_format;

/// Fields of requests that may have tools or steps, which may be in a hosted config.
const MAY_HAVE_TOOLS: [&str; 4] = ["tools", "steps", "key", "url"];

/// Maximum time reserved for storing and sending a result.
const MAX_RESERVE: Duration = Duration::from_secs(2);

/// Where a request comes from, and how long it may run.
pub(super) struct RunScope<'a> {
    pub(super) origins: &'a [String],
    pub(super) caller: &'a Caller<'a>,
    /// What identifies the run when it is repeated. `None` if it can't be recognized.
    pub(super) identity: Option<RunIdentity<'a>>,
    /// The deadline of the run.
    pub(super) until: Deadline,
    /// The deadline until which its result can be stored.
    pub(super) deadline: Deadline,
}

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
        if let Some(stream) = caller.stream {
            stream.set_format(requested_format(&body));
            let has_destination = body.get("destination").is_some_and(|value| !value.is_null());
            if call.is_some() || has_destination {
                stream.set_completes();
            }
        }
        let requested = call.as_ref().and_then(|_| requested_format(&body));
        // Time is reserved for sending if the request, or the hosted config that it refers to, may
        // name a destination.
        // The same holds for tools, whose conversation may be stored.
        let may_send = has_any(&body, &["destination", "key", "url", "tools"]);
        let owner = caller.name.unwrap_or(DIRECT);
        let identity = call.as_ref().map(|(call, _)| call.run_identity(owner));
        let run = async |until: Deadline| {
            let scope = RunScope { origins: &origins, caller, identity, until, deadline };
            self.run_request(runner, body, scope).await
        };
        let to_stored = |run: &Run| {
            StoredResult::from_run(&id, source, None, run).with_stream_format(requested, run)
        };
        let (outcome, result) = match &call {
            Some((call, prefix)) => {
                let place = call.place(prefix, owner);
                // The random number makes the holder unique, because Lambda may deliver an event
                // twice at the same time with the same request id.
                let holder = format!("{id} {:016x}", fastrand::u64(..));
                Box::pin(self.run_once(call, place, &holder, deadline, run, to_stored)).await
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
        if let Some(stream) = caller.stream.filter(|_| outcome.replayed) {
            stream.set_format(result.stream_format(requested));
        }
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
        scope: RunScope<'_>,
    ) -> Run {
        let RunScope { origins, caller, identity, until, deadline } = scope;
        let hand_back = match (self.prefix(), caller.name) {
            (Some(_), _) => HandBackPolicy::Stored,
            (None, Some(_)) => HandBackPolicy::ToCaller,
            (None, None) => HandBackPolicy::Never,
        };
        let mut context =
            Context::new(until).with_origins(origins).with_hand_back(hand_back).with_cost();
        if let Some(stream) = caller.stream {
            context = context.with_event_sink(stream.sink(until));
        }
        if let Some(trace) = caller.traces.and_then(|traces| traces.start(&body)) {
            context = context.with_trace(trace);
        }
        // Only tools depend on the caller, and only requests with tools or steps have progress.
        let may_have_tools = has_any(&body, &MAY_HAVE_TOOLS);
        if may_have_tools {
            context = context.with_caller(caller.context());
        }
        let owner = caller.name.unwrap_or(DIRECT);
        let mut continued = None;
        if let Some(prefix) = self.prefix().filter(|_| body.get("continue").is_some()) {
            let taken = self.take_conversation(prefix, &mut body, owner, until);
            match Box::pin(taken).await {
                Ok(Some((id, conversation))) => {
                    context = context.with_conversation(conversation);
                    continued = Some(id);
                }
                Ok(None) => {}
                Err(error) => return Run { outcome: Err(error), report: Report::default() },
            }
        }
        // The same results of tools continue a conversation in the same way, whatever call or
        // record they arrive in.
        let identity = continued.as_deref().map_or(identity, |id| {
            let tool_results = body.get("toolResults").unwrap_or(&Value::Null);
            Some(RunIdentity::Conversation { caller: owner, id, tool_results })
        });
        if let (true, Some(prefix), Some(identity)) = (may_have_tools, self.prefix(), identity) {
            context = context.with_progress(self.progress_store(prefix, identity));
        }
        let ended = {
            // The future is large, so it is pinned here and not moved.
            let run = std::pin::pin!(runner.run_in(&mut context, body));
            catch_failure(run, until).await
        };
        let run = ended.unwrap_or_else(|error| context.abort(error));
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

/// Returns whether a request has any of these fields. Comparing its few names is faster than
/// hashing each of these.
fn has_any(request: &Value, names: &[&str]) -> bool {
    let fields = request.as_object();
    fields.is_some_and(|fields| fields.keys().any(|field| names.contains(&field.as_str())))
}

/// Awaits a run until shortly after its deadline.
///
/// # Errors
/// `Internal` if the run panics, and `Timeout` if it does not end in time.
async fn catch_failure(
    run: Pin<&mut impl Future<Output = Run>>,
    deadline: Deadline,
) -> Result<Run, Error> {
    let run = AssertUnwindSafe(run).catch_unwind();
    let latest = deadline.instant() + GRACE;
    match tokio::time::timeout_at(latest.into(), run).await {
        Ok(Ok(run)) => Ok(run),
        Ok(Err(_)) => {
            let text = "the function panicked while running the request";
            Err(Error::new(ErrorKind::Internal, text))
        }
        Err(_) => Err(Error::new(ErrorKind::Timeout, "the function ran out of time")),
    }
}
