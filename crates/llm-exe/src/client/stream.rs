//! Requests whose results are streamed.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use futures_util::Stream;
use serde_json::Value;
use tokio::sync::mpsc;

use super::handle::Client;
use super::request::{RequestBuilder, Response};
use crate::error::Error;
use crate::ports::PortFuture;
use crate::run::{Context, EventSink, Report, Run, RunEvent};

/// Maximum number of events that wait for the program.
const MAX_WAITING_EVENTS: usize = 16;

/// An item of a [`ResponseStream`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum StreamItem {
    /// An event of the run, such as the next piece of text.
    Event(RunEvent),
    /// The checked response, which is the last item. Its result replaces the text so far.
    Response(Box<Response>),
}

/// A run whose events are read while it is in progress. It advances only while the program waits
/// for the next event, so a slow program slows down the provider. Dropping it cancels the run.
///
/// [`Client::run_stream`] returns it.
pub struct RunStream {
    run: Option<Pin<Box<dyn Future<Output = Run> + Send>>>,
    events: mpsc::Receiver<RunEvent>,
    /// The run after its end.
    finished_run: Option<Run>,
}

/// Sends the events to the stream.
struct ChannelSink(mpsc::Sender<RunEvent>);

impl EventSink for ChannelSink {
    fn send(&self, event: RunEvent) -> PortFuture<'_, ()> {
        // The receiver is dropped only together with the run.
        Box::pin(async move { drop(self.0.send(event).await) })
    }
}

impl std::fmt::Debug for RunStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunStream").finish_non_exhaustive()
    }
}

impl RunStream {
    /// Starts a run with a sink for its events.
    pub(super) fn new<F>(start: impl FnOnce(Arc<dyn EventSink>) -> F) -> Self
    where
        F: Future<Output = Run> + Send + 'static,
    {
        let (sender, events) = mpsc::channel(MAX_WAITING_EVENTS);
        let run = start(Arc::new(ChannelSink(sender)));
        RunStream { run: Some(Box::pin(run)), events, finished_run: None }
    }

    /// Waits for the next event. Returns `None` when the run has ended.
    pub async fn next_event(&mut self) -> Option<RunEvent> {
        poll_fn(|context| self.poll_event(context)).await
    }

    /// Waits for the end of the run. Events that were not read are dropped.
    pub async fn finish(mut self) -> Run {
        while self.run.is_some() {
            self.next_event().await;
        }
        self.finished_run.unwrap_or_else(|| {
            let error = Error::invalid("", "the response was read already");
            Run { outcome: Err(error), report: Report::default() }
        })
    }

    fn poll_event(&mut self, context: &mut task::Context<'_>) -> Poll<Option<RunEvent>> {
        // Events are sent only while the run is polled.
        if let Ok(event) = self.events.try_recv() {
            return Poll::Ready(Some(event));
        }
        let Some(run) = &mut self.run else { return Poll::Ready(None) };
        let polled = run.as_mut().poll(context);
        let is_pending = polled.is_pending();
        if let Poll::Ready(run) = polled {
            self.run = None;
            self.finished_run = Some(run);
        }
        match self.events.try_recv() {
            Ok(event) => Poll::Ready(Some(event)),
            Err(_) if is_pending => Poll::Pending,
            Err(_) => Poll::Ready(None),
        }
    }
}

/// The response to a request while it is generated. [`RequestBuilder::stream`] returns it.
///
/// It is also a [`Stream`]. Dropping it cancels the request.
#[derive(Debug)]
pub struct ResponseStream {
    run: RunStream,
    first: Option<RunEvent>,
    is_finished: bool,
}

impl ResponseStream {
    /// Waits for the first event of a run, or its end.
    ///
    /// # Errors
    /// That of the run, if it has no event.
    pub(super) async fn new(mut run: RunStream) -> Result<Self, Error> {
        let first = run.next_event().await;
        if let (None, Some(Run { outcome: Err(error), .. })) = (&first, &run.finished_run) {
            return Err(error.clone());
        }
        Ok(ResponseStream { run, first, is_finished: false })
    }

    /// Waits for the next item. Returns `None` after the response, or after an error.
    pub async fn next(&mut self) -> Option<Result<StreamItem, Error>> {
        poll_fn(|context| self.poll_item(context)).await
    }

