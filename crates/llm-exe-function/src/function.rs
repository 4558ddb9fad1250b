//! An event to its answer: recognise, let in, run, respond, and never leave the caller without
//! an answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use llm_exe::hosted::CachedDocuments;
use llm_exe::ports::{DocumentStore, Signer};
use llm_exe::results::{Messenger, ResultStore};
use llm_exe::transport::HttpClient;
use llm_exe::{Deadline, Error, ErrorKind, Executor, Keys, json};
use llm_exe_events::{EndpointAuth, EventSource, Invocation, RecordRequest, Route, detect};
use serde_json::Value;

use crate::auth::Gate;
use crate::batch::{self, Batch};
use crate::log_line::LogLine;
use crate::outcome::RequestOutcome;
use crate::record_result::RecordResult;
use crate::response;
use crate::results::Results;
use crate::settings::Settings;

/// Kept back of a gateway's time, which began before ours and does not end with our answer.
const GATEWAYS_RESERVE: Duration = Duration::from_millis(500);

/// Warns of results that are paid for and lost.
const LOST_RESULTS: &str = "results of this event are neither stored nor sent, and its source does \
                            not receive them: set RESULT_PREFIX to store them, or \
                            RESULT_DESTINATION to send them";

/// The function: one a process.
pub struct Function {
    executor: Executor,
    config_cache: Duration,
    results: Results,
    record_concurrency: usize,
    gate: Gate,
    endpoint_auth: EndpointAuth,
    http_deadline: Duration,
    is_warm: AtomicBool,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function").field("executor", &self.executor).finish_non_exhaustive()
    }
}

/// An answer, and the line that tells of it.
#[derive(Debug)]
pub struct Answered {
    /// What the event's source gets; a failure is the invocation's own.
    pub outcome: Result<Value, Error>,
    /// What happened.
    pub line: LogLine,
}

impl Function {
    /// A function under these settings, with keys from this port.
    pub fn new(settings: &Settings, keys: Arc<dyn Keys>) -> Self {
        let endpoints = settings.endpoints.clone();
        Function {
            executor: Executor::new(endpoints, Arc::clone(&keys), settings.rules.clone()),
            config_cache: settings.config_cache,
            results: Results::new(settings.results.clone()),
            record_concurrency: settings.record_concurrency,
            gate: Gate::new(keys),
            endpoint_auth: settings.endpoint_auth,
            http_deadline: settings.http_deadline,
            is_warm: AtomicBool::new(false),
        }
    }

    /// The same, signing requests to AWS.
    #[must_use]
    pub fn with_signer(self, signer: Arc<dyn Signer>) -> Self {
        Function { executor: self.executor.with_signer(signer), ..self }
    }

    /// The same, on connections that are shared with others.
    #[must_use]
    pub fn with_http(self, client: HttpClient) -> Self {
        Function { executor: self.executor.with_http(client), ..self }
    }

    /// The same, fetching hosted configs from this store; what it fetches is kept.
    #[must_use]
    pub fn with_documents(self, documents: Arc<dyn DocumentStore>) -> Self {
        let documents = Arc::new(CachedDocuments::new(documents, self.config_cache));
        Function { executor: self.executor.with_documents(documents), ..self }
    }

    /// The same, keeping results in this store, and telling destinations through this messenger.
    #[must_use]
    pub fn with_results(self, store: Arc<dyn ResultStore>, messenger: Arc<dyn Messenger>) -> Self {
        Function { results: self.results.with_ports(store, messenger), ..self }
    }

    /// Answers an event by the deadline or shortly after. A panic becomes `Internal`.
    pub async fn answer(
        &self,
        event: &[u8],
        invocation: &Invocation,
        deadline: Deadline,
    ) -> Answered {
        self.answer_and_list(event, invocation, deadline, None).await
    }

    /// The same, with the result of each record, which the response to an event of SQS does not
    /// contain. A direct or HTTP event has none: the response is the result.
    pub async fn answer_with_records(
        &self,
        event: &[u8],
        invocation: &Invocation,
        deadline: Deadline,
    ) -> (Answered, Vec<RecordResult>) {
        let mut records = Vec::new();
        let answered = self.answer_and_list(event, invocation, deadline, Some(&mut records)).await;
        (answered, records)
    }

    async fn answer_and_list(
        &self,
        event: &[u8],
        invocation: &Invocation,
        deadline: Deadline,
        records: Option<&mut Vec<RecordResult>>,
    ) -> Answered {
        let started = Instant::now();
        let mut line = LogLine::new(&invocation.request_id);
        line.cold = !self.is_warm.swap(true, Ordering::Relaxed);
        let outcome = match json::parse(event) {
            Ok(event) => {
                let answer = async {
                    let source = detect(&event);
                    line.source = source.name();
                    self.answered(source, event, invocation, deadline, &mut line, records).await
                };
                match AssertUnwindSafe(answer).catch_unwind().await {
                    Ok(outcome) => outcome,
                    Err(_) => {
                        let error = Error::new(ErrorKind::Internal, "the function panicked");
                        line.error = Some(error.clone());
                        Err(error)
                    }
                }
            }
            Err(fault) => {
                let error = Error::invalid("", format!("the event is {fault}"));
                line.error = Some(error.clone());
                Err(error)
            }
        };
        line.duration = started.elapsed();
        Answered { outcome, line }
    }

    async fn answered(
        &self,
        source: &'static dyn EventSource,
        event: Value,
        invocation: &Invocation,
        deadline: Deadline,
        line: &mut LogLine,
        results: Option<&mut Vec<RecordResult>>,
    ) -> Result<Value, Error> {
        if let Route::Answer(answer) = source.route(&event, invocation) {
            line.note_answer(&answer);
            return Ok(answer);
        }
        let gateway = self.http_deadline.saturating_sub(GATEWAYS_RESERVE);
        let gateway = source.is_behind_gateway(&event).then_some(gateway);
        let deadline = deadline.within(gateway);
        let caller = source.caller(&event);
        let admitted = self.gate.admitted(source.admit(&event, self.endpoint_auth), deadline).await;
        let records = match admitted.and_then(|()| source.records(event, invocation)) {
            Ok(records) => records,
            Err(error) => {
                line.error = Some(error.clone());
                return source.refuse(invocation, error);
            }
        };
        let ran = {
            let runs = Runs { function: self, caller: caller.as_deref(), deadline };
            Batch::new(self.record_concurrency, deadline, &runs).run(records).await
        };
        line.note(&ran);
        // A caller that waits gets the result in the response.
        let is_unsent = || ran.iter().flat_map(|one| &one.asks).any(RequestOutcome::is_unsent);
        if caller.is_none() && !self.results.has_place_for_records() && is_unsent() {
            line.warnings.push(LOST_RESULTS);
        }
        if let Some(results) = results.filter(|_| caller.is_none()) {
            *results = RecordResult::list(&ran);
        }
        response::of(source, ran, &self.results, invocation, deadline, line).await
    }
}

/// How the requests of one event are run: for a caller that waits, or as records that are kept.
struct Runs<'a> {
    function: &'a Function,
    caller: Option<&'a str>,
    deadline: Deadline,
}

impl batch::Runs for Runs<'_> {
    async fn run(&self, ask: RecordRequest, group: Option<&str>) -> RequestOutcome {
        let Function { executor, results, .. } = self.function;
        match self.caller {
            Some(caller) => results.call(executor, ask, caller, self.deadline).await,
            None => results.record(executor, ask, group, self.deadline).await,
        }
    }
}
