//! The loop of a conversation with tools: checks the calls of a turn, runs the tools that run here,
//! and decides whether the conversation continues or is handed back.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use ring::digest;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::checkpoint::{Checkpoints, StoredRun};
use super::context::Context;
use super::outcome::Run;
use super::report::{Report, StoredCounts, ToolRunReport};
use super::tool_arguments::read_arguments;
use crate::chat::{Chat, Message, Reply, ToolCall, ToolContent, ToolResult};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, MAX_TOOL_ERROR_CHARS, shorten};
use crate::hex::hex;
use crate::json::quoted;
use crate::plan::{
    HandedBackConversation, MAX_CONVERSATION_BYTES, MAX_RESULT_BYTES, Plan, PlannedTool, Target,
    ToolPlan, ToolRun, result_text, text_or_ok,
};
use crate::ports::{FunctionCall, PortFuture, Secret};
use crate::scrub::remove_secrets;

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

    /// Returns the credentials that sign the calls of Lambda functions.
    fn function_secrets(&self) -> PortFuture<'_, Vec<Secret>>;
}

/// What follows a turn with calls.
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
}

/// A call that passed the checks, or the error that the model receives.
enum CheckedCall<'a> {
    Rejected(String),
    /// The call is valid, but does not run in this turn.
    Deferred(String),
    HandBack(Map<String, Value>),
    Run(&'a PlannedTool, Map<String, Value>),
}

/// The outcome of one run of a tool.
struct FinishedRun {
    /// The result for the model, or the error.
    outcome: Result<String, String>,
    /// The number of known secrets that were removed from the outcome.
    removed_secrets: usize,
    /// The report of the run itself.
    run: ToolRunReport,
    /// The report of the request that ran, if the tool is a request.
    nested: Report,
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
        ToolLoop { plan, runner, run_id, turns, longest_turn, invalid }
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
        let runs = checked.iter().filter(|call| matches!(call, CheckedCall::Run(..))).count();
        context.add_tool_calls(runs)?;
        let finished = self.run_tools(context, &calls, &checked).await?;
        let next = self.collect(context, &calls, checked, finished)?;
        check_size(messages, reply, &next)?;
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
        let (left, longest) = (context.deadline.left(), self.longest_turn);
        if left >= longest {
            return Ok(());
        }
        let text = format!(
            "the conversation stopped before the next turn: {} ms are left, and the longest turn \
             so far took {} ms",
            left.as_millis(),
            longest.as_millis()
        );
        Err(Error::new(ErrorKind::Timeout, text))
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
            Ok(arguments) => match &tool.run {
                ToolRun::ByCaller if context.handler_of(&call.name).is_none() => {
                    CheckedCall::HandBack(arguments)
                }
                _ => CheckedCall::Run(tool, arguments),
            },
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

