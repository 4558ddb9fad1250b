//! Functions that come and go, between providers and an AWS that stay.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use llm_exe_simulator::{Simulator, Step, When};
use llm_exe_testkit::aws::AwsSimulator;
use serde_json::{Value, json};

use crate::harness::{ANTHROPIC_KEY, Function, OPENAI_KEY, TIMEOUT};

/// The bucket and the folder of `RESULT_PREFIX`.
pub(crate) const KEPT: &str = "kept/here";

/// What outlives a process.
pub(crate) struct World {
    pub(crate) simulator: Arc<Simulator>,
    pub(crate) aws: Arc<AwsSimulator>,
}

impl World {
    pub(crate) async fn new() -> World {
        let simulator = Arc::new(Simulator::start().await.unwrap());
        World { simulator, aws: Arc::new(AwsSimulator::start().await.unwrap()) }
    }

    /// A process that keeps results, with these variables more.
    pub(crate) async fn function(&self, more: &[(&str, &str)]) -> Function {
        let url = self.aws.url();
        let prefix = format!("s3://{KEPT}");
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
        variables.extend(more);
        Function::beside(Arc::clone(&self.simulator), &variables).await
    }

    /// The results of records, by the records' ids: one each.
    pub(crate) fn results(&self) -> BTreeMap<String, Value> {
        let mut results = BTreeMap::new();
        for (name, object) in self.aws.objects() {
            if !name.starts_with(&format!("{KEPT}/records/")) {
                continue;
            }
            let kept: Value = serde_json::from_slice(&object.body).unwrap();
            let id = kept["id"].as_str().unwrap().to_owned();
            let before = results.insert(id, kept);
            assert_eq!(before, None, "two results of one record");
        }
        results
    }

    /// The ids of the records whose result is kept and good.
    pub(crate) fn good(&self) -> Vec<String> {
        let good = self.results().into_iter().filter(|(_, kept)| kept["status"] == "ok");
        good.map(|(id, _)| id).collect()
    }

    /// The prompts that providers were asked, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        let prompt = |call: &llm_exe_simulator::Call| {
            call.body["messages"][0]["content"].as_str().unwrap_or_default().to_owned()
        };
        self.simulator.journal().iter().map(prompt).collect()
    }

    /// How often the prompt of a record was asked.
    pub(crate) fn times_asked(&self, id: &str) -> usize {
        self.asked().iter().filter(|prompt| **prompt == say(id)).count()
    }
}

/// The prompt of a record.
pub(crate) fn say(id: &str) -> String {
    format!("Say <{id}>.")
}

/// What the simulator answers to it.
pub(crate) fn said(id: &str) -> String {
    format!("Simulated reply from gpt-4o-mini to: \"{}\"", say(id))
}

/// The request of a record.
pub(crate) fn saying(id: &str) -> Value {
    json!({
        "provider": "openai",
        "model": "gpt-4o-mini",
        "message": say(id),
        "options": { "maxDelay": 1 }
    })
}

/// A message of a queue with this id, in this group of a FIFO queue if one is said.
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

/// An event of these messages.
pub(crate) fn batch(messages: impl IntoIterator<Item = Value>) -> Value {
    json!({ "Records": messages.into_iter().collect::<Vec<Value>>() })
}

/// An event of messages with these ids, each with the request of its own.
pub(crate) fn batch_of<I: AsRef<str>>(ids: impl IntoIterator<Item = I>) -> Value {
    batch(ids.into_iter().map(|id| message(id.as_ref(), None, &saying(id.as_ref()))))
}

/// The ids of the failed records of an answer, in order.
pub(crate) fn failures(answer: &Value) -> Vec<String> {
    let fields = answer.as_object().unwrap();
    assert_eq!(fields.len(), 1, "{answer}");
    let failures = answer["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|one| one["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}

/// A step for the prompt of a record.
pub(crate) fn of(id: &str, step: Step) -> Step {
    step.when(When { prompt_contains: Some(format!("<{id}>")), ..When::default() })
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let waited = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, waited).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// Invokes a process with an event, and kills it in its midst, once something holds.
pub(crate) async fn killed(
    function: Function,
    event: &Value,
    what: &str,
    holds: impl Fn() -> bool,
) {
    tokio::select! {
        answer = function.try_invoke(event.to_string(), TIMEOUT) => {
            panic!("answered before it was killed: {answer:?}")
        }
        () = until(what, holds) => {}
    }
    let status = function.stop().await.status;
    assert!(!status.success(), "{status}");
}
