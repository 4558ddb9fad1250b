//! Sends result notifications to SQS queues and EventBridge event buses.
//!
//! If a response from AWS is lost, the client sends the notification again. A standard queue or an
//! event bus can then receive it twice. A FIFO queue drops the duplicate, because it has the same
//! deduplication id.

use std::borrow::Cow;
use std::sync::Arc;

use llm_exe::ports::PortFuture;
use llm_exe::{Deadline, Error, ErrorKind};
use llm_exe_function::destination::{Bus, Destination, Queue};
use llm_exe_function::ports::{Messenger, Notification};
use ring::digest;

use crate::client::{AwsClient, CallError};
use crate::error_context::ErrorContext;
use crate::error_response::ErrorResponse;
use crate::event_bridge::{EventBridge, PutEvents};
use crate::sqs::{Fifo, SendMessage, Sqs};

/// The maximum size of a message or event in bytes. AWS allows larger messages in some cases, but
/// every queue and event bus accepts this size by default.
const MAX_BYTES: usize = 256 * 1024;
/// The maximum length of message group ids and deduplication ids in SQS.
const MAX_ID_LENGTH: usize = 128;
/// The message group for notifications that do not specify one.
const DEFAULT_GROUP: &str = "llm-exe";
const SOURCE: &str = "llm-exe";
const DETAIL_TYPE: &str = "LLM Result";

/// A [`Messenger`] for SQS queues and EventBridge event buses.
#[derive(Debug)]
pub struct AwsMessenger {
    sqs: Sqs,
    event_bridge: EventBridge,
}

impl AwsMessenger {
    /// Creates a messenger.
    ///
    /// The region of a queue comes from its URL, with `region` as the fallback. The region of an
    /// event bus comes from its ARN. Requests go to the regional endpoints or to the given base
    /// URLs, never to the host in a queue URL.
    pub fn new(
        client: Arc<AwsClient>,
        region: Option<String>,
        sqs_endpoint: Option<String>,
        event_bridge_endpoint: Option<String>,
    ) -> Self {
        let sqs = Sqs::new(Arc::clone(&client), region, sqs_endpoint);
        AwsMessenger { sqs, event_bridge: EventBridge::new(client, event_bridge_endpoint) }
    }

    async fn send_notification(
        &self,
        destination: &Destination,
        note: Notification<'_>,
        deadline: Deadline,
    ) -> Result<(), Error> {
        match destination {
            Destination::Queue(queue) => self.send_to_queue(queue, note, deadline).await,
            Destination::Bus(bus) => self.send_to_bus(bus, note, deadline).await,
            Destination::Objects(_) => {
                let message =
                    "the messenger was called with an S3 destination instead of a queue or bus";
                Err(Error::new(ErrorKind::Internal, message))
            }
        }
    }

    async fn send_to_queue(
        &self,
        queue: &Queue,
        note: Notification<'_>,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let body = escape_noncharacters(note.body);
        check_size(body.len(), &queue.url)?;
        let (group, id) = (fifo_id(note.group.unwrap_or(DEFAULT_GROUP)), fifo_id(note.id));
        let fifo = Fifo { group: &group, deduplication_id: &id };
        let send = SendMessage {
            queue_url: &queue.url,
            region: queue.region.as_deref(),
            body: &body,
            fifo: queue.is_fifo().then_some(fifo),
        };
        let context = ErrorContext {
            unavailable: ErrorKind::ResultUnavailable,
            failed: "can't send the result to",
            resource: &queue.url,
            action: "sqs:SendMessage",
            denial_hint: "",
        };
        self.sqs.send_message(send, deadline).await.map(drop).map_err(|error| match &error {
            CallError::Rejected(response) if is_missing(response) => {
                context.unavailable(&format!("the queue does not exist ({response})"))
            }
            // SQS has no error code for messages that are too large, so check the error message.
            CallError::Rejected(response) if response.message.contains("must be shorter than") => {
                too_large(&queue.url, "the queue's maximum message size")
            }
            _ => context.error(error),
        })
    }

