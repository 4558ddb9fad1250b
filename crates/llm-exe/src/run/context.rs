//! The state of one run: the deadline, the origins of the request, and the report.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::checkpoint::Checkpoints;
use super::cost_limit::CostLimit;
use super::events::{EventSink, EventStream};
use super::observer::Observer;
use super::outcome::Run;
use super::report::{Report, StoredCounts};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::function_name::FunctionName;
use crate::plan::Target;
use crate::ports::{ProgressStore, Secret, ToolHandler};
use crate::providers::amount_of_dollars;
use crate::trace::{Trace, TraceScope};

/// Maximum number of provider calls for one request, including retries, repairs, fallbacks and the
/// requests of tools.
pub(super) const MAX_CALLS: u32 = 500;
/// Maximum number of calls of tools that run for one request.
const MAX_TOOL_CALLS: u32 = 500;

/// Whether calls of tools can be handed back to the caller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandBackPolicy {
    /// To the caller, who receives the conversation with the prompt.
    #[default]
    ToCaller,
    /// The program stores the conversation, so that the caller does not need to see it.
    Stored,
    /// No caller can send the results.
    Never,
}

/// Where a request comes from, and the Lambda function in which it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallerContext {
    /// Whether the request arrived by HTTP.
    pub is_http: bool,
    /// The Lambda function in which the request runs. No tool may call it.
    pub function: Option<FunctionName>,
    /// The value of the header `X-Amzn-Trace-Id` of the invocation.
    pub trace_id: Option<String>,
}

/// A conversation that the program stored.
#[derive(Debug, Clone)]
pub struct ContinuedConversation {
    /// The location of the pinned config whose prompt the conversation contains. A request with
    /// another config or without one can't continue it, because it could read or replace the
    /// prompt.
    pub pinned_config: Option<String>,
    /// The conversation, as it was handed back.
    pub conversation: Map<String, Value>,
}

/// Why a stored conversation can't be continued. The message is the same for all reasons, so that
/// it does not show which conversations exist.
pub const UNKNOWN_CONVERSATION: &str =
    "no conversation of this caller and config has this id, or it has expired";

/// The state that a request with tools or steps shares with the requests inside of it.
#[derive(Debug, Default)]
struct SharedState {
    /// The number of calls of providers.
    provider_calls: AtomicU32,
    /// The number of calls of tools that run.
    tool_calls: AtomicU32,
    /// The duration of the longest call of a provider that got a response, in milliseconds.
    longest_call: AtomicU64,
    /// The secrets that were sent or that signed a call.
    secrets: Mutex<Vec<Secret>>,
    /// The counts of all calls, restored ones included. The reports of requests inside of this one
    /// are lost if the run is cancelled.
    calls: Mutex<Report>,
}

impl SharedState {
    fn calls(&self) -> MutexGuard<'_, Report> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state of one run, which is passed through all of its steps.
///
/// A [`Deadline`] converts into a context. For a request that did not come from a queue, topic or
/// bucket, call `runner.run(deadline, request)`.
#[derive(Clone)]
pub struct Context {
    /// The deadline of the current step. Each target gets a share of the remaining time, so this is
    /// earlier than the run's deadline while fallbacks remain.
    pub(super) deadline: Deadline,
    /// The deadline of the whole run.
    pub(super) run_deadline: Deadline,
    /// The deadline for storing progress: that of the outermost request.
    pub(super) store_deadline: Deadline,
    pub(super) origins: Vec<String>,
    pub(super) started: Instant,
    pub(super) report: Report,
    /// Whether every warning about the request is an error.
    pub(super) is_strict: bool,
    /// The conversation to continue, if it does not come from the request.
    pub(super) conversation: Option<ContinuedConversation>,
    /// Who may receive calls of tools.
    pub(super) hand_back: HandBackPolicy,
    /// Where the request and its tools run.
    pub(super) caller: CallerContext,
    /// Runs tools that have no `run`.
    pub(super) handler: Option<Arc<dyn ToolHandler>>,
    /// Receives the events of the run.
    pub(super) observer: Option<Arc<dyn Observer>>,
    /// Where the run sends its events, if its result is streamed.
    pub(super) events: Option<EventStream>,
    /// Where the run records its spans, if it is traced.
    pub(super) trace: Option<TraceScope>,
    /// The state of this request and of those around and inside of it. `None` if the request
    /// has neither tools nor steps and is not traced; its report then counts the calls.
    shared: Option<Arc<SharedState>>,
    /// The limit of the cost, if the request or one around it has one.
    pub(super) cost_limit: Option<Arc<CostLimit>>,
    /// Stores the progress of the run, if it has several turns or steps.
    pub(super) progress_store: Option<Arc<dyn ProgressStore>>,
    /// The hash of the request that identifies its progress.
    pub(super) request_hash: Option<String>,
    /// The stored progress of the run.
    pub(super) checkpoints: Option<Checkpoints>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("report", &self.report).finish_non_exhaustive()
    }
}

