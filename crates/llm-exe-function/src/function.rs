//! An event to its answer: recognise, let in, run, respond, and never leave the caller without
//! an answer.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use llm_exe::hosted::CachedDocuments;
use llm_exe::ports::{DocumentStore, Signer};
use llm_exe::transport::HttpClient;
use llm_exe::{Deadline, Error, ErrorKind, Executor, Keys, Report, Run, Secret, json};
use llm_exe_events::{
    Admission, EndpointAuth, EventSource, Invocation, Outcome, Route, Settled, detect, endpoint_key,
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::line::LogLine;
use crate::settings::Settings;

/// What the run may overstep its deadline by before it is cut off from outside.
const GRACE: Duration = Duration::from_millis(100);

/// A caller's key that does not match has the endpoint's looked up anew at most this often.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// The most bytes of an answer, as JSON: 6 MB in Lambda's count.
const MOST_ANSWER_BYTES: usize = 6 * 1024 * 1024;

/// The function: one a process.
pub struct Function {
    executor: Executor,
    config_cache: Duration,
    keys: Arc<dyn Keys>,
    endpoint_auth: EndpointAuth,
    http_deadline: Duration,
    is_warm: AtomicBool,
    looked_again: Mutex<Option<Instant>>,
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

/// Lambda takes answers up to this size, and fails larger ones without a name of ours.
fn too_large(answer: &Value) -> Option<Error> {
    let mut bytes = Counted(0);
    let written = serde_json::to_writer(&mut bytes, answer);
    if written.is_ok() && bytes.0 <= MOST_ANSWER_BYTES {
        return None;
    }
    let text = format!("the answer has {} bytes; at most {MOST_ANSWER_BYTES}", bytes.0);
    Some(Error::new(ErrorKind::ResultTooLarge, text))
}

/// Counts what is written to it.
struct Counted(usize);

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Function {
    /// A function under these settings, with keys from this port.
    pub fn new(settings: &Settings, keys: Arc<dyn Keys>) -> Self {
        let endpoints = settings.endpoints.clone();
        Function {
            executor: Executor::new(endpoints, Arc::clone(&keys), settings.rules.clone()),
            config_cache: settings.config_cache,
            keys,
            endpoint_auth: settings.endpoint_auth,
            http_deadline: settings.http_deadline,
            is_warm: AtomicBool::new(false),
            looked_again: Mutex::new(None),
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

    /// Answers an event. It never panics and always answers, by the deadline or shortly after.
    pub async fn answer(
        &self,
        event: &[u8],
        invocation: &Invocation,
        deadline: Deadline,
    ) -> Answered {
        let started = Instant::now();
        let mut line = LogLine::new(&invocation.request_id);
        line.cold = !self.is_warm.swap(true, Ordering::Relaxed);
        let outcome = match json::parse(event) {
            Ok(event) => {
                let source = detect(&event);
                line.source = source.name();
                self.answered(source, event, invocation, deadline, &mut line).await
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
    ) -> Result<Value, Error> {
        if let Route::Answer(answer) = source.route(&event, invocation) {
            line.note_answer(&answer);
            return Ok(answer);
        }
        let gateway = source.is_behind_gateway(&event).then_some(self.http_deadline);
        let deadline = deadline.within(gateway);
        let admitted = self.admitted(source.admit(&event, self.endpoint_auth)).await;
        let records = match admitted.and_then(|()| source.records(event, invocation)) {
            Ok(records) => records,
            Err(error) => {
                line.error = Some(error.clone());
                return source.refuse(invocation, error);
            }
        };
        let mut settled = Vec::new();
        for record in records {
            let mut outcome = Outcome::Skipped;
            for ask in record.asks {
                let run = match ask.body {
                    Ok(body) => self.run(body, deadline).await,
                    Err(error) => Run { outcome: Err(error), report: Report::default() },
                };
                line.note_run(&run);
                outcome = run.outcome.map_or_else(Outcome::Failed, Outcome::Done);
            }
            settled.push(Settled { id: record.id, outcome });
        }
        let answer = source.respond(invocation, settled)?;
        match too_large(&answer) {
            None => Ok(answer),
            Some(error) => {
                line.error = Some(error.clone());
                source.refuse(invocation, error)
            }
        }
    }

    /// One request, with whatever goes wrong in it turned into an error.
    async fn run(&self, body: Value, deadline: Deadline) -> Run {
        let run = AssertUnwindSafe(self.executor.run(body, deadline)).catch_unwind();
        let latest = deadline.instant() + GRACE;
        let error = match tokio::time::timeout_at(latest.into(), run).await {
            Ok(Ok(run)) => return run,
            Ok(Err(_)) => Error::new(ErrorKind::Internal, "the request made the function panic"),
            Err(_) => Error::new(ErrorKind::Timeout, "the function's time ran out"),
        };
        Run { outcome: Err(error), report: Report::default() }
    }

    async fn admitted(&self, admission: Admission) -> Result<(), Error> {
        let presented = match admission {
            Admission::Granted => return Ok(()),
            Admission::Refused(error) => return Err(error),
            Admission::IfKey(presented) => presented,
        };
        let name = endpoint_key();
        let key = self.keys.get(&name).await?;
        if is_same(&key, &presented) {
            return Ok(());
        }
        // The key may have been replaced since; whoever guesses must not have it looked up for
        // each guess.
        if self.may_look_again()
            && let Ok(Some(newer)) = self.keys.renewed(&name, &key).await
            && is_same(&newer, &presented)
        {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unauthorized, "the endpoint's key is wrong"))
    }

    fn may_look_again(&self) -> bool {
        let mut looked = self.looked_again.lock().unwrap_or_else(PoisonError::into_inner);
        let may = looked.is_none_or(|at| at.elapsed() >= LOOK_AGAIN);
        if may {
            *looked = Some(Instant::now());
        }
        may
    }
}

/// Hashes are of one length, so that the comparison tells nothing of the key's.
fn is_same(key: &Secret, presented: &str) -> bool {
    let known = Sha256::digest(key.expose().as_bytes());
    let given = Sha256::digest(presented.as_bytes());
    bool::from(known.ct_eq(&given))
}
