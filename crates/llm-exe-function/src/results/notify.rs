//! Sends results to destinations, which can be SQS queues, EventBridge buses or S3 prefixes.

use bytes::Bytes;
use llm_exe::{Deadline, Error, ErrorKind, ResultDestination, Run};
use serde_json::Value;

use super::Results;
use super::stored_result::StoredResult;
use crate::destination::{Destination, ResultPlace};
use crate::ports::{Notification, Precondition};

/// Maximum size of a notification in bytes, which is EventBridge's limit of 256 KB minus a reserve
/// for the event around it.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html>
const MAX_NOTIFICATION_BYTES: usize = 240 * 1024;

impl Results {
    /// Rejects a record that was delivered by `RESULT_DESTINATION`, because sending its result back
    /// there would cause an endless loop.
    pub(super) fn check_origins(&self, origins: &[String]) -> Result<(), Error> {
        let Some(destination) = &self.settings.destination else {
            return Ok(());
        };
        match origins.iter().find(|origin| destination.matches_arn(origin)) {
            None => Ok(()),
            Some(origin) => {
                let message = format!(
                    "the event came from {origin}, which is also RESULT_DESTINATION; sending \
                     the result there would cause an endless loop"
                );
                Err(Error::new(ErrorKind::ConfigForbidden, message))
            }
        }
    }

    /// Returns true if the result of a record has a destination, either from its request or from
    /// the settings.
    pub(super) fn has_destination(&self, run: &Run) -> bool {
        run.report.destination.is_some() || self.settings.destination.is_some()
    }

    /// Sends the result of a record to the destination that its request names, or else to
    /// `RESULT_DESTINATION`. Returns the destination, if there is one.
    pub(super) async fn send_record(
        &self,
        result: &StoredResult,
        place: Option<&ResultPlace>,
        group: Option<&str>,
        deadline: Deadline,
    ) -> Result<Option<Destination>, Error> {
        let destination = result.destination().or_else(|| self.settings.destination.clone());
        if let Some(destination) = &destination {
            self.send(destination, result, place, group, deadline).await?;
        }
        Ok(destination)
    }

    /// Sends a result to a destination. If the result is too large for a notification, it is stored
    /// below `RESULT_PREFIX`, and the notification contains its URL.
    pub(super) async fn send(
        &self,
        destination: &Destination,
        result: &StoredResult,
        place: Option<&ResultPlace>,
        group: Option<&str>,
        deadline: Deadline,
    ) -> Result<(), Error> {
        if let Destination::Objects(prefix) = destination {
            let place = prefix.object(&format!("{}.json", result.object_name()));
            let body = Bytes::from(result.to_notification(None, true));
            return self.store.write(&place, body, Precondition::None, deadline).await.map(drop);
        }
        let mut url = place.map(ResultPlace::to_string);
        let mut body = result.to_notification(url.as_deref(), true);
        if body.len() > MAX_NOTIFICATION_BYTES {
            if url.is_none() && self.prefix().is_some() {
                let place = self.offload(&result.object_name(), result.result(), deadline).await?;
                url = place.map(|place| place.to_string());
            }
            if url.is_none() {
                let message = format!(
                    "the notification to {destination} has {} bytes, but the maximum is \
                     {MAX_NOTIFICATION_BYTES}; set RESULT_PREFIX to store large results",
                    body.len()
                );
                return Err(Error::new(ErrorKind::ResultTooLarge, message));
            }
            body = result.to_notification(url.as_deref(), false);
        }
        let notification = Notification { id: &result.notification_id(), group, body: &body };
        self.messenger.send(destination, notification, deadline).await
    }

    /// Stores a value below `RESULT_PREFIX`. Returns the written object, or `None` if
    /// `RESULT_PREFIX` is not set.
    pub(crate) async fn offload(
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
        self.store.write(&place, body, Precondition::None, deadline).await?;
        Ok(Some(place))
    }
}
