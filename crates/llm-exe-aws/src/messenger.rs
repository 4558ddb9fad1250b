//! Notes for queues of SQS and buses of EventBridge.
//!
//! In: where to, and the note. Out: nothing, or why it is not known to be told. A standard queue
//! and a bus may be told twice where an answer was lost; a FIFO queue knows a note by its id.

use std::borrow::Cow;
use std::sync::Arc;

use llm_exe::ports::PortFuture;
use llm_exe::{Deadline, Error, ErrorKind};
use llm_exe_function::destination::{Bus, Destination, Queue};
use llm_exe_function::ports::{Messenger, Notification};
use sha2::{Digest, Sha256};

use crate::attempt::Attempt;
use crate::call::{Aws, CallError};
use crate::events::{Events, PutEvents};
use crate::refusal::Refusal;
use crate::sqs::{Fifo, SendMessage, Sqs};

/// The most bytes of a message or an event: what every queue and bus takes, whatever it allows.
const MOST_BYTES: usize = 256 * 1024;
/// The longest group or deduplication id.
const LONGEST_ID: usize = 128;
/// The group of notes that are of none.
const GROUP: &str = "llm-exe";
const SOURCE: &str = "llm-exe";
const DETAIL_TYPE: &str = "LLM Result";

/// Tells queues and buses of AWS.
#[derive(Debug)]
pub struct AwsMessenger {
    sqs: Sqs,
    events: Events,
}

impl AwsMessenger {
    /// Tells queues in this region where their URL tells none, and buses in their own; at these
    /// base URLs of SQS and EventBridge if they are said. A destination's URL or ARN never says
    /// where requests go but for its region.
    pub fn new(
        aws: Arc<Aws>,
        region: Option<String>,
        sqs_endpoint: Option<String>,
        events_endpoint: Option<String>,
    ) -> Self {
        let sqs = Sqs::new(Arc::clone(&aws), region, sqs_endpoint);
        AwsMessenger { sqs, events: Events::new(aws, events_endpoint) }
    }

    async fn told(
        &self,
        destination: &Destination,
        note: Notification<'_>,
        deadline: Deadline,
    ) -> Result<(), Error> {
        match destination {
            Destination::Queue(queue) => self.queue(queue, note, deadline).await,
            Destination::Bus(bus) => self.bus(bus, note, deadline).await,
            Destination::Objects(_) => {
                let text = "objects were asked of the messenger of queues and buses";
                Err(Error::new(ErrorKind::Internal, text))
            }
        }
    }

    async fn queue(
        &self,
        queue: &Queue,
        note: Notification<'_>,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let body = plain(note.body);
        fits(body.len(), &queue.url)?;
        let (group, id) = (id(note.group.unwrap_or(GROUP)), id(note.id));
        let fifo = Fifo { group: &group, deduplication_id: &id };
        let send = SendMessage {
            queue_url: &queue.url,
            region: queue.region.as_deref(),
            body: &body,
            fifo: queue.is_fifo().then_some(fifo),
        };
        let attempt = Attempt {
            failed: "SQS did not take a message for",
            action: "sqs:SendMessage",
            resource: &queue.url,
            of_denials: "",
        };
        self.sqs.send_message(send, deadline).await.map(drop).map_err(|fault| match &fault {
            CallError::Refused(refusal) if is_missing(refusal) => {
                attempt.unavailable(&format!("there is no such queue ({refusal})"))
            }
            CallError::Refused(refusal) if refusal.message.contains("must be shorter than") => {
                too_large(&queue.url, "what the queue takes")
            }
            _ => attempt.error(fault),
        })
    }

    async fn bus(
        &self,
        bus: &Bus,
        note: Notification<'_>,
        deadline: Deadline,
    ) -> Result<(), Error> {
        fits(SOURCE.len() + DETAIL_TYPE.len() + note.body.len(), &bus.arn)?;
        let put = PutEvents {
            bus: &bus.arn,
            region: &bus.region,
            source: SOURCE,
            detail_type: DETAIL_TYPE,
            detail: note.body,
        };
        let attempt = Attempt {
            failed: "EventBridge did not take an event for",
            action: "events:PutEvents",
            resource: &bus.arn,
            of_denials: "",
        };
        self.events.put_events(put, deadline).await.map(drop).map_err(|fault| match &fault {
            CallError::Refused(refusal) if is_missing(refusal) => {
                attempt.unavailable(&format!("there is no such bus ({refusal})"))
            }
            _ => attempt.error(fault),
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
        Box::pin(self.told(destination, note, deadline))
    }
}

fn is_missing(refusal: &Refusal) -> bool {
    const MISSING: &[&str] = &[
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    ];
    MISSING.contains(&refusal.code.as_str())
}

fn fits(bytes: usize, shown: &str) -> Result<(), Error> {
    match bytes <= MOST_BYTES {
        true => Ok(()),
        false => Err(too_large(shown, "256 KiB")),
    }
}

fn too_large(shown: &str, bound: &str) -> Error {
    let text = format!("the result is larger than {bound}, so {shown} can't be told of it");
    Error::new(ErrorKind::ResultTooLarge, text)
}

/// An id as FIFO queues take it: as it is, or else its hash.
fn id(text: &str) -> Cow<'_, str> {
    let fits = (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if fits {
        return Cow::Borrowed(text);
    }
    let hash = Sha256::digest(text.as_bytes());
    Cow::Owned(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// JSON without the two characters that SQS does not take and JSON does.
fn plain(json: &str) -> Cow<'_, str> {
    const REFUSED: [char; 2] = ['\u{fffe}', '\u{ffff}'];
    if !json.contains(REFUSED) {
        return Cow::Borrowed(json);
    }
    // They can only be within strings.
    Cow::Owned(json.replace(REFUSED[0], "\\ufffe").replace(REFUSED[1], "\\uffff"))
}

#[cfg(test)]
mod tests {
    use super::{id, plain};

    #[test]
    fn ids_fit_fifo_queues() {
        let hash = |text: &str| id(text).len() == 64 && id(text) != text;
        let longest = "x".repeat(128);
        for plain in ["a", "a:b/c!~", &longest] {
            assert_eq!(id(plain), plain);
        }
        for other in ["", "a b", "ü", "a\n", &"x".repeat(129)] {
            assert!(hash(other), "{other}");
        }
        assert_eq!(id(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_ne!(id("a b"), id("a c"));
    }

    #[test]
    fn json_stays_the_same_value() {
        for json in ["{\"a\":\"\u{fffe}\u{ffff}ü\"}", "{\"a\":\"b\\\\\u{ffff}\"}", "{}"] {
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(value(&plain(json)), value(json));
            assert!(!plain(json).contains(['\u{fffe}', '\u{ffff}']));
        }
    }
}