    /// Runs the tools of a turn, several at a time. Returns the outcomes in the order of the
    /// calls, in which they are also reported to the observer.
    async fn run_tools(
        &self,
        context: &Context,
        calls: &[&ToolCall],
        checked: &[CheckedCall<'a>],
    ) -> Result<Vec<Option<FinishedRun>>, Error> {
        let report = |finished: &Result<Option<FinishedRun>, Error>| {
            if let (Some(observer), Ok(Some(finished))) = (&context.observer, finished) {
                observer.on_tool_run(&finished.run);
            }
        };
        if let ([call], [checked]) = (calls, checked) {
            // A stream would poll the run twice.
            let finished = self.run_tool(context, (0, call), checked).await;
            report(&finished);
            return Ok(vec![finished?]);
        }
        let runs = calls.iter().zip(checked).enumerate();
        let runs =
            runs.map(|(index, (call, checked))| self.run_tool(context, (index, call), checked));
        // The compiler can't show that a closure which returns unboxed futures is `Send`.
        let runs: Vec<PortFuture<'_, Result<Option<FinishedRun>, Error>>> = runs.collect();
        let runs = stream::iter(runs).buffered(MAX_CONCURRENT);
        let finished: Vec<_> = runs.inspect(report).collect().await;
        finished.into_iter().collect()
    }

    /// Runs the tool of a call, if it runs here.
    fn run_tool<'s>(
        &'s self,
        context: &'s Context,
        (index, call): (usize, &'s ToolCall),
        checked: &'s CheckedCall<'a>,
    ) -> PortFuture<'s, Result<Option<FinishedRun>, Error>> {
        Box::pin(async move {
            let CheckedCall::Run(tool, arguments) = checked else { return Ok(None) };
            let name = format!("call-{}-{index}", self.turns);
            if let Some(finished) = self.load_run(context, &name, call).await? {
                return Ok(Some(finished));
            }
            let rest = context.deadline.left().saturating_sub(self.longest_turn);
            let limit = tool.timeout.map_or(rest, |timeout| timeout.min(rest));
            let deadline = context.deadline.within(Some(limit));
            let started = Instant::now();
            let (outcome, nested) = match &tool.run {
                _ if rest.is_zero() => {
                    let error = Error::new(ErrorKind::Timeout, "not started: no time left");
                    (Err(error), Report::default())
                }
                ToolRun::Request(plan) => {
                    let run =
                        self.run_request(context, &name, (tool, plan, arguments), deadline).await;
                    let outcome = run.outcome.map(|result| match result {
                        Value::Null => text_or_ok(String::new()),
                        result => result_text(result),
                    });
                    (outcome, run.report)
                }
                ToolRun::Function(function) => {
                    let event = self.function_event(index, call, arguments);
                    let trace_id = context.caller.trace_id.as_deref();
                    let call = FunctionCall { function, event: &event, trace_id };
                    let response = self.runner.call_function(call, deadline).await;
                    context.add_secrets(&self.runner.function_secrets().await);
                    (response.and_then(|body| response_text(&body)), Report::default())
                }
                ToolRun::ByCaller => {
                    let Some(handler) = context.handler_of(&call.name) else { return Ok(None) };
                    let arguments = Value::Object(arguments.clone());
                    let called = handler.call(&call.name, arguments);
                    (wait_for_program(called, deadline).await, Report::default())
                }
                ToolRun::Program(function) => {
                    let called = function.call(arguments.clone());
                    (wait_for_program(called, deadline).await, Report::default())
                }
            };
            let duration = started.elapsed();
            let outcome = outcome.map_err(|error| {
                let text = format!("{}: {}", error.kind(), error.message());
                shorten(&text, MAX_TOOL_ERROR_CHARS)
            });
            let known = context.secrets();
            let known: Vec<&str> = known.iter().map(Secret::expose).collect();
            let outcome = check_outcome(outcome, &known);
            let run = self.report_run(context, call, &outcome, duration);
            let removed_secrets = known.len();
            let mut finished = FinishedRun { outcome, removed_secrets, run, nested };
            // A run that lacked time runs again when the request is repeated.
            let has_time = deadline.left() > Duration::ZERO || limit < rest;
            if let Some(checkpoints) = context.checkpoints.as_ref().filter(|_| has_time) {
                store_run(context, checkpoints, &name, &mut finished).await;
            }
            Ok(Some(finished))
        })
    }

    /// Returns the report of a run of a tool.
    fn report_run(
        &self,
        context: &Context,
        call: &ToolCall,
        outcome: &Result<String, String>,
        duration: Duration,
    ) -> ToolRunReport {
        let has_texts = context.report.full || context.observer.is_some();
        ToolRunReport::new(self.turns, call, outcome, duration, has_texts)
    }

    /// Returns the outcome of a call that ran in an earlier run of the request.
    async fn load_run(
        &self,
        context: &Context,
        name: &str,
        call: &ToolCall,
    ) -> Result<Option<FinishedRun>, Error> {
        let Some(checkpoints) = &context.checkpoints else { return Ok(None) };
        let stored: Option<StoredRun<Result<String, String>>> =
            checkpoints.load(name, context.deadline).await?;
        Ok(stored.map(|StoredRun { outcome, duration, counts }| {
            context.count_restored(&counts);
            let mut nested = Report::default();
            nested.restore(counts);
            let run = self.report_run(context, call, &outcome, duration);
            FinishedRun { outcome, removed_secrets: 0, run, nested }
        }))
    }

