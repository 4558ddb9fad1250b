//! The loop of a conversation with tools: checks the calls of a turn, runs the tools that run here,
//! and decides whether the conversation continues or is handed back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use ring::digest;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::checkpoint::{Checkpoints, StoredRun, StoredToolRun};
use super::context::Context;
use super::outcome::Run;
use super::report::{Report, StoredCounts, ToolRunReport};
use super::spans;
use super::tool_arguments::read_arguments;
use crate::chat::{Chat, Message, Reply, ToolCall, ToolContent, ToolResult};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, MAX_TOOL_ERROR_CHARS, shorten};
use crate::function_name::FunctionName;
use crate::hex::hex;
use crate::json::quoted;
use crate::plan::{
    HandedBackConversation, MAX_CONVERSATION_BYTES, MAX_RESULT_BYTES, Plan, PlannedTool,
    ProgramFunction, RequestForm, Target, ToolPlan, ToolRun, result_text, text_or_ok,
};
use crate::ports::{FunctionCall, PortFuture, Secret, ToolHandler};
use crate::scrub::remove_secrets;
use crate::trace::OpenSpan;

/// Maximum number of tools of one turn that run at the same time.
const MAX_CONCURRENT: usize = 10;
/// Maximum number of calls of one turn that run.
const MAX_CALLS_PER_TURN: usize = 64;
/// Number of turns in a row with the same invalid call after which the request fails.
const MAX_INVALID_CALLS: u32 = 3;

/// Runs tools. The runner of the outer request implements it.
pub(super) trait ToolRunner: Sync {
    /// Runs the request of a tool with a context of its own.
    fn run_nested<'a>(&'a self, context: Context, plan: &'a Plan) -> PortFuture<'a, Run>;

    /// Calls a Lambda function.
    fn call_function<'a>(
        &'a self,
        call: FunctionCall<'a>,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<Bytes, Error>>;

    /// Adds the API keys and credentials of the targets of a nested request to the secrets of the
    /// context, as if they were called.
    fn add_target_secrets<'a>(&'a self, context: &'a Context, plan: &'a Plan)
    -> PortFuture<'a, ()>;

    /// Checks that the API keys of targets can be read. Each target is listed with its place in the
    /// request.
    fn check_keys<'a>(
        &'a self,
        context: &'a mut Context,
        targets: Vec<(String, &'a Target)>,
    ) -> PortFuture<'a, Result<(), Error>>;

    /// Returns the credentials that sign the calls of Lambda functions.
    fn function_secrets(&self) -> PortFuture<'_, Vec<Secret>>;
}

/// The step after a turn with calls.
pub(super) enum NextStep {
    /// The message with the results is sent to the model.
    Continue(Message),
    /// Some calls are handed back to the caller.
    HandBack {
        /// The calls, as the caller receives them.
        calls: Vec<Value>,
        /// The results of the other calls.
        results: Vec<ToolResult>,
    },
}

/// The state of a conversation with tools.
pub(super) struct ToolLoop<'a> {
    pub(super) plan: &'a ToolPlan,
    runner: &'a dyn ToolRunner,
    /// The id of the conversation, from which the ids of its calls are derived.
    run_id: String,
    /// The number of turns of the model.
    turns: u32,
    longest_turn: Duration,
    /// The calls of the last turn that were invalid, and the number of turns in a row that had one
    /// of them.
    invalid: Vec<(ToolCall, u32)>,
    /// The failed runs of the last turn that are not stored yet.
    unstored: Vec<(String, StoredToolRun)>,
}

/// A call that passed the checks, or the error that the model receives.
enum CheckedCall<'a> {
    Rejected(String),
    /// The call is valid, but does not run in this turn.
    Deferred(String),
    HandBack(Map<String, Value>),
    Run(PlannedRun<'a>),
}

