//! What the invoking side and the serving side of the Runtime API share: the queue, the
//! invocations that wait for their answer, and the error of a start that failed.
//!
//! In: invocations. Out: the same ones, to whoever asks next; answers, to who invoked.

use super::{InitError, Outcome};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, oneshot, watch};

/// Ids are of one invocation alone, whichever process it goes to.
static INVOCATIONS: AtomicU64 = AtomicU64::new(1);

/// What the function answered, and with which headers.
pub(super) type Answer = (Outcome, BTreeMap<String, String>);

/// An invocation that no one has asked for yet.
pub(super) struct Pending {
    pub(super) id: String,
    pub(super) event: Bytes,
    pub(super) timeout: Duration,
    pub(super) delivered: oneshot::Sender<Instant>,
    pub(super) answered: oneshot::Sender<Answer>,
}

/// An invocation as the function gets it.
pub(super) struct Delivered {
    pub(super) id: String,
    pub(super) event: Bytes,
    pub(super) timeout: Duration,
}

/// What both sides share.
pub(super) struct Shared {
    invocations: Mutex<Invocations>,
    came: Notify,
    init_error: watch::Sender<Option<InitError>>,
}

#[derive(Default)]
struct Invocations {
    queue: VecDeque<Pending>,
    waiting: HashMap<String, oneshot::Sender<Answer>>,
}

impl Default for Shared {
    fn default() -> Self {
        let init_error = watch::Sender::new(None);
        Self { invocations: Mutex::default(), came: Notify::new(), init_error }
    }
}

impl Shared {
    /// Puts an invocation into the queue and returns its id.
    pub(super) fn enqueue(&self, pending: impl FnOnce(String) -> Pending) -> String {
        let number = INVOCATIONS.fetch_add(1, Ordering::Relaxed);
        let id = format!("00000000-0000-4000-8000-{number:012x}");
        let mut invocations = self.lock();
        invocations.queue.push_back(pending(id.clone()));
        self.came.notify_one();
        id
    }

    /// The next invocation, as soon as there is one.
    pub(super) async fn next(&self) -> Delivered {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.came.notified().await;
        }
    }

    fn take(&self) -> Option<Delivered> {
        let mut invocations = self.lock();
        let Pending { id, event, timeout, delivered, answered } = invocations.queue.pop_front()?;
        invocations.waiting.insert(id.clone(), answered);
        // Nobody waits any more when the invoking side has given up.
        let _ = delivered.send(Instant::now());
        Some(Delivered { id, event, timeout })
    }

    /// Whether an invocation waits for its answer.
    pub(super) fn waits(&self, id: &str) -> bool {
        self.lock().waiting.contains_key(id)
    }

    /// Answers an invocation; false when none of this id waits.
    pub(super) fn answer(&self, id: &str, answer: Answer) -> bool {
        let waiting = self.lock().waiting.remove(id);
        waiting.is_some_and(|waiting| waiting.send(answer).is_ok())
    }

    /// Forgets an invocation, wherever it is.
    pub(super) fn forget(&self, id: &str) {
        let mut invocations = self.lock();
        invocations.queue.retain(|pending| pending.id != id);
        invocations.waiting.remove(id);
    }

    pub(super) fn fail_init(&self, error: InitError) {
        self.init_error.send_replace(Some(error));
    }

    pub(super) fn init_error(&self) -> Option<InitError> {
        self.init_error.borrow().clone()
    }

    /// The error of a start that failed, as soon as there is one.
    pub(super) async fn init_failed(&self) -> InitError {
        let mut errors = self.init_error.subscribe();
        loop {
            if let Some(error) = errors.borrow_and_update().clone() {
                return error;
            }
            if errors.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Invocations> {
        self.invocations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
