//! Measures the resident memory of a process after 1,000 and after 10,000 invocations, to find
//! memory leaks. S3 rejects some writes, so the function must hold those results in memory.

use llm_exe_simulator::Simulator;
use llm_exe_testkit::aws::{Action, AwsFault, AwsSimulator, Operation};
use serde_json::Value;

use crate::error::Error;
use crate::figures::{Figure, Samples};
use crate::function::Function;
use crate::running::{JSON, Queue, Running, TEXT, event, failed};

/// The maximum number of processes to measure in a run. It is low because each process takes a few
/// seconds.
pub(crate) const MEMORY_ROUNDS: u32 = 3;
/// The number of invocations before the first measurement.
const FEW: u32 = 1_000;
/// The number of invocations before the second measurement.
const MANY: u32 = 10_000;
/// S3 rejects every nth write, where n is this number.
const REJECT_EVERY: u64 = 20;
/// The number of invocations after which the simulators' recorded calls are deleted, which limits
/// their memory use.
const CLEAR_EVERY: u32 = 250;

/// Measures the growth of memory. All processes share a simulated provider, and each has its own
/// simulated S3.
pub(crate) struct MemoryGrowth<'a> {
    pub(crate) simulator: &'a Simulator,
}

/// The state of all invocations of a process.
#[derive(Default)]
struct Invocations {
    queue: Queue,
    /// The failed records that are delivered again with the next batch.
    redelivered: Vec<Value>,
    /// The number of requests. Each request must call the provider exactly once.
    requests: usize,
    calls: usize,
    failures: usize,
}

impl MemoryGrowth<'_> {
    /// Runs all invocations in a new process and adds the samples to `samples`.
    pub(crate) async fn once(
        &self,
        function: &Function,
        samples: &mut Samples,
    ) -> Result<(), Error> {
        self.simulator.clear();
        let s3 = AwsSimulator::start().await?;
        let refuse = Action::Refuse(403, "AccessDenied".to_owned());
        s3.script(AwsFault::on(Operation::PutObject, "*", refuse).every(REJECT_EVERY));
        let running = Running::start(function, self.simulator, Some(&s3)).await?;
        let mut invocations = Invocations::default();
        for number in 1..=MANY {
            invocations.invoke(&running, number).await?;
            if number.is_multiple_of(CLEAR_EVERY) {
                invocations.calls += self.simulator.journal().len();
                self.simulator.clear();
                s3.clear_calls();
            }
            let figure = match number {
                FEW => Figure::MemoryAfterFew,
                MANY => Figure::MemoryAfterMany,
                _ => continue,
            };
            samples.add(figure, running.idle().await.resident_memory()? / 1e6);
        }
        let Invocations { requests, calls, failures, .. } = invocations;
        if calls != requests || failures == 0 {
            let text = format!(
                "{requests} requests: expected {requests} provider calls and some failures, got \
                 {calls} calls and {failures} failures"
            );
            return Err(text.into());
        }
        Ok(())
    }
}

impl Invocations {
    /// Invokes the function with the next of four alternating events: a text request, a JSON
    /// request with a schema, three text records, or three records, one of which has a schema.
    async fn invoke(&mut self, running: &Running, number: u32) -> Result<(), Error> {
        let bodies = match number % 4 {
            0 => return self.direct(running, TEXT, Value::is_string).await,
            1 => return self.direct(running, JSON, |result| result["query"].is_string()).await,
            2 => [TEXT, TEXT, TEXT],
            _ => [TEXT, JSON, TEXT],
        };
        let mut records: Vec<Value> =
            bodies.into_iter().map(|body| self.queue.message(body)).collect();
        self.requests += records.len();
        records.append(&mut self.redelivered);
        let (response, _) = running.invoke(event(&records)).await?;
        for id in failed(&response)? {
            self.failures += 1;
            // Half of the failed records are never delivered again, so that the function has to
            // drop their results from memory at some point.
            if self.failures.is_multiple_of(2) {
                self.redelivered
                    .extend(records.iter().find(|record| record["messageId"] == id).cloned());
            }
        }
        Ok(())
    }

    async fn direct(
        &mut self,
        running: &Running,
        body: &str,
        is_expected: fn(&Value) -> bool,
    ) -> Result<(), Error> {
        self.requests += 1;
        running.repeat(1, body, is_expected).await
    }
}
