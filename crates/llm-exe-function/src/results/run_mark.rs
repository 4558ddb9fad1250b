//! Runs a record alone if its earlier delivery left no result.
//!
//! The process may have died while the record ran, for example because it used up the memory, and
//! all other records of its batch with it. So the record runs alone, and before that, a mark is
//! written. A record that has a mark but still no result is not run a third time. Marks are never
//! deleted, because the role has no permission for it.

use std::time::{Instant, SystemTime};

use bytes::Bytes;
use llm_exe::{Deadline, Error, ErrorKind};
use llm_exe_events::RecordRequest;
use serde_json::json;
use tokio::sync::{RwLockReadGuard, RwLockWriteGuard};

use super::Results;
use crate::destination::ResultPlace;
use crate::ports::{Precondition, WriteOutcome};

/// The right to run a record. It ends when the result is stored.
#[expect(dead_code, reason = "the guards are held, not read")]
pub(super) enum Turn<'a> {
    /// Other records may run at the same time.
    Shared(RwLockReadGuard<'a, ()>),
    /// The record runs alone.
    Alone(RwLockWriteGuard<'a, ()>),
}

impl Results {
    /// Waits until no other record runs and writes the mark.
    ///
    /// # Errors
    /// `Internal` if the record has a mark, `Timeout` if too little time is left, or the error of
    /// the store.
    pub(super) async fn begin_alone(
        &self,
        request: &RecordRequest,
        name: &str,
        deadline: Deadline,
    ) -> Result<Turn<'_>, Error> {
        let started = Instant::now();
        let turn = self.running.write().await;
        let (waited, left) = (started.elapsed(), deadline.left());
        // This record probably takes as long as the others did.
        if left < waited {
            let message = format!(
                "not started, because only {} ms are left after the other records",
                left.as_millis()
            );
            return Err(Error::new(ErrorKind::Timeout, message));
        }
        if let Some(prefix) = self.prefix() {
            let place = prefix.object(&format!("started/{name}.json"));
            self.write_mark(request, &place, deadline).await?;
        }
        Ok(Turn::Alone(turn))
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
            // It distinguishes this write from that of another process.
            "run": format!("{:032x}", fastrand::u128(..)),
        });
        let mark = Bytes::from(mark.to_string());
        let written = self.store.write(place, mark.clone(), Precondition::Absent, deadline).await?;
        if let WriteOutcome::Done(_) = written {
            return Ok(());
        }
        // After a broken connection, the mark can be the one that was just written.
        let current = self.store.read(place, deadline).await?;
        if current.is_some_and(|current| current.body == mark) {
            return Ok(());
        }
        let message = format!(
            "not run again, because the process ended twice while this record ran, the second time \
             without other records; to run it again, delete {place} and send the message again"
        );
        Err(Error::new(ErrorKind::Internal, message))
    }
}
