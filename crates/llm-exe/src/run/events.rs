//! The events of a run whose result is streamed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::report::ToolRunReport;
use crate::chat::{Chat, Reply, Structure, ToolCall};
use crate::error::{Error, ErrorKind};
use crate::json;
use crate::plan::{Plan, StreamFormat};
use crate::ports::PortFuture;
use crate::providers::{Dialect, StreamDecoder, StreamState};
use crate::transport::BodyReader;

/// An event of a run. The result, or the error, follows after the last one and contains everything
/// that a caller needs.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RunEvent {
    /// The next piece of the model's text. For an output such as `json`, it is the text before it
    /// is parsed.
    Text {
        /// The piece.
        delta: String,
        /// The turn of the model, counted from 1.
        turn: u32,
    },
    /// A tool starts.
    ToolCall {
        /// The turn of the model that calls the tool.
        turn: u32,
        /// The id of the call.
        id: String,
        /// The name of the tool.
        name: String,
        /// The arguments: an object, or the text of the model if it is not JSON. `None` if the
        /// caller may not see them, because the config is pinned.
        arguments: Option<Value>,
    },
    /// A tool ended.
    ToolResult {
        /// The turn of the model that called the tool.
        turn: u32,
        /// The id of the call.
        id: String,
        /// The name of the tool.
        name: String,
        /// The beginning of the result, or of the error. `None` if the caller may not see it.
        outcome: Option<Result<String, String>>,
        /// How long the tool ran.
        duration: Duration,
    },
    /// A step of a chain ended.
    Step {
        /// The name of the step.
        name: String,
        /// How long the step ran.
        duration: Duration,
    },
    /// The text so far is not part of the result. Other text follows.
    Reset {
        /// Why: `repair` if the model corrects its reply, or `repeat` if a step runs again.
        reason: &'static str,
    },
}

impl RunEvent {
    /// Returns the name of the event in streams for callers, such as `text`.
    pub fn name(&self) -> &'static str {
        match self {
            RunEvent::Text { .. } => "text",
            RunEvent::ToolCall { .. } => "toolCall",
            RunEvent::ToolResult { .. } => "toolResult",
            RunEvent::Step { .. } => "step",
            RunEvent::Reset { .. } => "reset",
        }
    }

    /// Returns the data of the event in streams for callers.
    pub fn to_json(&self) -> Value {
        let millis = |time: &Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        match self {
            RunEvent::Text { delta, turn } => json!({ "delta": delta, "turn": turn }),
            RunEvent::ToolCall { turn, id, name, arguments } => {
                let mut fields = call_fields(*turn, id, name);
                fields.extend(arguments.clone().map(|it| ("arguments".to_owned(), it)));
                Value::Object(fields)
            }
            RunEvent::ToolResult { turn, id, name, outcome, duration } => {
                let mut fields = call_fields(*turn, id, name);
                match outcome {
                    Some(Ok(result)) => drop(fields.insert("result".to_owned(), json!(result))),
                    Some(Err(error)) => drop(fields.insert("error".to_owned(), json!(error))),
                    None => {}
                }
                fields.insert("durationMs".to_owned(), json!(millis(duration)));
                Value::Object(fields)
            }
            RunEvent::Step { name, duration } => {
                json!({ "name": name, "durationMs": millis(duration) })
            }
            RunEvent::Reset { reason } => json!({ "reason": reason }),
        }
    }
}

