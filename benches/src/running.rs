//! A function that runs and takes events, SQS's among them.
//!
//! In: a function, the imitations that it reaches, events. Out: answers, and the ids of records
//! that failed.

use std::time::Duration;

use llm_exe_simulator::Simulator;
use llm_exe_testkit::aws::AwsSimulator;
use llm_exe_testkit::runtime_api::{Outcome, RuntimeApi};
use serde_json::{Value, json};

use crate::Fault;
use crate::aws::CREDENTIALS;
use crate::function::Function;
use crate::measure::{IDLE, TIMEOUT};
use crate::process::Process;

/// What the function does, as the body of a direct request or of a record.
pub(crate) const TEXT: &str = include_str!("../../examples/kitten.json");
/// The same, with a schema.
pub(crate) const JSON: &str = include_str!("../../examples/research.json");

/// A running function; dropped, it is killed.
pub(crate) struct Running {
    api: RuntimeApi,
    process: Process,
}

impl Running {
    /// Starts a function, which keeps results where there is an S3.
    pub(crate) async fn start(
        function: &Function,
        simulator: &Simulator,
        s3: Option<&AwsSimulator>,
    ) -> Result<Self, Fault> {
        let api = RuntimeApi::start().await?;
        let s3 = s3.map(AwsSimulator::url);
        let mut more = vec![("OPENAI_API_KEY", "sk-bench")];
        if let Some(s3) = &s3 {
            more.extend(CREDENTIALS);
            more.extend([("AWS_ENDPOINT_URL_S3", &s3[..]), ("RESULT_PREFIX", "s3://bench/kept")]);
        }
        let openai = simulator.openai_base_url();
        let process = Process::start(function, &api.address(), &openai, &more)?;
        Ok(Running { api, process })
    }

    /// Has it answer an event; how long that took, too.
    pub(crate) async fn invoke(&self, event: String) -> Result<(Value, Duration), Fault> {
        let invocation = self.api.invoke(event, TIMEOUT).await?;
        let Outcome::Response(body) = &invocation.outcome else {
            return Err(format!("an event failed: {:?}", invocation.outcome).into());
        };
        Ok((serde_json::from_slice(body)?, invocation.duration))
    }

    /// Has it answer an event of SQS, all of whose records it must do.
    pub(crate) async fn batch(&self, event: String) -> Result<Duration, Fault> {
        let (answer, duration) = self.invoke(event).await?;
        match &failed(&answer)?[..] {
            [] => Ok(duration),
            failed => Err(format!("records failed: {}", failed.join(", ")).into()),
        }
    }

    /// Its process, once it has nothing to do.
    pub(crate) async fn idle(&self) -> &Process {
        tokio::time::sleep(IDLE).await;
        &self.process
    }
}

/// A queue, of which no two messages have the same id.
#[derive(Debug, Default)]
pub(crate) struct Queue(u64);

impl Queue {
    /// The event of a batch of so many messages that all say the same.
    pub(crate) fn batch(&mut self, count: usize, body: &str) -> String {
        event(&(0..count).map(|_| self.message(body)).collect::<Vec<_>>())
    }

    /// A message, as an event's record.
    pub(crate) fn message(&mut self, body: &str) -> Value {
        self.0 += 1;
        json!({
            "messageId": format!("059f36b4-87a3-44ab-83d2-{:012x}", self.0),
            "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": "1545082649183",
                "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "ApproximateFirstReceiveTimestamp": "1545082649185",
            },
            "messageAttributes": {},
            "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:my-queue",
            "awsRegion": "us-east-1",
        })
    }
}

/// The event of these records.
pub(crate) fn event(records: &[Value]) -> String {
    json!({ "Records": records }).to_string()
}

/// The ids of the records that an answer to SQS reports as failed.
pub(crate) fn failed(answer: &Value) -> Result<Vec<&str>, Fault> {
    let failures = answer["batchItemFailures"].as_array();
    let failures = failures.ok_or_else(|| format!("this is no answer to SQS: {answer}"))?;
    Ok(failures.iter().filter_map(|failure| failure["itemIdentifier"].as_str()).collect())
}

#[cfg(test)]
mod tests {
    use super::{Queue, TEXT, failed};
    use serde_json::{Value, json};

    #[test]
    fn records_of_a_batch_differ_in_their_ids() {
        let mut queue = Queue::default();
        let batch: Value = serde_json::from_str(&queue.batch(2, TEXT)).unwrap();
        let ids = [0, 1].map(|at| batch["Records"][at]["messageId"].as_str().unwrap());
        assert_ne!(ids[0], ids[1]);
        assert_eq!(batch["Records"][1]["body"], TEXT);
        assert!(batch["Records"][2].is_null());
    }

    #[test]
    fn failures_are_read_from_answers_to_sqs_only() {
        let answer = json!({ "batchItemFailures": [{ "itemIdentifier": "a" }] });
        assert_eq!(failed(&answer).unwrap(), ["a"]);
        assert!(failed(&json!("Meow!")).is_err());
    }
}
