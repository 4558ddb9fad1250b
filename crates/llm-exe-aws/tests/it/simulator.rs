//! Runs the contract tests against the project's AWS simulator.

use llm_exe_aws::AwsPorts;
use llm_exe_testkit::aws::AwsSimulator;

use crate::support::contract::{Backend, Message, contract_tests};
use crate::support::{EXAMPLE_SECRET, ports};

impl Backend for AwsSimulator {
    async fn start() -> Self {
        AwsSimulator::start().await.unwrap()
    }

    fn ports(&self) -> AwsPorts {
        ports(&self.url(), EXAMPLE_SECRET)
    }

    /// Does nothing, because every bucket exists in the simulator unless its name begins with
    /// `missing-`.
    async fn create_bucket(&self, _name: &str) {}

    /// Does nothing, because every queue exists in the simulator unless its name begins with
    /// `missing-`.
    async fn create_queue(&self, _name: &str) {}

    async fn put_object(&self, bucket: &str, key: &str, body: &str) {
        self.put(bucket, key, body.to_owned());
    }

    async fn messages(&self, queue: &str) -> Vec<Message> {
        let messages = AwsSimulator::messages(self).into_iter();
        let of_queue =
            messages.filter(|message| message.queue_url.rsplit('/').next() == Some(queue));
        of_queue
            .map(|message| Message {
                body: message.body,
                group: message.group,
                deduplication_id: message.deduplication_id,
            })
            .collect()
    }
}

contract_tests! { AwsSimulator, }