    /// Waits for the response. Events that were not read are dropped.
    ///
    /// # Errors
    /// The same as for [`RequestBuilder::send`], and `InvalidRequest` if [`ResponseStream::next`]
    /// has returned the response.
    pub async fn response(self) -> Result<Response, Error> {
        Response::new(self.run.finish().await)
    }

    pub(super) fn poll_item(
        &mut self,
        context: &mut task::Context<'_>,
    ) -> Poll<Option<Result<StreamItem, Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(StreamItem::Event(first))));
        }
        if self.is_finished {
            return Poll::Ready(None);
        }
        let event = task::ready!(self.run.poll_event(context));
        if let Some(event) = event {
            return Poll::Ready(Some(Ok(StreamItem::Event(event))));
        }
        self.is_finished = true;
        let response = self.run.finished_run.take().map(Response::new);
        Poll::Ready(response.map(|response| response.map(Box::new).map(StreamItem::Response)))
    }
}

impl Stream for ResponseStream {
    type Item = Result<StreamItem, Error>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> Poll<Option<Self::Item>> {
        self.poll_item(context)
    }
}

impl RequestBuilder {
    /// Sends the request and returns its response while it is generated. The last item is the
    /// checked response.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use http::{Request, Response};
    /// # let http = |_: Request<Bytes>| Response::builder()
    /// #     .header("content-type", "application/x-ndjson")
    /// #     .body(Bytes::from_static(concat!(
    /// #         r#"{"message":{"content":"Call me "},"done":false}"#, "\n",
    /// #         r#"{"message":{"content":"Ishmael."},"done":false}"#, "\n",
    /// #         r#"{"message":{"content":""},"done":true,"done_reason":"stop"}"#, "\n",
    /// #     ).as_bytes())).map_err(Into::into);
    /// # let client = llm_exe::Client::builder().http(http).build()?;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// use llm_exe::{RunEvent, StreamItem};
    ///
    /// let request = client.request("ollama:qwen3").user("How does Moby-Dick begin?");
    /// let mut stream = request.stream().await?;
    /// let mut text = String::new();
    /// while let Some(item) = stream.next().await {
    ///     match item? {
    ///         StreamItem::Event(RunEvent::Text { delta, .. }) => text.push_str(&delta),
    ///         StreamItem::Event(RunEvent::Reset { .. }) => text.clear(),
    ///         StreamItem::Response(response) => assert_eq!(response.text()?, text),
    ///         _ => {}
    ///     }
    /// }
    /// assert_eq!(text, "Call me Ishmael.");
    /// # Ok::<(), llm_exe::Error>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as for [`RequestBuilder::send`], if the request fails before its first event. After
    /// that, an error is the last item.
    pub async fn stream(self) -> Result<ResponseStream, Error> {
        ResponseStream::new(RunStream::new(|sink| self.run_with_sink(sink))).await
    }
}

impl Client {
    /// Runs a request in the JSON format like [`Client::run_with`], and returns its events while it
    /// is in progress. The field `stream` of the request has no effect.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use http::{Request, Response};
    /// # let http = |_: Request<Bytes>| Ok(Response::new(Bytes::from_static(
    /// #     br#"{"message":{"content":"Meow"},"done":true,"done_reason":"stop"}"#)));
    /// # let client = llm_exe::Client::builder().http(http).build()?;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// use llm_exe::Deadline;
    /// use serde_json::json;
    /// use std::time::Duration;
    ///
    /// let request = json!({ "provider": "ollama", "model": "qwen3", "message": "Say meow" });
    /// let deadline = Deadline::after(Duration::from_secs(60));
    /// let mut stream = client.run_stream(deadline, request);
    /// while let Some(event) = stream.next_event().await {
    ///     assert_eq!(event.to_json(), json!({ "delta": "Meow", "turn": 1 }));
    /// }
    /// assert_eq!(stream.finish().await.outcome?, "Meow");
    /// # Ok::<(), llm_exe::Error>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_stream(&self, context: impl Into<Context>, request: Value) -> RunStream {
        let (client, context) = (self.clone(), context.into());
        RunStream::new(|sink| async move {
            client.runner.run(context.with_event_sink(sink), request).await
        })
    }
}