    async fn send_to_bus(
        &self,
        bus: &Bus,
        note: Notification<'_>,
        deadline: Deadline,
    ) -> Result<(), Error> {
        check_size(SOURCE.len() + DETAIL_TYPE.len() + note.body.len(), &bus.arn)?;
        let put = PutEvents {
            bus: &bus.arn,
            region: &bus.region,
            source: SOURCE,
            detail_type: DETAIL_TYPE,
            detail: note.body,
        };
        let context = ErrorContext {
            unavailable: ErrorKind::ResultUnavailable,
            failed: "can't send the result to",
            resource: &bus.arn,
            action: "events:PutEvents",
            denial_hint: "",
        };
        self.event_bridge.put_events(put, deadline).await.map(drop).map_err(|error| match &error {
            CallError::Rejected(response) if is_missing(response) => {
                context.unavailable(&format!("the event bus does not exist ({response})"))
            }
            _ => context.error(error),
        })
    }
}

impl Messenger for AwsMessenger {
    fn send<'a>(
        &'a self,
        destination: &'a Destination,
        note: Notification<'a>,
        deadline: Deadline,
    ) -> PortFuture<'a, Result<(), Error>> {
        Box::pin(self.send_notification(destination, note, deadline))
    }
}

fn is_missing(response: &ErrorResponse) -> bool {
    const MISSING: &[&str] = &[
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    ];
    MISSING.contains(&response.code.as_str())
}

fn check_size(bytes: usize, destination: &str) -> Result<(), Error> {
    match bytes <= MAX_BYTES {
        true => Ok(()),
        false => Err(too_large(destination, "the maximum of 256 KiB")),
    }
}

fn too_large(destination: &str, limit: &str) -> Error {
    let message =
        format!("can't send the result to {destination}: the message is larger than {limit}");
    Error::new(ErrorKind::ResultTooLarge, message)
}

/// Returns the id itself if FIFO queues accept it, or else its SHA-256 hash.
fn fifo_id(id: &str) -> Cow<'_, str> {
    let is_valid =
        (1..=MAX_ID_LENGTH).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    if is_valid {
        return Cow::Borrowed(id);
    }
    Cow::Owned(hex::encode(digest::digest(&digest::SHA256, id.as_bytes())))
}

/// Escapes U+FFFE and U+FFFF, which JSON allows but SQS rejects. The result is equivalent JSON,
/// because these characters can only occur inside strings.
fn escape_noncharacters(json: &str) -> Cow<'_, str> {
    const REJECTED: [char; 2] = ['\u{fffe}', '\u{ffff}'];
    if !json.contains(REJECTED) {
        return Cow::Borrowed(json);
    }
    Cow::Owned(json.replace(REJECTED[0], "\\ufffe").replace(REJECTED[1], "\\uffff"))
}

#[cfg(test)]
mod tests {
    use super::{escape_noncharacters, fifo_id};

    #[test]
    fn invalid_fifo_ids_are_hashed() {
        let longest = "x".repeat(128);
        for valid in ["a", "a:b/c!~", &longest] {
            assert_eq!(fifo_id(valid), valid);
        }
        for invalid in ["", "a b", "ü", "a\n", &"x".repeat(129)] {
            let hash = fifo_id(invalid);
            assert!(hash.len() == 64 && hash != invalid, "{invalid}");
        }
        assert_eq!(fifo_id(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_ne!(fifo_id("a b"), fifo_id("a c"));
    }

    #[test]
    fn escaped_json_has_the_same_value() {
        for json in ["{\"a\":\"\u{fffe}\u{ffff}ü\"}", "{\"a\":\"b\\\\\u{ffff}\"}", "{}"] {
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            let escaped = escape_noncharacters(json);
            assert_eq!(value(&escaped), value(json));
            assert!(!escaped.contains(['\u{fffe}', '\u{ffff}']));
        }
    }
}
