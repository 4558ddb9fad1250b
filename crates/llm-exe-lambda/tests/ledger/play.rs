//! Plays the queue: processes side by side, each with a batch at a time; some are killed at a
//! random moment and started again.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use llm_exe_simulator::{Call, Fault as ProviderFault, Simulator, Step};
use llm_exe_testkit::aws::{Action, AwsSimulator, Fault, Operation};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::Numbers;
use crate::fates::{self, Fates};
use crate::harness::Function;
use crate::queue::{Delivery, Ended, Fortune, Queue};
use crate::world::{World, batch, failures, message, said};

/// How long a provider takes.
const LATENCY: Duration = Duration::from_millis(30);
/// Lambda's time for an invocation.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long after a kill its messages come back: SQS's visibility timeout, which always is longer
/// than what a function does, so that none of it is still on its way.
const VISIBILITY: Duration = Duration::from_millis(400);

/// All that there is to account for.
pub(crate) struct Played {
    pub(crate) world: World,
    pub(crate) fortunes: Vec<Fortune>,
    pub(crate) deliveries: u64,
    pub(crate) redelivered: usize,
    pub(crate) kills: usize,
    /// Deliveries that were answered before the kill that was meant for them.
    pub(crate) escaped: usize,
    /// Calls of providers that came after the message's result was final.
    pub(crate) needless: Vec<String>,
}

/// What happens to the processes.
struct Stage<'a> {
    numbers: Numbers,
    fates: &'a Fates,
    world: &'a World,
    queue: &'a Queue,
    tally: Mutex<Tally>,
}

#[derive(Default)]
struct Tally {
    /// Kills that are due at the next deliveries.
    due: usize,
    kills: usize,
    escaped: usize,
    /// How long deliveries took that were answered.
    took: Vec<Duration>,
}

pub(crate) async fn play(numbers: Numbers, fates: &Fates) -> Played {
    let aws = Arc::new(AwsSimulator::start().await.unwrap());
    let needless: Arc<Mutex<Vec<String>>> = Arc::default();
    let simulator = watched(Arc::clone(&aws), Arc::clone(&needless)).await;
    let world = World { simulator: Arc::new(simulator), aws };
    world.simulator.script(fates.script());
    world.simulator.script(vec![Step::fault(ProviderFault::Slow(LATENCY)).times(u32::MAX)]);
    disturb(&world.aws, numbers.store_faults);

    let queue = Queue::new(numbers.messages);
    let tally = {
        let stage = Stage { numbers, fates, world: &world, queue: &queue, tally: Mutex::default() };
        let workers = (0..numbers.processes).map(|_| stage.work());
        futures_util::future::join_all(workers).await;
        stage.tally.into_inner().unwrap()
    };
    let (fortunes, deliveries, redelivered) = queue.closed();
    let needless = std::mem::take(&mut *needless.lock().unwrap());
    let Tally { kills, escaped, .. } = tally;
    Played { world, fortunes, deliveries, redelivered, kills, escaped, needless }
}

