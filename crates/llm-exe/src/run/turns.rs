//! Lets the steps of requests that need much CPU time take turns.
//!
//! The requests of a batch are futures of one thread. A step of one of them, such as checking a
//! large reply, delays the timers and the responses of all others. So these steps run one at a
//! time, and after a long one the thread returns to the runtime before the next one begins. The
//! limits on rendering, compiling and checking bound the duration of a single step.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

/// The duration of a step after which the runtime gets a turn.
const LONG_STEP: Duration = Duration::from_millis(10);

/// The turns of all requests of a runner. Clones share them.
#[derive(Clone)]
pub(super) struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Turns(Arc::new(Semaphore::new(1)))
    }
}

impl Turns {
    /// Runs a step when it is its turn.
    pub(super) async fn run<T>(&self, step: impl FnOnce() -> T) -> T {
        // On a runtime with several threads, the other threads continue during the step.
        let has_one_thread = Handle::try_current()
            .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::CurrentThread);
        if !has_one_thread {
            return step();
        }
        let turn = self.0.acquire().await;
        let started = Instant::now();
        let outcome = step();
        if started.elapsed() > LONG_STEP {
            // The turn ends after the runtime had its turn. Otherwise, the next step of another
            // request would begin at once.
            tokio::task::yield_now().await;
        }
        drop(turn);
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::{Duration, Instant};

    use super::Turns;

    #[tokio::test]
    async fn timers_fire_between_long_steps() {
        let turns = Turns::default();
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
            turns.run(step),
            turns.run(step),
            turns.run(step),
            turns.run(step),
            turns.run(step),
        );
        assert!((1..=3).contains(&steps_before_timer), "{steps_before_timer}");
        assert_eq!(steps_done.get(), 5);
    }
}
