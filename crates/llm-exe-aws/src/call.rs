//! One call to a service of AWS: built, signed, sent, and tried again as AWS's own SDKs do in
//! their standard mode.
//!
//! In: a [`Call`]. Out: the answer of a success, or why there is none. Throttling, failures of the
//! service and broken connections are tried three times in all; a clock that is off is put right
//! and credentials that expired are fetched anew, once each.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use llm_exe::transport::{HttpClient, HttpError};
use llm_exe::wire::WireReply;
use llm_exe::{Deadline, Error, ErrorKind};

use crate::credentials::{CredentialSource, Credentials};
use crate::refusal::Refusal;
use crate::signer::{Covered, Fault, signature};

/// How often a call is sent, the mending of clock and credentials aside.
const TRIES: u32 = 3;
/// The waits between tries are spread from nothing to this, doubled each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// Signatures of clocks that are less off are taken; no other reason is looked for in them.
const SKEW: Duration = Duration::from_secs(240);

/// Calls services of AWS. One a process: what it learns of the clock holds for all services.
pub struct Aws {
    http: HttpClient,
    source: Arc<dyn CredentialSource>,
    clock: fn() -> SystemTime,
    /// Seconds by which AWS's clock is ahead of ours.
    ahead: AtomicI64,
}

impl std::fmt::Debug for Aws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aws").field("http", &self.http).finish_non_exhaustive()
    }
}

/// A call as it will be sent, but for its signature.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// As signatures name it: `s3`, `ssm`.
    pub(crate) service: &'static str,
    pub(crate) region: String,
    pub(crate) method: Method,
    /// The whole URL, its path and query percent-encoded.
    pub(crate) url: String,
    /// All are signed.
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    /// The most bytes of the answer that are read.
    pub(crate) most_bytes: usize,
    /// The time for one try.
    pub(crate) patience: Duration,
    /// The refusal that the answer of a success hides, where it can hide one.
    pub(crate) hidden: fn(&WireReply) -> Option<Refusal>,
}

/// Why a call did not succeed.
#[derive(Debug)]
pub enum CallError {
    /// There are no credentials, or their source failed; or the call can't be signed.
    NotSigned(Error),
    /// AWS answered, and not with a success.
    Refused(Refusal),
    /// There was no whole answer.
    Failed(HttpError),
    /// The answer of a success says something else than it should.
    Unreadable(&'static str),
}

impl CallError {
    /// What there is to say where no region is known.
    pub(crate) fn no_region() -> CallError {
        let text = "no AWS region: set AWS_REGION in the environment";
        CallError::NotSigned(Error::new(ErrorKind::SecretNotFound, text))
    }

    fn may_pass(&self) -> bool {
        match self {
            CallError::NotSigned(_) | CallError::Unreadable(_) => false,
            CallError::Refused(refusal) => refusal.may_pass(),
            CallError::Failed(fault) => fault.is_transient(),
        }
    }
}

impl Aws {
    /// Calls over this client with credentials of this source.
    pub fn new(http: HttpClient, source: Arc<dyn CredentialSource>) -> Self {
        Aws { http, source, clock: SystemTime::now, ahead: AtomicI64::new(0) }
    }

    /// The same by another clock.
    #[must_use]
    pub fn with_clock(self, clock: fn() -> SystemTime) -> Self {
        Aws { clock, ..self }
    }

