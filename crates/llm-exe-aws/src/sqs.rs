//! A client of Amazon SQS with the operation `SendMessage`:
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use llm_exe::Deadline;
use serde::Deserialize;
use serde_json::json;

use crate::client::{AwsClient, Call, CallError};
use crate::endpoint::service_url;

const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// SQS in a region, or at a base URL.
#[derive(Debug)]
pub struct Sqs {
    client: Arc<AwsClient>,
    region: Option<String>,
    endpoint: Option<String>,
}

/// A message to a queue.
#[derive(Debug, Clone, Copy)]
pub struct SendMessage<'a> {
    /// The queue's URL. It identifies the queue; the request is not sent to it.
    pub queue_url: &'a str,
    /// The queue's region, if it is known.
    pub region: Option<&'a str>,
    /// The message body.
    pub body: &'a str,
    /// The parameters of a FIFO queue.
    pub fifo: Option<Fifo<'a>>,
}

/// The ids of a message in a FIFO queue. Each has 1 to 128 characters of printable ASCII without
/// spaces.
#[derive(Debug, Clone, Copy)]
pub struct Fifo<'a> {
    /// The message group. Messages of a group keep their order.
    pub group: &'a str,
    /// A message with the same deduplication id is accepted once within five minutes.
    pub deduplication_id: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    message_id: String,
}

impl Sqs {
    /// Creates a client. `region` applies to queues whose region is not known; `endpoint` is a base
    /// URL for all queues.
    pub fn new(client: Arc<AwsClient>, region: Option<String>, endpoint: Option<String>) -> Self {
        Sqs { client, region, endpoint }
    }

    /// Sends the message and returns its id. If a response is lost, a standard queue can receive
    /// the message twice.
    ///
    /// # Errors
    /// If SQS did not confirm the message. It may have been sent all the same.
    pub async fn send_message(
        &self,
        send: SendMessage<'_>,
        deadline: Deadline,
    ) -> Result<String, CallError> {
        let reply = self.client.send(&self.send_message_call(send)?, deadline).await?;
        match serde_json::from_slice::<Response>(&reply.body) {
            Ok(response) => Ok(response.message_id),
            Err(_) => Err(CallError::InvalidResponse("invalid response to SendMessage")),
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
                // AWS's SDKs send this to get the error codes of SQS's older query protocol.
                ("x-amzn-query-mode", "true".to_owned()),
            ],
            body: Bytes::from(body.to_string()),
            max_response_bytes: MAX_RESPONSE_BYTES,
            timeout: TIMEOUT,
            error_in_success: |_| None,
        })
    }
}
