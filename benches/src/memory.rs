//! Whether memory grows: 10,000 invocations of all sorts in one process, and what is resident after
//! 1,000 of them and at the end.
//!
//! In: a function, imitations of a provider and of S3 that answer at once; S3 refuses some results,
//! so that these wait in the function's memory. Out: two samples.

use llm_exe_simulator::Simulator;
use llm_exe_testkit::aws::{Action, AwsSimulator, Fault as AwsFault, Operation};
use serde_json::Value;

use crate::Fault;
use crate::figures::{Figure, Samples};
use crate::function::Function;
use crate::running::{JSON, Queue, Running, TEXT, event, failed};

/// No more than so many processes in a run, each for some seconds.
pub(crate) const MEMORY_ROUNDS: u32 = 3;
/// After so many invocations it is looked at first.
const FEW: u32 = 1_000;
/// After so many it is compared.
const MANY: u32 = 10_000;
/// How many results S3 takes before it refuses one.
const REFUSED: u64 = 20;
/// How many invocations the driver keeps the calls of.
const KEPT_CALLS: u32 = 250;

/// Measures against one simulator of providers, and one of S3 for each process.
pub(crate) struct Growth<'a> {
    pub(crate) simulator: &'a Simulator,
}

/// What one process was given, and what was asked for it.
#[derive(Default)]
struct Course {
    queue: Queue,
    /// Records that failed and come again with the next batch.
    again: Vec<Value>,
    /// Requests that the provider must be asked for, once each.
    requests: usize,
    calls: usize,
    failures: usize,
}

impl Growth<'_> {
    /// Has the function answer them all in one process.
    pub(crate) async fn once(
        &self,
        function: &Function,
        samples: &mut Samples,
    ) -> Result<(), Fault> {
        self.simulator.clear();
        let s3 = AwsSimulator::start().await?;
        let refuse = Action::Refuse(403, "AccessDenied".to_owned());
        s3.script(AwsFault::on(Operation::PutObject, "*", refuse).every(REFUSED));
        let running = Running::start(function, self.simulator, Some(&s3)).await?;
        let mut course = Course::default();
        for number in 1..=MANY {
            course.invoke(&running, number).await?;
            if number.is_multiple_of(KEPT_CALLS) {
                course.calls += self.simulator.journal().len();
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
        let Course { requests, calls, failures, .. } = course;
        if calls != requests || failures == 0 {
            let text = format!("{requests} requests made {calls} calls, with {failures} failures");
            return Err(text.into());
        }
        Ok(())
    }
}

impl Course {
    /// Text, JSON by a schema, a batch of three, a batch of three with a schema among them.
    async fn invoke(&mut self, running: &Running, number: u32) -> Result<(), Fault> {
        let bodies = match number % 4 {
            0 => return self.direct(running, TEXT, Value::is_string).await,
            1 => return self.direct(running, JSON, |answer| answer["query"].is_string()).await,
            2 => [TEXT, TEXT, TEXT],
            _ => [TEXT, JSON, TEXT],
        };
        let mut records: Vec<Value> =
            bodies.into_iter().map(|body| self.queue.message(body)).collect();
        self.requests += records.len();
        records.append(&mut self.again);
        let (answer, _) = running.invoke(event(&records)).await?;
        for id in failed(&answer)? {
            self.failures += 1;
            // The others never come again: what the function remembers of them must have an end.
            if self.failures.is_multiple_of(2) {
                self.again.extend(records.iter().find(|record| record["messageId"] == id).cloned());
            }
        }
        Ok(())
    }

    async fn direct(
        &mut self,
        running: &Running,
        body: &str,
        is_answer: fn(&Value) -> bool,
    ) -> Result<(), Fault> {
        self.requests += 1;
        let (answer, _) = running.invoke(body.to_owned()).await?;
        if is_answer(&answer) {
            return Ok(());
        }
        Err(format!("a direct request gave no answer: {answer}").into())
    }
}