impl CheckedCall<'_> {
    /// Returns whether the tool of the call runs here.
    fn runs(&self) -> bool {
        matches!(self, CheckedCall::Run(_))
    }
}

/// A call of a tool that runs here.
struct PlannedRun<'a> {
    tool: &'a PlannedTool,
    arguments: Map<String, Value>,
    executor: ToolExecutor<'a>,
}

/// The part of the program that runs a tool.
enum ToolExecutor<'a> {
    Request(&'a Plan),
    Function(&'a FunctionName),
    /// The handler of tools that have no `run`.
    Handler(Arc<dyn ToolHandler>),
    Program(&'a ProgramFunction),
}

/// The result of a run of a tool.
struct FinishedRun {
    /// The result for the model, or the error. It can contain secrets.
    outcome: Result<String, String>,
    duration: Duration,
    /// The report of the request that ran, if the tool is a request.
    nested: Report,
    /// The name and the content of the entry, if it is not stored yet.
    unstored: Option<(String, StoredToolRun)>,
    /// The span of the run, if it is traced.
    span: Option<Box<OpenSpan>>,
}

impl FinishedRun {
    /// Returns the entry, without the secrets that are known so far. They are removed again when
    /// the entry is used.
    fn to_stored(&self, context: &Context, call: &ToolCall) -> StoredToolRun {
        let outcome = scrub_outcome(self.outcome.clone(), &context.secrets());
        let (duration, counts) = (self.duration, StoredCounts::of(&self.nested));
        let run = StoredRun { outcome, duration, counts };
        StoredToolRun { call: StoredToolRun::hash(call), run }
    }
}

/// The event that a Lambda function receives.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FunctionEvent<'a> {
    arguments: &'a Map<String, Value>,
    tool_call: EventCall<'a>,
}

/// The call in an event.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventCall<'a> {
    id: &'a str,
    name: &'a str,
    idempotency_key: String,
}

