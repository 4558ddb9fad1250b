//! Streams a response to callers that can receive one: the events of the run as they come, and the
//! result or the error as the last event.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::{Either, select};
use llm_exe::ports::PortFuture;
use llm_exe::{Deadline, Error, EventSink, RunEvent, StreamFormat, StreamRequest};
use llm_exe_events::{StreamingEntryPoint, error_object};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep, timeout_at};

use crate::log_line::LogLine;

/// Maximum number of events that wait for the reader. The last one never waits for a place.
const MAX_WAITING_EVENTS: usize = 16;

/// Maximum memory of the events that wait for the reader of a run that completes without it, in
/// bytes. It is that of the largest reply.
const MAX_WAITING_BYTES: usize = 8 * 1024 * 1024;

/// The memory of a waiting event besides its text, in bytes.
const EVENT_OVERHEAD: usize = 128;

/// How long a stream may send nothing. Proxies close connections that are idle for longer.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The function's side of a response that may be streamed.
pub struct ResponseSender {
    sender: UnboundedSender<Bytes>,
    state: Arc<StreamState>,
}

/// What the function has decided about the response, and how far the reader is.
struct StreamState {
    /// The entry point of the event, if it streams its responses.
    entry_point: Mutex<Option<StreamingEntryPoint>>,
    /// The only entry point whose responses the caller can receive as a stream, if there is one.
    only_entry_point: Mutex<Option<StreamingEntryPoint>>,
    /// The format, if the request asks for a stream.
    format: Mutex<Option<StreamFormat>>,
    /// Whether the response is a stream, which can't be changed any more.
    has_started: AtomicBool,
    /// Whether the client disconnected before the response started.
    is_abandoned: AtomicBool,
    /// Whether the run completes without its reader, because its result is stored or sent.
    completes: AtomicBool,
    /// Whether an event was dropped. All that follow are dropped too, except for the last one, so
    /// that the reader receives no text with a gap.
    is_cut: AtomicBool,
    warning_count: AtomicUsize,
    /// The places of events that wait for the reader.
    places: Semaphore,
    /// The memory of the events that wait for the reader.
    waiting_bytes: AtomicUsize,
    /// Notified when nothing reads the events any more.
    closed: Notify,
}

impl Default for StreamState {
    fn default() -> Self {
        StreamState {
            entry_point: Mutex::default(),
            only_entry_point: Mutex::default(),
            format: Mutex::default(),
            has_started: AtomicBool::default(),
            is_abandoned: AtomicBool::default(),
            completes: AtomicBool::default(),
            is_cut: AtomicBool::default(),
            warning_count: AtomicUsize::default(),
            places: Semaphore::new(MAX_WAITING_EVENTS),
            waiting_bytes: AtomicUsize::default(),
            closed: Notify::new(),
        }
    }
}

impl StreamState {
    fn entry_point(&self) -> Option<StreamingEntryPoint> {
        *lock(&self.entry_point)
    }

    fn format(&self) -> Option<StreamFormat> {
        *lock(&self.format)
    }

    fn has_started(&self) -> bool {
        self.has_started.load(Ordering::Relaxed)
    }

    fn completes(&self) -> bool {
        self.completes.load(Ordering::Relaxed)
    }

    /// Sets the format, unless the response has started.
    fn set_format(&self, format: Option<StreamFormat>) {
        if !self.has_started() {
            *lock(&self.format) = format;
        }
    }

    /// Records that the reader received an event.
    fn release(&self, event: &Bytes) {
        self.places.add_permits(1);
        self.waiting_bytes.fetch_sub(event.len() + EVENT_OVERHEAD, Ordering::Relaxed);
    }

