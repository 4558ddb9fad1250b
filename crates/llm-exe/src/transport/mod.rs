//! Sends requests to providers, and retries them within a deadline.
//!
//! The transport returns responses of any status. The dialect interprets the status, and this
//! module decides whether to retry.

mod body_budget;
mod body_reader;
mod connector;
mod exchange;
mod http;
mod http_error;
mod http_transport;
mod preconnect;
mod response_body;
mod retry;

use std::sync::Arc;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::ports::{Secret, Signer};
use crate::wire::{WireReply, WireRequest, too_large};

pub(crate) use body_reader::BodyReader;
use exchange::ExchangeError;
pub use http::{HttpClient, HttpError, MAX_REPLY_BYTES};
pub use http_transport::HttpTransport;
use http_transport::Sender;
pub use response_body::ResponseBody;
pub(crate) use retry::retry_after;
pub use retry::{Jitter, Policy, RetryAdvice};

/// Reads a response and returns whether the request may be sent again.
type ReadReply<'a> = dyn FnMut(&WireReply) -> RetryAdvice + Send + 'a;

/// The outcome of a request after all attempts.
#[derive(Debug)]
pub struct SendOutcome {
    /// The response to the last attempt, or the error if there was no response.
    pub outcome: Result<WireReply, Error>,
    /// The number of attempts, including the first one.
    pub attempts: u32,
    /// Whether the last attempt has no response although the provider may have received the
    /// request.
    pub may_be_billed: bool,
}

/// Sends requests to providers. Creating a transport is cheap, because connections and certificates
/// are set up on first use.
#[derive(Clone)]
pub struct Transport {
    sender: Sender,
    signer: Arc<dyn Signer>,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

impl Transport {
    /// Creates a transport with its own connection pool.
    pub fn new(signer: Arc<dyn Signer>) -> Self {
        Transport { sender: Sender::BuiltIn(HttpClient::default()), signer }
    }

    /// Replaces the HTTP client, for example to share its connection pool.
    #[must_use]
    pub fn with_http(self, client: HttpClient) -> Self {
        Transport { sender: Sender::BuiltIn(client), ..self }
    }

    /// Replaces the HTTP client with a custom one.
    #[must_use]
    pub fn with_http_transport(self, transport: Arc<dyn HttpTransport>) -> Self {
        Transport { sender: Sender::Custom(transport), ..self }
    }

    /// Replaces the signer of requests to AWS.
    #[must_use]
    pub fn with_signer(self, signer: Arc<dyn Signer>) -> Self {
        Transport { signer, ..self }
    }

    /// Returns the credentials that sign requests to AWS.
    pub(crate) async fn signing_secrets(&self) -> Vec<Secret> {
        self.signer.secrets().await
    }

    /// Starts connecting to the host of a URL in the background. See [`HttpClient::preconnect`].
    pub(crate) fn preconnect(&self, url: &str) {
        self.sender.preconnect(url);
    }

    /// Sends a request, and retries it as long as a retry may succeed and the policy and deadline
    /// permit it.
    ///
    /// `read` is called with each response and returns whether the request may be sent again. The
    /// headers of an error response take precedence: `x-should-retry`, `retry-after-ms` and
    /// `retry-after`.
    pub async fn send(
        &self,
        wire: &WireRequest,
        secret: Option<&Secret>,
        policy: &Policy,
        deadline: Deadline,
        read: &mut (dyn FnMut(&WireReply) -> RetryAdvice + Send),
    ) -> SendOutcome {
        self.send_and_read(wire, secret, policy, deadline, (read, None)).await
    }

    /// Sends a request like [`Transport::send`]. With a [`BodyReader`], the body of a successful
    /// response is passed to it as it arrives.
    pub(crate) async fn send_and_read(
        &self,
        wire: &WireRequest,
        secret: Option<&Secret>,
        policy: &Policy,
        deadline: Deadline,
        (read, mut body_reader): (&mut ReadReply<'_>, Option<&mut dyn BodyReader>),
    ) -> SendOutcome {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let body_reader = body_reader.as_mut().map(|reader| &mut **reader as _);
            let outcome = self.send_once(wire, secret, policy.timeout, deadline, body_reader).await;
            let (retry, reply) = match &outcome {
                Ok(reply) => {
                    let RetryAdvice { may_retry, wait } = read(reply);
                    let retry = retry::requested_retry(reply).unwrap_or(may_retry);
                    (retry, Some((reply, wait)))
                }
                Err(error) => (error.may_retry(), None),
            };
            if retry && attempts < policy.attempts {
                let requested = reply.and_then(|(reply, wait)| retry_after(reply).or(wait));
                let wait = retry::wait(attempts, requested, policy);
                // If the deadline would pass during the wait, the current outcome is returned at
                // once.
                if wait < deadline.left() {
                    tokio::time::sleep(wait).await;
                    continue;
                }
            }
            let mut may_be_billed = false;
            let outcome = outcome.map_err(|error| {
                may_be_billed = error.may_have_arrived();
                error.into_error(policy.timeout, deadline)
            });
            return SendOutcome { outcome, attempts, may_be_billed };
        }
    }

    /// Makes one attempt. If a pooled connection turns out to be closed, the request is sent once
    /// more within the same attempt.
    async fn send_once(
        &self,
        wire: &WireRequest,
        secret: Option<&Secret>,
        timeout: Option<Duration>,
        deadline: Deadline,
        mut body_reader: Option<&mut dyn BodyReader>,
    ) -> Result<WireReply, ExchangeError> {
        let deadline = deadline.within(timeout);
        // The future is large, so it is pinned here and not moved into `timeout_at`.
        let exchange = std::pin::pin!(async {
            let signer = self.signer.as_ref();
            let mut has_retried = false;
            loop {
                let body_reader = body_reader.as_mut().map(|reader| &mut **reader as _);
                let sent =
                    exchange::exchange(&self.sender, (wire, secret), signer, deadline, body_reader);
                match sent.await {
                    Err(ExchangeError::Http(HttpError::Stale)) if !has_retried => {
                        has_retried = true;
                    }
                    outcome => return outcome,
                }
            }
        });
        match tokio::time::timeout_at(deadline.instant().into(), exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(HttpError::TimedOut.into()),
        }
    }
}

impl ExchangeError {
    fn into_error(self, timeout: Option<Duration>, deadline: Deadline) -> Error {
        let error = match self {
            ExchangeError::Sign(error) | ExchangeError::Stream(error) => return error,
            ExchangeError::Http(error) => error,
        };
        let (kind, message) = match error {
            HttpError::TimedOut => match timeout {
                Some(limit) if !deadline.left().is_zero() => (
                    ErrorKind::Timeout,
                    format!(
                        "no complete response within the call timeout of {} ms",
                        limit.as_millis()
                    ),
                ),
                _ => (ErrorKind::Timeout, "no complete response before the time limit".to_owned()),
            },
            HttpError::InvalidRequest(message) => (ErrorKind::Internal, message),
            HttpError::TooLarge => return too_large(),
            HttpError::IncompleteResponse(message) => (
                ErrorKind::ProviderUnavailable,
                format!(
                    "the connection broke before the complete response was received; the request \
                     was not sent again because it may have been billed: {message}"
                ),
            ),
            HttpError::NotConnected(_) | HttpError::NotSent(_) | HttpError::Stale => {
                (ErrorKind::ProviderUnavailable, error.to_string())
            }
        };
        Error::new(kind, message)
    }
}
