//! A client for AWS services that signs requests, sends them and retries transient failures.
//!
//! Retries follow the standard mode of the AWS SDKs: the client makes at most three attempts and
//! retries throttling, server errors and broken connections. If AWS reports a wrong clock or
//! expired credentials, the client corrects its clock or renews the credentials and sends the
//! request again. It does each at most once per call, without using up an attempt.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Method, Request};
use llm_exe::transport::{HttpClient, HttpError};
use llm_exe::wire::WireReply;
use llm_exe::{Deadline, Error, ErrorKind, Secret};

use crate::credentials::{CredentialSource, Credentials};
use crate::error_response::ErrorResponse;
use crate::signer::{SignatureInput, SigningError, secrets_of, signature_headers};

const MAX_ATTEMPTS: u32 = 3;
/// The maximum wait before the first retry. It doubles with each further retry, up to
/// `MAX_BACKOFF`.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(20);
/// The minimum clock skew that can explain a rejected signature. AWS tolerates smaller differences
/// between its clock and the local clock.
const MIN_CLOCK_SKEW: Duration = Duration::from_secs(240);

/// A client that sends signed requests to AWS services.
///
/// A process should share one client between all services, so that a clock correction learned from
/// one service also applies to the others.
pub struct AwsClient {
    http: HttpClient,
    credentials: Arc<dyn CredentialSource>,
    clock: fn() -> SystemTime,
    /// The offset of AWS's clock from the local clock in seconds. It is positive if AWS's clock is
    /// ahead.
    clock_offset: AtomicI64,
}

impl std::fmt::Debug for AwsClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsClient").field("http", &self.http).finish_non_exhaustive()
    }
}

/// An unsigned request to an AWS service.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The service name for the signature, such as `s3` or `ssm`.
    pub(crate) service: &'static str,
    pub(crate) region: String,
    pub(crate) method: Method,
    /// The full URL. Its path and query are percent-encoded.
    pub(crate) url: String,
    /// The headers to send, which are part of the signature unless proxies may change them.
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    /// The maximum size of the response body in bytes.
    pub(crate) max_response_bytes: usize,
    /// The timeout for each attempt.
    pub(crate) timeout: Duration,
    /// Whether the request may be sent again although the service may have processed it.
    pub(crate) is_repeatable: bool,
    /// Returns the error in a response with a success status, if there is one. EventBridge reports
    /// rejected events with status 200.
    pub(crate) error_in_success: fn(&WireReply) -> Option<ErrorResponse>,
}

/// The reason why a call to an AWS service failed.
#[derive(Debug)]
pub enum CallError {
    /// The request was not sent because it could not be signed, for example without a region or
    /// credentials.
    NotSigned(Error),
    /// AWS returned an error response.
    Rejected(ErrorResponse),
    /// No complete response was received.
    Failed(HttpError),
    /// The body of a successful response does not have the documented structure.
    InvalidResponse(&'static str),
}

impl CallError {
    /// Returns the error for a call without a region.
    pub(crate) fn no_region() -> CallError {
        let message = "the AWS region is not known; set AWS_REGION in the environment";
        CallError::NotSigned(Error::setting_not_set(message))
    }

    /// Returns whether the request was certainly not processed, and another attempt can succeed.
    fn is_unprocessed(&self) -> bool {
        match self {
            CallError::NotSigned(_) | CallError::InvalidResponse(_) => false,
            CallError::Rejected(response) => response.is_throttled(),
            CallError::Failed(error) => error.is_transient() && !error.may_have_arrived(),
        }
    }

    fn is_transient(&self) -> bool {
        match self {
            CallError::NotSigned(_) | CallError::InvalidResponse(_) => false,
            CallError::Rejected(response) => response.is_transient(),
            CallError::Failed(error) => error.is_transient(),
        }
    }
}

impl AwsClient {
    /// Creates a client that sends requests with `http` and signs them with `credentials`.
    pub fn new(http: HttpClient, credentials: Arc<dyn CredentialSource>) -> Self {
        let clock_offset = AtomicI64::new(0);
        AwsClient { http, credentials, clock: SystemTime::now, clock_offset }
    }

    /// Replaces the system clock. Tests use this to sign requests for a fixed time.
    #[must_use]
    pub fn with_clock(self, clock: fn() -> SystemTime) -> Self {
        AwsClient { clock, ..self }
    }

    /// Returns the parts of the credentials that sign the calls.
    pub(crate) async fn secrets(&self) -> Vec<Secret> {
        secrets_of(&*self.credentials).await
    }

    pub(crate) fn credential_source(&self) -> Arc<dyn CredentialSource> {
        Arc::clone(&self.credentials)
    }

