//! Delivers the messages in the queue to several function processes. Kills some of the processes at
//! random times and starts new ones.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use llm_exe_simulator::{Call, Fault, Simulator, Step};
use llm_exe_testkit::aws::{Action, AwsFault, AwsSimulator, Operation};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::Parameters;
use crate::backend::{Backend, batch, message, reply_for};
use crate::failures::{self, Failures};
use crate::harness::Function;
use crate::queue::{Delivery, DeliveryOutcome, MessageState, Queue};

/// The latency of the simulated provider.
const LATENCY: Duration = Duration::from_millis(30);
/// The timeout of an invocation.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The time from a kill until the messages are visible again. Because the visibility timeout of a
/// real SQS queue is longer than an invocation, no request of the killed process is still being
/// handled when its messages become visible.
const VISIBILITY_TIMEOUT: Duration = Duration::from_millis(400);

/// The observations of a finished run.
pub(crate) struct FinishedRun {
    pub(crate) backend: Backend,
    pub(crate) messages: Vec<MessageState>,
    pub(crate) deliveries: u64,
    pub(crate) redelivered: usize,
    pub(crate) kills: usize,
    /// The number of deliveries that ended before their process could be killed.
    pub(crate) missed_kills: usize,
    /// Descriptions of the provider calls for messages that already had a final result.
    pub(crate) unnecessary_calls: Vec<String>,
}

/// What the messages ask for, and how they are delivered.
pub(crate) struct Workload<'a> {
    /// Returns the request of a message.
    pub(crate) request: &'a (dyn Fn(usize) -> Value + Sync),
    /// Returns the expected result of a message, by its id.
    pub(crate) result: &'a (dyn Fn(&str) -> Value + Sync),
    /// Additional environment variables of the function.
    pub(crate) variables: &'a [(&'a str, &'a str)],
    /// The timeout of an invocation.
    pub(crate) timeout: Duration,
    /// The time from a kill until the messages are visible again.
    pub(crate) after_kill: Duration,
    /// The time from a response until its failed messages are visible again.
    pub(crate) after_failure: Duration,
}

/// What happened to the messages of a queue.
pub(crate) struct Deliveries {
    pub(crate) messages: Vec<MessageState>,
    pub(crate) count: u64,
    pub(crate) redelivered: usize,
    pub(crate) kills: usize,
    /// The number of deliveries that ended before their process could be killed.
    pub(crate) missed_kills: usize,
}

/// The state that the workers for all function processes share.
struct Runner<'a> {
    parameters: Parameters,
    workload: &'a Workload<'a>,
    backend: &'a Backend,
    queue: &'a Queue,
    kills: Mutex<Kills>,
}

#[derive(Default)]
struct Kills {
    /// The number of processes that still have to be killed.
    due: usize,
    done: usize,
    missed: usize,
    /// The durations of completed deliveries.
    durations: Vec<Duration>,
}

/// Runs function processes until the queue is empty.
pub(crate) async fn run(parameters: Parameters, failures: &Failures) -> FinishedRun {
    let aws = Arc::new(AwsSimulator::start().await.unwrap());
    let unnecessary_calls: Arc<Mutex<Vec<String>>> = Arc::default();
    let simulator = start_simulator(Arc::clone(&aws), Arc::clone(&unnecessary_calls)).await;
    let backend = Backend { simulator: Arc::new(simulator), aws };
    backend.simulator.script(failures.script());
    backend.simulator.script(vec![Step::fault(Fault::Slow(LATENCY)).times(u32::MAX)]);
    script_store_faults(&backend.aws, "records", parameters.store_faults);

    let workload = Workload {
        request: &|index| failures.request(index),
        result: &|id| Value::from(reply_for(id)),
        variables: &[],
        timeout: TIMEOUT,
        after_kill: VISIBILITY_TIMEOUT,
        after_failure: Duration::ZERO,
    };
    let delivered = deliver_all(parameters, &backend, &workload).await;
    let unnecessary_calls = std::mem::take(&mut *unnecessary_calls.lock().unwrap());
    FinishedRun {
        backend,
        messages: delivered.messages,
        deliveries: delivered.count,
        redelivered: delivered.redelivered,
        kills: delivered.kills,
        missed_kills: delivered.missed_kills,
        unnecessary_calls,
    }
}

/// Delivers all messages to function processes until the queue is empty.
pub(crate) async fn deliver_all(
    parameters: Parameters,
    backend: &Backend,
    workload: &Workload<'_>,
) -> Deliveries {
    let queue = Queue::new(parameters.messages);
    let kills = {
        let kills = Mutex::default();
        let runner = Runner { parameters, workload, backend, queue: &queue, kills };
        let workers = (0..parameters.processes).map(|_| runner.work());
        futures_util::future::join_all(workers).await;
        runner.kills.into_inner().unwrap()
    };
    let (messages, count, redelivered) = queue.into_statistics();
    let Kills { done: kills, missed: missed_kills, .. } = kills;
    Deliveries { messages, count, redelivered, kills, missed_kills }
}

