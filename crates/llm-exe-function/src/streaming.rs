//! Streams a response to callers that can receive one: the events of the run as they come, and the
//! result or the error as the last event.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::{Either, select};
use llm_exe::ports::PortFuture;
use llm_exe::{Error, EventSink, RunEvent, StreamFormat};
use llm_exe_events::{StreamingEntryPoint, error_object};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::mpsc::{OwnedPermit, Receiver, Sender, channel};
use tokio::time::{Instant, Sleep, sleep};

/// Maximum number of events that wait for the reader. One more place is reserved for the last one.
const MAX_WAITING_EVENTS: usize = 16;

/// How long a stream may send nothing. Proxies close connections that are idle for longer.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The function's side of a response that may be streamed.
pub struct ResponseSender {
    sender: Sender<Bytes>,
    /// The place of the last event, so that it never waits for the reader.
    last_place: Mutex<Option<OwnedPermit<Bytes>>>,
    state: Arc<StreamState>,
}

/// What the function has decided about the response.
#[derive(Default)]
struct StreamState {
    /// The entry point of the event, if it streams its responses.
    entry_point: Mutex<Option<StreamingEntryPoint>>,
    /// The format, if the request asks for a stream.
    format: Mutex<Option<StreamFormat>>,
    has_started: AtomicBool,
}

impl StreamState {
    fn entry_point(&self) -> Option<StreamingEntryPoint> {
        *lock(&self.entry_point)
    }
}

impl std::fmt::Debug for ResponseSender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseSender").finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ResponseSender {
    fn new() -> (Self, Receiver<Bytes>) {
        let (sender, receiver) = channel(MAX_WAITING_EVENTS + 1);
        let last_place = Mutex::new(sender.clone().try_reserve_owned().ok());
        (ResponseSender { sender, last_place, state: Arc::default() }, receiver)
    }

    /// Sets the entry point of the event. Responses through it are sent as a stream.
    pub(crate) fn set_entry_point(&self, entry_point: StreamingEntryPoint) {
        *lock(&self.state.entry_point) = Some(entry_point);
    }

    /// Sets whether the response is a stream, from the fields of a request. A stored result is
    /// returned without a run, which would set it.
    pub(crate) fn set_format_of(&self, request: &Value) {
        let is_requested = request.get("stream").and_then(Value::as_bool) == Some(true);
        let is_ndjson = request.get("streamFormat").and_then(Value::as_str) == Some("ndjson");
        let format = if is_ndjson { StreamFormat::Lines } else { StreamFormat::ServerSentEvents };
        *lock(&self.state.format) = is_requested.then_some(format);
    }

    /// Returns whether the request asks for a stream.
    pub(crate) fn is_requested(&self) -> bool {
        lock(&self.state.format).is_some()
    }

    /// Returns whether an event was sent, so that the response is a stream.
    pub fn is_stream(&self) -> bool {
        self.state.has_started.load(Ordering::Relaxed)
    }

    /// Decides that the error before the first event is sent as a response with a status of its
    /// own. Returns false if the stream has started.
    pub(crate) fn decline_stream(&self) -> bool {
        let has_started = self.is_stream();
        if !has_started {
            *lock(&self.state.format) = None;
        }
        !has_started
    }

    /// Returns the sink for the events of a run. If `completes` is set, the run completes even if
    /// the reader is gone.
    pub(crate) fn sink(&self, completes: bool) -> Arc<dyn EventSink> {
        let (sender, state) = (self.sender.clone(), Arc::clone(&self.state));
        Arc::new(ChannelSink { sender, state, completes })
    }

    /// Sends the last event of a stream.
    pub(crate) fn finish(&self, outcome: &Result<Box<RawValue>, Error>, request_id: &str) {
        let format = *lock(&self.state.format);
        // An error before the first event is not sent as an event.
        let is_stream = outcome.is_ok() || self.is_stream();
        let (Some(format), Some(permit), true) = (format, lock(&self.last_place).take(), is_stream)
        else {
            return;
        };
        let event = match outcome {
            Ok(result) => format.encode("result", result),
            Err(error) => format.encode("error", error_object(error, request_id)),
        };
        self.state.has_started.store(true, Ordering::Relaxed);
        permit.send(event.into());
    }
}

/// Sends the events of a run to the reader of the response.
struct ChannelSink {
    sender: Sender<Bytes>,
    state: Arc<StreamState>,
    completes: bool,
}

impl EventSink for ChannelSink {
    fn accept(&self, format: Option<StreamFormat>) -> bool {
        *lock(&self.state.format) = format;
        format.is_some()
    }

