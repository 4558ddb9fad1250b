//! The queue of invocations between `RuntimeApi::invoke` and the server that delivers them to the
//! function.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Notify, oneshot, watch};

use super::outcome::{InitError, InvocationOutcome, ResponseFault};

/// The number of the next invocation. It is global so that ids are unique across all queues.
static NEXT_INVOCATION: AtomicU64 = AtomicU64::new(1);

/// What the function posted.
pub(super) struct PostedOutcome {
    pub(super) outcome: InvocationOutcome,
    /// The headers of the request.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) first_byte_at: Option<Instant>,
}

/// An invocation that the function has not requested yet.
pub(super) struct PendingInvocation {
    pub(super) id: String,
    pub(super) event: Bytes,
    pub(super) timeout: Duration,
    pub(super) delivery_sender: oneshot::Sender<Instant>,
    pub(super) outcome_sender: oneshot::Sender<PostedOutcome>,
}

/// An invocation that is delivered to the function.
pub(super) struct DeliveredInvocation {
    pub(super) id: String,
    pub(super) event: Bytes,
    pub(super) timeout: Duration,
}

/// The pending invocations, the executing invocations, and the function's initialization error.
pub(super) struct InvocationQueue {
    invocations: Mutex<Invocations>,
    enqueued: Notify,
    init_error: watch::Sender<Option<InitError>>,
    fault: Mutex<Option<ResponseFault>>,
}

#[derive(Default)]
struct Invocations {
    pending: VecDeque<PendingInvocation>,
    executing: HashMap<String, oneshot::Sender<PostedOutcome>>,
}

impl Default for InvocationQueue {
    fn default() -> Self {
        let init_error = watch::Sender::new(None);
        let (invocations, fault) = (Mutex::default(), Mutex::default());
        Self { invocations, enqueued: Notify::new(), init_error, fault }
    }
}

impl InvocationQueue {
    /// Appends an invocation and returns its id.
    pub(super) fn enqueue(&self, pending: impl FnOnce(String) -> PendingInvocation) -> String {
        let number = NEXT_INVOCATION.fetch_add(1, Ordering::Relaxed);
        let id = format!("00000000-0000-4000-8000-{number:012x}");
        let mut invocations = self.lock();
        invocations.pending.push_back(pending(id.clone()));
        self.enqueued.notify_one();
        id
    }

    /// Waits for the next invocation and marks it as executing.
    pub(super) async fn next(&self) -> DeliveredInvocation {
        loop {
            if let Some(invocation) = self.take() {
                return invocation;
            }
            self.enqueued.notified().await;
        }
    }

    fn take(&self) -> Option<DeliveredInvocation> {
        let mut invocations = self.lock();
        let pending = invocations.pending.pop_front()?;
        let PendingInvocation { id, event, timeout, delivery_sender, outcome_sender } = pending;
        invocations.executing.insert(id.clone(), outcome_sender);
        // Sending fails if `RuntimeApi::invoke` has stopped waiting for the delivery.
        let _ = delivery_sender.send(Instant::now());
        Some(DeliveredInvocation { id, event, timeout })
    }

    /// Whether the function is executing an invocation with this id.
    pub(super) fn is_executing(&self, id: &str) -> bool {
        self.lock().executing.contains_key(id)
    }

    /// Completes an invocation. Returns false if the function is not executing it.
    pub(super) fn complete(&self, id: &str, outcome: PostedOutcome) -> bool {
        let sender = self.lock().executing.remove(id);
        sender.is_some_and(|sender| sender.send(outcome).is_ok())
    }

    /// Removes an invocation, whether it is pending or executing.
    pub(super) fn remove(&self, id: &str) {
        let mut invocations = self.lock();
        invocations.pending.retain(|pending| pending.id != id);
        invocations.executing.remove(id);
    }

    pub(super) fn set_fault(&self, fault: ResponseFault) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
    }

    /// Removes and returns the fault of the next response.
    pub(super) fn take_fault(&self) -> Option<ResponseFault> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn fail_init(&self, error: InitError) {
        self.init_error.send_replace(Some(error));
    }

    pub(super) fn init_error(&self) -> Option<InitError> {
        self.init_error.borrow().clone()
    }

    /// Waits until the function has posted an initialization error.
    pub(super) async fn wait_for_init_error(&self) -> InitError {
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
