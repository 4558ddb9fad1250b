//! The SQS operation `SendMessage`, in the AWS JSON 1.0 protocol.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
//!
//! A queue whose name ends in `.fifo` stores only one of the messages that have the same
//! deduplication id and arrive within five minutes.

use std::time::{Duration, Instant};

use bytes::Bytes;
use llm_exe_simulator::response::PlannedResponse;
use llm_exe_simulator::sigv4::SignatureErrorKind;
use serde_json::{Value, json};

use super::fault::Operation;
use super::service::{Rejection, Service, ServiceRequest};
use super::store::{Message, Store};

const TARGET: &str = "AmazonSQS.";
const CONTENT_TYPE: &str = "application/x-amz-json-1.0";
const MAX_BYTES: usize = 1024 * 1024;
const DEDUPLICATION_INTERVAL: Duration = Duration::from_secs(5 * 60);

pub(super) struct Sqs;

impl Service for Sqs {
    fn signing_name(&self) -> &'static str {
        "sqs"
    }

    fn serves(&self, request: &ServiceRequest<'_>) -> bool {
        request.header("x-amz-target").is_some_and(|target| target.starts_with(TARGET))
    }

    fn operation(&self, request: &ServiceRequest<'_>) -> Option<(Operation, String)> {
        let is_supported = request.header("x-amz-target") == Some("AmazonSQS.SendMessage")
            && request.header("content-type") == Some(CONTENT_TYPE);
        let body = parse_body(request);
        let queue_url = || str_field(&body, "QueueUrl").unwrap_or_default();
        is_supported.then(|| (Operation::SendMessage, queue_url()))
    }

    fn execute(
        &self,
        request: &ServiceRequest<'_>,
        store: &mut Store,
    ) -> Result<PlannedResponse, Rejection> {
        let message = parse_message(&parse_body(request))?;
        let duplicate = message.deduplication_id.as_ref().and_then(|id| {
            store.messages.iter_mut().rev().find(|stored| {
                stored.deduplication_id.as_ref() == Some(id)
                    && stored.queue_url == message.queue_url
                    && stored.at.elapsed() < DEDUPLICATION_INTERVAL
            })
        });
        let id = match duplicate {
            Some(stored) => {
                stored.sent += 1;
                stored.id.clone()
            }
            None => {
                let id = store.next_id();
                store.messages.push(Message { id: id.clone(), ..message });
                id
            }
        };
        let body = Bytes::from(json!({ "MessageId": id }).to_string());
        Ok(PlannedResponse::bytes(200, CONTENT_TYPE, body))
    }

    fn error_response(&self, _: &ServiceRequest<'_>, rejection: &Rejection) -> PlannedResponse {
        let body = json!({
            "__type": format!("com.amazonaws.sqs#{}", rejection.code), "message": rejection.message,
        });
        PlannedResponse::bytes(rejection.status, CONTENT_TYPE, Bytes::from(body.to_string()))
    }

    fn signature_error(&self, kind: SignatureErrorKind) -> (u16, &'static str) {
        match kind {
            SignatureErrorKind::Missing => (403, "MissingAuthenticationToken"),
            SignatureErrorKind::Incomplete => (400, "IncompleteSignature"),
            SignatureErrorKind::UnknownKey => (403, "InvalidClientTokenId"),
            SignatureErrorKind::Mismatch | SignatureErrorKind::Expired => {
                (403, "SignatureDoesNotMatch")
            }
        }
    }

    fn request_id_header(&self) -> &'static str {
        "x-amzn-requestid"
    }
}

fn parse_body(request: &ServiceRequest<'_>) -> Value {
    serde_json::from_slice(request.body).unwrap_or_default()
}

fn str_field(body: &Value, name: &str) -> Option<String> {
    body.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// Parses and validates the message of a `SendMessage` request.
fn parse_message(body: &Value) -> Result<Message, Rejection> {
    let required = |name: &str| {
        let message = format!("The request must contain the parameter {name}.");
        let missing = || Rejection::new(400, "MissingParameter", &message);
        str_field(body, name).filter(|value| !value.is_empty()).ok_or_else(missing)
    };
    let queue_url = required("QueueUrl")?;
    let name = queue_url.rsplit('/').next().unwrap_or_default();
    if name.starts_with("missing-") {
        let message = "The specified queue does not exist.";
        return Err(Rejection::new(400, "QueueDoesNotExist", message));
    }
    let is_fifo = name.ends_with(".fifo");
    let content = required("MessageBody")?;
    if content.len() > MAX_BYTES {
        return Err(invalid_parameter(&format!("Message must be shorter than {MAX_BYTES} bytes.")));
    }
    if !content.chars().all(is_valid_character) {
        let message = "Invalid characters found in the message body";
        return Err(Rejection::new(400, "InvalidMessageContents", message));
    }
    let (group, deduplication_id) =
        (str_field(body, "MessageGroupId"), str_field(body, "MessageDeduplicationId"));
    if is_fifo && group.is_none() {
        required("MessageGroupId")?;
    }
    if is_fifo && deduplication_id.is_none() {
        return Err(invalid_parameter(
            "The queue should either have ContentBasedDeduplication enabled or \
             MessageDeduplicationId provided explicitly",
        ));
    }
    if !is_fifo && deduplication_id.is_some() {
        return Err(invalid_parameter(
            "The request includes a parameter that is not valid for this queue type: \
             MessageDeduplicationId",
        ));
    }
    for (name, id) in [("MessageGroupId", &group), ("MessageDeduplicationId", &deduplication_id)] {
        if id.as_ref().is_some_and(|id| !is_id(id)) {
            return Err(invalid_parameter(&format!(
                "{name} can only include alphanumeric and punctuation characters. 1 to 128 in \
                 length"
            )));
        }
    }
    let at = Instant::now();
    let id = String::new();
    Ok(Message { id, queue_url, body: content, group, deduplication_id, sent: 1, at })
}

/// Whether SQS accepts a character. SQS accepts only the characters that XML 1.0 allows.
fn is_valid_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'))
}

fn is_id(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

fn invalid_parameter(reason: &str) -> Rejection {
    let message = format!("One or more parameters are invalid. Reason: {reason}");
    Rejection::new(400, "InvalidParameterValue", &message)
}
