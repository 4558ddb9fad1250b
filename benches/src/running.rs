//! Starts a function and invokes it with direct requests and SQS events.

use std::ffi::OsString;
use std::time::Duration;

use hyper::body::Bytes;
use llm_exe_simulator::Simulator;
use llm_exe_testkit::aws::AwsSimulator;
use llm_exe_testkit::runtime_api::{Invocation, InvocationOutcome, RuntimeApi};
use serde_json::{Value, json};

use crate::aws::CREDENTIALS;
use crate::error::Error;
use crate::function::Function;
use crate::process::Process;

/// A request whose result is a string. It is used as a direct request and in records.
pub(crate) const TEXT: &str = include_str!("../../examples/kitten.json");
/// A request whose result is JSON that matches a schema.
pub(crate) const JSON: &str = include_str!("../../examples/research.json");

/// The timeout of an invocation.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait after a response until all threads of the function are asleep.
pub(crate) const IDLE: Duration = Duration::from_millis(5);

/// A running function, which is killed when it is dropped.
pub(crate) struct Running {
    api: RuntimeApi,
    process: Process,
}

impl Running {
    /// Starts a function. If `s3` is given, the function stores its results there.
    pub(crate) async fn start(
        function: &Function,
        simulator: &Simulator,
        s3: Option<&AwsSimulator>,
    ) -> Result<Self, Error> {
        let s3 = s3.map(AwsSimulator::url);
        let mut variables = vec![];
        if let Some(s3) = &s3 {
            variables.extend(CREDENTIALS);
            variables.extend([
                ("AWS_ENDPOINT_URL_S3", &s3[..]),
                ("RESULT_PREFIX", "s3://bench/results"),
            ]);
        }
        Running::start_under(&[], function, &simulator.openai_base_url(), &variables).await
    }

    /// Starts a function with a provider at the URL `openai`. If `wrapper` is not empty, it is the
    /// command that runs the function.
    pub(crate) async fn start_under(
        wrapper: &[OsString],
        function: &Function,
        openai: &str,
        additional: &[(&str, &str)],
    ) -> Result<Self, Error> {
        let api = RuntimeApi::start().await?;
        let variables = [&[("OPENAI_API_KEY", "sk-bench")], additional].concat();
        let process = Process::start(function, wrapper, &api.address(), openai, &variables)?;
        Ok(Running { api, process })
    }

    /// Invokes the function and returns its response and the duration of the invocation.
    pub(crate) async fn invoke(&self, event: String) -> Result<(Value, Duration), Error> {
        let (body, invocation) = self.invoke_raw(event).await?;
        Ok((serde_json::from_slice(&body)?, invocation.duration))
    }

    /// Invokes the function and returns the body of its response and the invocation.
    pub(crate) async fn invoke_raw(&self, event: String) -> Result<(Bytes, Invocation), Error> {
        let invocation = self.api.invoke(event, TIMEOUT).await?;
        let InvocationOutcome::Response(body) = &invocation.outcome else {
            return Err(format!("the invocation failed: {:?}", invocation.outcome).into());
        };
        Ok((body.clone(), invocation))
    }

    /// Invokes the function with an SQS event and returns the duration. Returns an error if any
    /// record fails.
    pub(crate) async fn batch(&self, event: String) -> Result<Duration, Error> {
        let (response, duration) = self.invoke(event).await?;
        match &failed(&response)?[..] {
            [] => Ok(duration),
            failed => Err(format!("records failed: {}", failed.join(", ")).into()),
        }
    }

    /// Invokes the function with a direct request `count` times. Returns an error if a result is
    /// not as expected.
    pub(crate) async fn repeat(
        &self,
        count: u32,
        body: &str,
        is_expected: fn(&Value) -> bool,
    ) -> Result<(), Error> {
        for _ in 0..count {
            let (result, _) = self.invoke(body.to_owned()).await?;
            if !is_expected(&result) {
                let text = format!("a direct request returned an unexpected result: {result}");
                return Err(text.into());
            }
        }
        Ok(())
    }

    /// Ends the function when it is idle, so that valgrind writes its profile.
    pub(crate) async fn terminate(self) -> Result<(), Error> {
        self.process.wait_until_idle().await?;
        self.process.terminate()
    }

    /// Waits until the function is idle and returns its process.
    pub(crate) async fn idle(&self) -> &Process {
        tokio::time::sleep(IDLE).await;
        &self.process
    }
}

/// Creates SQS messages with unique ids.
#[derive(Debug, Default)]
pub(crate) struct Queue(u64);

impl Queue {
    /// Returns an SQS event with `count` messages with the same body.
    pub(crate) fn batch(&mut self, count: usize, body: &str) -> String {
        event(&(0..count).map(|_| self.message(body)).collect::<Vec<_>>())
    }

    /// Returns a message as a record of an SQS event.
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

/// Returns an SQS event with these records.
pub(crate) fn event(records: &[Value]) -> String {
    json!({ "Records": records }).to_string()
}

/// Returns the ids of the failed records in a response to SQS.
pub(crate) fn failed(response: &Value) -> Result<Vec<&str>, Error> {
    let failures = response["batchItemFailures"].as_array();
    let failures = failures
        .ok_or_else(|| format!("response to SQS: expected batchItemFailures, got {response}"))?;
    Ok(failures.iter().filter_map(|failure| failure["itemIdentifier"].as_str()).collect())
}

#[cfg(test)]
mod tests {
    use super::{Queue, TEXT, failed};
    use serde_json::{Value, json};

    #[test]
    fn records_of_a_batch_have_unique_ids() {
        let mut queue = Queue::default();
        let batch: Value = serde_json::from_str(&queue.batch(2, TEXT)).unwrap();
        let ids = [0, 1].map(|index| batch["Records"][index]["messageId"].as_str().unwrap());
        assert_ne!(ids[0], ids[1]);
        assert_eq!(batch["Records"][1]["body"], TEXT);
        assert!(batch["Records"][2].is_null());
    }

    #[test]
    fn failures_are_read_from_responses_to_sqs() {
        let response = json!({ "batchItemFailures": [{ "itemIdentifier": "a" }] });
        assert_eq!(failed(&response).unwrap(), ["a"]);
        assert!(failed(&json!("Meow!")).is_err());
    }
}