fn call_fields(turn: u32, id: &str, name: &str) -> Map<String, Value> {
    let fields = [("turn", json!(turn)), ("id", json!(id)), ("name", json!(name))];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The stream options of a valid request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamRequest {
    /// The format, if the request asks for a stream.
    pub format: Option<StreamFormat>,
    /// Whether the result is sent to a destination too, so that it is needed without its reader.
    pub has_destination: bool,
}

/// Receives the events of a run.
pub trait EventSink: Send + Sync {
    /// Receives the stream options of a valid request, before the run sends events. Returns
    /// whether the run is streamed. By default, it is, whatever the request asks for.
    fn accept(&self, request: StreamRequest) -> bool {
        let _ = request;
        true
    }

    /// Receives the number of warnings so far, before a target is called.
    fn set_warning_count(&self, count: usize) {
        let _ = count;
    }

    /// Sends an event. The run waits until the future ends, and so does the provider's stream, so a
    /// slow reader does not fill the memory. Events after the reader is gone are dropped.
    fn send(&self, event: RunEvent) -> PortFuture<'_, ()>;

    /// Waits until the reader is gone. The run then ends with `ResultUnavailable`. By default, or
    /// if the result is stored anyway, the future never ends.
    fn closed(&self) -> PortFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

/// Where a run sends its events.
#[derive(Clone)]
pub(super) struct EventStream {
    sink: Arc<dyn EventSink>,
    /// Whether text was sent after the last [`RunEvent::Reset`].
    has_text: Arc<AtomicBool>,
    /// Whether text of the current turn was sent.
    turn_has_text: bool,
    /// The current turn of the model.
    turn: u32,
    /// Whether the arguments and results of tools are not sent.
    pub(super) hides_content: bool,
    /// Whether text is not sent, because the caller may see only what the parser returns.
    pub(super) hides_text: bool,
}

impl EventStream {
    pub(super) fn new(sink: Arc<dyn EventSink>) -> Self {
        let has_text = Arc::default();
        EventStream {
            sink,
            has_text,
            turn_has_text: false,
            turn: 1,
            hides_content: false,
            hides_text: false,
        }
    }

    /// Returns whether the reader receives the events of a valid request.
    pub(super) fn accept(&self, plan: &Plan) -> bool {
        let has_destination = plan.destination.is_some();
        self.sink.accept(StreamRequest { format: plan.stream, has_destination })
    }

    pub(super) fn set_warning_count(&self, count: usize) {
        self.sink.set_warning_count(count);
    }

    /// Waits until the reader is gone.
    pub(super) async fn closed(&self) {
        self.sink.closed().await;
    }

    /// Starts a turn of the model, or a repair of one.
    pub(super) fn start_turn(&mut self, turn: u32) {
        self.turn = turn;
        self.turn_has_text = false;
    }

    /// Records whether text of the current turn was sent.
    pub(super) fn record_text(&mut self, is_sent: bool) {
        self.turn_has_text |= is_sent;
    }

    async fn send_text(&self, delta: String) {
        self.has_text.store(true, Ordering::Relaxed);
        self.sink.send(RunEvent::Text { delta, turn: self.turn }).await;
    }

    /// Returns whether text of the current turn was sent.
    pub(super) fn has_text_of_turn(&self) -> bool {
        self.turn_has_text
    }

    /// Sends the text of a reply that was not streamed.
    pub(super) async fn send_reply(&self, reply: &Reply, structure: &Structure) {
        if self.turn_has_text || self.hides_text {
            return;
        }
        let forced = match structure {
            Structure::ForcedTool { name, .. } => reply.tool_arguments(name),
            _ => None,
        };
        let text = forced.map_or_else(|| reply.text(), str::to_owned);
        if !text.is_empty() {
            self.send_text(text).await;
        }
    }

    /// Withdraws the text so far, if there is any.
    pub(super) async fn reset(&self, reason: &'static str) {
        if self.has_text.swap(false, Ordering::Relaxed) {
            self.sink.send(RunEvent::Reset { reason }).await;
        }
    }

    pub(super) async fn send_step(&self, name: &str, duration: Duration) {
        self.sink.send(RunEvent::Step { name: name.to_owned(), duration }).await;
    }

    pub(super) async fn send_call(&self, turn: u32, call: &ToolCall) {
        let ToolCall { id, name, arguments } = call;
        let arguments = (!self.hides_content).then(|| {
            // The text of the model can contain line breaks, so it is not sent as it is.
            let parsed = json::parse(arguments.as_bytes()).ok().filter(Value::is_object);
            parsed.unwrap_or_else(|| json!(arguments))
        });
        let (id, name) = (id.clone(), name.clone());
        self.sink.send(RunEvent::ToolCall { turn, id, name, arguments }).await;
    }

    pub(super) async fn send_result(&self, id: String, run: ToolRunReport) {
        let ToolRunReport { turn, name, outcome, duration, .. } = run;
        let outcome = (!self.hides_content).then_some(outcome);
        self.sink.send(RunEvent::ToolResult { turn, id, name, outcome, duration }).await;
    }
}

/// Sends the text of a streamed reply while it arrives.
pub(super) struct TextStreamer<'a> {
    dialect: &'a dyn Dialect,
    chat: &'a Chat,
    events: EventStream,
    /// The decoder of the current response.
    decoder: Option<Box<dyn StreamDecoder>>,
    sent: &'a ReceivedParts,
}

/// Which parts of a streamed reply arrived.
#[derive(Debug, Default)]
pub(super) struct ReceivedParts {
    /// Whether text was sent to the reader.
    pub(super) text: AtomicBool,
    /// Whether a part of the reply arrived: text, reasoning or a tool call.
    pub(super) content: AtomicBool,
}

impl<'a> TextStreamer<'a> {
    pub(super) fn new(
        (dialect, chat): (&'a dyn Dialect, &'a Chat),
        events: EventStream,
        sent: &'a ReceivedParts,
    ) -> Self {
        TextStreamer { dialect, chat, events, decoder: None, sent }
    }

    fn take_decoder(&mut self) -> Result<Box<dyn StreamDecoder>, Error> {
        let decoder = self.decoder.take().or_else(|| self.dialect.stream_decoder(self.chat));
        decoder.ok_or_else(|| {
            let text = "the request asks for a stream, but the dialect can't decode one";
            Error::new(ErrorKind::Internal, text)
        })
    }
}

impl BodyReader for TextStreamer<'_> {
    fn push<'b>(&'b mut self, bytes: &'b [u8]) -> PortFuture<'b, Result<StreamState, Error>> {
        Box::pin(async move {
            let mut decoder = self.take_decoder()?;
            let mut text = String::new();
            let state = decoder.push(bytes, &mut text);
            let has_content = decoder.has_content() || !text.is_empty();
            self.sent.content.fetch_or(has_content, Ordering::Relaxed);
            self.decoder = Some(decoder);
            if !text.is_empty() && !self.events.hides_text {
                self.sent.text.store(true, Ordering::Relaxed);
                self.events.send_text(text).await;
            }
            state
        })
    }

    fn stored_bytes(&self) -> usize {
        self.decoder.as_ref().map_or(0, |decoder| decoder.stored_bytes())
    }

    fn finish(&mut self) -> Result<Bytes, Error> {
        self.take_decoder()?.finish().map(Bytes::from)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::{EventSink, EventStream, RunEvent};
    use crate::chat::ToolCall;
    use crate::ports::PortFuture;
    use crate::run::ToolRunReport;

    #[derive(Default)]
    struct Recorder(Mutex<Vec<Value>>);

    impl EventSink for Recorder {
        fn send(&self, event: RunEvent) -> PortFuture<'_, ()> {
            self.0.lock().unwrap().push(json!([event.name(), event.to_json()]));
            Box::pin(std::future::ready(()))
        }
    }

    #[tokio::test]
    async fn events_of_a_pinned_config_have_no_content() {
        let call = ToolCall::new("a", "f", "{\n \"x\": 1}");
        let broken = ToolCall::new("b", "f", "{oops");
        for (hides_content, expected) in [
            (
                false,
                json!([
                    ["toolCall", {"turn": 1, "id": "a", "name": "f", "arguments": {"x": 1}}],
                    ["toolCall", {"turn": 1, "id": "b", "name": "f", "arguments": "{oops"}],
                    ["toolResult", {"turn": 1, "id": "a", "name": "f", "error": "no",
                        "durationMs": 5}],
                ]),
            ),
            (
                true,
                json!([
                    ["toolCall", {"turn": 1, "id": "a", "name": "f"}],
                    ["toolCall", {"turn": 1, "id": "b", "name": "f"}],
                    ["toolResult", {"turn": 1, "id": "a", "name": "f", "durationMs": 5}],
                ]),
            ),
        ] {
            let sink = Arc::new(Recorder::default());
            let mut events = EventStream::new(sink.clone());
            events.hides_content = hides_content;
            events.send_call(1, &call).await;
            events.send_call(1, &broken).await;
            let outcome = Err("no".to_owned());
            let run = ToolRunReport::new(1, &call, &outcome, Duration::from_millis(5), true);
            events.send_result("a".to_owned(), run).await;
            assert_eq!(Value::Array(sink.0.lock().unwrap().clone()), expected);
        }
    }

    #[tokio::test]
    async fn only_text_that_was_sent_is_withdrawn() {
        let sink = Arc::new(Recorder::default());
        let events = EventStream::new(sink.clone());
        events.reset("repair").await;
        events.send_text("a".to_owned()).await;
        events.reset("repair").await;
        events.reset("repair").await;
        let expected =
            [json!(["text", {"delta": "a", "turn": 1}]), json!(["reset", {"reason": "repair"}])];
        assert_eq!(*sink.0.lock().unwrap(), expected);
    }
}