impl<'a> ToolLoop<'a> {
    pub(super) fn new(plan: &'a ToolPlan, runner: &'a dyn ToolRunner) -> Self {
        let turns = plan.continued.as_ref().map_or(0, |continued| continued.turns);
        let (longest_turn, invalid) = (Duration::ZERO, Vec::new());
        let run_id = match &plan.continued {
            Some(continued) => continued.run_id.clone(),
            None => format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)),
        };
        let unstored = Vec::new();
        ToolLoop { plan, runner, run_id, turns, longest_turn, invalid, unstored }
    }

    /// Sets the id of the conversation to one that is the same when the run is repeated.
    pub(super) fn set_run_id(&mut self, id: String) {
        self.run_id = id;
    }

    /// Records a turn of the model, which took `duration`. Repairs do not count as turns.
    pub(super) fn add_turn(&mut self, duration: Duration, is_repair: bool) {
        self.turns += u32::from(!is_repair);
        self.longest_turn = self.longest_turn.max(duration);
    }

    /// Returns the number of turns of the model.
    pub(super) fn turns(&self) -> u32 {
        self.turns
    }

    /// Returns whether the model has completed a turn. From then on, the messages do not change.
    pub(super) fn has_turns(&self) -> bool {
        self.turns > 0
    }

    /// Checks the calls of a reply and runs those tools that run here. `messages` are those of the
    /// conversation before the reply.
    ///
    /// # Errors
    /// `LimitExceeded` if the conversation has too many turns or is too large, `ToolFailed` if a
    /// failed tool ends the request, and `Timeout` if too little time is left for the next turn.
    pub(super) async fn run_calls(
        &mut self,
        context: &mut Context,
        messages: &[Message],
        reply: &Reply,
    ) -> Result<NextStep, Error> {
        let calls: Vec<&ToolCall> = reply.tool_calls().collect();
        if self.turns >= self.plan.max_turns {
            let max = self.plan.max_turns;
            let text = format!("the model still calls tools after {max} turns, which is maxTurns");
            return Err(Error::new(ErrorKind::LimitExceeded, text));
        }
        let checked = calls.iter().enumerate();
        let checked: Vec<CheckedCall<'a>> =
            checked.map(|(index, call)| self.check_call(context, index, call)).collect();
        self.count_invalid(&calls, &checked)?;
        let hands_back = checked.iter().any(|call| matches!(call, CheckedCall::HandBack(_)));
        if !hands_back {
            self.check_time_left(context)?;
        }
        let runs = checked.iter().filter(|call| call.runs()).count();
        context.add_tool_calls(runs)?;
        if let Some(events) = &context.events {
            for (call, _) in calls.iter().zip(&checked).filter(|(_, it)| it.runs()) {
                Box::pin(events.send_call(self.turns, call)).await;
            }
        }
        let finished = self.run_tools(context, &calls, &checked).await;
        let mut results = Vec::new();
        let next = self.collect(context, &calls, checked, finished, &mut results);
        if let Some(events) = &context.events {
            for (id, run) in results {
                Box::pin(events.send_result(id, run)).await;
            }
        }
        let next = next?;
        check_conversation_size(messages, reply, &next)?;
        if let NextStep::Continue(_) = next {
            self.check_time_left(context)?;
        }
        Ok(next)
    }

    /// Checks that the next turn is likely to end before the deadline, because a turn is billed
    /// even if its reply is too late.
    ///
    /// # Errors
    /// `Timeout` if less time is left than the longest turn took.
    fn check_time_left(&self, context: &Context) -> Result<(), Error> {
        context.check_time_left(self.longest_turn, ("conversation", "turn"))
    }

    fn check_call(&self, context: &Context, index: usize, call: &ToolCall) -> CheckedCall<'a> {
        if index >= MAX_CALLS_PER_TURN {
            let text = format!("a turn may have at most {MAX_CALLS_PER_TURN} calls; call it again");
            return CheckedCall::Deferred(text);
        }
        if index > 0 && !self.plan.parallel {
            let text = "only one call per turn is allowed; call the tool again in the next turn";
            return CheckedCall::Deferred(text.to_owned());
        }
        let Some(tool) = self.plan.find(&call.name) else {
            let names: Vec<&str> = self.plan.tools.iter().map(|known| &*known.tool.name).collect();
            let name = quoted(&shorten(&call.name, 64));
            let text = format!("there is no tool {name}; the tools are {}", names.join(", "));
            return CheckedCall::Rejected(text);
        };
        match read_arguments(call, &tool.arguments, tool.convert) {
            Err(text) => CheckedCall::Rejected(text),
            Ok(arguments) => {
                let executor = match &tool.run {
                    ToolRun::Request(plan) => ToolExecutor::Request(plan),
                    ToolRun::Function(function) => ToolExecutor::Function(function),
                    ToolRun::Program(function) => ToolExecutor::Program(function),
                    ToolRun::ByCaller => match context.handler_of(&call.name) {
                        Some(handler) => ToolExecutor::Handler(Arc::clone(handler)),
                        None => return CheckedCall::HandBack(arguments),
                    },
                };
                CheckedCall::Run(PlannedRun { tool, arguments, executor })
            }
        }
    }

    /// Counts the turns in a row that contain the same invalid call.
    ///
    /// # Errors
    /// `ToolFailed` after [`MAX_INVALID_CALLS`] of them, because the model does not correct it.
    fn count_invalid(
        &mut self,
        calls: &[&ToolCall],
        checked: &[CheckedCall<'_>],
    ) -> Result<(), Error> {
        let mut invalid = Vec::new();
        for (call, checked) in calls.iter().zip(checked) {
            let CheckedCall::Rejected(reason) = checked else { continue };
            let is_same = |earlier: &ToolCall| {
                earlier.name == call.name && earlier.arguments == call.arguments
            };
            let earlier = self.invalid.iter().find(|(earlier, _)| is_same(earlier));
            let count = earlier.map_or(0, |(_, count)| *count) + 1;
            if count >= MAX_INVALID_CALLS {
                let name = quoted(&shorten(&call.name, 64));
                let logged = format!("the model repeated an invalid call of the tool {name}");
                let text = format!("{logged} {count} times: {reason}");
                return Err(Error::new(ErrorKind::ToolFailed, text).logged_as(logged));
            }
            invalid.push(((*call).clone(), count));
        }
        self.invalid = invalid;
        Ok(())
    }

    /// Runs the tools of a turn, several at a time. Returns the results of the runs in the order of
    /// the calls.
    async fn run_tools(
        &self,
        context: &Context,
        calls: &[&ToolCall],
        checked: &[CheckedCall<'a>],
    ) -> Vec<Option<Result<FinishedRun, Error>>> {
        if let ([call], [checked]) = (calls, checked) {
            // A stream would poll the run twice.
            return vec![self.run_tool(context, (0, call), checked).await];
        }
        let runs = calls.iter().zip(checked).enumerate();
        let runs =
            runs.map(|(index, (call, checked))| self.run_tool(context, (index, call), checked));
        // The compiler can't show that a closure which returns unboxed futures is `Send`.
        let runs: Vec<PortFuture<'_, Option<Result<FinishedRun, Error>>>> = runs.collect();
        stream::iter(runs).buffered(MAX_CONCURRENT).collect().await
    }

    /// Runs the tool of a call, if it runs here. An error means that the result of an earlier run
    /// can't be read.
    fn run_tool<'s>(
        &'s self,
        context: &'s Context,
        (index, call): (usize, &'s ToolCall),
        checked: &'s CheckedCall<'a>,
    ) -> PortFuture<'s, Option<Result<FinishedRun, Error>>> {
        Box::pin(async move {
            let CheckedCall::Run(run) = checked else { return None };
            let name = format!("call-{}-{index}", self.turns);
            match self.load_run(context, &name, (call, run)).await {
                Ok(None) => {}
                Ok(Some(finished)) => return Some(Ok(finished)),
                Err(error) => return Some(Err(error)),
            }
            let started = Instant::now();
            let mut span = spans::start_tool(context, call, self.turns);
            let place = (&*name, span.as_deref());
            let (outcome, nested) = self.execute(context, place, (index, call), run).await;
            let duration = started.elapsed();
            if let Some(span) = &mut span {
                span.stop_clock();
            }
            let error = outcome.as_ref().err().map(Error::kind);
            let outcome = outcome.map_err(|error| {
                let text = format!("{}: {}", error.kind(), error.message());
                shorten(&text, MAX_TOOL_ERROR_CHARS)
            });
            let outcome = outcome.and_then(check_size);
            let mut finished = FinishedRun { outcome, duration, nested, unstored: None, span };
            finished.nested.lacked_time |= error == Some(ErrorKind::Timeout);
            if let Some(checkpoints) = &context.checkpoints {
                let run = finished.to_stored(context, call);
                let may_end_run =
                    self.plan.ends_on_tool_error || error.is_some_and(ErrorKind::retryable);
                if finished.outcome.is_err() && may_end_run {
                    finished.unstored = Some((name, run));
                } else {
                    let warning = checkpoints.store(&name, &run, context.store_deadline).await;
                    finished.nested.add_warnings(Vec::from_iter(warning));
                }
            }
            Some(Ok(finished))
        })
    }

    /// Runs a tool to its end. Returns its result, and the report of the request that ran, if the
    /// tool is a request.
    async fn execute(
        &self,
        context: &Context,
        place: (&str, Option<&OpenSpan>),
        (index, call): (usize, &ToolCall),
        run: &PlannedRun<'a>,
    ) -> (Result<String, Error>, Report) {
        let PlannedRun { tool, arguments, executor } = run;
        let rest = context.deadline.left().saturating_sub(self.longest_turn);
        let limit = tool.timeout.map_or(rest, |timeout| timeout.min(rest));
        let deadline = context.deadline.within(Some(limit));
        if rest.is_zero() {
            let error = Error::new(ErrorKind::Timeout, "not started: no time left");
            return (Err(error), Report::default());
        }
        match executor {
            ToolExecutor::Request(plan) => {
                let run = self.run_request(context, place, (tool, plan, arguments), deadline).await;
                let outcome = run.outcome.map(|result| match result {
                    Value::Null => text_or_ok(String::new()),
                    result => result_text(result),
                });
                (outcome, run.report)
            }
            ToolExecutor::Function(function) => {
                let event = self.function_event(index, call, arguments);
                let trace_id = context.caller.trace_id.as_deref();
                let call = FunctionCall { function, event: &event, trace_id };
                let response = self.runner.call_function(call, deadline).await;
                context.add_secrets(&self.runner.function_secrets().await);
                (response.and_then(|body| response_text(&body)), Report::default())
            }
            ToolExecutor::Handler(handler) => {
                let called = handler.call(&call.name, Value::Object(arguments.clone()));
                (wait_for_program(called, deadline).await, Report::default())
            }
            ToolExecutor::Program(function) => {
                let called = function.call(arguments.clone());
                (wait_for_program(called, deadline).await, Report::default())
            }
        }
    }

    /// Returns the result of a call that ran in an earlier run of the request. It is used only if
    /// it belongs to the same call.
    async fn load_run(
        &self,
        context: &Context,
        name: &str,
        (call, run): (&ToolCall, &PlannedRun<'a>),
    ) -> Result<Option<FinishedRun>, Error> {
        let Some(checkpoints) = &context.checkpoints else { return Ok(None) };
        let stored: Option<StoredToolRun> = checkpoints.load(name, context.deadline).await?;
        let Some(stored) = stored.filter(|stored| stored.call == StoredToolRun::hash(call)) else {
            return Ok(None);
        };
        // The results of other tools may quote the secrets that this one used.
        match run.executor {
            ToolExecutor::Request(plan) => self.runner.add_target_secrets(context, plan).await,
            ToolExecutor::Function(_) => {
                context.add_secrets(&self.runner.function_secrets().await);
            }
            ToolExecutor::Handler(_) | ToolExecutor::Program(_) => {}
        }
        let StoredRun { outcome, duration, counts } = stored.run;
        context.count_restored(&counts);
        let mut nested = Report::default();
        nested.restore_stored(counts);
        Ok(Some(FinishedRun { outcome, duration, nested, unstored: None, span: None }))
    }

    /// Stores those failures of tools that could have ended the run. Now the model has replied to
    /// them, so a repeat must not run these tools again.
    pub(super) async fn store_failed_runs(
        &mut self,
        context: &mut Context,
        checkpoints: &Checkpoints,
    ) {
        for (name, run) in std::mem::take(&mut self.unstored) {
            let warning = checkpoints.store(&name, &run, context.store_deadline).await;
            context.report.add_warnings(Vec::from_iter(warning));
        }
    }

    /// Runs the request of a tool. Its `data` are the declared arguments, and the values that its
    /// author wrote.
    async fn run_request(
        &self,
        context: &Context,
        (name, span): (&str, Option<&OpenSpan>),
        (tool, plan, arguments): (&PlannedTool, &Plan, &Map<String, Value>),
        deadline: Deadline,
    ) -> Run {
        let mut plan = plan.clone();
        let declared = tool.arguments.declared_properties();
        for (name, value) in arguments {
            if declared.contains(name) && !plan.data.contains_key(name) {
                Arc::make_mut(&mut plan.data).insert(name.clone(), value.clone());
            }
        }
        let mut nested = context.nested(name, deadline);
        nested.trace = span.map(OpenSpan::scope);
        self.runner.run_nested(nested, &plan).await
    }

    /// Returns the event that a Lambda function receives.
    fn function_event(
        &self,
        index: usize,
        call: &ToolCall,
        arguments: &Map<String, Value>,
    ) -> Vec<u8> {
        let (turn, index) = (self.turns.to_string(), index.to_string());
        let key = [&*self.run_id, &turn, &index, &call.name, &call.arguments].join("\n");
        let hash = digest::digest(&digest::SHA256, key.as_bytes());
        let idempotency_key = hex(hash.as_ref());
        let tool_call = EventCall { id: &call.id, name: &call.name, idempotency_key };
        // Serializing values of these types does not fail.
        serde_json::to_vec(&FunctionEvent { arguments, tool_call }).unwrap_or_default()
    }

    /// Adds a run of a tool to the report, and reports it to the observer. Returns the run if it is
    /// an event of a stream.
    fn report_run(
        &self,
        context: &mut Context,
        call: &ToolCall,
        outcome: &Result<String, String>,
        duration: Duration,
    ) -> Option<ToolRunReport> {
        let has_texts = context.report.full || context.observer.is_some();
        let run = ToolRunReport::new(self.turns, call, outcome, duration, has_texts);
        if let Some(observer) = &context.observer {
            observer.on_tool_run(&run);
        }
        context.report.tool_runs.push(run);
        let is_event = context.events.is_some();
        is_event.then(|| ToolRunReport::new(self.turns, call, outcome, duration, true))
    }

    /// Adds the results of the runs to the report, and decides how the conversation continues. Adds
    /// the runs with the ids of their calls to `events` if the run is streamed.
    fn collect(
        &mut self,
        context: &mut Context,
        calls: &[&ToolCall],
        checked: Vec<CheckedCall<'a>>,
        finished: Vec<Option<Result<FinishedRun, Error>>>,
        events: &mut Vec<(String, ToolRunReport)>,
    ) -> Result<NextStep, Error> {
        let (mut handed_back, mut results) = (Vec::new(), Vec::new());
        let mut failed = None;
        let mut unreadable = None;
        let secrets = context.secrets();
        for ((call, checked), finished) in calls.iter().zip(checked).zip(finished) {
            let outcome = match (checked, finished) {
                (CheckedCall::HandBack(arguments), _) => {
                    let ToolCall { id, name, .. } = call;
                    handed_back.push(json!({ "id": id, "name": name, "arguments": arguments }));
                    continue;
                }
                (CheckedCall::Rejected(reason) | CheckedCall::Deferred(reason), _) => Err(reason),
                (CheckedCall::Run(..), None) => continue,
                (CheckedCall::Run(..), Some(Err(error))) => {
                    unreadable.get_or_insert(error);
                    continue;
                }
                (CheckedCall::Run(..), Some(Ok(finished))) => {
                    let FinishedRun { outcome, duration, nested, unstored, span } = finished;
                    // The result can contain a secret of another tool of this turn.
                    let outcome = scrub_outcome(outcome, &secrets);
                    spans::end_tool(span, call, &outcome, &secrets);
                    self.unstored.extend(unstored);
                    context.report.add_nested(&format!("tool {}", call.name), nested);
                    let event = self.report_run(context, call, &outcome, duration);
                    events.extend(event.map(|run| (call.id.clone(), run)));
                    if let (Err(reason), None) = (&outcome, &failed) {
                        failed = Some((call.name.clone(), reason.clone()));
                    }
                    outcome
                }
            };
            let result = match outcome {
                Ok(text) => ToolResult::new(call, ToolContent::Text(text)),
                Err(reason) => ToolResult::error(call, reason),
            };
            results.push(result);
        }
        if let Some(error) = unreadable {
            return Err(error);
        }
        if let (true, Some((name, reason))) = (self.plan.ends_on_tool_error, failed) {
            let logged = format!("the tool {} failed", quoted(&name));
            let text = format!("{logged}: {reason}");
            return Err(Error::new(ErrorKind::ToolFailed, text).logged_as(logged));
        }
        Ok(match handed_back.is_empty() {
            true => NextStep::Continue(Message::tool_results(results)),
            false => NextStep::HandBack { calls: handed_back, results },
        })
    }

    /// Returns the result of a request whose conversation is handed back. The turn with the calls
    /// is the last message of the chat.
    pub(super) fn hand_back(
        &self,
        (target, form): (&Target, RequestForm),
        chat: &Chat,
        reply: &Reply,
        calls: Vec<Value>,
        results: Vec<ToolResult>,
    ) -> Value {
        let target = (target.provider.name(), &*target.model, form);
        let messages = chat.messages.clone();
        let run = (&*self.run_id, self.turns);
        let conversation =
            HandedBackConversation::new(target, &self.plan.digest, run, messages, results);
        json!({
            "status": "toolCalls",
            "toolCalls": calls,
            "text": reply.text(),
            "conversation": conversation,
        })
    }
}

/// Checks the size of a conversation with a turn and the results of its calls.
///
/// # Errors
/// `LimitExceeded` if the conversation could not be continued if it were handed back.
fn check_conversation_size(
    messages: &[Message],
    reply: &Reply,
    next: &NextStep,
) -> Result<(), Error> {
    let results = match next {
        NextStep::Continue(results) => results.bytes(),
        NextStep::HandBack { results, .. } => Message::tool_results(results.clone()).bytes(),
    };
    let earlier: usize = messages.iter().map(Message::bytes).sum();
    if earlier + reply.to_message().bytes() + results <= MAX_CONVERSATION_BYTES {
        return Ok(());
    }
    let max = MAX_CONVERSATION_BYTES;
    let text = format!("the conversation with its prompt exceeds {max} bytes, which is the limit");
    Err(Error::new(ErrorKind::LimitExceeded, text))
}

/// Waits for a tool of the program, at most until the deadline. Returns the text of its result.
async fn wait_for_program(
    called: PortFuture<'_, Result<Value, String>>,
    deadline: Deadline,
) -> Result<String, Error> {
    match tokio::time::timeout_at(deadline.instant().into(), called).await {
        Ok(Ok(value)) => Ok(result_text(value)),
        Ok(Err(reason)) => {
            Err(Error::new(ErrorKind::ToolFailed, reason).logged_as("the tool failed"))
        }
        Err(_) => {
            let text = "the tool did not end in time; it may have had an effect anyway";
            Err(Error::new(ErrorKind::Timeout, text))
        }
    }
}

/// Returns the text of the response of a Lambda function: a string as it is, other JSON as the
/// function wrote it, and null as an empty result.
fn response_text(body: &[u8]) -> Result<String, Error> {
    let text = std::str::from_utf8(body).map_err(|_| {
        Error::new(ErrorKind::ToolFailed, "the response of the function is not valid UTF-8")
    })?;
    // A function without a result sends null.
    let text = match serde_json::from_str::<Option<String>>(text) {
        Ok(string) => string.unwrap_or_default(),
        Err(_) => text.trim().to_owned(),
    };
    Ok(text_or_ok(text))
}

/// Checks the size of a result.
fn check_size(text: String) -> Result<String, String> {
    let (size, max) = (text.len(), MAX_RESULT_BYTES);
    if size > max {
        return Err(format!("the result has {size} bytes; expected at most {max}"));
    }
    Ok(text)
}

/// Removes the secrets that the request and its tools used.
fn scrub_outcome(outcome: Result<String, String>, secrets: &[Secret]) -> Result<String, String> {
    let secrets: Vec<&str> = secrets.iter().map(Secret::expose).collect();
    match outcome {
        Ok(text) => Ok(remove_secrets(text, &secrets)),
        Err(reason) => Err(remove_secrets(reason, &secrets)),
    }
}
