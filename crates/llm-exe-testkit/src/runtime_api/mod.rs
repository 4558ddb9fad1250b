//! A simulator of AWS Lambda's Runtime API, under which tests and benchmarks run the function.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
//!
//! Like a single Lambda execution environment, the simulator delivers one invocation at a time.
//! Concurrent calls of [`RuntimeApi::invoke`] wait for their turn.

mod outcome;
mod queue;
mod server;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use outcome::{InitError, InvocationOutcome, ResponseFault};
use queue::{InvocationQueue, PendingInvocation, PostedOutcome};

/// How long Lambda waits for a function to initialize before the first invocation.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// A running Runtime API server. Dropping the handle stops the server and closes its connections.
pub struct RuntimeApi {
    address: SocketAddr,
    queue: Arc<InvocationQueue>,
    turn: tokio::sync::Mutex<()>,
    task: JoinHandle<()>,
}

/// A completed invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The request id that the function received.
    pub request_id: String,
    /// The result that the function posted.
    pub outcome: InvocationOutcome,
    /// The headers of the request with which the function posted the result, by lowercase name.
    pub headers: BTreeMap<String, String>,
    /// The time from the delivery of the event until the function posted the result.
    pub duration: Duration,
    /// The time at which the first byte of the result arrived. `None` if the result is empty.
    pub first_byte_at: Option<Instant>,
}

/// The reason why an invocation did not complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvokeFailed {
    /// The function did not post a result by its deadline, or did not request the event within the
    /// timeout plus 10 seconds.
    TimedOut,
    /// The function reported that it could not start.
    InitFailed(InitError),
}

impl std::fmt::Display for InvokeFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TimedOut => f.write_str("the function did not respond by its deadline"),
            Self::InitFailed(error) => {
                write!(f, "the function did not start: {}", error.error_type)
            }
        }
    }
}

impl std::error::Error for InvokeFailed {}

impl RuntimeApi {
    /// Starts a Runtime API server on a free port of 127.0.0.1 in the current tokio runtime.
    ///
    /// # Errors
    /// Returns an error if no port can be bound.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let queue = Arc::new(InvocationQueue::default());
        let task = tokio::spawn(server::run(listener, Arc::clone(&queue)));
        Ok(Self { address, queue, turn: tokio::sync::Mutex::default(), task })
    }

    /// Returns the address of the Runtime API (`127.0.0.1:PORT`) for the variable
    /// `AWS_LAMBDA_RUNTIME_API`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Invokes the function with an event and waits for the result. The function must post its
    /// result within `timeout` after the event is delivered.
    ///
    /// # Errors
    /// Returns an error if the function does not respond in time or has reported that it could not
    /// start.
    pub async fn invoke(
        &self,
        event: impl Into<Bytes>,
        timeout: Duration,
    ) -> Result<Invocation, InvokeFailed> {
        let _turn = self.turn.lock().await;
        let (delivery_sender, delivery) = oneshot::channel();
        let (outcome_sender, outcome) = oneshot::channel();
        let event = event.into();
        let request_id = self.queue.enqueue(|id| PendingInvocation {
            id,
            event,
            timeout,
            delivery_sender,
            outcome_sender,
        });
        let id = request_id.clone();
        // Forget the id when this call returns, so that a late result is rejected.
        let _remove = RemoveOnDrop { queue: &self.queue, id: &id };
        let completed = async {
            let delivered_at = tokio::time::timeout(INIT_TIMEOUT + timeout, delivery)
                .await
                .ok()
                .and_then(Result::ok)
                .ok_or(InvokeFailed::TimedOut)?;
            let remaining = timeout.saturating_sub(delivered_at.elapsed());
            let outcome = tokio::time::timeout(remaining, outcome).await.ok();
            let posted = outcome.and_then(Result::ok).ok_or(InvokeFailed::TimedOut)?;
            let PostedOutcome { outcome, headers, first_byte_at } = posted;
            let duration = delivered_at.elapsed();
            Ok(Invocation { request_id, outcome, headers, duration, first_byte_at })
        };
        tokio::select! {
            biased;
            invocation = completed => invocation,
            error = self.queue.wait_for_init_error() => Err(InvokeFailed::InitFailed(error)),
        }
    }

    /// Makes the server fail to receive the next response. The invocation ends with what it has
    /// received until then.
    pub fn fail_next_response(&self, fault: ResponseFault) {
        self.queue.set_fault(fault);
    }

    /// Returns the error that the function posted if it could not start.
    pub fn init_error(&self) -> Option<InitError> {
        self.queue.init_error()
    }
}

/// Removes an invocation from the queue when this value is dropped.
struct RemoveOnDrop<'a> {
    queue: &'a InvocationQueue,
    id: &'a str,
}

impl Drop for RemoveOnDrop<'_> {
    fn drop(&mut self) {
        self.queue.remove(self.id);
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
