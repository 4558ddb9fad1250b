//! Splits a stream into events and passes them to an [`Assembler`].

use serde::de::IgnoredAny;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::event::{OnEvent, StreamEvent};
use super::frames::FrameReader;
use super::surrogates::PairJoiner;
use super::text_events::TextEventReader;
use crate::error::{Error, ErrorKind};
use crate::providers::dialect::{StreamDecoder, StreamState};
use crate::providers::lenient::list_items;
use crate::wire::{MAX_REPLY_BYTES, too_large};

/// Maximum size of a stream in bytes. It is larger than that of a reply, because each event repeats
/// names and ids.
const MAX_STREAM_BYTES: usize = 200 * 1024 * 1024;

/// Number of bytes after which the size of the reply is computed again. Computing it takes time in
/// proportion to the number of tool calls or blocks.
const SIZE_INTERVAL: usize = 64 * 1024;

/// Maximum number of bytes that are stored until they show how the stream is split.
const MAX_START_BYTES: usize = 64 * 1024;

/// What an event means for the stream.
pub(in crate::providers) enum EventOutcome {
    /// More events follow.
    Open,
    /// The reply is complete. Token counts may follow.
    Ending,
    /// The reply is complete, and nothing of it follows.
    Complete,
    /// The provider reports an error. Contains the body of a response with this error.
    Failed(Box<RawValue>),
}

/// Joins the events of a stream.
pub(in crate::providers) trait Assembler: Send {
    /// Adds an event. Appends the text of the reply that it contains to `text`.
    ///
    /// # Errors
    /// `ProviderUnavailable` if the event can't be read.
    fn add(&mut self, event: &StreamEvent<'_>, text: &mut String) -> Result<EventOutcome, Error>;

    /// Returns the size of the events that are stored, in bytes.
    fn size(&self) -> usize;

    /// Returns whether the model has finished its reply by itself, and not because of a limit or an
    /// error. An error after that is ignored.
    fn is_finished(&self) -> bool {
        false
    }

    /// Returns whether a part of the reply arrived: text, reasoning or a tool call.
    fn has_content(&self) -> bool;

    /// Returns the body of the response, or `None` if the reply is not complete.
    fn body(&mut self) -> Option<Box<RawValue>>;
}

/// How a stream is split into events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::providers) enum Framing {
    /// Server-sent events.
    ServerSentEvents,
    /// An event is a line.
    Lines,
    /// The binary frames of AWS.
    EventStream,
}

/// The part of a decoder that splits the bytes.
enum EventReader {
    /// The first bytes, which do not show yet how the stream is split.
    Start(Vec<u8>),
    Text(TextEventReader),
    Frames(FrameReader),
    /// A body that is the response in one piece, or a JSON list of events.
    Whole(Vec<u8>),
}

/// The decoder of a built-in dialect.
pub(in crate::providers) struct Decoder {
    framing: Framing,
    reader: EventReader,
    joined: JoinedEvents,
    received: usize,
}

/// The events so far.
struct JoinedEvents {
    assembler: Box<dyn Assembler>,
    /// Holds back an event whose text ends in the middle of a character.
    pairs: PairJoiner,
    /// The size of the reply when it was last computed.
    measured: usize,
    /// The size of the events since then.
    unmeasured: usize,
    state: StreamState,
    /// The body of a response with the error that the provider reported.
    error: Option<Box<RawValue>>,
}

impl Decoder {
    pub(in crate::providers) fn boxed(
        framing: Framing,
        assembler: Box<dyn Assembler>,
    ) -> Box<dyn StreamDecoder> {
        Box::new(Decoder {
            framing,
            reader: EventReader::Start(Vec::new()),
            joined: JoinedEvents {
                assembler,
                pairs: PairJoiner::default(),
                measured: 0,
                unmeasured: 0,
                state: StreamState::Open,
                error: None,
            },
            received: 0,
        })
    }

    fn read(&mut self, bytes: &[u8], text: &mut String) -> Result<(), Error> {
        let Decoder { framing, reader, joined, received } = self;
        *received = received.saturating_add(bytes.len());
        if *received > MAX_STREAM_BYTES {
            return Err(too_large());
        }
        if let EventReader::Start(start) = reader {
            start.extend_from_slice(bytes);
            let is_start = start.len() < MAX_START_BYTES;
            let Some(mut chosen) = choose_reader(*framing, start, is_start) else { return Ok(()) };
            let outcome = chosen.push(start, &mut |event| joined.receive(event, text));
            *reader = chosen;
            return outcome;
        }
        reader.push(bytes, &mut |event| joined.receive(event, text))
    }
}