impl Context {
    /// Creates a context for a run that starts now and must end by `deadline`.
    pub fn new(deadline: Deadline) -> Self {
        let (origins, report) = (Vec::new(), Report::default());
        Context {
            deadline,
            run_deadline: deadline,
            store_deadline: deadline,
            origins,
            started: Instant::now(),
            report,
            is_strict: false,
            conversation: None,
            hand_back: HandBackPolicy::default(),
            caller: CallerContext::default(),
            handler: None,
            observer: None,
            events: None,
            trace: None,
            shared: None,
            cost_limit: None,
            progress_store: None,
            request_hash: None,
            checkpoints: None,
        }
    }

    /// Sets whether calls of tools can be handed back. By default, they can, unless the caller may
    /// not see the prompt.
    #[must_use]
    pub fn with_hand_back(self, hand_back: HandBackPolicy) -> Self {
        Context { hand_back, ..self }
    }

    /// Sets where the request comes from and where it runs, on which depends which Lambda functions
    /// its tools may call.
    #[must_use]
    pub fn with_caller(self, caller: CallerContext) -> Self {
        Context { caller, ..self }
    }

    /// Sets the handler of those tools of the request that have no `run`.
    #[must_use]
    pub fn with_tool_handler(self, handler: Arc<dyn ToolHandler>) -> Self {
        Context { handler: Some(handler), ..self }
    }

    /// Computes what the calls cost, even if the request does not ask for it.
    #[must_use]
    pub fn with_cost(mut self) -> Self {
        self.report.counts_cost = true;
        self
    }

    /// Sets the observer of the run. It receives no events of requests that are tools.
    #[must_use]
    pub fn with_observer(self, observer: Arc<dyn Observer>) -> Self {
        Context { observer: Some(observer), ..self }
    }

    /// Streams the run: sends its events to a sink while it is in progress. Text is that of the
    /// model's turns, or of the last step in the list of a chain. Requests that are tools send no
    /// events.
    #[must_use]
    pub fn with_event_sink(self, sink: Arc<dyn EventSink>) -> Self {
        Context { events: Some(EventStream::new(sink)), ..self }
    }

    /// Records the spans of the run, with those of the requests inside of it.
    #[must_use]
    pub fn with_trace(self, trace: Trace) -> Self {
        Context { trace: Some(TraceScope::new(trace)), ..self }
    }

    /// Returns the handler of a tool that has no `run`, if there is one.
    pub(super) fn handler_of(&self, name: &str) -> Option<&Arc<dyn ToolHandler>> {
        self.handler.as_ref().filter(|handler| handler.handles(name))
    }

    /// Sets the conversation that the request continues, if the program stored it. The caller of
    /// the request has not seen it.
    #[must_use]
    pub fn with_conversation(self, conversation: ContinuedConversation) -> Self {
        Context { conversation: Some(conversation), ..self }
    }

    /// Sets the ARNs of the queues, topics and buckets that delivered the request. None of them may
    /// be the request's `destination`, because the result would trigger another run.
    #[must_use]
    pub fn with_origins(self, origins: &[String]) -> Self {
        Context { origins: origins.to_vec(), ..self }
    }

    /// Sets the store for the turns of a request with tools or steps, so that a repeated run does
    /// not pay for them again. Other requests have no progress to store.
    #[must_use]
    pub fn with_progress(self, store: Arc<dyn ProgressStore>) -> Self {
        Context { progress_store: Some(store), ..self }
    }

    /// Counts the calls and collects the secrets together with the requests inside of this one.
    pub(super) fn share_state(&mut self) {
        self.shared.get_or_insert_default();
    }

