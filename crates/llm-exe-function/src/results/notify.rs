//! Telling destinations: a queue, a bus, or objects under a prefix of a request's own.

use bytes::Bytes;
use llm_exe::results::{Destination, Note, ResultPlace, When};
use llm_exe::{Deadline, Error, ErrorKind, Run};
use serde_json::Value;

use super::Results;
use super::stored_result::Kept;

/// The most bytes of what a queue or a bus is told, with room for what carries it.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html>
const MOST_NOTE_BYTES: usize = 240 * 1024;

impl Results {
    /// Who is told of a record that came from these queues, topics and buckets, unless its
    /// request names somebody.
    ///
    /// # Errors
    /// Where it came from whoever would be told: that would start the next run.
    pub(super) fn check_origins(&self, origins: &[String]) -> Result<(), Error> {
        let Some(destination) = &self.settings.destination else {
            return Ok(());
        };
        match origins.iter().find(|origin| destination.is_of(origin)) {
            None => Ok(()),
            Some(origin) => {
                let text = format!(
                    "the event came from {origin}, which is RESULT_DESTINATION: it would be told, \
                     and start the next run"
                );
                Err(Error::new(ErrorKind::ConfigForbidden, text))
            }
        }
    }

    /// Whether anybody is told of a record that ended so.
    pub(super) fn is_told(&self, run: &Run) -> bool {
        run.report.destination.is_some() || self.settings.destination.is_some()
    }

    /// Tells the operator's destination of a record, unless its request names another; returns the
    /// one that was told.
    pub(super) async fn tell_of_record(
        &self,
        kept: &Kept,
        place: Option<&ResultPlace>,
        group: Option<&str>,
        deadline: Deadline,
    ) -> Result<Option<Destination>, Error> {
        let destination = kept.destination().or_else(|| self.settings.destination.clone());
        if let Some(destination) = &destination {
            self.tell(destination, kept, place, group, deadline).await?;
        }
        Ok(destination)
    }

    /// Tells a destination.
    pub(super) async fn tell(
        &self,
        destination: &Destination,
        kept: &Kept,
        place: Option<&ResultPlace>,
        group: Option<&str>,
        deadline: Deadline,
    ) -> Result<(), Error> {
        if let Destination::Objects(prefix) = destination {
            let place = prefix.object(&format!("{}.json", kept.name()));
            let body = Bytes::from(kept.note(None, true));
            return self.store.write(&place, body, When::Always, deadline).await.map(drop);
        }
        let mut at = place.map(ResultPlace::to_string);
        let mut body = kept.note(at.as_deref(), true);
        if body.len() > MOST_NOTE_BYTES {
            if at.is_none() && self.prefix().is_some() {
                at = self
                    .put_aside(&kept.name(), kept.result(), deadline)
                    .await?
                    .map(|one| one.to_string());
            }
            if at.is_none() {
                let text = format!(
                    "what {destination} would be told has {} bytes; at most {MOST_NOTE_BYTES} \
                     without a RESULT_PREFIX to put it under",
                    body.len()
                );
                return Err(Error::new(ErrorKind::ResultTooLarge, text));
            }
            body = kept.note(at.as_deref(), false);
        }
        let note = Note { id: &kept.note_id(), group, body: &body };
        self.messenger.tell(destination, note, deadline).await
    }

    /// Writes a value under the result prefix, where there is one.
    pub(crate) async fn put_aside(
        &self,
        name: &str,
        value: &Value,
        deadline: Deadline,
    ) -> Result<Option<ResultPlace>, Error> {
        let Some(prefix) = self.prefix() else {
            return Ok(None);
        };
        let place = prefix.object(&format!("results/{name}.json"));
        let body = Bytes::from(value.to_string());
        self.store.write(&place, body, When::Always, deadline).await?;
        Ok(Some(place))
    }
}
