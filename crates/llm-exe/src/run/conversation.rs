//! A talk with one provider: its question, made before anybody is asked, and its answers.

use std::time::Instant;

use serde_json::Value;

use super::check_reply::{self, Verdict};
use super::{Executor, Report, schema_prompt};
use crate::chat::{Chat, Message, Role, Structure};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Problem};
use crate::plan::{Plan, Target};
use crate::providers::{BuiltRequest, Dialect, Endpoint};
use crate::wire::WireRequest;

/// The name under which a schema is sent.
const SCHEMA_NAME: &str = "answer";

/// A question that can be asked.
pub(super) struct Conversation<'a> {
    pub(super) target: &'a Target,
    pub(super) request: WireRequest,
    pub(super) warnings: Vec<String>,
    chat: Chat,
    endpoint: Endpoint,
}

/// Says of a failure whom it was with.
pub(super) fn in_context(target: &Target, error: Error) -> Error {
    match error.kind() {
        ErrorKind::InvalidRequest | ErrorKind::PromptInvalid => error,
        _ => error.in_context(&format!("{} {}", target.provider.name, target.model)),
    }
}

impl Executor {
    /// The questions for the request's provider and its fallbacks, in order. What one of them
    /// can't be asked is known before anything is paid for.
    pub(super) fn talks<'a>(
        &self,
        plan: &'a Plan,
        messages: Vec<Message>,
    ) -> Result<Vec<Conversation<'a>>, Error> {
        let Some((last, before)) = plan.fallbacks.split_last() else {
            return Ok(vec![self.prepared(plan, &plan.target, messages)?]);
        };
        let mut talks = vec![self.prepared(plan, &plan.target, messages.clone())?];
        for (index, target) in before.iter().enumerate() {
            let talk = self.prepared(plan, target, messages.clone());
            talks.push(talk.map_err(|error| of_fallback(&error, index))?);
        }
        let talk = self.prepared(plan, last, messages);
        talks.push(talk.map_err(|error| of_fallback(&error, before.len()))?);
        Ok(talks)
    }

    fn prepared<'a>(
        &self,
        plan: &Plan,
        target: &'a Target,
        mut messages: Vec<Message>,
    ) -> Result<Conversation<'a>, Error> {
        let dialect = target.provider.dialect;
        let structure = match plan.output.told_schema() {
            Some(schema) => dialect.structure(&target.model, SCHEMA_NAME, schema),
            None => Structure::Free,
        };
        if let Some(schema) = plan.output.told_schema()
            && matches!(structure, Structure::JsonMode | Structure::PromptOnly)
        {
            schema_prompt::add_schema(&mut messages, schema);
        }
        seat_lone_system(&mut messages, dialect);
        let sampling = target.sampling.clone();
        let chat = Chat { model: target.model.clone(), messages, sampling, structure };
        let endpoint = self.endpoints.of(target.provider);
        let BuiltRequest { request, warnings } = dialect.wire_request(&endpoint, &chat)?;
        Ok(Conversation { target, request, warnings, chat, endpoint })
    }

    /// Asks, reads the answer, and asks again where it does not fit.
    pub(super) async fn talk(
        &self,
        plan: &Plan,
        talk: Conversation<'_>,
        deadline: Deadline,
        report: &mut Report,
    ) -> Result<Value, Error> {
        let Conversation { target, mut request, warnings, mut chat, endpoint } = talk;
        report.turn_to(target);
        report.note(warnings);
        let mut repairs = plan.output.repairs;
        loop {
            let started = Instant::now();
            let reply = self.ask(target, &request, deadline, report).await?;
            let fault = match check_reply::judge(plan, &chat.structure, &reply) {
                Verdict::Good(value, warnings) => {
                    report.note(warnings);
                    return Ok(value);
                }
                Verdict::Bad(error) => return Err(error),
                Verdict::Mendable(fault) => fault,
            };
            // Another call is worth its price only where it is likely to end in time.
            if repairs == 0 || deadline.left() < started.elapsed() {
                return Err(fault.into_error(&reply));
            }
            repairs -= 1;
            report.repairs += 1;
            schema_prompt::add_fault(
                &mut chat.messages,
                &fault,
                &plan.output.parser.expected_form(),
            );
            let asked = target.provider.dialect.wire_request(&endpoint, &chat)?;
            report.note(asked.warnings);
            request = asked.request;
        }
    }
}

/// What a fallback can't be asked is the request's fault too, at the fallback's place.
fn of_fallback(error: &Error, index: usize) -> Error {
    let at = format!("fallbacks[{index}]");
    let told = error.problems().iter().map(|problem| Problem {
        path: at.clone(),
        message: problem.to_string(),
        ..problem.clone()
    });
    match told.collect::<Vec<_>>() {
        none if none.is_empty() => error.clone().in_context(&at),
        problems => Error::from_problems(problems),
    }
}

/// A lone system message is the question itself: most dialects want it from the user.
fn seat_lone_system(messages: &mut [Message], dialect: &dyn Dialect) {
    if let [only] = messages
        && only.role == Role::System
        && !dialect.takes_lone_system()
    {
        only.role = Role::User;
    }
}
