//! Limits the number of CPU-heavy steps that run at the same time.
//!
//! A step of one request, such as checking a large reply, occupies a thread of the runtime and
//! delays the timers and the responses of all other requests on it. On a runtime with one thread,
//! such as that of the Lambda function, steps run one at a time, and after a long step the thread
//! polls the timers before the next step begins. On a runtime with several threads, one of them
//! stays free for other requests. The limits on rendering, compiling and checking bound the
//! duration of a single step.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// Duration of a step after which the thread polls the timers before the next step begins.
const LONG_STEP: Duration = Duration::from_millis(10);

/// The queue for the steps of all requests of a runner. Clones share it.
#[derive(Clone, Default)]
pub(super) struct StepQueue(Arc<OnceLock<Semaphore>>);

impl StepQueue {
    /// Waits until the runtime has a thread for the step, and runs the step. Without a Tokio
    /// runtime, runs it immediately.
    pub(super) async fn run<T>(&self, step: impl FnOnce() -> T) -> T {
        let Ok(runtime) = Handle::try_current() else { return step() };
        let slots = self.0.get_or_init(|| Semaphore::new(max_steps(&runtime)));
        let permit = slots.acquire().await;
        let started = Instant::now();
        let outcome = step();
        if started.elapsed() > LONG_STEP {
            // The permit is held until the runtime has polled its timers. Otherwise, the next step
            // of another request would begin at once.
            tokio::task::yield_now().await;
        }
        drop(permit);
        outcome
    }
}

/// Returns the maximum number of steps that a runtime runs at the same time.
fn max_steps(runtime: &Handle) -> usize {
    runtime.metrics().num_workers().saturating_sub(1).max(1)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::{Duration, Instant};

    use super::StepQueue;

    #[tokio::test]
    async fn timers_fire_between_long_steps() {
        let queue = StepQueue::default();
        let steps_done = Cell::new(0);
        let step = || {
            let started = Instant::now();
            while started.elapsed() < Duration::from_millis(50) {}
            steps_done.set(steps_done.get() + 1);
        };
        let timer = async {
            tokio::time::sleep(Duration::from_millis(60)).await;
            steps_done.get()
        };
        // All of them are futures of one task, like the records of a batch.
        let (steps_before_timer, ..) = tokio::join!(
            timer,
            queue.run(step),
            queue.run(step),
            queue.run(step),
            queue.run(step),
            queue.run(step),
        );
        assert!((1..=3).contains(&steps_before_timer), "{steps_before_timer}");
        assert_eq!(steps_done.get(), 5);
    }
}
