//! Records of SQS: how long one, ten and a hundred take where all wait for others, and what CPU
//! they cost where nothing does.
//!
//! In: a function, imitations of a provider and of S3 that answer after a fixed time. Out: samples,
//! of results that are kept and of such that are not.

use std::time::Duration;

use llm_exe_simulator::{Fault as Mishap, Simulator, Step};
use llm_exe_testkit::aws::{Action, AwsSimulator, Fault as AwsFault, Operation};

use crate::Fault;
use crate::figures::{Figure, Samples};
use crate::function::Function;
use crate::measure::milliseconds;
use crate::running::{Queue, Running, TEXT};

/// From a provider call's last byte to its answer.
pub(crate) const PROVIDER_WAIT: Duration = Duration::from_millis(200);
/// The same of S3, read or written.
pub(crate) const S3_WAIT: Duration = Duration::from_millis(20);
/// How many records, or direct requests, CPU is compared of.
const TEN: usize = 10;
/// Batches that are not counted, before CPU is.
const SETTLING: u32 = 5;
/// Batches that are.
const COUNTED: u32 = 20;

/// Which figures events of one, ten and a hundred records give.
type Series = [(usize, Figure); 3];

const SQS: Series = [(1, Figure::SqsOne), (TEN, Figure::SqsTen), (100, Figure::SqsHundred)];
const KEPT: Series = [(1, Figure::KeptOne), (TEN, Figure::KeptTen), (100, Figure::KeptHundred)];

/// Measures against one simulator of providers, and one of S3 for each process, so that none finds
/// another's results.
pub(crate) struct Batches<'a> {
    pub(crate) simulator: &'a Simulator,
}

impl Batches<'_> {
    /// Has the function do all of it once, in two processes: one keeps results, one does not.
    pub(crate) async fn once(
        &self,
        function: &Function,
        samples: &mut Samples,
    ) -> Result<(), Fault> {
        let s3 = AwsSimulator::start().await?;
        let mut queue = Queue::default();
        let plain = Running::start(function, self.simulator, None).await?;
        self.series(&plain, None, &mut queue, &SQS, samples).await?;
        let kept = Running::start(function, self.simulator, Some(&s3)).await?;
        self.series(&kept, Some(&s3), &mut queue, &KEPT, samples).await?;
        self.forget(Some(&s3));
        let batches = self.cpu(&plain, &kept, &mut queue, samples).await?;
        self.check([3, 1, 1].map(|times| times * TEN * batches), Some(&s3))
    }

    async fn series(
        &self,
        running: &Running,
        s3: Option<&AwsSimulator>,
        queue: &mut Queue,
        series: &Series,
        samples: &mut Samples,
    ) -> Result<(), Fault> {
        self.forget(s3);
        self.slow_down(s3);
        // Connections are there from now on, as many as are ever used.
        running.batch(queue.batch(TEN, TEXT)).await?;
        let mut records = TEN;
        for &(count, figure) in series {
            let took = running.batch(queue.batch(count, TEXT)).await?;
            samples.add(figure, milliseconds(took));
            records += count;
        }
        self.check([records; 3], s3)
    }

    /// What ten requests of their own cost, and ten records, kept or not, where nothing waits: in
    /// turns, since what a wake-up costs depends on what else the machine does. How many turns.
    async fn cpu(
        &self,
        plain: &Running,
        kept: &Running,
        queue: &mut Queue,
        samples: &mut Samples,
    ) -> Result<usize, Fault> {
        let mut used = [Duration::ZERO; 3];
        for turn in 0..SETTLING + COUNTED {
            let start = [plain.idle().await.cpu()?, kept.idle().await.cpu()?];
            for _ in 0..TEN {
                let (answer, _) = plain.invoke(TEXT.to_owned()).await?;
                if !answer.is_string() {
                    return Err(format!("a direct request gave no text: {answer}").into());
                }
            }
            let between = plain.idle().await.cpu()?;
            plain.batch(queue.batch(TEN, TEXT)).await?;
            kept.batch(queue.batch(TEN, TEXT)).await?;
            let end = [plain.idle().await.cpu()?, kept.idle().await.cpu()?];
            if turn >= SETTLING {
                used[0] += between.saturating_sub(start[0]);
                used[1] += end[0].saturating_sub(between);
                used[2] += end[1].saturating_sub(start[1]);
            }
        }
        let figures = [Figure::DirectTenCpu, Figure::SqsTenCpu, Figure::KeptTenCpu];
        for (figure, used) in figures.into_iter().zip(used) {
            samples.add(figure, milliseconds(used / COUNTED));
        }
        Ok(usize::try_from(SETTLING + COUNTED)?)
    }

    /// Forgets calls and waits.
    fn forget(&self, s3: Option<&AwsSimulator>) {
        self.simulator.clear();
        if let Some(s3) = s3 {
            s3.clear_script();
            s3.clear_calls();
        }
    }

    fn slow_down(&self, s3: Option<&AwsSimulator>) {
        let slow = Step::fault(Mishap::Slow(PROVIDER_WAIT)).times(u32::MAX);
        self.simulator.script(vec![slow]);
        let Some(s3) = s3 else {
            return;
        };
        for operation in [Operation::GetObject, Operation::PutObject] {
            s3.script(AwsFault::on(operation, "*", Action::Delay(S3_WAIT)));
        }
    }

    /// That each request was one call of the provider, and each result that is kept was looked for
    /// once and written once.
    fn check(&self, expected: [usize; 3], s3: Option<&AwsSimulator>) -> Result<(), Fault> {
        let [_, reads, writes] = expected;
        let (reads, writes) = s3.map_or((reads, writes), |s3| (s3.reads(), s3.writes()));
        let calls = [self.simulator.journal().len(), reads, writes];
        if calls == expected {
            return Ok(());
        }
        let text = format!("provider, reads and writes were called {calls:?} times");
        Err(format!("{text}, not {expected:?}").into())
    }
}
