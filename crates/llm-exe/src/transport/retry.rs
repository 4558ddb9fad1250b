//! When to try again, as arithmetic: no clock, no I/O.

use std::time::{Duration, SystemTime};

use super::Policy;
use crate::wire::WireReply;

/// The first wait; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Whether waits are spread, so that many callers do not come back at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jitter {
    /// Anything from nothing to the whole wait.
    Full,
    /// The whole wait.
    None,
}

/// How long to wait after so many tries: what the provider asked for, else twice as long each
/// time, spread by jitter.
pub(crate) fn wait(attempts: u32, asked: Option<Duration>, policy: &Policy) -> Duration {
    if let Some(asked) = asked {
        return asked;
    }
    let doublings = attempts.saturating_sub(1).min(16);
    let most = FIRST_WAIT.saturating_mul(1 << doublings).min(policy.max_delay);
    match policy.jitter {
        Jitter::None => most,
        Jitter::Full => most.mul_f64(fastrand::f64()),
    }
}

/// What the provider asks for: `retry-after-ms`, else `Retry-After` in seconds or as a date.
pub(crate) fn wait_asked(reply: &WireReply) -> Option<Duration> {
    if let Some(text) = reply.header("retry-after-ms")
        && let Some(wait) = seconds(text).map(|wait| wait / 1000)
    {
        return Some(wait);
    }
    let text = reply.header("retry-after")?;
    if let Some(wait) = seconds(text) {
        return Some(wait);
    }
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO))
}

/// Not negative, finite, and no more than a day: anything else is no wait that was meant.
fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok()?;
    let sane = seconds.is_finite() && (0.0..=86_400_000.0).contains(&seconds);
    sane.then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{Jitter, wait, wait_asked};
    use crate::transport::Policy;
    use crate::wire::WireReply;

    fn reply(headers: &[(&'static str, &str)]) -> WireReply {
        let mut all = http::HeaderMap::new();
        for (name, value) in headers {
            all.insert(*name, value.parse().unwrap());
        }
        WireReply { status: 429, headers: all, body: bytes::Bytes::new() }
    }

    #[test]
    fn waits_twice_as_long_each_time_up_to_the_most() {
        let policy =
            Policy { max_delay: Duration::from_secs(3), jitter: Jitter::None, ..Policy::default() };
        let waits: Vec<u128> =
            [1, 2, 3, 4, 40].map(|n| wait(n, None, &policy).as_millis()).to_vec();
        assert_eq!(waits, [500, 1000, 2000, 3000, 3000]);
        let spread = Policy { jitter: Jitter::Full, ..policy };
        assert!((0..200).all(|_| wait(2, None, &spread) <= Duration::from_secs(1)));
    }

    #[test]
    fn reads_what_the_provider_asks_for() {
        assert_eq!(wait_asked(&reply(&[("retry-after", "2")])), Some(Duration::from_secs(2)));
        let both = reply(&[("retry-after-ms", "1500"), ("retry-after", "9")]);
        assert_eq!(wait_asked(&both), Some(Duration::from_millis(1500)));
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(30));
        let asked = wait_asked(&reply(&[("retry-after", &date)])).unwrap();
        assert!((28..=30).contains(&asked.as_secs()), "{asked:?}");
        let past = wait_asked(&reply(&[("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")]));
        assert_eq!(past, Some(Duration::ZERO));
        for nonsense in ["-1", "soon", "NaN", "inf", ""] {
            assert_eq!(wait_asked(&reply(&[("retry-after", nonsense)])), None, "{nonsense}");
        }
    }
}