/// Chooses how to split a stream by its first bytes, because some servers and proxies do not send
/// the type of the content, or a wrong one. Returns `None` if more bytes are needed.
fn choose_reader(framing: Framing, bytes: &[u8], may_wait: bool) -> Option<EventReader> {
    let start = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let start = if framing == Framing::EventStream { start } else { start.trim_ascii_start() };
    let events = |is_server_sent| EventReader::Text(TextEventReader::new(is_server_sent));
    let Some(first) = start.first() else { return (!may_wait).then(|| events(true)) };
    let is_field = || [&b"data:"[..], b"event:", b":"].iter().any(|it| start.starts_with(it));
    Some(match (framing, first) {
        (Framing::EventStream, b'{' | b'[' | b'<') => EventReader::Whole(Vec::new()),
        (Framing::EventStream, _) => EventReader::Frames(FrameReader::default()),
        // A page of a proxy or of a wrong server is quoted in the error.
        (_, b'<') => EventReader::Whole(Vec::new()),
        (Framing::ServerSentEvents, b'{' | b'[') => EventReader::Whole(Vec::new()),
        (Framing::ServerSentEvents, _) => events(true),
        (Framing::Lines, b'[') => EventReader::Whole(Vec::new()),
        (Framing::Lines, b'{') => match start.iter().position(|byte| matches!(byte, b'\n' | b'\r'))
        {
            // A response in one piece can have line breaks anywhere.
            Some(end) if !is_json(start.get(..end)?) => EventReader::Whole(Vec::new()),
            Some(_) => events(false),
            None if may_wait => return None,
            None => events(false),
        },
        (Framing::Lines, _) => {
            let is_cut = |field: &&[u8]| field.starts_with(start);
            if may_wait && [&b"data:"[..], b"event:"].iter().any(is_cut) {
                return None;
            }
            events(is_field())
        }
    })
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

impl EventReader {
    fn push(&mut self, bytes: &[u8], on_event: &mut OnEvent<'_>) -> Result<(), Error> {
        match self {
            EventReader::Text(events) => events.push(bytes, on_event),
            EventReader::Frames(frames) => frames.push(bytes, on_event),
            EventReader::Start(body) | EventReader::Whole(body) => {
                if body.len() + bytes.len() > MAX_REPLY_BYTES {
                    return Err(too_large());
                }
                body.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Reads what is left at the end of the stream. Returns whether the last event is complete.
    fn finish(&mut self, on_event: &mut OnEvent<'_>) -> bool {
        match self {
            // Some servers end the stream without a blank line.
            EventReader::Text(events) => events.finish(on_event).is_ok(),
            EventReader::Frames(frames) => frames.is_empty(),
            EventReader::Start(body) | EventReader::Whole(body) => {
                let body = std::mem::take(body);
                read_whole_events(&body, on_event).is_ok()
            }
        }
    }

    /// Returns the number of bytes that wait for the rest of their event.
    fn buffered(&self) -> usize {
        match self {
            EventReader::Text(events) => events.buffered(),
            EventReader::Frames(frames) => frames.buffered(),
            EventReader::Start(body) | EventReader::Whole(body) => body.len(),
        }
    }
}

/// Reads a body that contains events although its first bytes are those of JSON: a list of events,
/// as Google sends without the query `alt=sse`, or an event on each line.
fn read_whole_events(body: &[u8], on_event: &mut OnEvent<'_>) -> Result<(), Error> {
    if let Some(list) = serde_json::from_slice::<&RawValue>(body).ok()
        && let Some(items) = list_items(Some(list))
    {
        return items.into_iter().try_for_each(|item| {
            on_event(&StreamEvent { name: "", is_exception: false, data: item.get() })
        });
    }
    let mut lines = TextEventReader::new(false);
    lines.push(body, on_event)?;
    lines.finish(on_event)
}

impl JoinedEvents {
    /// Receives an event from the stream. Two events that contain the halves of a character are
    /// changed, so that one of them contains the character.
    fn receive(&mut self, event: &StreamEvent<'_>, text: &mut String) -> Result<(), Error> {
        if self.state == StreamState::Complete {
            return Ok(());
        }
        let mut pairs = std::mem::take(&mut self.pairs);
        let added = pairs.push(event, &mut |event| self.add(event, text));
        self.pairs = pairs;
        added
    }

    /// Adds the event that was held back.
    fn flush(&mut self, text: &mut String) -> Result<(), Error> {
        let mut pairs = std::mem::take(&mut self.pairs);
        pairs.flush(&mut |event| self.add(event, text))
    }

    /// Adds an event to the reply, unless the reply is complete.
    fn add(&mut self, event: &StreamEvent<'_>, text: &mut String) -> Result<(), Error> {
        if self.state == StreamState::Complete {
            return Ok(());
        }
        let outcome = match is_not_object(event) {
            true => Ok(non_object_outcome(event)),
            false => self.assembler.add(event, text),
        };
        match outcome {
            Ok(EventOutcome::Open) => {}
            Ok(EventOutcome::Ending) => self.state = StreamState::Ending,
            Ok(EventOutcome::Complete) => self.state = StreamState::Complete,
            // The reply was complete before that, and it is paid for.
            Ok(EventOutcome::Failed(_)) if self.assembler.is_finished() => {
                self.state = StreamState::Complete;
            }
            Err(_) if self.state == StreamState::Ending => self.state = StreamState::Complete,
            Ok(EventOutcome::Failed(body)) => {
                self.state = StreamState::Complete;
                self.error = Some(body);
            }
            Err(error) => return Err(error),
        }
        self.unmeasured += event.data.len();
        if self.unmeasured >= SIZE_INTERVAL || self.state == StreamState::Complete {
            self.unmeasured = 0;
            self.measured = self.assembler.size();
            if self.measured > MAX_REPLY_BYTES {
                return Err(too_large());
            }
        }
        Ok(())
    }

    /// Returns the body of the response, or `None` if the reply is not complete.
    fn body(&mut self) -> Option<Box<RawValue>> {
        self.error.take().or_else(|| self.assembler.body())
    }
}

/// Returns whether the data of an event is neither an object nor the end sign of chat completions.
/// Servers send such events to keep the connection open, or for purposes of their own.
fn is_not_object(event: &StreamEvent<'_>) -> bool {
    let data = event.data.trim();
    !event.is_exception && !data.starts_with('{') && data != "[DONE]"
}

/// Returns the outcome of an event whose data is not an object. Such an event is skipped, unless it
/// is named as an error.
fn non_object_outcome(event: &StreamEvent<'_>) -> EventOutcome {
    let data = event.data.trim();
    if event.name != "error" || matches!(data, "" | "null") {
        return EventOutcome::Open;
    }
    let message = serde_json::from_str::<String>(data).unwrap_or_else(|_| data.to_owned());
    let body = to_raw_value(&json!({ "error": { "message": message } }));
    body.map_or(EventOutcome::Complete, EventOutcome::Failed)
}

impl StreamDecoder for Decoder {
    fn push(&mut self, bytes: &[u8], text: &mut String) -> Result<StreamState, Error> {
        let read = self.read(bytes, text);
        match self.joined.state {
            // Bytes after the reply can be unreadable.
            StreamState::Ending if read.is_err() => self.joined.state = StreamState::Complete,
            _ => read?,
        }
        Ok(self.joined.state)
    }

    fn has_content(&self) -> bool {
        self.joined.assembler.has_content()
    }

    fn stored_bytes(&self) -> usize {
        let JoinedEvents { measured, unmeasured, pairs, .. } = &self.joined;
        measured + unmeasured + pairs.held_bytes() + self.reader.buffered()
    }

    fn finish(&mut self) -> Result<Vec<u8>, Error> {
        let Decoder { reader, joined, .. } = self;
        if let EventReader::Whole(body) = reader
            && body.trim_ascii_start().first() != Some(&b'[')
            && (is_json(body) || body.trim_ascii_start().first() == Some(&b'<'))
        {
            return Ok(std::mem::take(body));
        }
        let mut rest = String::new();
        let is_whole = reader.finish(&mut |event| joined.receive(event, &mut rest));
        let is_whole = joined.flush(&mut rest).is_ok() && is_whole;
        let is_whole = is_whole || joined.state != StreamState::Open;
        let body = if is_whole { joined.body() } else { None };
        let body = body.ok_or_else(|| {
            let text = "the stream ended before the reply was complete; the request was not sent \
                        again because it may have been billed";
            Error::new(ErrorKind::ProviderUnavailable, text)
        })?;
        Ok(Box::<str>::from(body).into_string().into_bytes())
    }
}