    /// Ends the waits for the reader, and cancels a run that does not complete without it.
    fn close(&self) {
        self.places.close();
        self.closed.notify_one();
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

/// Returns the format of the stream that the fields of a request ask for.
pub(crate) fn requested_format(request: &Value) -> Option<StreamFormat> {
    let is_requested = request.get("stream").and_then(Value::as_bool) == Some(true);
    let is_ndjson = request.get("streamFormat").and_then(Value::as_str) == Some("ndjson");
    let format = if is_ndjson { StreamFormat::Lines } else { StreamFormat::ServerSentEvents };
    is_requested.then_some(format)
}

impl ResponseSender {
    fn new() -> (Self, Reader) {
        let (sender, events) = unbounded_channel();
        let state = Arc::<StreamState>::default();
        let reader = Reader { events, state: Arc::clone(&state) };
        (ResponseSender { sender, state }, reader)
    }

    /// Streams only responses of one entry point, whatever the settings of the function are.
    pub fn limit_to(&self, entry_point: StreamingEntryPoint) {
        *lock(&self.state.only_entry_point) = Some(entry_point);
    }

    /// Returns whether the caller can receive a stream through an entry point.
    pub(crate) fn allows(&self, entry_point: StreamingEntryPoint) -> bool {
        lock(&self.state.only_entry_point).is_none_or(|only| only == entry_point)
    }

    /// Sets the entry point of the event. Responses through it are sent as a stream.
    pub(crate) fn set_entry_point(&self, entry_point: StreamingEntryPoint) {
        *lock(&self.state.entry_point) = Some(entry_point);
    }

    /// Sets the format of the stream, or that the response is not one. A stored result is returned
    /// without a run, which would set it.
    pub(crate) fn set_format(&self, format: Option<StreamFormat>) {
        self.state.set_format(format);
    }

    /// Sets that the run completes even if its reader is gone or slow.
    pub(crate) fn set_completes(&self) {
        self.state.completes.store(true, Ordering::Relaxed);
    }

    /// Returns whether the request asks for a stream.
    pub(crate) fn is_requested(&self) -> bool {
        self.state.format().is_some()
    }

    /// Returns whether the response is a stream.
    pub fn is_stream(&self) -> bool {
        self.state.has_started()
    }

    /// Returns whether the client disconnected before the response started.
    pub fn is_abandoned(&self) -> bool {
        self.state.is_abandoned.load(Ordering::Relaxed)
    }

    /// Decides that the error before the first event is sent as a response with a status of its
    /// own. Returns false if the stream has started.
    pub(crate) fn decline_stream(&self) -> bool {
        self.state.set_format(None);
        !self.is_stream()
    }

    /// Returns the sink for the events of a run that ends by the deadline.
    pub(crate) fn sink(&self, deadline: Deadline) -> Arc<dyn EventSink> {
        let (sender, state) = (self.sender.clone(), Arc::clone(&self.state));
        Arc::new(ChannelSink { sender, state, deadline })
    }

    /// Sends the last event of a stream.
    pub(crate) fn finish(&self, outcome: &Result<Box<RawValue>, Error>, line: &LogLine) {
        // An error before the first event is not sent as an event.
        let is_stream = outcome.is_ok() || self.is_stream();
        let Some(format) = self.state.format().filter(|_| is_stream) else { return };
        let event = match outcome {
            Ok(result) => format.encode("result", result),
            Err(error) => format.encode("error", error_object(error, &line.request_id)),
        };
        self.state.warning_count.fetch_max(line.warning_count(), Ordering::Relaxed);
        self.state.has_started.store(true, Ordering::Relaxed);
        send(&self.sender, &self.state, event.into());
    }
}

fn send(sender: &UnboundedSender<Bytes>, state: &StreamState, event: Bytes) {
    state.waiting_bytes.fetch_add(event.len() + EVENT_OVERHEAD, Ordering::Relaxed);
    // Events after the reader is gone are dropped.
    drop(sender.send(event));
}

/// Maximum time that a run waits for its reader to read. A run that waits occupies memory that
/// other runs of the process may need.
const MAX_READER_PAUSE: Duration = Duration::from_secs(60);

/// Sends the events of a run to the reader of the response.
struct ChannelSink {
    sender: UnboundedSender<Bytes>,
    state: Arc<StreamState>,
    deadline: Deadline,
}

impl ChannelSink {
    /// Sends an event if it has a place.
    fn send_or_drop(&self, event: Bytes, has_place: bool) {
        match has_place && !self.state.is_cut.load(Ordering::Relaxed) {
            true => send(&self.sender, &self.state, event),
            false => self.state.is_cut.store(true, Ordering::Relaxed),
        }
    }
}

impl EventSink for ChannelSink {
    fn accept(&self, request: StreamRequest) -> bool {
        self.state.set_format(request.format);
        if request.has_destination {
            self.state.completes.store(true, Ordering::Relaxed);
        }
        request.format.is_some()
    }

    fn set_warning_count(&self, count: usize) {
        self.state.warning_count.fetch_max(count, Ordering::Relaxed);
    }

    /// A run that completes without its reader does not wait for it either: its result is paid for,
    /// and a wait until the deadline would lose it.
    fn send(&self, event: RunEvent) -> PortFuture<'_, ()> {
        let Some(format) = self.state.format() else { return Box::pin(std::future::ready(())) };
        self.state.has_started.store(true, Ordering::Relaxed);
        let event = Bytes::from(format.encode(event.name(), event.to_json()));
        if self.state.completes() {
            let waiting = self.state.waiting_bytes.load(Ordering::Relaxed);
            self.send_or_drop(event, waiting < MAX_WAITING_BYTES);
            return Box::pin(std::future::ready(()));
        }
        if let Ok(place) = self.state.places.try_acquire() {
            place.forget();
            self.send_or_drop(event, true);
            return Box::pin(std::future::ready(()));
        }
        Box::pin(async move {
            let place = self.state.places.acquire();
            let limit = self.deadline.within(Some(MAX_READER_PAUSE));
            let place = timeout_at(limit.instant().into(), place).await;
            let place = place.ok().and_then(Result::ok);
            let has_place = place.map(|place| place.forget()).is_some();
            self.send_or_drop(event, has_place);
        })
    }

    fn closed(&self) -> PortFuture<'_, ()> {
        if self.state.completes() {
            return Box::pin(std::future::pending());
        }
        Box::pin(async move {
            let closed = std::pin::pin!(self.state.closed.notified());
            select(std::pin::pin!(self.sender.closed()), closed).await;
        })
    }
}