    /// Sends a request and retries it after transient failures. Statuses 2xx and 304 count as
    /// success.
    pub(crate) async fn send(
        &self,
        call: &Call,
        deadline: Deadline,
    ) -> Result<WireReply, CallError> {
        let mut credentials = by_deadline(self.credentials.credentials(), deadline).await?;
        let (mut attempts, mut clock_corrected, mut credentials_renewed) = (0, false, false);
        loop {
            attempts += 1;
            let error = match self.send_once(call, &credentials, deadline).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            if let CallError::Rejected(response) = &error {
                if !clock_corrected && self.correct_clock(response) {
                    (clock_corrected, attempts) = (true, attempts - 1);
                    continue;
                }
                if !credentials_renewed && response.is_expired_credentials() {
                    let renewal = self.credentials.renewed(&credentials);
                    if let Some(newer) = by_deadline(renewal, deadline).await? {
                        (credentials_renewed, attempts, credentials) = (true, attempts - 1, newer);
                        continue;
                    }
                }
            }
            let wait = backoff(attempts);
            let may_repeat = match call.is_repeatable {
                true => error.is_transient(),
                false => error.is_unprocessed(),
            };
            if attempts >= MAX_ATTEMPTS || !may_repeat || wait >= deadline.left() {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn send_once(
        &self,
        call: &Call,
        credentials: &Credentials,
        deadline: Deadline,
    ) -> Result<WireReply, CallError> {
        let request = call.sign(credentials, self.now()).map_err(|error| {
            let message = format!("can't sign the {} request: {error}", call.service);
            CallError::NotSigned(Error::new(ErrorKind::Internal, message))
        })?;
        let deadline = deadline.within(Some(call.timeout));
        let max_bytes = call.max_response_bytes;
        let reply = match call.is_repeatable {
            true => self.http.exchange(request, max_bytes, deadline).await,
            false => self.http.exchange_once(request, max_bytes, deadline).await,
        };
        let reply = reply.map_err(CallError::Failed)?;
        let error = match reply.status {
            200..300 | 304 => (call.error_in_success)(&reply),
            _ => Some(ErrorResponse::from_reply(&reply)),
        };
        error.map_or(Ok(reply), |error| {
            Err(CallError::Rejected(error.without_credentials(credentials)))
        })
    }

    /// Returns the estimated time of AWS's clock, which is the local time plus the clock offset.
    fn now(&self) -> SystemTime {
        let offset = self.clock_offset.load(Ordering::Relaxed);
        let duration = Duration::from_secs(offset.unsigned_abs());
        let now = (self.clock)();
        let corrected =
            if offset < 0 { now.checked_sub(duration) } else { now.checked_add(duration) };
        corrected.unwrap_or(now)
    }

    /// Updates the clock offset if clock skew may be the reason why AWS rejected the request.
    /// Returns whether the offset changed.
    fn correct_clock(&self, response: &ErrorResponse) -> bool {
        let (true, Some(aws_time)) = (response.may_be_clock_skew(), response.date) else {
            return false;
        };
        let offset_from = |time: SystemTime| match aws_time.duration_since(time) {
            Ok(ahead) => i64::try_from(ahead.as_secs()).unwrap_or(0),
            Err(behind) => -i64::try_from(behind.duration().as_secs()).unwrap_or(0),
        };
        if offset_from(self.now()).unsigned_abs() < MIN_CLOCK_SKEW.as_secs() {
            return false;
        }
        self.clock_offset.store(offset_from((self.clock)()), Ordering::Relaxed);
        true
    }
}

impl Call {
    /// Builds the HTTP request and signs it for the given time.
    pub(crate) fn sign(
        &self,
        credentials: &Credentials,
        time: SystemTime,
    ) -> Result<Request<Bytes>, SigningError> {
        let input = SignatureInput {
            method: self.method.as_str(),
            url: &self.url,
            headers: self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect(),
            body: &self.body,
            service: self.service,
            region: &self.region,
        };
        let signature = signature_headers(credentials, input, time)?;
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.url)
            .body(self.body.clone())?;
        for (name, value) in &self.headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value)?);
        }
        request.headers_mut().extend(signature);
        Ok(request)
    }
}

/// Waits for credentials, but not beyond the deadline.
async fn by_deadline<T>(
    credentials: impl Future<Output = Result<T, Error>>,
    deadline: Deadline,
) -> Result<T, CallError> {
    match tokio::time::timeout_at(deadline.instant().into(), credentials).await {
        Ok(result) => result.map_err(CallError::NotSigned),
        Err(_) => {
            let text =
                "the AWS credentials did not arrive before the deadline, so nothing was sent";
            Err(CallError::NotSigned(Error::new(ErrorKind::Timeout, text)))
        }
    }
}

/// Returns the time to wait after the given number of attempts. The wait is random. Its upper bound
/// starts at `FIRST_BACKOFF` and doubles with each attempt.
fn backoff(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(8);
    FIRST_BACKOFF.saturating_mul(1 << doublings).min(MAX_BACKOFF).mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::backoff;

    #[test]
    fn backoff_doubles_up_to_its_maximum() {
        for (attempts, max_seconds) in [(1, 1), (2, 2), (3, 4), (5, 16), (6, 20), (90, 20)] {
            for _ in 0..100 {
                assert!(backoff(attempts) <= Duration::from_secs(max_seconds));
            }
        }
    }
}
