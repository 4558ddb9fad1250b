//! An imitation of AWS Lambda's Runtime API, under which a function is run in tests and
//! benchmarks. <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
//!
//! In: events (`RuntimeApi::invoke`). Out: what the function answered. Like one Lambda
//! environment it hands out one invocation at a time; others wait for their turn.

mod server;
mod shared;

use bytes::Bytes;
use shared::{Pending, Shared};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long Lambda gives a function to start before its first invocation.
const INIT: Duration = Duration::from_secs(10);

/// A running Runtime API. Dropping it stops it and closes its connections.
pub struct RuntimeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
    turn: tokio::sync::Mutex<()>,
    task: JoinHandle<()>,
}

/// An invocation that the function answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The id that the function was given.
    pub request_id: String,
    /// What it answered.
    pub outcome: Outcome,
    /// The headers of its answer, by lowercase name.
    pub headers: BTreeMap<String, String>,
    /// From the moment it was handed the event until its answer was read.
    pub duration: Duration,
}

/// What the function answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded with this body.
    Response(Bytes),
    /// It failed.
    Error {
        /// The error's type, from the header or else from the body.
        error_type: String,
        /// The error's message, from the body.
        error_message: String,
        /// The whole body.
        body: Bytes,
    },
}

/// Why an invocation has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvokeFailed {
    /// The function didn't answer by its deadline, or didn't ask for the event within 10 seconds
    /// more than that.
    TimedOut,
    /// The function said that it can't start.
    InitFailed(InitError),
}

impl std::fmt::Display for InvokeFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TimedOut => f.write_str("the function did not answer by its deadline"),
            Self::InitFailed(error) => {
                write!(f, "the function did not start: {}", error.error_type)
            }
        }
    }
}

impl std::error::Error for InvokeFailed {}

/// What a function posts when it can't start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitError {
    /// The error's type, from the header or else from the body.
    pub error_type: String,
    /// The error's message, from the body.
    pub error_message: String,
    /// The whole body.
    pub body: Bytes,
}

impl RuntimeApi {
    /// Starts a Runtime API on 127.0.0.1, on a port of the system's choosing, on the current
    /// tokio runtime.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let task = tokio::spawn(server::run(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, turn: tokio::sync::Mutex::default(), task })
    }

    /// `127.0.0.1:PORT`, which is what `AWS_LAMBDA_RUNTIME_API` is set to.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Invokes the function with an event, which it must answer within `timeout` of receiving it.
    ///
    /// # Errors
    /// When the function doesn't answer in time, or has said that it can't start.
    pub async fn invoke(
        &self,
        event: impl Into<Bytes>,
        timeout: Duration,
    ) -> Result<Invocation, InvokeFailed> {
        let _turn = self.turn.lock().await;
        let (delivered, when_delivered) = oneshot::channel();
        let (answered, when_answered) = oneshot::channel();
        let event = event.into();
        let request_id =
            self.shared.enqueue(|id| Pending { id, event, timeout, delivered, answered });
        let id = request_id.clone();
        // However this ends, a late answer finds its id unknown.
        let _forget = Forget { shared: &self.shared, id: &id };
        let failed = self.shared.init_failed();
        let answered = async {
            let started: Instant = tokio::time::timeout(INIT + timeout, when_delivered)
                .await
                .ok()
                .and_then(Result::ok)
                .ok_or(InvokeFailed::TimedOut)?;
            let left = timeout.saturating_sub(started.elapsed());
            let answer = tokio::time::timeout(left, when_answered).await.ok();
            let answer = answer.and_then(Result::ok).ok_or(InvokeFailed::TimedOut)?;
            let duration = started.elapsed();
            let (outcome, headers) = answer;
            Ok(Invocation { request_id, outcome, headers, duration })
        };
        tokio::select! {
            biased;
            answer = answered => answer,
            error = failed => Err(InvokeFailed::InitFailed(error)),
        }
    }

    /// What the function posted when it couldn't start, if it did.
    #[must_use]
    pub fn init_error(&self) -> Option<InitError> {
        self.shared.init_error()
    }
}

struct Forget<'a> {
    shared: &'a Shared,
    id: &'a str,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.shared.forget(self.id);
    }
}

impl std::fmt::Debug for RuntimeApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuntimeApi").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.task.abort();
    }
}