/// The reader's side of a response.
struct Reader {
    events: UnboundedReceiver<Bytes>,
    state: Arc<StreamState>,
}

impl Reader {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let event = ready!(self.events.poll_recv(context));
        Poll::Ready(event.inspect(|event| self.state.release(event)))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.state.close();
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
        /// The number of warnings that are known before the first event.
        warning_count: usize,
        /// The events.
        body: ResponseBody,
        /// The run, which can last longer than its reader.
        run: StreamedRun<T>,
    },
}

impl<T> std::fmt::Debug for StartedResponse<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StartedResponse").finish_non_exhaustive()
    }
}

/// The run behind a streamed response. It continues when this value is dropped.
pub struct StreamedRun<T> {
    /// The task of the run. `None` if the run had ended when its stream started.
    task: Option<JoinHandle<T>>,
    output: Option<T>,
    state: Arc<StreamState>,
}

impl<T> std::fmt::Debug for StreamedRun<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamedRun").finish_non_exhaustive()
    }
}

impl<T> StreamedRun<T> {
    /// Records that nothing reads the events any more. A run whose result is stored or sent
    /// continues. Any other is cancelled.
    pub fn close(&self) {
        self.state.close();
    }

    /// Waits for the end of the run. Returns `None` if it panicked, or if the async runtime stops.
    pub async fn output(self) -> Option<T> {
        match self.task {
            Some(task) => task.await.ok(),
            None => self.output,
        }
    }
}

/// A run whose response has not started.
struct StartingRun<F: Future + Send + 'static>
where
    F::Output: Send,
{
    run: Option<Pin<Box<F>>>,
    state: Arc<StreamState>,
}

impl<F> Drop for StartingRun<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    /// The caller is gone. A run that completes without it continues, and a run that was accepted
    /// as a stream is cancelled in the same way as after its first event.
    fn drop(&mut self) {
        let continues = self.state.completes() || self.state.format().is_some();
        self.state.is_abandoned.store(self.run.is_some(), Ordering::Relaxed);
        if let (Some(run), true, Ok(runtime)) = (self.run.take(), continues, Handle::try_current())
        {
            runtime.spawn(run);
        }
    }
}

