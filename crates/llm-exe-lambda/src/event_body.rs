//! Passes the bytes of an event to the handler.
//!
//! The Runtime API client deserializes events itself, and reports an event that is not JSON with an
//! error type of its own. This layer stores the bytes and passes the event `null` to the client, so
//! that the function parses the event and reports all errors.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use lambda_runtime::tower::Layer;
use lambda_runtime::{LambdaInvocation, Service};

/// The body of the current event. Clones share it. The runtime handles one event at a time.
#[derive(Clone, Default)]
pub(crate) struct EventBody(Arc<Mutex<Bytes>>);

impl EventBody {
    /// Takes the body of the current event.
    pub(crate) fn take(&self) -> Bytes {
        self.replace(Bytes::new())
    }

    fn replace(&self, body: Bytes) -> Bytes {
        mem::replace(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), body)
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

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for WithEventBody<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut invocation: LambdaInvocation) -> S::Future {
        let body = mem::replace(&mut invocation.body, Bytes::from_static(b"null"));
        self.body.replace(body);
        self.inner.call(invocation)
    }
}