/// Providers; whoever asks them for what is answered already is noted.
async fn watched(aws: Arc<AwsSimulator>, needless: Arc<Mutex<Vec<String>>>) -> Simulator {
    let observer = move |call: &Call| {
        let prompt = call.body["messages"][0]["content"].as_str().unwrap_or_default();
        let id = fates::id(fates::at(prompt).unwrap());
        let (bucket, key) = place(&id);
        let Some(object) = aws.object(&bucket, &key) else {
            return;
        };
        let kept: Value = serde_json::from_slice(&object.body).unwrap();
        if kept["status"] == "ok" || kept["error"]["retryable"] == false {
            needless.lock().unwrap().push(format!("{id}, call {}: {kept}", call.sequence));
        }
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Simulator::start_with(address, Arc::new(observer)).await.unwrap()
}

/// The bucket and the key of a message's result: a hash of the source and the id.
pub(crate) fn place(id: &str) -> (String, String) {
    let mut hash = Sha256::new();
    for word in ["sqs", id] {
        hash.update((word.len() as u64).to_be_bytes());
        hash.update(word);
    }
    let name: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    ("kept".to_owned(), format!("here/records/{name}.json"))
}

/// S3 fails at so many of a hundred reads and writes: for good, for a moment, or after it was done.
fn disturb(aws: &AwsSimulator, percent: f64) {
    if percent <= 0.0 {
        return;
    }
    let refuse = |status: u16, code: &str| Action::Refuse(status, code.to_owned());
    let deeds = [
        (Operation::GetObject, refuse(403, "AccessDenied")),
        (Operation::GetObject, refuse(503, "SlowDown")),
        (Operation::PutObject, refuse(403, "AccessDenied")),
        (Operation::PutObject, refuse(503, "SlowDown")),
        (Operation::PutObject, Action::DoneThenDrop),
        (Operation::PutObject, Action::DoneThenRefuse(500, "InternalError".to_owned())),
    ];
    for (operation, deed) in &deeds {
        let kinds = deeds.iter().filter(|(other, _)| other == operation).count();
        let every = (kinds as f64 * 100.0 / percent).round() as u64;
        aws.script(Fault::on(*operation, "kept/here/records/*", deed.clone()).every(every));
    }
}

impl Stage<'_> {
    /// One process after the other, until the queue is empty.
    async fn work(&self) {
        let mut function = self.world.function(&[]).await;
        while let Some(delivery) = self.queue.take().await {
            let ended = match self.deliver(&function, &delivery).await {
                Some(answer) => Ended::Answered(self.failed(&delivery, &answer)),
                None => {
                    function.stop().await;
                    function = self.world.function(&[]).await;
                    tokio::time::sleep(VISIBILITY).await;
                    Ended::Killed
                }
            };
            self.queue.settle(delivery, &ended);
        }
        function.stop().await;
    }

    /// The answer to a batch; none, where its process is to be killed now.
    async fn deliver(&self, function: &Function, delivery: &Delivery) -> Option<Value> {
        let messages = delivery.messages.iter().map(|at| {
            let request = self.fates.request(*at);
            message(&fates::id(*at), None, &request)
        });
        let event = batch(messages);
        let started = Instant::now();
        let answer = async { function.invoke_within(&event, TIMEOUT).await.result() };
        let Some(moment) = self.moment(delivery.number) else {
            let answer = answer.await;
            self.tally.lock().unwrap().took.push(started.elapsed());
            return Some(answer);
        };
        tokio::select! {
            answer = answer => {
                let mut tally = self.tally.lock().unwrap();
                tally.escaped += 1;
                tally.due += 1;
                Some(answer)
            }
            () = tokio::time::sleep(moment) => {
                self.tally.lock().unwrap().kills += 1;
                None
            }
        }
    }

    /// When a delivery's process is to be killed, if it is: once in so many deliveries, at some
    /// moment of the time that a delivery takes on this machine.
    fn moment(&self, number: u64) -> Option<Duration> {
        let mut tally = self.tally.lock().unwrap();
        if self.numbers.kills > 0.0 {
            let every = (100.0 / self.numbers.kills).round().max(1.0) as u64;
            let drawn = (self.numbers.roll("kill", number / every) * every as f64) as u64;
            tally.due += usize::from(number % every == drawn);
        }
        tally.due = tally.due.checked_sub(1)?;
        let mut took = tally.took.clone();
        took.sort_unstable();
        let usual = took.get(took.len() / 2).copied().unwrap_or(LATENCY * 2);
        Some(usual.mul_f64(self.numbers.roll("moment", number)))
    }

    /// The messages that an answer says failed.
    fn failed(&self, delivery: &Delivery, answer: &Value) -> Vec<usize> {
        let failed: Vec<usize> =
            failures(answer).iter().map(|id| id.trim_start_matches('m').parse().unwrap()).collect();
        assert!(failed.iter().all(|at| delivery.messages.contains(at)), "{answer}");
        // What is acknowledged is kept by now.
        for at in delivery.messages.iter().filter(|at| !failed.contains(at)) {
            let id = fates::id(*at);
            let (bucket, key) = place(&id);
            let kept = self.world.aws.object(&bucket, &key);
            let kept = kept.unwrap_or_else(|| panic!("{id} is acknowledged and not kept"));
            let kept: Value = serde_json::from_slice(&kept.body).unwrap();
            assert_eq!(kept["result"], Value::from(said(&id)), "{kept}");
        }
        failed
    }
}
