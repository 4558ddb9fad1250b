//! A client for Amazon SQS. It supports only the operation `SendMessage`:
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

/// An SQS client. Requests go to the region of the queue, or to a custom base URL if one is set.
#[derive(Debug)]
pub struct Sqs {
    client: Arc<AwsClient>,
    region: Option<String>,
    endpoint: Option<String>,
}

/// The input of `SendMessage`.
#[derive(Debug, Clone, Copy)]
pub struct SendMessage<'a> {
    /// The queue URL. It only identifies the queue: the request is sent to the SQS endpoint
    /// instead.
    pub queue_url: &'a str,
    /// The queue's region, or `None` to use the client's region.
    pub region: Option<&'a str>,
    /// The message body.
    pub body: &'a str,
    /// The ids that a FIFO queue requires, or `None` for a standard queue.
    pub fifo: Option<Fifo<'a>>,
}

/// The ids of a message in a FIFO queue. Each id consists of 1 to 128 printable ASCII characters
/// other than spaces.
#[derive(Debug, Clone, Copy)]
pub struct Fifo<'a> {
    /// The id of the message group. SQS delivers the messages in a group in order.
    pub group: &'a str,
    /// The deduplication id. SQS drops a message if it received another one with the same id in the
    /// last five minutes.
    pub deduplication_id: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    message_id: String,
}

impl Sqs {
    /// Creates a client. `region` applies to messages that do not specify one. If `endpoint` is
    /// set, all requests go to that base URL.
    pub fn new(client: Arc<AwsClient>, region: Option<String>, endpoint: Option<String>) -> Self {
        Sqs { client, region, endpoint }
    }

    /// Sends the message and returns its id. A standard queue can receive the message twice,
    /// because the client sends it again if a response is lost.
    ///
    /// # Errors
    /// Returns an error if SQS does not confirm the message. SQS may have received it anyway.
    pub async fn send_message(
        &self,
        send: SendMessage<'_>,
        deadline: Deadline,
    ) -> Result<String, CallError> {
        let reply = self.client.send(&self.send_message_call(send)?, deadline).await?;
        match serde_json::from_slice::<Response>(&reply.body) {
            Ok(response) => Ok(response.message_id),
            Err(_) => {
                Err(CallError::InvalidResponse("AWS returned an invalid response to SendMessage"))
            }
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
                // This header makes SQS return the error codes of its older query protocol. The AWS
                // SDKs send it, too.
                ("x-amzn-query-mode", "true".to_owned()),
            ],
            body: Bytes::from(body.to_string()),
            max_response_bytes: MAX_RESPONSE_BYTES,
            timeout: TIMEOUT,
            is_repeatable: true,
            error_in_success: |_| None,
        })
    }
}
