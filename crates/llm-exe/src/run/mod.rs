//! The line from a request to its result: validate, render, ask, read, and once more if need be.

mod call_provider;
mod check_reply;
mod conversation;
mod outcome;
mod report;
mod schema_prompt;

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

pub use outcome::Run;
pub use report::{Durations, PassedOver, Report};

use crate::deadline::Deadline;
use crate::endpoints::Endpoints;
use crate::error::{Error, ErrorKind};
use crate::hosted::{self, Resolved};
use crate::plan::{Plan, RenderedChat, Rules, check_origins};
use crate::ports::{DocumentStore, Keys, NoSigner, Signer};
use crate::prompt::Limits;
use crate::request::{ParsedRequest, Request};
use crate::transport::{HttpClient, Transport};
use conversation::{Conversation, in_context};

/// Runs requests. One a process: it holds the connections.
#[derive(Clone)]
pub struct Executor {
    endpoints: Endpoints,
    keys: Arc<dyn Keys>,
    rules: Rules,
    transport: Transport,
    documents: Option<Arc<dyn DocumentStore>>,
}

impl std::fmt::Debug for Executor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Executor {
    /// An executor that reaches providers at `endpoints` with `keys`, under the operator's rules.
    pub fn new(endpoints: Endpoints, keys: Arc<dyn Keys>, rules: Rules) -> Self {
        let transport = Transport::new(Arc::new(NoSigner));
        Executor { endpoints, keys, rules, transport, documents: None }
    }

    /// The same, signing requests to AWS.
    #[must_use]
    pub fn with_signer(self, signer: Arc<dyn Signer>) -> Self {
        Executor { transport: self.transport.with_signer(signer), ..self }
    }

    /// The same, on connections that are shared with others.
    #[must_use]
    pub fn with_http(self, client: HttpClient) -> Self {
        Executor { transport: self.transport.with_http(client), ..self }
    }

    /// The same, fetching hosted configs from this store. To keep what it fetches, wrap it in
    /// [`CachedDocuments`](crate::hosted::CachedDocuments).
    #[must_use]
    pub fn with_documents(self, documents: Arc<dyn DocumentStore>) -> Self {
        Executor { documents: Some(documents), ..self }
    }

    /// The operator's rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Runs a request as it came; the hosted config that it points to is fetched first.
    pub async fn run(&self, request: Value, deadline: Deadline) -> Run {
        self.run_value(request, &[], deadline, false).await
    }

    /// Runs a request that came from these queues, topics and buckets, by their ARNs: none of
    /// them may be its destination.
    pub async fn run_from_origins(
        &self,
        request: Value,
        origins: &[String],
        deadline: Deadline,
    ) -> Run {
        self.run_value(request, origins, deadline, false).await
    }

    /// Renders and validates a request as [`Executor::run`] would, and calls no provider: as
    /// `dryRun`, but pinned configs allow it, for nobody is given anything.
    pub async fn dry_run(&self, request: Value, deadline: Deadline) -> Run {
        self.run_value(request, &[], deadline, true).await
    }

    async fn run_value(
        &self,
        request: Value,
        origins: &[String],
        deadline: Deadline,
        dry: bool,
    ) -> Run {
        let start = Instant::now();
        let read = |request| {
            let mut written = ParsedRequest::read(request);
            if dry {
                written.request.dry_run = Some(true);
                // What is no such word, key or place is still a problem.
                let Request { returns, destination, idempotency_key, .. } = &mut written.request;
                returns.take_if(|word| word == "full");
                let parse = self.rules.destination_parser;
                destination.take_if(|text| parse.is_some_and(|parse| parse(text).is_ok()));
                idempotency_key.take_if(|key| !key.is_empty());
            }
            written
        };
        let mut report = Report::default();
        if !dry {
            self.look_ahead(&request);
        }
        let store = self.documents.as_deref();
        let (rules, tried) = (&self.rules.hosted, &mut report.config_place);
        let resolved = hosted::resolve(request, store, rules, deadline, tried).await;
        report.durations.config = start.elapsed();
        match resolved {
            Ok(Resolved { request, hosted: None, .. }) => {
                self.run_from(read(request), Report::default(), origins, start, deadline).await
            }
            Ok(Resolved { request, hosted: Some((source, origin)), warnings }) => {
                let mut written = read(request);
                written.warnings.splice(0..0, warnings);
                report.config = Some(source);
                let run = self.run_from(written, report, origins, start, deadline).await;
                Run { outcome: run.outcome.map_err(|error| origin.label(error)), ..run }
            }
            Err(error) => {
                report.durations.total = start.elapsed();
                Run::bare(Err(error), report)
            }
        }
    }

