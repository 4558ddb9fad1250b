//! The only HTTP client, and the only caller of providers: one call with its retries, within a
//! deadline.
//!
//! In: a [`WireRequest`] and its key. Out: the provider's [`WireReply`], whatever its status, or
//! why there is none. What a status means is the dialect's to say; whether to try again is
//! decided here, by `retry`.

mod connector;
mod exchange;
mod http;
mod preconnect;
mod retry;

use std::sync::Arc;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::ports::{Secret, Signer};
use crate::wire::{WireReply, WireRequest};

use exchange::Fault;
pub use http::{HttpClient, HttpError};
pub use retry::Jitter;
pub(crate) use retry::wait_asked;

/// The most bytes of an answer that are read.
pub const MOST_REPLY_BYTES: usize = 32 * 1024 * 1024;

/// How a call is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How often at most, from 1.
    pub attempts: u32,
    /// The longest wait between two tries.
    pub max_delay: Duration,
    /// Whether waits are spread.
    pub jitter: Jitter,
    /// The most that one call may take, if less than the time left.
    pub timeout: Option<Duration>,
}

impl Default for Policy {
    fn default() -> Self {
        let max_delay = Duration::from_millis(8000);
        Policy { attempts: 3, max_delay, jitter: Jitter::Full, timeout: None }
    }
}

/// A reply, or why there is none, and how many tries it took.
#[derive(Debug)]
pub struct Sent {
    /// What came of the last try.
    pub outcome: Result<WireReply, Error>,
    /// How often the request was sent.
    pub attempts: u32,
}

/// Sends wire requests. Cheap to make: nothing is connected or parsed before it is needed.
#[derive(Clone)]
pub struct Transport {
    client: HttpClient,
    signer: Arc<dyn Signer>,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").field("client", &self.client).finish_non_exhaustive()
    }
}

impl Transport {
    /// A transport with connections of its own.
    pub fn new(signer: Arc<dyn Signer>) -> Self {
        Transport { client: HttpClient::default(), signer }
    }

    /// The same, on connections that are shared with others.
    #[must_use]
    pub fn with_http(self, client: HttpClient) -> Self {
        Transport { client, ..self }
    }

    /// The same, with another signer.
    #[must_use]
    pub fn with_signer(self, signer: Arc<dyn Signer>) -> Self {
        Transport { signer, ..self }
    }

    /// Begins to connect to where a request will go.
    pub(crate) fn open_ahead(&self, url: &str) {
        self.client.open_ahead(url);
    }

    /// Sends a request until it is answered with something that no further try would mend.
    ///
    /// `may_retry` says of an answer whether it may be asked again.
    pub async fn send(
        &self,
        wire: &WireRequest,
        secret: Option<&Secret>,
        policy: &Policy,
        deadline: Deadline,
        may_retry: &(dyn Fn(&WireReply) -> bool + Send + Sync),
    ) -> Sent {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let outcome = self.once(wire, secret, policy.timeout, deadline).await;
            let (again, asked_wait) = match &outcome {
                Ok(reply) => {
                    let again = !(200..300).contains(&reply.status) && may_retry(reply);
                    (again, retry::wait_asked(reply))
                }
                Err(fault) => (fault.may_retry(), None),
            };
            let wait = retry::wait(attempts, asked_wait, policy);
            // A wait that does not fit the deadline fails at once, with what the provider said.
            if !again || attempts >= policy.attempts || wait >= deadline.left() {
                let outcome = outcome.map_err(|fault| fault.into_error(policy.timeout, deadline));
                return Sent { outcome, attempts };
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// One try. A pooled connection that turns out closed is tried again on a fresh one.
    async fn once(
        &self,
        wire: &WireRequest,
        secret: Option<&Secret>,
        timeout: Option<Duration>,
        deadline: Deadline,
    ) -> Result<WireReply, Fault> {
        let within = deadline.within(timeout);
        let answered = async {
            let signer = self.signer.as_ref();
            match exchange::exchange(&self.client, wire, secret, signer).await {
                Err(Fault::Http(HttpError::Stale)) => {
                    exchange::exchange(&self.client, wire, secret, signer).await
                }
                outcome => outcome,
            }
        };
        match tokio::time::timeout_at(within.instant().into(), answered).await {
            Ok(outcome) => outcome,
            Err(_) => Err(HttpError::TimedOut.into()),
        }
    }
}

impl Fault {
    fn into_error(self, timeout: Option<Duration>, deadline: Deadline) -> Error {
        let fault = match self {
            Fault::NotSigned(error) => return error,
            Fault::Http(fault) => fault,
        };
        let (kind, message) = match fault {
            HttpError::TimedOut => match timeout {
                Some(limit) if !deadline.left().is_zero() => (
                    ErrorKind::Timeout,
                    format!("no answer within the call's time-out of {} ms", limit.as_millis()),
                ),
                _ => (
                    ErrorKind::Timeout,
                    "no answer within the time that the function has left".to_owned(),
                ),
            },
            HttpError::Unusable(message) => (ErrorKind::Internal, message),
            HttpError::TooLarge => (
                ErrorKind::ProviderUnavailable,
                format!("the answer is larger than {} MiB", MOST_REPLY_BYTES / 1024 / 1024),
            ),
            HttpError::NotAnswered(message) => (
                ErrorKind::ProviderUnavailable,
                format!(
                    "the connection broke before the whole answer was there, not tried again \
                     because it may have been paid for: {message}"
                ),
            ),
            HttpError::NotConnected(_) | HttpError::NotSent(_) | HttpError::Stale => {
                (ErrorKind::ProviderUnavailable, fault.to_string())
            }
        };
        Error::new(kind, message)
    }
}
