//! A queue as SQS keeps it: what is taken is not there for others, what is not deleted comes back,
//! and what was received too often is moved away.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// `maxReceiveCount` of the redrive policy.
pub(crate) const MOST_RECEIVES: usize = 3;
const BATCH: usize = 10;

/// What became of a message, as the queue knows it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fortune {
    pub(crate) receives: usize,
    /// How many of these ended with the process.
    pub(crate) kills: usize,
    /// Whether the last one did.
    pub(crate) is_killed: bool,
    pub(crate) is_deleted: bool,
    pub(crate) is_dead: bool,
}

/// A batch that was taken.
pub(crate) struct Delivery {
    /// From 0.
    pub(crate) number: u64,
    pub(crate) messages: Vec<usize>,
}

/// How a delivery ended.
pub(crate) enum Ended {
    /// Answered: these failed, all others are deleted.
    Answered(Vec<usize>),
    /// The process was killed.
    Killed,
}

pub(crate) struct Queue(Mutex<State>);

struct State {
    visible: VecDeque<usize>,
    in_flight: usize,
    deliveries: u64,
    redelivered: usize,
    fortunes: Vec<Fortune>,
}

impl Queue {
    pub(crate) fn new(messages: usize) -> Queue {
        Queue(Mutex::new(State {
            visible: (0..messages).collect(),
            in_flight: 0,
            deliveries: 0,
            redelivered: 0,
            fortunes: vec![Fortune::default(); messages],
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The next batch; `None` once there is none and none can come back.
    pub(crate) async fn take(&self) -> Option<Delivery> {
        loop {
            {
                let mut state = self.lock();
                if !state.visible.is_empty() {
                    return Some(state.take());
                }
                if state.in_flight == 0 {
                    return None;
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Deletes what was done, and has the rest come back, or moves it away.
    pub(crate) fn settle(&self, delivery: Delivery, ended: &Ended) {
        let mut state = self.lock();
        state.in_flight -= delivery.messages.len();
        for at in delivery.messages {
            let is_killed = matches!(ended, Ended::Killed);
            let fortune = &mut state.fortunes[at];
            fortune.is_killed = is_killed;
            fortune.kills += usize::from(is_killed);
            match ended {
                Ended::Answered(failed) if !failed.contains(&at) => fortune.is_deleted = true,
                _ if fortune.receives >= MOST_RECEIVES => fortune.is_dead = true,
                _ => state.visible.push_back(at),
            }
        }
    }

    /// What became of each message, and how many deliveries there were; so many messages were
    /// received again.
    pub(crate) fn closed(self) -> (Vec<Fortune>, u64, usize) {
        let state = self.0.into_inner().unwrap();
        (state.fortunes, state.deliveries, state.redelivered)
    }
}

impl State {
    fn take(&mut self) -> Delivery {
        let count = self.visible.len().min(BATCH);
        let messages: Vec<usize> = self.visible.drain(..count).collect();
        for at in &messages {
            let fortune = &mut self.fortunes[*at];
            assert!(!fortune.is_deleted && !fortune.is_dead, "{at}: {fortune:?}");
            self.redelivered += usize::from(fortune.receives > 0);
            fortune.receives += 1;
        }
        self.in_flight += count;
        self.deliveries += 1;
        Delivery { number: self.deliveries - 1, messages }
    }
}
