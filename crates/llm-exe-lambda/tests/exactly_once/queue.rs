//! A queue that behaves like SQS. It hides received messages, delivers them again if they are not
//! deleted, and moves them to a dead-letter queue after too many receives.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// The `maxReceiveCount` of the queue's redrive policy.
pub(crate) const MAX_RECEIVES: usize = 3;
const BATCH: usize = 10;

/// The state of a message.
#[derive(Debug, Clone, Default)]
pub(crate) struct MessageState {
    pub(crate) receives: usize,
    /// The number of receives after which the process was killed.
    pub(crate) kills: usize,
    /// Whether the process was killed after the last receive.
    pub(crate) is_killed: bool,
    pub(crate) is_deleted: bool,
    pub(crate) is_dead: bool,
}

/// A batch of received messages.
pub(crate) struct Delivery {
    /// The number of the delivery, starting at 0.
    pub(crate) number: u64,
    pub(crate) messages: Vec<usize>,
}

/// The outcome of a delivery.
pub(crate) enum DeliveryOutcome {
    /// The function responded. The listed messages failed, and all other messages in the batch are
    /// deleted.
    Responded(Vec<usize>),
    /// The process was killed.
    Killed,
}

pub(crate) struct Queue(Mutex<State>);

struct State {
    visible: VecDeque<usize>,
    in_flight: usize,
    deliveries: u64,
    redelivered: usize,
    messages: Vec<MessageState>,
}

impl Queue {
    pub(crate) fn new(messages: usize) -> Queue {
        Queue(Mutex::new(State {
            visible: (0..messages).collect(),
            in_flight: 0,
            deliveries: 0,
            redelivered: 0,
            messages: vec![MessageState::default(); messages],
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Receives the next batch. Returns `None` if the queue is empty and no message is in flight.
    pub(crate) async fn receive(&self) -> Option<Delivery> {
        loop {
            {
                let mut state = self.lock();
                if !state.visible.is_empty() {
                    return Some(state.receive());
                }
                if state.in_flight == 0 {
                    return None;
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Deletes the messages that succeeded. Makes failed messages visible again or moves them to
    /// the dead-letter queue.
    pub(crate) fn finish(&self, delivery: Delivery, outcome: &DeliveryOutcome) {
        let mut state = self.lock();
        state.in_flight -= delivery.messages.len();
        for index in delivery.messages {
            let is_killed = matches!(outcome, DeliveryOutcome::Killed);
            let message = &mut state.messages[index];
            message.is_killed = is_killed;
            message.kills += usize::from(is_killed);
            match outcome {
                DeliveryOutcome::Responded(failed) if !failed.contains(&index) => {
                    message.is_deleted = true;
                }
                _ if message.receives >= MAX_RECEIVES => message.is_dead = true,
                _ => state.visible.push_back(index),
            }
        }
    }

    /// Returns the states of all messages, the number of deliveries, and the number of times that a
    /// message was received again.
    pub(crate) fn into_statistics(self) -> (Vec<MessageState>, u64, usize) {
        let state = self.0.into_inner().unwrap();
        (state.messages, state.deliveries, state.redelivered)
    }
}

impl State {
    fn receive(&mut self) -> Delivery {
        let count = self.visible.len().min(BATCH);
        let messages: Vec<usize> = self.visible.drain(..count).collect();
        for index in &messages {
            let message = &mut self.messages[*index];
            assert!(!message.is_deleted && !message.is_dead, "{index}: {message:?}");
            self.redelivered += usize::from(message.receives > 0);
            message.receives += 1;
        }
        self.in_flight += count;
        self.deliveries += 1;
        Delivery { number: self.deliveries - 1, messages }
    }
}