/// Starts the simulated provider, which records every call for a message that already has a final
/// result.
pub(crate) async fn start_simulator(
    aws: Arc<AwsSimulator>,
    unnecessary_calls: Arc<Mutex<Vec<String>>>,
) -> Simulator {
    let observer = move |call: &Call| {
        let prompt = call.body["messages"][0]["content"].as_str().unwrap_or_default();
        let id = failures::id(failures::index(prompt).unwrap());
        let (bucket, key) = result_place(&id);
        let Some(object) = aws.object(&bucket, &key) else {
            return;
        };
        let result: Value = serde_json::from_slice(&object.body).unwrap();
        if result["final"] == true {
            let text = format!("{id}, call {}: {result}", call.sequence);
            unnecessary_calls.lock().unwrap().push(text);
        }
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Simulator::start_with(address, Arc::new(observer)).await.unwrap()
}

/// Returns the bucket and the key of the object with a message's result. The key contains a hash of
/// the source and the id.
pub(crate) fn result_place(id: &str) -> (String, String) {
    let mut hash = Sha256::new();
    for part in ["sqs", id] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let name: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    ("stored".to_owned(), format!("results/records/{name}.json"))
}

/// Makes the given percentage of the reads and writes of objects in a folder fail. Some failures
/// are permanent, some are temporary, and some occur after S3 has written the object.
pub(crate) fn script_store_faults(aws: &AwsSimulator, folder: &str, percent: f64) {
    if percent <= 0.0 {
        return;
    }
    let refuse = |status: u16, code: &str| Action::Refuse(status, code.to_owned());
    let actions = [
        (Operation::GetObject, refuse(403, "AccessDenied")),
        (Operation::GetObject, refuse(503, "SlowDown")),
        (Operation::PutObject, refuse(403, "AccessDenied")),
        (Operation::PutObject, refuse(503, "SlowDown")),
        (Operation::PutObject, Action::DoneThenDrop),
        (Operation::PutObject, Action::DoneThenRefuse(500, "InternalError".to_owned())),
    ];
    for (operation, action) in &actions {
        let kinds = actions.iter().filter(|(other, _)| other == operation).count();
        let every = (kinds as f64 * 100.0 / percent).round() as u64;
        let pattern = format!("stored/results/{folder}/*");
        aws.script(AwsFault::on(*operation, &pattern, action.clone()).every(every));
    }
}

impl Runner<'_> {
    /// Delivers batches to one process until the queue is empty. After each kill, starts a new
    /// process.
    async fn work(&self) {
        let mut function = self.backend.function(self.workload.variables).await;
        while let Some(delivery) = self.queue.receive().await {
            let outcome = match self.deliver(&function, &delivery).await {
                Some(response) => {
                    let failed = self.failed(&delivery, &response);
                    if !failed.is_empty() {
                        tokio::time::sleep(self.workload.after_failure).await;
                    }
                    DeliveryOutcome::Responded(failed)
                }
                None => {
                    function.stop().await;
                    function = self.backend.function(self.workload.variables).await;
                    tokio::time::sleep(self.workload.after_kill).await;
                    DeliveryOutcome::Killed
                }
            };
            self.queue.finish(delivery, &outcome);
        }
        function.stop().await;
    }

    /// Delivers a batch and returns the response, or `None` if the caller must now kill the
    /// process.
    async fn deliver(&self, function: &Function, delivery: &Delivery) -> Option<Value> {
        let messages = delivery.messages.iter().map(|index| {
            let request = (self.workload.request)(*index);
            message(&failures::id(*index), None, &request)
        });
        let event = batch(messages);
        let started = Instant::now();
        let response =
            async { function.invoke_within(&event, self.workload.timeout).await.result() };
        let Some(delay) = self.kill_delay(delivery.number) else {
            let response = response.await;
            self.kills.lock().unwrap().durations.push(started.elapsed());
            return Some(response);
        };
        tokio::select! {
            response = response => {
                let mut kills = self.kills.lock().unwrap();
                kills.missed += 1;
                kills.due += 1;
                Some(response)
            }
            () = tokio::time::sleep(delay) => {
                self.kills.lock().unwrap().done += 1;
                None
            }
        }
    }

    /// Returns the time after which the process of a delivery is killed, or `None` if it is not
    /// killed. The time is a random fraction of the median duration of a delivery on this machine.
    fn kill_delay(&self, number: u64) -> Option<Duration> {
        let mut kills = self.kills.lock().unwrap();
        if self.parameters.kills > 0.0 {
            let every = (100.0 / self.parameters.kills).round().max(1.0) as u64;
            let chosen = (self.parameters.random("kill", number / every) * every as f64) as u64;
            kills.due += usize::from(number % every == chosen);
        }
        kills.due = kills.due.checked_sub(1)?;
        let mut durations = kills.durations.clone();
        durations.sort_unstable();
        let median = durations.get(durations.len() / 2).copied().unwrap_or(LATENCY * 2);
        Some(median.mul_f64(self.parameters.random("delay", number)))
    }

    /// Returns the failed messages in a response. Checks that the results of all other messages in
    /// the delivery are stored.
    fn failed(&self, delivery: &Delivery, response: &Value) -> Vec<usize> {
        let ids = crate::backend::failures(response);
        let failed: Vec<usize> =
            ids.iter().map(|id| id.trim_start_matches('m').parse().unwrap()).collect();
        assert!(failed.iter().all(|index| delivery.messages.contains(index)), "{response}");
        for index in delivery.messages.iter().filter(|index| !failed.contains(index)) {
            let id = failures::id(*index);
            let (bucket, key) = result_place(&id);
            let object = self.backend.aws.object(&bucket, &key);
            let object = object.unwrap_or_else(|| panic!("{id} succeeded without a stored result"));
            let result: Value = serde_json::from_slice(&object.body).unwrap();
            assert_eq!(result["result"], (self.workload.result)(&id), "{result}");
        }
        failed
    }
}