    fn send(&self, event: RunEvent) -> PortFuture<'_, ()> {
        let format = *lock(&self.state.format);
        let Some(format) = format else { return Box::pin(std::future::ready(())) };
        self.state.has_started.store(true, Ordering::Relaxed);
        let event = format.encode(event.name(), event.to_json());
        Box::pin(async move { drop(self.sender.send(event.into()).await) })
    }

    fn closed(&self) -> PortFuture<'_, ()> {
        match self.completes {
            true => Box::pin(std::future::pending()),
            false => Box::pin(self.sender.closed()),
        }
    }
}

/// A response to an event that can be streamed.
pub enum StartedResponse<T> {
    /// The run has ended with this value, and its response is not a stream.
    Whole {
        /// What the run returned.
        output: T,
        /// The entry point of the event, if all its responses are sent in streaming mode.
        entry_point: Option<StreamingEntryPoint>,
    },
    /// The response is a stream. Its status is 200.
    Events {
        /// The entry point of the event.
        entry_point: StreamingEntryPoint,
        /// The format of the stream.
        format: StreamFormat,
        /// The events.
        body: ResponseBody,
    },
}

impl<T> std::fmt::Debug for StartedResponse<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StartedResponse").finish_non_exhaustive()
    }
}

/// Handles an event until its response is known: until `handle` ends or sends the first event of a
/// stream. In the second case, the rest of it runs as a task. Dropping the future cancels the run.
pub async fn start_response<F>(
    handle: impl FnOnce(ResponseSender) -> F,
) -> StartedResponse<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    let (sender, mut events) = ResponseSender::new();
    let state = Arc::clone(&sender.state);
    let mut run = Box::pin(handle(sender));
    let started = match select(&mut run, std::pin::pin!(events.recv())).await {
        Either::Left((output, _)) => Either::Left(output),
        Either::Right((Some(first), _)) => Either::Right(first),
        Either::Right((None, _)) => Either::Left(run.as_mut().await),
    };
    let first = match started {
        Either::Right(first) => {
            tokio::spawn(run);
            first
        }
        Either::Left(output) => match events.try_recv() {
            Ok(first) => first,
            Err(_) => return StartedResponse::Whole { output, entry_point: state.entry_point() },
        },
    };
    let format = lock(&state.format).unwrap_or(StreamFormat::ServerSentEvents);
    let keep_alive = Bytes::from_static(format.keep_alive().as_bytes());
    let timer = Box::pin(sleep(KEEP_ALIVE));
    let body =
        ResponseBody { first: Some(first), rest: Some(Events { events, timer, keep_alive }) };
    let entry_point = state.entry_point().unwrap_or(StreamingEntryPoint::Url);
    StartedResponse::Events { entry_point, format, body }
}

/// The body of a response that is sent in streaming mode. It contains no errors: the last event of
/// a stream is the error.
pub struct ResponseBody {
    first: Option<Bytes>,
    rest: Option<Events>,
}

struct Events {
    events: Receiver<Bytes>,
    timer: Pin<Box<Sleep>>,
    keep_alive: Bytes,
}

impl std::fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}

impl From<String> for ResponseBody {
    fn from(body: String) -> Self {
        ResponseBody { first: Some(body.into()), rest: None }
    }
}

impl Stream for ResponseBody {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        let bytes = match rest.events.poll_recv(context) {
            Poll::Ready(event) => event,
            Poll::Pending => {
                ready!(rest.timer.as_mut().poll(context));
                Some(rest.keep_alive.clone())
            }
        };
        rest.timer.as_mut().reset(Instant::now() + KEEP_ALIVE);
        Poll::Ready(bytes.map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::StreamExt;
    use llm_exe::{RunEvent, StreamFormat};
    use serde_json::value::to_raw_value;

    use super::{ResponseBody, StartedResponse, start_response};

    async fn start(format: StreamFormat, pauses: [u64; 2]) -> ResponseBody {
        let started = start_response(move |stream| async move {
            let sink = stream.sink(false);
            assert!(sink.accept(Some(format)));
            for pause in pauses {
                sink.send(RunEvent::Reset { reason: "repair" }).await;
                tokio::time::sleep(Duration::from_secs(pause)).await;
            }
            stream.finish(&Ok(to_raw_value("done").unwrap()), "1");
        });
        match started.await {
            StartedResponse::Events { body, .. } => body,
            StartedResponse::Whole { .. } => panic!("expected a stream"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_filled_while_there_are_no_events() {
        let event = "{\"event\":\"reset\",\"data\":{\"reason\":\"repair\"}}\n";
        let result = "{\"event\":\"result\",\"data\":\"done\"}\n";
        for (pauses, expected) in [
            ([1, 14], vec![event, event, result]),
            ([40, 20], vec![event, "\n", "\n", event, "\n", result]),
        ] {
            let body = start(StreamFormat::Lines, pauses).await;
            let items = body.map(|item| String::from_utf8(item.unwrap().to_vec()).unwrap());
            assert_eq!(items.collect::<Vec<_>>().await, expected);
        }
    }
}