/// Handles an event until its response is known: until `handle` ends or its stream starts. The
/// stream starts with the first event, or with a comment if there is none for 15 seconds. The rest
/// of the run is a task. If this future is dropped, the run is cancelled, unless its result is
/// stored or sent.
pub async fn start_response<F>(
    handle: impl FnOnce(ResponseSender) -> F,
) -> StartedResponse<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    let (sender, mut reader) = ResponseSender::new();
    let state = Arc::clone(&sender.state);
    let run = Some(Box::pin(handle(sender)));
    let mut starting = StartingRun { run, state: Arc::clone(&state) };
    // Only streams need a timer.
    let mut timer: Option<Pin<Box<Sleep>>> = None;
    let started = poll_fn(|context| {
        if let Some(run) = &mut starting.run
            && let Poll::Ready(output) = run.as_mut().poll(context)
        {
            starting.run = None;
            return Poll::Ready(Either::Left(output));
        }
        if let Poll::Ready(Some(event)) = reader.poll(context) {
            return Poll::Ready(Either::Right(event));
        }
        let Some(format) = state.format() else { return Poll::Pending };
        ready!(timer.get_or_insert_with(|| Box::pin(sleep(KEEP_ALIVE))).as_mut().poll(context));
        state.has_started.store(true, Ordering::Relaxed);
        Poll::Ready(Either::Right(keep_alive(format)))
    });
    let (first, output) = match started.await {
        Either::Right(first) => (first, None),
        Either::Left(output) => match reader.events.try_recv() {
            Ok(first) => (first, Some(output)),
            Err(_) => return StartedResponse::Whole { output, entry_point: state.entry_point() },
        },
    };
    let task = starting.run.take().map(tokio::spawn);
    let format = state.format().unwrap_or(StreamFormat::ServerSentEvents);
    let timer = timer.unwrap_or_else(|| Box::pin(sleep(KEEP_ALIVE)));
    let rest = Some(WaitingEvents { reader, timer, keep_alive: keep_alive(format) });
    StartedResponse::Events {
        entry_point: state.entry_point().unwrap_or(StreamingEntryPoint::Url),
        format,
        warning_count: state.warning_count.load(Ordering::Relaxed),
        body: ResponseBody { first: Some(first), rest },
        run: StreamedRun { task, output, state },
    }
}

fn keep_alive(format: StreamFormat) -> Bytes {
    Bytes::from_static(format.keep_alive().as_bytes())
}

/// The body of a response that is sent in streaming mode. It contains no errors: the last event of
/// a stream is the error. It ends when the run has ended.
pub struct ResponseBody {
    first: Option<Bytes>,
    rest: Option<WaitingEvents>,
}

struct WaitingEvents {
    reader: Reader,
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
        let this = &mut *self;
        let first = this.first.take();
        let Some(rest) = &mut this.rest else { return Poll::Ready(first.map(Ok)) };
        let bytes = match first {
            Some(_) => first,
            None => match rest.reader.poll(context) {
                Poll::Ready(event) => event,
                Poll::Pending => {
                    ready!(rest.timer.as_mut().poll(context));
                    Some(rest.keep_alive.clone())
                }
            },
        };
        rest.timer.as_mut().reset(Instant::now() + KEEP_ALIVE);
        Poll::Ready(bytes.map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::time::Duration;

    use futures_util::StreamExt;
    use llm_exe::{Deadline, RunEvent, StreamFormat};
    use serde_json::json;
    use serde_json::value::to_raw_value;
    use tokio::time::sleep;

    use super::{
        EVENT_OVERHEAD, LogLine, MAX_WAITING_BYTES, MAX_WAITING_EVENTS, ResponseBody,
        ResponseSender, StartedResponse, requested_format, start_response,
    };

    const EVENT: &str = "{\"event\":\"reset\",\"data\":{\"reason\":\"repair\"}}\n";
    const RESULT: &str = "{\"event\":\"result\",\"data\":\"done\"}\n";

    async fn send_event(stream: &ResponseSender, timeout: Duration) {
        let sink = stream.sink(Deadline::after(timeout));
        sink.send(RunEvent::Reset { reason: "repair" }).await;
    }

    fn finish(stream: &ResponseSender) {
        stream.finish(&Ok(to_raw_value("done").unwrap()), &LogLine::new("1".to_owned()));
    }

    /// Starts a stream of lines.
    async fn start<F>(run: impl FnOnce(ResponseSender) -> F) -> ResponseBody
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let started = start_response(|stream| {
            stream.set_format(Some(StreamFormat::Lines));
            run(stream)
        });
        match started.await {
            StartedResponse::Events { body, .. } => body,
            StartedResponse::Whole { .. } => panic!("expected a stream"),
        }
    }

