//! Calls the targets of a request in order until one of them succeeds.

use serde_json::Value;

use super::call_provider::ProviderClient;
use super::context::Context;
use super::conversation::{Conversation, ConversationStart, name_target};
use super::tool_loop::ToolRunner;
use crate::chat::Message;
use crate::error::{Error, ErrorKind, Problem};
use crate::plan::{Plan, RequestForm, Target};

/// Maximum total size of the prompts for all targets in bytes.
const MAX_PROMPT_BYTES: usize = 48 << 20;

/// The target of a conversation that has started.
pub(super) struct StartedWith<'a> {
    pub(super) provider: &'a str,
    pub(super) model: &'a str,
    pub(super) form: Option<RequestForm>,
}

impl StartedWith<'_> {
    /// Returns the target in a plan. Several targets can have the same provider and model, with
    /// other options. The index can come from the caller, so the provider and the model must match.
    fn find_target<'a>(&self, plan: &'a Plan) -> Option<&'a Target> {
        let (provider, model) = (self.provider, self.model);
        let is_same =
            |target: &&Target| target.provider.name() == provider && target.model == model;
        let mut targets = std::iter::once(&plan.target).chain(&plan.fallbacks);
        let at_index = self.form.and_then(|form| targets.clone().nth(form.target));
        at_index.filter(is_same).or_else(|| targets.find(is_same))
    }
}

/// Builds the first request to every target before any target is called. If the conversation has
/// started, only the target of `start` is called. This detects a target that does not support
/// the messages before any call is billed.
///
/// # Errors
/// `InvalidRequest` with the path of the fallback that does not support the messages.
pub(super) fn prepare<'a>(
    client: &'a ProviderClient,
    plan: &'a Plan,
    (mut messages, start): (Vec<Message>, Option<StartedWith<'_>>),
    is_streamed: bool,
    runner: &'a dyn ToolRunner,
) -> Result<Vec<Conversation<'a>>, Error> {
    if let Some(start) = start {
        // A conversation stays with its provider and model.
        let target = start.find_target(plan).unwrap_or(&plan.target);
        let start = ConversationStart::Started(messages, start.form);
        let conversation = Conversation::new(client, (plan, target), start, is_streamed, runner)?;
        return Ok(vec![conversation]);
    }
    let targets = std::iter::once(&plan.target).chain(&plan.fallbacks);
    let last = plan.fallbacks.len();
    if last > 0 {
        check_size(&messages, last + 1)?;
    }
    let mut conversations = Vec::with_capacity(last + 1);
    for (index, target) in targets.enumerate() {
        // The messages may contain large images, so they are not copied for the last target.
        let messages = if index == last { std::mem::take(&mut messages) } else { messages.clone() };
        let start = ConversationStart::New(messages);
        let conversation = Conversation::new(client, (plan, target), start, is_streamed, runner);
        conversations.push(conversation.map_err(|error| match index.checked_sub(1) {
            None => error,
            Some(fallback) => at_fallback(&error, fallback),
        })?);
    }
    Ok(conversations)
}

/// Returns an error if the copies of a prompt for all targets exceed [`MAX_PROMPT_BYTES`].
fn check_size(messages: &[Message], targets: usize) -> Result<(), Error> {
    let bytes: usize = messages.iter().map(Message::bytes).sum();
    let max = MAX_PROMPT_BYTES / targets;
    if bytes <= max {
        return Ok(());
    }
    let text = format!(
        "expected a prompt of at most {max} bytes for {} fallbacks, got {bytes} bytes",
        targets - 1
    );
    Err(Error::from_problems(vec![Problem::request("fallbacks", text)]))
}

/// Runs the conversations in order until one succeeds. Each conversation gets an equal share of the
/// remaining time. An error states the number of attempts if there were several, because each may
/// have been billed.
pub(super) async fn run(
    context: &mut Context,
    conversations: Vec<Conversation<'_>>,
) -> Result<Value, Error> {
    let outcome = call_in_order(context, conversations).await;
    outcome.map_err(|error| match context.report.attempts {
        0 | 1 => error,
        attempts => error.with_suffix(&format!("; after {attempts} attempts")),
    })
}

async fn call_in_order(
    context: &mut Context,
    mut conversations: Vec<Conversation<'_>>,
) -> Result<Value, Error> {
    let deadline = context.deadline;
    let mut remaining = conversations.len();
    let mut failures = String::new();
    for conversation in &mut conversations {
        let target = conversation.target;
        context.deadline = deadline.share(remaining);
        remaining -= 1;
        let error = match conversation.run(context).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if remaining == 0 {
            return Err(name_target(error, target).with_suffix(&failures));
        }
        let error = if error.kind() == ErrorKind::Timeout && context.deadline.left().is_zero() {
            let text = "the provider did not respond within its share of the remaining time";
            Error::new(ErrorKind::Timeout, text)
        } else {
            error
        };
        // A successful response is usually billed, so no other target is called after one is
        // received.
        if context.report.answered || !another_provider_may_succeed(error.kind()) {
            return Err(name_target(error, target));
        }
        let (provider, model) = (target.provider.name(), &target.model);
        failures.push_str(&format!("; {provider} {model} also failed ({})", error.kind()));
        context.report.add_failed_target(target, error);
    }
    Err(Error::new(ErrorKind::Internal, "the request has no target"))
}

/// Returns the result of a dry run: the request to the first target, with the requests to the
/// fallbacks in its field `fallbacks`.
pub(super) fn dry_run_result(conversations: &[Conversation<'_>]) -> Value {
    let mut requests = conversations.iter().map(|conversation| conversation.request.to_json());
    let mut first = requests.next().unwrap_or_default();
    let fallbacks: Vec<Value> = requests.collect();
    if !fallbacks.is_empty()
        && let Some(fields) = first.as_object_mut()
    {
        fields.insert("fallbacks".to_owned(), Value::Array(fallbacks));
    }
    first
}

/// Returns whether a call to another provider may succeed after this kind of error.
fn another_provider_may_succeed(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ProviderUnavailable | ErrorKind::ProviderRateLimited | ErrorKind::Timeout
    )
}

/// Prefixes an error, or each of its problems, with the path of the fallback that caused it.
fn at_fallback(error: &Error, index: usize) -> Error {
    let path = format!("fallbacks[{index}]");
    if error.problems().is_empty() {
        return error.clone().in_context(&path);
    }
    let problems = error.problems().iter().map(|problem| Problem {
        path: path.clone(),
        message: problem.to_string(),
        ..problem.clone()
    });
    Error::from_problems(problems.collect())
}
