//! Passes the bytes of an event to the handler.
//!
//! The Runtime API client deserializes events itself, and reports an event that is not JSON with an
//! error type of its own. This layer stores the bytes and passes the event `null` to the client, so
//! that the function parses the event and reports all errors.

use std::mem;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::HeaderValue;
use lambda_runtime::tower::Layer;
use lambda_runtime::{LambdaInvocation, Service};
use llm_exe_function::StreamedRun;
use tokio::sync::Notify;

use crate::direct_stream::INVOCATION_ID;
use crate::streaming::Outcome;

/// The run behind a streamed response.
pub(crate) type Run = StreamedRun<Outcome>;

/// The body of the current event. Clones share it. The runtime handles one event at a time.
#[derive(Clone, Default)]
pub(crate) struct EventBody {
    current: Arc<Mutex<CurrentEvent>>,
    /// Notified when the handler has sent the response itself. `None` if no response is a stream.
    sent: Option<Arc<Notify>>,
}

#[derive(Default)]
struct CurrentEvent {
    body: Bytes,
    /// The value of the header [`INVOCATION_ID`].
    invocation_id: Option<HeaderValue>,
    /// The run whose response the runtime sends as a stream.
    run: Option<Run>,
}

impl EventBody {
    /// Creates a body whose handler may stream its response.
    pub(crate) fn with_streams() -> Self {
        EventBody { sent: Some(Arc::default()), ..EventBody::default() }
    }

    /// Takes the body of the current event, and the value of its header [`INVOCATION_ID`].
    pub(crate) fn take(&self) -> (Bytes, Option<HeaderValue>) {
        let mut current = self.lock();
        (mem::take(&mut current.body), current.invocation_id.take())
    }

    /// Sets the run whose response the runtime sends as a stream. The invocation ends after it.
    pub(crate) fn set_run(&self, run: Run) {
        self.lock().run = Some(run);
    }

    /// Ends the current invocation, whose response the handler has sent.
    pub(crate) fn end_invocation(&self) {
        if let Some(sent) = &self.sent {
            sent.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, CurrentEvent> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Layer<S> for EventBody {
    type Service = WithEventBody<S>;

    fn layer(&self, inner: S) -> WithEventBody<S> {
        WithEventBody { inner, body: self.clone() }
    }
}

/// Stores the body of each event before it calls the inner service.
pub(crate) struct WithEventBody<S> {
    inner: S,
    body: EventBody,
}

impl<S> Service<LambdaInvocation> for WithEventBody<S>
where
    S: Service<LambdaInvocation, Response = ()>,
    S::Future: 'static,
{
    type Response = ();
    type Error = S::Error;
    type Future = Either<S::Future, Pin<Box<dyn Future<Output = Result<(), S::Error>>>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut invocation: LambdaInvocation) -> Self::Future {
        let body = mem::replace(&mut invocation.body, Bytes::from_static(b"null"));
        let id = self.body.sent.as_ref().and_then(|_| invocation.parts.headers.get(INVOCATION_ID));
        let invocation_id = id.cloned();
        *self.body.lock() = CurrentEvent { body, invocation_id, run: None };
        let response = self.inner.call(invocation);
        let Some(sent) = self.body.sent.clone() else { return Either::Left(response) };
        let current = self.body.clone();
        Either::Right(Box::pin(async move {
            let response = match select(pin!(response), pin!(sent.notified())).await {
                Either::Left((response, _)) => response,
                Either::Right(_) => return Ok(()),
            };
            let Some(run) = current.lock().run.take() else { return response };
            // Lambda freezes the process when the invocation has ended, and a paid result could be
            // lost. A stream that the runtime sends can end before its run, if it is closed.
            if response.is_err() {
                run.close();
            }
            drop(run.output().await);
            // A closed stream is not a failure of the Runtime API. If the API fails, the runtime
            // can't get the next event.
            Ok(())
        }))
    }
}
