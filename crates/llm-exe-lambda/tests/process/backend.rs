//! Simulated providers and AWS services that outlive the function processes of a test.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use llm_exe_simulator::{Simulator, Step, When};
use llm_exe_testkit::aws::AwsSimulator;
use serde_json::{Value, json};

use crate::harness::{ANTHROPIC_KEY, Function, OPENAI_KEY, TIMEOUT};

/// The bucket and the key prefix in the setting `RESULT_PREFIX`.
pub(crate) const RESULTS: &str = "stored/results";

/// Simulated services that several function processes can share.
pub(crate) struct Backend {
    pub(crate) simulator: Arc<Simulator>,
    pub(crate) aws: Arc<AwsSimulator>,
}

impl Backend {
    pub(crate) async fn new() -> Backend {
        let simulator = Arc::new(Simulator::start().await.unwrap());
        Backend { simulator, aws: Arc::new(AwsSimulator::start().await.unwrap()) }
    }

    /// Starts a function that stores its results, with additional environment variables.
    pub(crate) async fn function(&self, additional: &[(&str, &str)]) -> Function {
        let url = self.aws.url();
        let prefix = format!("s3://{RESULTS}");
        let mut variables = vec![
            ("OPENAI_API_KEY", OPENAI_KEY),
            ("ANTHROPIC_API_KEY", ANTHROPIC_KEY),
            ("ENDPOINT_AUTH", "NONE"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            ("AWS_SESSION_TOKEN", "a.session.token"),
            ("AWS_ENDPOINT_URL_S3", url.as_str()),
            ("AWS_ENDPOINT_URL_SQS", url.as_str()),
            ("AWS_ENDPOINT_URL_EVENTS", url.as_str()),
            ("AWS_S3_FILES_BUCKET_NAME", "prompts"),
            ("RESULT_PREFIX", prefix.as_str()),
        ];
        variables.extend(additional);
        Function::with_simulator(Arc::clone(&self.simulator), &variables).await
    }

    /// Returns the stored results of all records, by record id.
    pub(crate) fn results(&self) -> BTreeMap<String, Value> {
        let mut results = BTreeMap::new();
        for (name, object) in self.aws.objects() {
            if !name.starts_with(&format!("{RESULTS}/records/")) {
                continue;
            }
            let result: Value = serde_json::from_slice(&object.body).unwrap();
            let id = result["id"].as_str().unwrap().to_owned();
            let previous = results.insert(id, result);
            assert_eq!(previous, None, "a record has two results");
        }
        results
    }

    /// Returns the ids of the records that have a successful result.
    pub(crate) fn succeeded(&self) -> Vec<String> {
        let results = self.results().into_iter().filter(|(_, result)| result["status"] == "ok");
        results.map(|(id, _)| id).collect()
    }

    /// Returns the prompts of all provider calls, in order.
    pub(crate) fn prompts(&self) -> Vec<String> {
        let prompt = |call: &llm_exe_simulator::Call| {
            call.body["messages"][0]["content"].as_str().unwrap_or_default().to_owned()
        };
        self.simulator.journal().iter().map(prompt).collect()
    }

    /// Returns the number of provider calls for a record.
    pub(crate) fn calls_for(&self, id: &str) -> usize {
        self.prompts().iter().filter(|prompt| **prompt == prompt_for(id)).count()
    }
}

/// Returns the prompt in the request of a record.
pub(crate) fn prompt_for(id: &str) -> String {
    format!("Say <{id}>.")
}

/// Returns the simulator's reply to the prompt of a record.
pub(crate) fn reply_for(id: &str) -> String {
    format!("Simulated reply from gpt-4o-mini to: \"{}\"", prompt_for(id))
}

/// Returns the request in the record with the given id.
pub(crate) fn request_for(id: &str) -> Value {
    json!({
        "provider": "openai",
        "model": "gpt-4o-mini",
        "message": prompt_for(id),
        "options": { "maxDelay": 1 }
    })
}

/// Creates an SQS message. A message with a group comes from a FIFO queue.
pub(crate) fn message(id: &str, group: Option<&str>, body: &Value) -> Value {
    let name = if group.is_some() { "jobs.fifo" } else { "jobs" };
    json!({
        "messageId": id,
        "receiptHandle": "a-handle",
        "body": body.to_string(),
        "attributes": { "ApproximateReceiveCount": "1", "MessageGroupId": group },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:123456789012:{name}"),
        "awsRegion": "us-east-1"
    })
}

/// Creates an SQS event with these messages.
pub(crate) fn batch(messages: impl IntoIterator<Item = Value>) -> Value {
    json!({ "Records": messages.into_iter().collect::<Vec<Value>>() })
}

/// Creates an SQS event with a message for each id.
pub(crate) fn batch_with<I: AsRef<str>>(ids: impl IntoIterator<Item = I>) -> Value {
    batch(ids.into_iter().map(|id| message(id.as_ref(), None, &request_for(id.as_ref()))))
}

/// Returns the ids of the failed records in a response.
pub(crate) fn failures(response: &Value) -> Vec<String> {
    let fields = response.as_object().unwrap();
    assert_eq!(fields.len(), 1, "{response}");
    let failures = response["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}

/// Limits a scripted step to provider calls with the prompt of the given record.
pub(crate) fn step_for(id: &str, step: Step) -> Step {
    step.when(When { prompt_contains: Some(format!("<{id}>")), ..When::default() })
}

/// Waits until a condition holds. Panics with the description after a timeout.
pub(crate) async fn wait_until(description: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, wait)
        .await
        .unwrap_or_else(|_| panic!("timed out waiting until {description}"));
}

/// Invokes a function and kills its process as soon as a condition holds.
pub(crate) async fn invoke_and_kill(
    function: Function,
    event: &Value,
    description: &str,
    condition: impl Fn() -> bool,
) {
    tokio::select! {
        response = function.try_invoke(event.to_string(), TIMEOUT) => {
            panic!("the function responded before it was killed: {response:?}")
        }
        () = wait_until(description, condition) => {}
    }
    let status = function.stop().await.status;
    assert!(!status.success(), "{status}");
}