    /// Records secrets that are in use, because the results of tools may quote them. Without tools
    /// and steps, they are not recorded.
    pub(super) fn add_secrets<'s>(&self, secrets: impl IntoIterator<Item = &'s Secret>) {
        let Some(shared) = &self.shared else { return };
        let mut known = shared.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        for secret in secrets {
            if !known.iter().any(|known| known.expose() == secret.expose()) {
                known.push(secret.clone());
            }
        }
    }

    /// Returns the secrets that this request and those around and inside of it used.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let lock = |shared: &Arc<SharedState>| {
            shared.secrets.lock().unwrap_or_else(PoisonError::into_inner).clone()
        };
        self.shared.as_ref().map(lock).unwrap_or_default()
    }

    /// Limits the cost of this request and of those inside of it, in US dollars.
    pub(super) fn limit_cost(&mut self, usd: f64) {
        let limit = CostLimit::new(amount_of_dollars(usd), self.cost_limit.take());
        self.cost_limit = Some(Arc::new(limit));
        self.report.counts_cost = true;
        self.report.warns_of_cost = true;
    }

    /// Returns a context for the step of a chain whose items and runs share a limit of the cost.
    pub(super) fn with_step_limit(&self, usd: f64) -> Self {
        let mut limited = self.nested("", self.deadline);
        limited.run_deadline = self.run_deadline;
        limited.checkpoints.clone_from(&self.checkpoints);
        limited.limit_cost(usd);
        limited
    }

    /// Creates the context for a request inside of this one. `name` is that of its progress.
    pub(super) fn nested(&self, name: &str, deadline: Deadline) -> Self {
        let mut nested = Context::new(deadline);
        nested.store_deadline = self.store_deadline;
        nested.origins.clone_from(&self.origins);
        nested.shared.clone_from(&self.shared);
        nested.caller.clone_from(&self.caller);
        nested.trace.clone_from(&self.trace);
        nested.cost_limit.clone_from(&self.cost_limit);
        nested.checkpoints = self.checkpoints.as_ref().map(|known| known.nested(name));
        nested.report.full = self.report.full;
        nested.report.counts_cost = self.report.counts_cost;
        nested.report.warns_of_cost = self.report.warns_of_cost;
        nested
    }

    /// Reserves a call of the provider, and returns how many attempts it may have, at most `max`,
    /// or zero if no call is left. Retries are not reserved, because concurrent requests that do
    /// not retry would otherwise lack the calls; so the last ones can exceed [`MAX_CALLS`].
    pub(super) fn reserve_call(&self, max: u32) -> u32 {
        let Some(shared) = &self.shared else {
            return MAX_CALLS.saturating_sub(self.report.attempts).min(max);
        };
        let reserve = |used: u32| (used < MAX_CALLS).then_some(used + 1);
        let calls = &shared.provider_calls;
        let used = calls.fetch_update(Ordering::Relaxed, Ordering::Relaxed, reserve);
        used.map_or(0, |used| (MAX_CALLS - used).min(max))
    }

    /// Returns how many calls of providers are left.
    pub(super) fn calls_left(&self) -> u32 {
        let shared = self.shared.as_ref();
        let used = shared.map(|shared| shared.provider_calls.load(Ordering::Relaxed));
        MAX_CALLS.saturating_sub(used.unwrap_or(self.report.attempts))
    }

    /// Records the attempts of a call that was reserved. Without any, the call is released.
    pub(super) fn add_calls(&mut self, attempts: u32) {
        self.record(|report| report.add_attempts(attempts));
        let Some(shared) = &self.shared else { return };
        match attempts.checked_sub(1) {
            Some(retries) => shared.provider_calls.fetch_add(retries, Ordering::Relaxed),
            None => shared.provider_calls.fetch_sub(1, Ordering::Relaxed),
        };
    }

    /// Records a fact about the calls of this request, which has shared state if it has tools or
    /// steps.
    pub(super) fn record(&mut self, record: impl Fn(&mut Report)) {
        record(&mut self.report);
        if let Some(shared) = &self.shared {
            record(&mut shared.calls());
        }
    }

    /// Records the target that is called last, and the model that replied.
    pub(super) fn record_target(&self, target: &Target) {
        if let Some(shared) = &self.shared {
            let mut calls = shared.calls();
            let answered_model = &self.report.answered_model;
            // The report of a conversation lacks the model while a further turn is in progress.
            if answered_model.is_some() || !calls.is_for(target) {
                calls.answered_model.clone_from(answered_model);
            }
            calls.set_target(target);
        }
    }

    /// Completes the report of a run that did not end by itself: it contains the calls of the
    /// requests inside of it, and those that were in progress.
    pub(super) fn end_cancelled_calls(&mut self) {
        if let Some(shared) = &self.shared {
            let calls = std::mem::take(&mut *shared.calls());
            self.report.replace_counts(calls);
        }
        self.report.end_cancelled_calls();
    }

    /// Ends a run whose future panicked, or was dropped before its end. The report contains what
    /// the run used so far, calls that were in progress included.
    #[must_use]
    pub fn abort(mut self, error: Error) -> Run {
        self.end_cancelled_calls();
        self.fail(error)
    }

    /// Records the duration of a call of a provider that got a response.
    pub(super) fn add_call_duration(&self, duration: Duration) {
        if let Some(shared) = &self.shared {
            let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
            shared.longest_call.fetch_max(millis, Ordering::Relaxed);
        }
    }

    /// Returns the duration of the longest call that got a response. It is known only if the
    /// request has tools or steps.
    pub(super) fn longest_call(&self) -> Duration {
        let shared = self.shared.as_ref();
        let millis = shared.map_or(0, |shared| shared.longest_call.load(Ordering::Relaxed));
        Duration::from_millis(millis)
    }

    /// Checks that the next call is likely to end before the deadline. `names` are those of the run
    /// and of its calls in the error.
    ///
    /// # Errors
    /// `Timeout` if less time is left than the longest call took.
    pub(super) fn check_time_left(
        &self,
        longest: Duration,
        (run, call): (&str, &str),
    ) -> Result<(), Error> {
        let left = self.deadline.left();
        if left >= longest {
            return Ok(());
        }
        let text = format!(
            "the {run} stopped before the next {call}: {} ms are left, and the longest {call} so \
             far took {} ms",
            left.as_millis(),
            longest.as_millis()
        );
        Err(Error::new(ErrorKind::Timeout, text))
    }

    /// Adds a part of an earlier run to the report and to the limits.
    pub(super) fn restore(&mut self, counts: StoredCounts) {
        self.count_restored(&counts);
        self.report.answered = true;
        self.report.restore_stored(counts);
    }

    /// Adds the calls of an earlier run to the limits and to the counts of all calls.
    pub(super) fn count_restored(&self, counts: &StoredCounts) {
        if let Some(shared) = &self.shared {
            let mut calls = shared.calls();
            calls.counts_cost = self.report.counts_cost;
            calls.restore_stored(counts.of_calls());
            drop(calls);
            shared.provider_calls.fetch_add(counts.attempts, Ordering::Relaxed);
            let tool_calls = u32::try_from(counts.tool_runs.len()).unwrap_or(u32::MAX);
            shared.tool_calls.fetch_add(tool_calls, Ordering::Relaxed);
        }
        if let Some(limit) = &self.cost_limit {
            limit.add(counts.limited_cost);
        }
    }

    /// Records calls of tools before they run.
    ///
    /// # Errors
    /// `LimitExceeded` if there are too many.
    pub(super) fn add_tool_calls(&mut self, count: usize) -> Result<(), Error> {
        let Some(shared) = &self.shared else { return Ok(()) };
        let added = u32::try_from(count).unwrap_or(u32::MAX);
        let before = shared.tool_calls.fetch_add(added, Ordering::Relaxed);
        if before.saturating_add(added) > MAX_TOOL_CALLS {
            let text = format!("the request reached the limit of {MAX_TOOL_CALLS} calls of tools");
            return Err(Error::new(ErrorKind::LimitExceeded, text));
        }
        Ok(())
    }

    /// Ends the run.
    pub(super) fn finish(mut self, outcome: Result<Value, Error>) -> Run {
        self.take_run(outcome)
    }

    /// Ends the run, and leaves an empty report.
    pub(super) fn take_run(&mut self, outcome: Result<Value, Error>) -> Run {
        self.report.durations.total = self.started.elapsed();
        Run { outcome, report: std::mem::take(&mut self.report) }
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