    async fn read(body: ResponseBody) -> Vec<String> {
        body.map(|item| String::from_utf8(item.unwrap().to_vec()).unwrap()).collect().await
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_filled_while_there_are_no_events() {
        for (pauses, expected) in [
            ([0, 1, 14], vec![EVENT, EVENT, RESULT]),
            ([14, 40, 20], vec![EVENT, "\n", "\n", EVENT, "\n", RESULT]),
            ([31, 1, 1], vec!["\n", "\n", EVENT, EVENT, RESULT]),
        ] {
            let body = start(move |stream| async move {
                let [before, between, after] = pauses.map(Duration::from_secs);
                sleep(before).await;
                send_event(&stream, Duration::from_secs(100)).await;
                sleep(between).await;
                send_event(&stream, Duration::from_secs(100)).await;
                sleep(after).await;
                finish(&stream);
            });
            assert_eq!(read(body.await).await, expected, "{pauses:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn response_that_is_not_a_stream_does_not_start_as_one() {
        let started = start_response(|stream| async move {
            sleep(Duration::from_secs(60)).await;
            finish(&stream);
        });
        assert!(matches!(started.await, StartedResponse::Whole { .. }));
    }

    #[tokio::test(start_paused = true)]
    async fn stream_that_has_started_keeps_its_format() {
        let body = start(|stream| async move {
            sleep(Duration::from_secs(20)).await;
            stream.set_format(None);
            assert!(!stream.decline_stream());
            finish(&stream);
        });
        assert_eq!(read(body.await).await, ["\n", RESULT]);
    }

    #[tokio::test]
    async fn stalled_reader_ends_the_wait_for_a_place_at_the_deadline() {
        let body = start(|stream| async move {
            for _ in 0..MAX_WAITING_EVENTS + 5 {
                send_event(&stream, Duration::from_millis(50)).await;
            }
            finish(&stream);
        });
        let body = body.await;
        sleep(Duration::from_millis(800)).await;
        let events = read(body).await;
        // The first event was read before its stream was returned.
        assert_eq!(events.len(), MAX_WAITING_EVENTS + 2, "{events:?}");
        assert_eq!(events.last().unwrap(), RESULT);
    }

    #[tokio::test]
    async fn run_that_completes_without_its_reader_never_waits_for_it() {
        const COUNT: usize = 100_000;
        let body = start(|stream| async move {
            stream.set_completes();
            for _ in 0..COUNT {
                send_event(&stream, Duration::from_secs(100)).await;
            }
            finish(&stream);
        });
        let body = body.await;
        let events = read(body).await;
        let max = MAX_WAITING_BYTES / (EVENT_OVERHEAD + EVENT.len()) + 1;
        assert_eq!(events.len(), max + 1, "all events that fit, and the last one");
        assert!(max < COUNT && events[..max].iter().all(|event| event == EVENT));
        assert_eq!(events.last().unwrap(), RESULT);
    }

    #[test]
    fn format_is_that_of_the_request() {
        for (request, expected) in [
            (json!({}), None),
            (json!({ "stream": false, "streamFormat": "ndjson" }), None),
            (json!({ "stream": true }), Some(StreamFormat::ServerSentEvents)),
            (json!({ "stream": true, "streamFormat": "ndjson" }), Some(StreamFormat::Lines)),
        ] {
            assert_eq!(requested_format(&request), expected, "{request}");
        }
    }
}
