//! Runs the CPU-heavy steps of concurrent requests one at a time.
//!
//! The requests of a batch are futures of one thread. A step of one request, such as checking a
//! large reply, delays the timers and the responses of all other requests. After a long step, the
//! thread therefore resteps to the runtime before the next step begins. The limits on rendering,
//! compiling and checking bound the duration of a single step.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

/// Duration of a step after which the thread resteps to the runtime.
const LONG_STEP: Duration = Duration::from_millis(10);

/// The queue for the steps of all requests of a runner. Clones share it.
#[derive(Clone)]
pub(super) struct StepQueue(Arc<Semaphore>);

impl Default for StepQueue {
    fn default() -> Self {
        StepQueue(Arc::new(Semaphore::new(1)))
    }
}

impl StepQueue {
    /// Waits until no other step runs, and runs the step.
    pub(super) async fn run<T>(&self, step: impl FnOnce() -> T) -> T {
        let permit = match self.0.try_acquire() {
            Ok(permit) => Ok(permit),
            // On a runtime with several threads, the other threads continue during the step.
            Err(_) if !has_one_thread() => return step(),
            Err(_) => self.0.acquire().await,
        };
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

/// Returns whether the current runtime runs all futures on one thread.
fn has_one_thread() -> bool {
    Handle::try_current()
        .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::CurrentThread)
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
