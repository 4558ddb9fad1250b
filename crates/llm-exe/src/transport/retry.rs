//! Computes how long to wait before a request is sent again.

use std::time::{Duration, SystemTime};

use crate::wire::{WireReply, parse_seconds};

/// The wait before the first retry. Each later wait is twice as long as the previous one.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// How often and when a request is retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Maximum number of attempts. Must be at least 1.
    pub attempts: u32,
    /// Maximum wait between two attempts.
    pub max_delay: Duration,
    /// Whether the waits are randomized.
    pub jitter: Jitter,
    /// Maximum duration of one attempt. The deadline may end the attempt earlier.
    pub timeout: Option<Duration>,
}

impl Default for Policy {
    fn default() -> Self {
        let max_delay = Duration::from_millis(8000);
        Policy { attempts: 3, max_delay, jitter: Jitter::Full, timeout: None }
    }
}

/// Whether waits are randomized, which keeps callers from retrying at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Jitter {
    /// Waits for a random fraction of the computed time.
    Full,
    /// Waits for exactly the computed time.
    None,
}

/// Whether a request may be sent again after a response. By default, it may not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetryAdvice {
    /// Whether another attempt may succeed.
    pub may_retry: bool,
    /// The wait that the response asks for in its body.
    pub wait: Option<Duration>,
}

/// Returns whether a provider asks for a retry in the header `x-should-retry`, which OpenAI and
/// Anthropic send with errors, or `None` without this header.
pub(crate) fn requested_retry(reply: &WireReply) -> Option<bool> {
    if (200..300).contains(&reply.status) {
        return None;
    }
    match reply.header("x-should-retry")? {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Returns how long to wait before the next attempt. This is the time that the provider requested,
/// or else an exponential backoff.
pub(crate) fn wait(attempts: u32, requested: Option<Duration>, policy: &Policy) -> Duration {
    if let Some(requested) = requested {
        return requested;
    }
    let doublings = attempts.saturating_sub(1).min(16);
    let wait = FIRST_WAIT.saturating_mul(1 << doublings).min(policy.max_delay);
    match policy.jitter {
        Jitter::None => wait,
        Jitter::Full => wait.mul_f64(fastrand::f64()),
    }
}

/// Returns the wait that a provider requests in the `retry-after-ms` header, or else in the
/// `retry-after` header, which contains seconds or a date.
pub(crate) fn retry_after(reply: &WireReply) -> Option<Duration> {
    if let Some(text) = reply.header("retry-after-ms")
        && let Some(wait) = parse_seconds(text).map(|wait| wait / 1000)
    {
        return Some(wait);
    }
    let text = reply.header("retry-after")?;
    if let Some(wait) = parse_seconds(text) {
        return Some(wait);
    }
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{Jitter, Policy, retry_after, wait};
    use crate::wire::WireReply;

    fn reply(headers: &[(&'static str, &str)]) -> WireReply {
        let mut all = http::HeaderMap::new();
        for (name, value) in headers {
            all.insert(*name, value.parse().unwrap());
        }
        WireReply { status: 429, headers: all, body: bytes::Bytes::new() }
    }

    #[test]
    fn wait_doubles_up_to_the_maximum() {
        let policy =
            Policy { max_delay: Duration::from_secs(3), jitter: Jitter::None, ..Policy::default() };
        let waits: Vec<u128> =
            [1, 2, 3, 4, 40].map(|n| wait(n, None, &policy).as_millis()).to_vec();
        assert_eq!(waits, [500, 1000, 2000, 3000, 3000]);
        let random = Policy { jitter: Jitter::Full, ..policy };
        assert!((0..200).all(|_| wait(2, None, &random) <= Duration::from_secs(1)));
    }

    #[test]
    fn requested_wait_is_read_from_headers() {
        assert_eq!(retry_after(&reply(&[("retry-after", "2")])), Some(Duration::from_secs(2)));
        let both = reply(&[("retry-after-ms", "1500"), ("retry-after", "9")]);
        assert_eq!(retry_after(&both), Some(Duration::from_millis(1500)));
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(30));
        let wait = retry_after(&reply(&[("retry-after", &date)])).unwrap();
        assert!((28..=30).contains(&wait.as_secs()), "{wait:?}");
        let past = retry_after(&reply(&[("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")]));
        assert_eq!(past, Some(Duration::ZERO));
        for long in ["86400001", "1e9", "99999999999999999999999", "1e400"] {
            let wait = retry_after(&reply(&[("retry-after", long)])).unwrap();
            assert!(wait >= Duration::from_secs(86_400_000), "{long}: {wait:?}");
        }
        for invalid in ["-1", "soon", "NaN", "inf", ""] {
            assert_eq!(retry_after(&reply(&[("retry-after", invalid)])), None, "{invalid}");
        }
    }
}
