//! The line from a request to its result: validate, render, ask, read, and once more if need be.

mod answer;
mod ask;
mod judge;
mod report;
mod told;

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

pub use answer::Run;
pub use report::{Durations, Report};

use crate::chat::{Chat, Message, Role, Structure};
use crate::deadline::Deadline;
use crate::endpoints::Endpoints;
use crate::error::{Error, ErrorKind};
use crate::job::{Job, Rules};
use crate::ports::Keys;
use crate::prompt::Limits;
use crate::providers::Dialect;
use crate::request::Written;
use crate::transport::Transport;
use judge::Verdict;

/// The name under which a schema is sent.
const SCHEMA_NAME: &str = "answer";

/// Runs requests. One a process: it holds the connections.
#[derive(Clone)]
pub struct Executor {
    endpoints: Endpoints,
    keys: Arc<dyn Keys>,
    rules: Rules,
    transport: Transport,
}

impl std::fmt::Debug for Executor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Executor {
    /// An executor that reaches providers at `endpoints` with `keys`, under the operator's rules.
    pub fn new(endpoints: Endpoints, keys: Arc<dyn Keys>, rules: Rules) -> Self {
        Executor { endpoints, keys, rules, transport: Transport::new() }
    }

    /// The operator's rules.
    pub fn rules(&self) -> Rules {
        self.rules
    }

    /// Runs a request as it came.
    pub async fn run(&self, request: Value, deadline: Deadline) -> Run {
        self.run_written(Written::read(request), deadline).await
    }

    /// Runs a request that was read, or built as a [`Request`](crate::Request).
    pub async fn run_written(&self, written: Written, deadline: Deadline) -> Run {
        let start = Instant::now();
        // What was ignored may be what is missing: it is told beside the problems.
        let warnings = written.warnings.clone();
        match Job::new(written, self.rules) {
            Ok(job) => self.run_job(&job, deadline).await,
            Err(error) => {
                let mut report = Report { warnings, ..Report::default() };
                report.durations.total = start.elapsed();
                Run::bare(Err(error), report)
            }
        }
    }

    /// Runs a validated request.
    pub async fn run_job(&self, job: &Job, deadline: Deadline) -> Run {
        let start = Instant::now();
        let mut report = Report::of(job);
        let outcome = self.result(job, deadline, &mut report).await;
        report.durations.total = start.elapsed();
        let outcome = outcome.map_err(|error| match error.kind() {
            ErrorKind::InvalidRequest | ErrorKind::PromptInvalid => error,
            _ => error.in_context(&format!("{} {}", job.provider.name, job.model)),
        });
        Run::of(job, outcome, report)
    }

    async fn result(
        &self,
        job: &Job,
        deadline: Deadline,
        report: &mut Report,
    ) -> Result<Value, Error> {
        let rendered = job.prompt.render(job, &Limits::default())?;
        report.warnings.extend(rendered.warnings);
        let dialect = job.provider.dialect;
        let structure = match job.output.told_schema() {
            Some(schema) => dialect.structure(&job.model, SCHEMA_NAME, schema),
            None => Structure::Free,
        };
        let mut messages = rendered.messages;
        if let Some(schema) = job.output.told_schema()
            && matches!(structure, Structure::JsonMode | Structure::PromptOnly)
        {
            told::add_schema(&mut messages, schema);
        }
        seat_lone_system(&mut messages, dialect);
        let sampling = job.sampling.clone();
        let mut chat = Chat { model: job.model.clone(), messages, sampling, structure };
        let endpoint = self.endpoints.of(job.provider);
        let mut repairs = job.output.repairs;
        loop {
            let asked = dialect.wire_request(&endpoint, &chat)?;
            report.note(asked.warnings);
            if job.dry_run {
                return Ok(asked.request.shown());
            }
            let started = Instant::now();
            let reply = self.ask(job, &asked.request, deadline, report).await?;
            let fault = match judge::judge(job, &chat.structure, &reply) {
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
            told::add_fault(&mut chat.messages, &fault, &job.output.parser.wanted());
        }
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
