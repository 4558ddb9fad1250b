//! Who may call over HTTP, where a key decides.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use llm_exe::{Deadline, Error, ErrorKind, Keys, Secret};
use llm_exe_events::{Admission, endpoint_key};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A caller's key that does not match has the endpoint's looked up anew at most this often.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Knows the endpoint's key.
pub(crate) struct Gate {
    keys: Arc<dyn Keys>,
    looked_again: Mutex<Option<Instant>>,
}

impl Gate {
    pub(crate) fn new(keys: Arc<dyn Keys>) -> Self {
        Gate { keys, looked_again: Mutex::new(None) }
    }

    /// Lets the caller in, or says why not.
    pub(crate) async fn admitted(
        &self,
        admission: Admission,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let checked = self.checked(admission);
        let late = "the endpoint's key could not be looked up in time";
        tokio::time::timeout_at(deadline.instant().into(), checked)
            .await
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, late)))
    }

    async fn checked(&self, admission: Admission) -> Result<(), Error> {
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