    /// Begins to fetch the key of the provider that a pointer's caller names, and to connect to
    /// the provider, while the hosted config is on its way. What comes of it, the one who needs
    /// them will hear.
    fn look_ahead(&self, request: &Value) {
        let text = |name: &str| request.get(name).and_then(Value::as_str);
        let asks = request.get("dryRun").and_then(Value::as_bool) != Some(true);
        let points = asks && text("key").or(text("url")).is_some();
        let Some(provider) = text("provider").or(text("providor")).filter(|_| points) else {
            return;
        };
        let Some((row, _)) = self.rules.providers.named(provider) else {
            return;
        };
        if let Some(name) = row.key()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            self.transport.open_ahead(&self.endpoints.of(row).base_url);
            let keys = Arc::clone(&self.keys);
            runtime.spawn(async move { drop(keys.get(&name).await) });
        }
    }

    /// Runs a request that was read, or built as a [`Request`](crate::Request). It points to no
    /// hosted config.
    pub async fn run_written(&self, written: ParsedRequest, deadline: Deadline) -> Run {
        self.run_from(written, Report::default(), &[], Instant::now(), deadline).await
    }

    /// Runs a request of which something was done already, since `start`.
    async fn run_from(
        &self,
        written: ParsedRequest,
        mut report: Report,
        origins: &[String],
        start: Instant,
        deadline: Deadline,
    ) -> Run {
        // What was ignored may be what is missing: it is told beside the problems.
        let plan = Plan::noting(written, &self.rules, &mut report.warnings)
            .and_then(|plan| check_origins(plan.destination.as_ref(), origins).map(|()| plan));
        match plan {
            Ok(plan) => self.run_job_from(&plan, report, start, deadline).await,
            Err(error) => {
                report.durations.total = start.elapsed();
                Run::bare(Err(error), report)
            }
        }
    }

    /// Runs a validated request.
    pub async fn run_job(&self, plan: &Plan, deadline: Deadline) -> Run {
        self.run_job_from(plan, Report::default(), Instant::now(), deadline).await
    }

    async fn run_job_from(
        &self,
        plan: &Plan,
        before: Report,
        start: Instant,
        deadline: Deadline,
    ) -> Run {
        let mut report = before.of(plan);
        let outcome = self.result(plan, deadline, &mut report).await;
        report.durations.total = start.elapsed();
        Run::of(plan, outcome, report)
    }

    async fn result(
        &self,
        plan: &Plan,
        deadline: Deadline,
        report: &mut Report,
    ) -> Result<Value, Error> {
        let mut rendered = RenderedChat::default();
        let done = plan.prompt.render_noting(plan, &Limits::default(), &mut rendered);
        report.warnings.append(&mut rendered.warnings);
        done?;
        let mut talks = self.talks(plan, rendered.messages)?;
        if plan.dry_run {
            for talk in &talks {
                report.note(talk.warnings.clone());
            }
            return Ok(shown(&talks));
        }
        let last = talks.pop();
        let mut after = String::new();
        let mut remaining = talks.len() + 1;
        for talk in talks {
            let share = deadline.share(remaining);
            remaining -= 1;
            let target = talk.target;
            let error = match self.talk(plan, talk, share, report).await {
                Ok(value) => return Ok(value),
                Err(error) if error.kind() == ErrorKind::Timeout && share.left().is_zero() => {
                    let text = "no answer within its share of the time that was left";
                    Error::new(ErrorKind::Timeout, text)
                }
                Err(error) => error,
            };
            // After the first answer the conversation is that provider's.
            if report.answered || !calls_for_another(error.kind()) {
                return Err(in_context(target, error));
            }
            after.push_str(&format!(
                ", after {} {} ({})",
                target.provider.name,
                target.model,
                error.kind()
            ));
            report.pass_over(target, error);
        }
        let Some(talk) = last else {
            return Err(Error::new(ErrorKind::Internal, "there is nobody to ask"));
        };
        let target = talk.target;
        let answer = self.talk(plan, talk, deadline, report).await;
        answer.map_err(|error| in_context(target, error).followed_by(&after))
    }
}

/// Whether another provider may do better: the request is not at fault.
fn calls_for_another(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ProviderUnavailable | ErrorKind::ProviderRateLimited | ErrorKind::Timeout
    )
}

/// What a dry run answers: the first provider's request, and those of its fallbacks.
fn shown(talks: &[Conversation<'_>]) -> Value {
    let mut requests = talks.iter().map(|talk| talk.request.shown());
    let mut first = requests.next().unwrap_or_default();
    let others: Vec<Value> = requests.collect();
    if !others.is_empty()
        && let Some(fields) = first.as_object_mut()
    {
        fields.insert("fallbacks".to_owned(), Value::Array(others));
    }
    first
}
