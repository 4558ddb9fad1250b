//! Runs the contract tests against moto.

use llm_exe_aws::AwsPorts;
use serde_json::{Value, json};

use crate::server::Moto;
use crate::support::contract::{Backend, Message, contract_tests};

impl Backend for Moto {
    async fn start() -> Self {
        Moto::start().await
    }

    fn ports(&self) -> AwsPorts {
        crate::ports(&self.url())
    }

    async fn create_bucket(&self, name: &str) {
        self.bucket(name, false).await;
    }

    async fn create_queue(&self, name: &str) {
        let mut queue = json!({"QueueName": name});
        if name.ends_with(".fifo") {
            queue["Attributes"] = json!({"FifoQueue": "true"});
        }
        self.json("sqs", "AmazonSQS.CreateQueue", &queue).await;
    }

    async fn put_object(&self, bucket: &str, key: &str, body: &str) {
        self.s3("PUT", &format!("/{bucket}/{key}"), body).await;
    }

    async fn messages(&self, queue: &str) -> Vec<Message> {
        let request = json!({
            "QueueUrl": format!("{}/123456789012/{queue}", self.url()),
            "MaxNumberOfMessages": 10,
            "MessageSystemAttributeNames": ["All"],
            "AttributeNames": ["All"],
        });
        let response = self.json("sqs", "AmazonSQS.ReceiveMessage", &request).await;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let messages = response["Messages"].as_array().into_iter().flatten();
        messages
            .map(|message| Message {
                body: text(&message["Body"]).unwrap(),
                group: text(&message["Attributes"]["MessageGroupId"]),
                deduplication_id: text(&message["Attributes"]["MessageDeduplicationId"]),
            })
            .collect()
    }
}

contract_tests! { Moto, #[ignore = "needs moto; ./scripts/test runs it"] }
