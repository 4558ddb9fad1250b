//! Queues of SQS, by `SendMessage`.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
//!
//! In: AWS JSON 1.0. Out: the message's id, or SQS's error. A queue is known by its URL's path; one
//! whose name ends in `.fifo` takes what it knows already once within five minutes.

use super::fault::Operation;
use super::object_store::{Kept, Message};
use super::server::{Ask, Refusal, Service, refusal};
use crate::action::Decided;
use crate::sigv4::Kind;
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TARGET: &str = "AmazonSQS.";
const CONTENT_TYPE: &str = "application/x-amz-json-1.0";
const MOST_BYTES: usize = 1024 * 1024;
const KNOWN_FOR: Duration = Duration::from_secs(5 * 60);

pub(super) struct Sqs;

impl Service for Sqs {
    fn signs_as(&self) -> &'static str {
        "sqs"
    }

    fn serves(&self, ask: &Ask<'_>) -> bool {
        ask.header("x-amz-target").is_some_and(|target| target.starts_with(TARGET))
    }

    fn asked(&self, ask: &Ask<'_>) -> Option<(Operation, String)> {
        let is_ours = ask.header("x-amz-target") == Some("AmazonSQS.SendMessage")
            && ask.header("content-type") == Some(CONTENT_TYPE);
        let body = read(ask);
        is_ours.then(|| (Operation::SendMessage, text(&body, "QueueUrl").unwrap_or_default()))
    }

    fn act(&self, ask: &Ask<'_>, kept: &mut Kept) -> Result<Decided, Refusal> {
        let message = message(&read(ask))?;
        let known = message.deduplication_id.as_ref().and_then(|id| {
            kept.messages.iter_mut().rev().find(|known| {
                known.deduplication_id.as_ref() == Some(id)
                    && known.queue_url == message.queue_url
                    && known.at.elapsed() < KNOWN_FOR
            })
        });
        let id = match known {
            Some(known) => {
                known.sent += 1;
                known.id.clone()
            }
            None => {
                let id = kept.next_id();
                kept.messages.push(Message { id: id.clone(), ..message });
                id
            }
        };
        let body = Bytes::from(json!({ "MessageId": id }).to_string());
        Ok(Decided::bytes(200, CONTENT_TYPE, body))
    }

    fn refused(&self, _: &Ask<'_>, refusal: &Refusal) -> Decided {
        let body = json!({
            "__type": format!("com.amazonaws.sqs#{}", refusal.code), "message": refusal.message,
        });
        Decided::bytes(refusal.status, CONTENT_TYPE, Bytes::from(body.to_string()))
    }

    fn unsigned(&self, kind: Kind) -> (u16, &'static str) {
        match kind {
            Kind::Missing => (403, "MissingAuthenticationToken"),
            Kind::Incomplete => (400, "IncompleteSignature"),
            Kind::Unknown => (403, "InvalidClientTokenId"),
            Kind::Wrong | Kind::Late => (403, "SignatureDoesNotMatch"),
        }
    }

    fn request_id_header(&self) -> &'static str {
        "x-amzn-requestid"
    }
}

fn read(ask: &Ask<'_>) -> Value {
    serde_json::from_slice(ask.body).unwrap_or_default()
}

fn text(body: &Value, name: &str) -> Option<String> {
    body.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn message(body: &Value) -> Result<Message, Refusal> {
    let required = |name: &str| {
        let what = format!("The request must contain the parameter {name}.");
        let absent = || refusal(400, "MissingParameter", &what);
        text(body, name).filter(|text| !text.is_empty()).ok_or_else(absent)
    };
    let queue_url = required("QueueUrl")?;
    let name = queue_url.rsplit('/').next().unwrap_or_default();
    if name.starts_with("missing-") {
        let what = "The specified queue does not exist.";
        return Err(refusal(400, "QueueDoesNotExist", what));
    }
    let is_fifo = name.ends_with(".fifo");
    let content = required("MessageBody")?;
    if content.len() > MOST_BYTES {
        return Err(invalid(&format!("Message must be shorter than {MOST_BYTES} bytes.")));
    }
    if !content.chars().all(is_xml) {
        let what = "Invalid characters found in the message body";
        return Err(refusal(400, "InvalidMessageContents", what));
    }
    let (group, deduplication_id) =
        (text(body, "MessageGroupId"), text(body, "MessageDeduplicationId"));
    if is_fifo && group.is_none() {
        required("MessageGroupId")?;
    }
    if is_fifo && deduplication_id.is_none() {
        return Err(invalid(
            "The queue should either have ContentBasedDeduplication enabled or \
             MessageDeduplicationId provided explicitly",
        ));
    }
    if !is_fifo && deduplication_id.is_some() {
        return Err(invalid(
            "The request includes a parameter that is not valid for this queue type: \
             MessageDeduplicationId",
        ));
    }
    for (what, id) in [("MessageGroupId", &group), ("MessageDeduplicationId", &deduplication_id)] {
        if id.as_ref().is_some_and(|id| !is_id(id)) {
            return Err(invalid(&format!(
                "{what} can only include alphanumeric and punctuation characters. 1 to 128 in \
                 length"
            )));
        }
    }
    let at = Instant::now();
    let id = String::new();
    Ok(Message { id, queue_url, body: content, group, deduplication_id, sent: 1, at })
}

/// Whether XML takes it, in which SQS once spoke.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'))
}

fn is_id(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

fn invalid(what: &str) -> Refusal {
    let what = format!("One or more parameters are invalid. Reason: {what}");
    refusal(400, "InvalidParameterValue", &what)
}