    /// Runs the request of a tool. Its `data` are the declared arguments, and the values that its
    /// author wrote.
    async fn run_request(
        &self,
        context: &Context,
        name: &str,
        (tool, plan, arguments): (&PlannedTool, &Plan, &Map<String, Value>),
        deadline: Deadline,
    ) -> Run {
        let mut plan = plan.clone();
        let declared = tool.arguments.declared_properties();
        for (name, value) in arguments {
            if declared.contains(name) && !plan.data.contains_key(name) {
                plan.data.insert(name.clone(), value.clone());
            }
        }
        let nested = context.nested(name, deadline);
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

    /// Adds the outcomes of the runs to the report, and decides how the conversation continues.
    fn collect(
        &mut self,
        context: &mut Context,
        calls: &[&ToolCall],
        checked: Vec<CheckedCall<'a>>,
        finished: Vec<Option<FinishedRun>>,
    ) -> Result<NextStep, Error> {
        let (mut handed_back, mut results) = (Vec::new(), Vec::new());
        let mut failed = None;
        let secrets = context.secrets();
        let secrets: Vec<&str> = secrets.iter().map(Secret::expose).collect();
        for ((call, checked), finished) in calls.iter().zip(checked).zip(finished) {
            let outcome = match (checked, finished) {
                (CheckedCall::HandBack(arguments), _) => {
                    let ToolCall { id, name, .. } = call;
                    handed_back.push(json!({ "id": id, "name": name, "arguments": arguments }));
                    continue;
                }
                (CheckedCall::Rejected(reason) | CheckedCall::Deferred(reason), _) => Err(reason),
                (CheckedCall::Run(..), None) => continue,
                (CheckedCall::Run(..), Some(finished)) => {
                    let FinishedRun { mut outcome, removed_secrets, mut run, nested } = finished;
                    // Other tools may have used more secrets in the meantime.
                    if removed_secrets < secrets.len() {
                        outcome = check_outcome(outcome, &secrets);
                        run = self.report_run(context, call, &outcome, run.duration);
                    }
                    context.report.add_nested(&format!("tool {}", call.name), nested);
                    if let (Err(reason), None) = (&outcome, &failed) {
                        failed = Some((call.name.clone(), reason.clone()));
                    }
                    context.report.tool_runs.push(run);
                    outcome
                }
            };
            let result = match outcome {
                Ok(text) => ToolResult::new(call, ToolContent::Text(text)),
                Err(reason) => ToolResult::error(call, reason),
            };
            results.push(result);
        }
        if let (true, Some((name, reason))) = (self.plan.fails, failed) {
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
        target: &Target,
        chat: &Chat,
        reply: &Reply,
        calls: Vec<Value>,
        results: Vec<ToolResult>,
    ) -> Value {
        let target = (target.provider.name(), &*target.model);
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
fn check_size(messages: &[Message], reply: &Reply, next: &NextStep) -> Result<(), Error> {
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

/// Stores the outcome of a run of a tool.
async fn store_run(
    context: &Context,
    checkpoints: &Checkpoints,
    name: &str,
    finished: &mut FinishedRun,
) {
    let stored = StoredRun {
        outcome: &finished.outcome,
        duration: finished.run.duration,
        counts: StoredCounts::of(&finished.nested),
    };
    let warning = checkpoints.store(name, &stored, context.run_deadline).await;
    finished.nested.add_warnings(Vec::from_iter(warning));
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

/// Checks the size of a result, and removes the secrets that the request and its tools used.
fn check_outcome(outcome: Result<String, String>, secrets: &[&str]) -> Result<String, String> {
    let text = outcome.map_err(|reason| remove_secrets(reason, secrets))?;
    let (size, max) = (text.len(), MAX_RESULT_BYTES);
    if size > max {
        return Err(format!("the result has {size} bytes; expected at most {max}"));
    }
    Ok(remove_secrets(text, secrets))
}
