//! `SendMessage`:
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use llm_exe::Deadline;
use serde::Deserialize;
use serde_json::json;

use super::Sqs;
use crate::call::{Call, CallError};
use crate::endpoint::service_url;

const PATIENCE: Duration = Duration::from_secs(5);
const MOST_ANSWERED: usize = 64 * 1024;

/// A message for a queue.
#[derive(Debug, Clone, Copy)]
pub struct SendMessage<'a> {
    /// The queue's URL. It is told to SQS and is not where the request goes.
    pub queue_url: &'a str,
    /// The queue's region, where it is known.
    pub region: Option<&'a str>,
    /// The message.
    pub body: &'a str,
    /// What a FIFO queue wants beside.
    pub fifo: Option<Fifo<'a>>,
}

/// How a FIFO queue orders a message and knows it again; each has 1 to 128 characters of ASCII,
/// without space.
#[derive(Debug, Clone, Copy)]
pub struct Fifo<'a> {
    /// The group within which the order is kept.
    pub group: &'a str,
    /// What is the same within five minutes is taken once.
    pub deduplication_id: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    message_id: String,
}

impl Sqs {
    /// Sends the message; its id. A standard queue may get it twice where an answer was lost.
    ///
    /// # Errors
    /// Why it is not known to be sent.
    pub async fn send_message(
        &self,
        send: SendMessage<'_>,
        deadline: Deadline,
    ) -> Result<String, CallError> {
        let reply = self.aws.send(&self.send_message_call(send)?, deadline).await?;
        match serde_json::from_slice::<Answer>(&reply.body) {
            Ok(answer) => Ok(answer.message_id),
            Err(_) => Err(CallError::Unreadable("it is not what SendMessage answers")),
        }
    }

    pub(crate) fn send_message_call(&self, send: SendMessage<'_>) -> Result<Call, CallError> {
        let region = send.region.or(self.region.as_deref()).ok_or_else(CallError::no_region)?;
        let mut body = json!({ "QueueUrl": send.queue_url, "MessageBody": send.body });
        if let Some(Fifo { group, deduplication_id }) = send.fifo {
            body["MessageDeduplicationId"] = json!(deduplication_id);
            body["MessageGroupId"] = json!(group);
        }
        Ok(Call {
            service: "sqs",
            region: region.to_owned(),
            method: Method::POST,
            url: format!("{}/", service_url(self.endpoint.as_deref(), "sqs", region)),
            headers: vec![
                ("content-type", "application/x-amz-json-1.0".to_owned()),
                ("x-amz-target", "AmazonSQS.SendMessage".to_owned()),
                // As SDKs have it, for the names of errors from before SQS spoke JSON.
                ("x-amzn-query-mode", "true".to_owned()),
            ],
            body: Bytes::from(body.to_string()),
            most_bytes: MOST_ANSWERED,
            patience: PATIENCE,
            hidden: |_| None,
        })
    }
}
