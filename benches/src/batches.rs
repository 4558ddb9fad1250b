//! Measures SQS events with and without stored results. Durations are measured for 1, 10 and 100
//! records while the provider and S3 respond slowly. CPU times are measured for 10 records without
//! delays.

use std::time::Duration;

use llm_exe_simulator::{Fault, Simulator, Step};
use llm_exe_testkit::aws::{Action, AwsFault, AwsSimulator, Operation};
use serde_json::Value;

use crate::error::Error;
use crate::figures::{Figure, Samples};
use crate::function::Function;
use crate::measure::milliseconds;
use crate::running::{Queue, Running, TEXT};

/// The delay of each provider reply.
pub(crate) const PROVIDER_WAIT: Duration = Duration::from_millis(200);
/// The delay of each S3 response.
pub(crate) const S3_WAIT: Duration = Duration::from_millis(20);
/// The number of records and of direct requests whose CPU times are compared.
const TEN: usize = 10;
/// The number of batches before the CPU time is measured.
const SETTLING: u32 = 5;
/// The number of batches whose CPU time is measured.
const COUNTED: u32 = 20;

/// The numbers of records per event, each with the figure for the event's duration.
type Series = [(usize, Figure); 3];

const SQS: Series = [(1, Figure::SqsOne), (TEN, Figure::SqsTen), (100, Figure::SqsHundred)];
const STORED: Series =
    [(1, Figure::StoredOne), (TEN, Figure::StoredTen), (100, Figure::StoredHundred)];

/// Measures SQS events. All processes call the same simulated provider. Each measurement starts its
/// own simulated S3, so that a function never finds results that another function stored.
pub(crate) struct Batches<'a> {
    pub(crate) simulator: &'a Simulator,
}

impl Batches<'_> {
    /// Measures a function once, in one process that stores results and one that does not.
    pub(crate) async fn once(
        &self,
        function: &Function,
        samples: &mut Samples,
    ) -> Result<(), Error> {
        let s3 = AwsSimulator::start().await?;
        let mut queue = Queue::default();
        let plain = Running::start(function, self.simulator, None).await?;
        self.series(&plain, None, &mut queue, &SQS, samples).await?;
        let storing = Running::start(function, self.simulator, Some(&s3)).await?;
        self.series(&storing, Some(&s3), &mut queue, &STORED, samples).await?;
        self.reset(Some(&s3));
        let batches = self.cpu(&plain, &storing, &mut queue, samples).await?;
        self.check([3, 1, 1].map(|times| times * TEN * batches), Some(&s3))
    }

    /// Measures the durations of a series of batches.
    async fn series(
        &self,
        running: &Running,
        s3: Option<&AwsSimulator>,
        queue: &mut Queue,
        series: &Series,
        samples: &mut Samples,
    ) -> Result<(), Error> {
        self.reset(s3);
        self.slow_down(s3);
        // This batch is not measured. It opens the connections to the provider and S3.
        running.batch(queue.batch(TEN, TEXT)).await?;
        let mut records = TEN;
        for &(count, figure) in series {
            let duration = running.batch(queue.batch(count, TEXT)).await?;
            samples.add(figure, milliseconds(duration));
            records += count;
        }
        self.check([records; 3], s3)
    }

    /// Measures the CPU time of ten direct requests, of ten records, and of ten records with stored
    /// results. The three measurements alternate, because the cost of waking a thread depends on
    /// the machine's load. Returns the number of turns.
    async fn cpu(
        &self,
        plain: &Running,
        storing: &Running,
        queue: &mut Queue,
        samples: &mut Samples,
    ) -> Result<usize, Error> {
        let mut used = [Duration::ZERO; 3];
        for turn in 0..SETTLING + COUNTED {
            let start = [plain.idle().await.cpu()?, storing.idle().await.cpu()?];
            plain.repeat(10, TEXT, Value::is_string).await?;
            let between = plain.idle().await.cpu()?;
            plain.batch(queue.batch(TEN, TEXT)).await?;
            storing.batch(queue.batch(TEN, TEXT)).await?;
            let end = [plain.idle().await.cpu()?, storing.idle().await.cpu()?];
            if turn >= SETTLING {
                used[0] += between.saturating_sub(start[0]);
                used[1] += end[0].saturating_sub(between);
                used[2] += end[1].saturating_sub(start[1]);
            }
        }
        let figures = [Figure::DirectTenCpu, Figure::SqsTenCpu, Figure::StoredTenCpu];
        for (figure, used) in figures.into_iter().zip(used) {
            samples.add(figure, milliseconds(used / COUNTED));
        }
        Ok(usize::try_from(SETTLING + COUNTED)?)
    }

    /// Deletes the recorded calls and removes the delays.
    fn reset(&self, s3: Option<&AwsSimulator>) {
        self.simulator.clear();
        if let Some(s3) = s3 {
            s3.clear_script();
            s3.clear_calls();
        }
    }

    /// Makes the provider and S3 respond slowly.
    fn slow_down(&self, s3: Option<&AwsSimulator>) {
        let slow = Step::fault(Fault::Slow(PROVIDER_WAIT)).times(u32::MAX);
        self.simulator.script(vec![slow]);
        let Some(s3) = s3 else {
            return;
        };
        for operation in [Operation::GetObject, Operation::PutObject] {
            s3.script(AwsFault::on(operation, "*", Action::Delay(S3_WAIT)));
        }
    }

    /// Checks the numbers of provider calls, S3 reads and S3 writes against `expected`, which lists
    /// them in this order.
    fn check(&self, expected: [usize; 3], s3: Option<&AwsSimulator>) -> Result<(), Error> {
        let [_, reads, writes] = expected;
        let (reads, writes) = s3.map_or((reads, writes), |s3| (s3.reads(), s3.writes()));
        let calls = [self.simulator.journal().len(), reads, writes];
        if calls == expected {
            return Ok(());
        }
        let text = "numbers of provider calls, S3 reads and S3 writes";
        Err(format!("{text}: expected {expected:?}, got {calls:?}").into())
    }
}