    /// Sends a call until it succeeds (2xx, or 304), or no further try would mend it.
    pub(crate) async fn send(
        &self,
        call: &Call,
        deadline: Deadline,
    ) -> Result<WireReply, CallError> {
        let mut credentials = in_time(self.source.credentials(), deadline).await?;
        let (mut tries, mut is_clock_mended, mut is_renewed) = (0, false, false);
        loop {
            tries += 1;
            let fault = match self.once(call, &credentials, deadline).await {
                Ok(reply) => return Ok(reply),
                Err(fault) => fault,
            };
            if let CallError::Refused(refusal) = &fault {
                if !is_clock_mended && self.mend_clock(refusal) {
                    (is_clock_mended, tries) = (true, tries - 1);
                    continue;
                }
                if !is_renewed && refusal.is_of_expired_credentials() {
                    let renewed = in_time(self.source.renewed(&credentials), deadline).await?;
                    if let Some(newer) = renewed {
                        (is_renewed, tries, credentials) = (true, tries - 1, newer);
                        continue;
                    }
                }
            }
            let wait = wait(tries);
            if tries >= TRIES || !fault.may_pass() || wait >= deadline.left() {
                return Err(fault);
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn once(
        &self,
        call: &Call,
        credentials: &Credentials,
        deadline: Deadline,
    ) -> Result<WireReply, CallError> {
        let request = call.signed(credentials, self.now()).map_err(|why| {
            let text = format!("can't sign: {why}");
            CallError::NotSigned(Error::new(ErrorKind::Internal, text))
        })?;
        let within = deadline.within(Some(call.patience));
        let reply = self.http.exchange(request, call.most_bytes, within).await;
        let reply = reply.map_err(CallError::Failed)?;
        let refusal = match reply.status {
            200..300 | 304 => (call.hidden)(&reply),
            _ => Some(Refusal::of(&reply)),
        };
        refusal.map_or(Ok(reply), |refusal| Err(CallError::Refused(refusal)))
    }

    /// The time as AWS has it, as far as it is known.
    fn now(&self) -> SystemTime {
        let ahead = self.ahead.load(Ordering::Relaxed);
        let by = Duration::from_secs(ahead.unsigned_abs());
        let now = (self.clock)();
        let moved = if ahead < 0 { now.checked_sub(by) } else { now.checked_add(by) };
        moved.unwrap_or(now)
    }

    /// Puts the clock right where that may be why a signature was refused.
    fn mend_clock(&self, refusal: &Refusal) -> bool {
        let (true, Some(theirs)) = (refusal.may_be_of_the_clock(), refusal.date) else {
            return false;
        };
        let off = |ours: SystemTime| match theirs.duration_since(ours) {
            Ok(ahead) => i64::try_from(ahead.as_secs()).unwrap_or(0),
            Err(behind) => -i64::try_from(behind.duration().as_secs()).unwrap_or(0),
        };
        if off(self.now()).unsigned_abs() < SKEW.as_secs() {
            return false;
        }
        self.ahead.store(off((self.clock)()), Ordering::Relaxed);
        true
    }
}

impl Call {
    /// The request, signed at this time.
    pub(crate) fn signed(
        &self,
        credentials: &Credentials,
        time: SystemTime,
    ) -> Result<Request<Bytes>, Fault> {
        let covered = Covered {
            method: self.method.as_str(),
            url: &self.url,
            headers: self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect(),
            body: &self.body,
            service: self.service,
            region: &self.region,
        };
        let signed = signature(credentials, covered, time)?;
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.url)
            .header(header::USER_AGENT, llm_exe::wire::USER_AGENT)
            .body(self.body.clone())?;
        for (name, value) in &self.headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value)?);
        }
        request.headers_mut().extend(signed);
        Ok(request)
    }
}

/// Credentials, by the deadline.
async fn in_time<T>(
    found: impl Future<Output = Result<T, Error>>,
    deadline: Deadline,
) -> Result<T, CallError> {
    match tokio::time::timeout_at(deadline.instant().into(), found).await {
        Ok(found) => found.map_err(CallError::NotSigned),
        Err(_) => Err(CallError::Failed(HttpError::TimedOut)),
    }
}

/// The wait after so many tries: anything from nothing to one second, doubled each time.
fn wait(tries: u32) -> Duration {
    let doublings = tries.saturating_sub(1).min(8);
    FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT).mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::wait;

    #[test]
    fn waits_grow_and_end() {
        for (tries, most) in [(1, 1), (2, 2), (3, 4), (5, 16), (6, 20), (90, 20)] {
            for _ in 0..100 {
                assert!(wait(tries) <= Duration::from_secs(most));
            }
        }
    }
}
