//! Authenticates HTTP callers with the endpoint key.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use llm_exe::{Deadline, Error, ErrorKind, Keys, Secret};
use llm_exe_events::{Authorization, endpoint_key};
use ring::digest;
use subtle::ConstantTimeEq;

/// Minimum time between two refreshes of the endpoint key. A refresh is triggered by a caller whose
/// key does not match.
const REFRESH_INTERVAL: Duration = Duration::from_secs(30);

/// Compares the keys that callers send with the endpoint key.
pub(crate) struct EndpointAuthenticator {
    keys: Arc<dyn Keys>,
    refreshed_at: Mutex<Option<Instant>>,
}

impl EndpointAuthenticator {
    pub(crate) fn new(keys: Arc<dyn Keys>) -> Self {
        EndpointAuthenticator { keys, refreshed_at: Mutex::new(None) }
    }

    /// Checks the key that a caller sent, if the authorization requires a key.
    ///
    /// # Errors
    /// Returns `Unauthorized` if the caller is rejected, `Timeout` if the endpoint key could not be
    /// looked up in time, or the error of the look-up.
    pub(crate) async fn check(
        &self,
        authorization: Authorization,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let timeout = "the endpoint key could not be looked up in time";
        tokio::time::timeout_at(deadline.instant().into(), self.check_key(authorization))
            .await
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, timeout)))
    }

    async fn check_key(&self, authorization: Authorization) -> Result<(), Error> {
        let presented = match authorization {
            Authorization::Granted => return Ok(()),
            Authorization::Denied(error) => return Err(error),
            Authorization::RequiresKey(presented) => presented,
        };
        let name = endpoint_key();
        let key = self.keys.get(&name).await?;
        if is_equal(&key, &presented) {
            return Ok(());
        }
        // The endpoint key may have been replaced since it was fetched. The rate of refreshes is
        // limited, so that guessing keys does not cause a look-up for each guess.
        if self.may_refresh()
            && let Ok(Some(newer)) = self.keys.renewed(&name, &key).await
            && is_equal(&newer, &presented)
        {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unauthorized, "the endpoint key is wrong"))
    }

    fn may_refresh(&self) -> bool {
        let mut refreshed_at = self.refreshed_at.lock().unwrap_or_else(PoisonError::into_inner);
        let may_refresh = refreshed_at.is_none_or(|at| at.elapsed() >= REFRESH_INTERVAL);
        if may_refresh {
            *refreshed_at = Some(Instant::now());
        }
        may_refresh
    }
}

/// Compares two keys in constant time, so that timing reveals nothing about the endpoint key. The
/// keys are hashed first, because only inputs of the same length can be compared in constant time.
fn is_equal(key: &Secret, presented: &str) -> bool {
    let hash = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
    let (expected, actual) = (hash(key.expose()), hash(presented));
    bool::from(expected.as_ref().ct_eq(actual.as_ref()))
}
