//! Contract tests for SQS queues. Standard queues receive every message, and FIFO queues drop
//! duplicates.

use llm_exe::{Error, ErrorKind};
use llm_exe_aws::AwsMessenger;
use llm_exe_function::destination::Destination;
use llm_exe_function::ports::{Messenger, Notification};

use super::{Backend, Message};
use crate::support::{REGION, assert_no_secrets, deadline};

/// Returns a queue destination with a realistic URL. Requests go to the configured endpoint, not to
/// this URL.
pub(crate) fn queue(name: &str) -> Destination {
    let url = format!("https://sqs.{REGION}.amazonaws.com/123456789012/{name}");
    Destination::parse(&url).unwrap()
}

pub(crate) async fn send(
    messenger: &AwsMessenger,
    destination: &Destination,
    id: &str,
    group: Option<&str>,
    body: &str,
) -> Result<(), Error> {
    let result = messenger.send(destination, Notification { id, group, body }, deadline()).await;
    if let Err(error) = &result {
        assert_no_secrets(&format!("{error} {error:?}"));
    }
    result
}

pub(crate) async fn missing_queue_and_large_message_are_reported(backend: &impl Backend) {
    let messenger = backend.ports().messenger();
    backend.create_queue("results").await;
    let error = send(&messenger, &queue("missing-queue"), "a", None, "{}").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultUnavailable);
    let expected = "123456789012/missing-queue: the queue does not exist";
    assert!(error.message().contains(expected), "{error}");
    let largest = format!("\"{}\"", "x".repeat(256 * 1024 - 2));
    let larger = format!("{largest} ");
    let error = send(&messenger, &queue("results"), "a", None, &larger).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultTooLarge);
    let expected = "123456789012/results: the message is larger than the maximum of 256 KiB";
    assert!(error.message().contains(expected), "{error}");
    send(&messenger, &queue("results"), "a", None, &largest).await.unwrap();
    let objects = Destination::parse("s3://bucket/prefix").unwrap();
    let error = send(&messenger, &objects, "a", None, "{}").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert_eq!(backend.messages("results").await.len(), 1);
}

pub(crate) async fn messages_are_delivered_and_deduplicated_by_fifo_queues(backend: &impl Backend) {
    let messenger = backend.ports().messenger();
    backend.create_queue("results").await;
    backend.create_queue("results.fifo").await;
    let body = "{\"text\":\"grüße 🦈\u{ffff}\"}";
    for _ in 0..2 {
        send(&messenger, &queue("results"), "an id", Some("g"), body).await.unwrap();
        send(&messenger, &queue("results.fifo"), "plain", Some("g"), body).await.unwrap();
        send(&messenger, &queue("results.fifo"), "an id", None, "{}").await.unwrap();
    }
    let escaped = body.replace('\u{ffff}', "\\uffff");
    let standard = backend.messages("results").await;
    assert_eq!(standard.len(), 2);
    let is_expected =
        |message: &Message| message.body == escaped && message.deduplication_id.is_none();
    assert!(standard.iter().all(is_expected), "{standard:?}");
    let fifo = backend.messages("results.fifo").await;
    let [first, second] = fifo.as_slice() else {
        panic!("{fifo:?}");
    };
    assert_eq!((&first.body, first.group.as_deref()), (&escaped, Some("g")));
    assert_eq!(first.deduplication_id.as_deref(), Some("plain"));
    assert_eq!((second.body.as_str(), second.group.as_deref()), ("{}", Some("llm-exe")));
    // SQS does not accept ids that contain spaces, so the messenger sends the hash of `an id`.
    let is_hash = |id: &String| id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit());
    assert!(second.deduplication_id.as_ref().is_some_and(is_hash), "{second:?}");
}
