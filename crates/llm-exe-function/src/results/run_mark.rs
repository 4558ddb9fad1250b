//! Runs a record alone if its earlier delivery left no result.
//!
//! The record may have ended the process, for example because it used up the memory, so that all
//! other records of its batch failed too. The function therefore writes a mark and then runs the
//! record alone. A record that has a mark but still no result is not run again. Marks are never
//! deleted, because the function's role has no permission to delete objects.

use std::time::{Instant, SystemTime};

use bytes::Bytes;
use llm_exe::{Deadline, Error, ErrorKind};
use llm_exe_events::RecordRequest;
use serde_json::json;
use tokio::sync::{RwLockReadGuard, RwLockWriteGuard};

use super::Results;
use crate::destination::ResultPlace;
use crate::ports::{Precondition, WriteOutcome};

/// The permission to run a record. It is held until the result is stored.
#[expect(dead_code, reason = "the guards are held, not read")]
pub(super) enum RunPermit<'a> {
    /// Other records may run at the same time.
    Shared(RwLockReadGuard<'a, ()>),
    /// The record runs alone.
    Alone(RwLockWriteGuard<'a, ()>),
}

impl Results {
    /// Waits until no other record runs, and writes the mark.
    ///
    /// # Errors
    /// `Internal` if the record has a mark, `Timeout` if too little time is left, or the error of
    /// the store.
    pub(super) async fn start_alone(
        &self,
        request: &RecordRequest,
        name: &str,
        deadline: Deadline,
    ) -> Result<RunPermit<'_>, Error> {
        let started = Instant::now();
        let permit = self.run_lock.write().await;
        let (waited, left) = (started.elapsed(), deadline.left());
        // This record probably takes as long as the others did.
        if left < waited {
            let message = format!(
                "not started, because only {} ms are left after the other records, which took {} \
                 ms",
                left.as_millis(),
                waited.as_millis()
            );
            return Err(Error::new(ErrorKind::Timeout, message));
        }
        if let Some(prefix) = self.prefix() {
            let place = prefix.object(&format!("started/{name}.json"));
            self.write_mark(request, &place, deadline).await?;
        }
        Ok(RunPermit::Alone(permit))
    }

    async fn write_mark(
        &self,
        request: &RecordRequest,
        place: &ResultPlace,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let mark = json!({
            "id": request.id,
            "source": request.source,
            "at": humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            // This value distinguishes the mark from the mark of another process.
            "run": format!("{:032x}", fastrand::u128(..)),
        });
        let mark = Bytes::from(mark.to_string());
        let written = self.store.write(place, mark.clone(), Precondition::Absent, deadline).await?;
        if let WriteOutcome::Done(_) = written {
            return Ok(());
        }
        // If the response to a successful write was lost, the retried write finds its own mark.
        let current = self.store.read(place, deadline).await?;
        if current.is_some_and(|current| current.body == mark) {
            return Ok(());
        }
        let message = format!(
            "not run again, because it was already run without other records and left no result, \
             so it may end the process; to run it again, delete {place} and send the message again"
        );
        Err(Error::new(ErrorKind::Internal, message))
    }
}
