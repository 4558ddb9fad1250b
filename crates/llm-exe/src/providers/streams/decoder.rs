//! Splits a stream into events and passes them to an [`Assembler`].

use serde_json::value::RawValue;

use super::event::StreamEvent;
use super::frames::FrameReader;
use super::text_events::TextEventReader;
use crate::error::{Error, ErrorKind};
use crate::providers::dialect::{StreamDecoder, StreamState};
use crate::wire::{MAX_REPLY_BYTES, too_large};

/// Maximum size of a stream in bytes. It is larger than that of a reply, because each event repeats
/// names and ids.
const MAX_STREAM_BYTES: usize = 200 * 1024 * 1024;

/// Number of bytes after which the size of the reply is computed again. Computing it takes time in
/// proportion to the number of tool calls or blocks.
const SIZE_INTERVAL: usize = 64 * 1024;

/// What an event means for the stream.
pub(in crate::providers) enum EventOutcome {
    /// More events follow.
    Open,
    /// The reply is complete.
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
    Text(TextEventReader),
    Frames(FrameReader),
}

impl EventReader {
    /// Returns whether the first bytes of a body are those of a JSON object, and not of an event.
    fn is_object(&self, bytes: &[u8]) -> bool {
        let is_text = matches!(self, EventReader::Text(events) if events.is_server_sent());
        is_text && bytes.trim_ascii_start().first() == Some(&b'{')
    }
}

/// The decoder of a built-in dialect.
pub(in crate::providers) struct Decoder {
    reader: EventReader,
    joined: JoinedEvents,
    /// The body, if it turns out to be the response in one piece.
    whole_body: Option<Vec<u8>>,
    received: usize,
}

/// The events so far.
struct JoinedEvents {
    assembler: Box<dyn Assembler>,
    /// The size of the events since the size of the reply was computed.
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
        let reader = match framing {
            Framing::ServerSentEvents => EventReader::Text(TextEventReader::new(true)),
            Framing::Lines => EventReader::Text(TextEventReader::new(false)),
            Framing::EventStream => EventReader::Frames(FrameReader::default()),
        };
        Box::new(Decoder {
            reader,
            joined: JoinedEvents {
                assembler,
                unmeasured: 0,
                state: StreamState::Open,
                error: None,
            },
            whole_body: None,
            received: 0,
        })
    }
}

impl JoinedEvents {
    /// Adds an event to the stream, unless the reply is complete.
    fn add(&mut self, event: &StreamEvent<'_>, text: &mut String) -> Result<(), Error> {
        // Some servers send empty events to keep the connection open.
        if self.state == StreamState::Complete || matches!(event.data.trim(), "" | "null") {
            return Ok(());
        }
        match self.assembler.add(event, text)? {
            EventOutcome::Open => {}
            EventOutcome::Complete => self.state = StreamState::Complete,
            EventOutcome::Failed(body) => {
                self.state = StreamState::Complete;
                self.error = Some(body);
            }
        }
        self.unmeasured += event.data.len();
        if self.unmeasured >= SIZE_INTERVAL || self.state == StreamState::Complete {
            self.unmeasured = 0;
            if self.assembler.size() > MAX_REPLY_BYTES {
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

impl StreamDecoder for Decoder {
    fn push(&mut self, bytes: &[u8], text: &mut String) -> Result<StreamState, Error> {
        let Decoder { reader, joined, whole_body, received } = self;
        // Some servers ignore that a stream is asked for, and do not send the type of the content.
        if *received == 0 && reader.is_object(bytes) {
            *whole_body = Some(Vec::new());
        }
        *received = received.saturating_add(bytes.len());
        if let Some(body) = whole_body {
            if *received > MAX_REPLY_BYTES {
                return Err(too_large());
            }
            body.extend_from_slice(bytes);
            return Ok(StreamState::Open);
        }
        if *received > MAX_STREAM_BYTES {
            return Err(too_large());
        }
        let mut add = |event: &StreamEvent<'_>| joined.add(event, text);
        match reader {
            EventReader::Text(events) => events.push(bytes, &mut add)?,
            EventReader::Frames(frames) => frames.push(bytes, &mut add)?,
        }
        Ok(joined.state)
    }

    fn has_content(&self) -> bool {
        self.joined.assembler.has_content()
    }

    fn finish(&mut self) -> Result<Vec<u8>, Error> {
        if let Some(body) = self.whole_body.take() {
            return Ok(body);
        }
        let Decoder { reader, joined, .. } = self;
        let mut rest = String::new();
        let mut add = |event: &StreamEvent<'_>| joined.add(event, &mut rest);
        let is_whole = match reader {
            // Some servers end the stream without a blank line.
            EventReader::Text(events) => events.finish(&mut add).is_ok(),
            EventReader::Frames(frames) => frames.is_empty(),
        };
        let is_whole = is_whole || joined.state == StreamState::Complete;
        let body = if is_whole { joined.body() } else { None };
        let body = body.ok_or_else(|| {
            let text = "the stream ended before the reply was complete; the request was not sent \
                        again because it may have been billed";
            Error::new(ErrorKind::ProviderUnavailable, text)
        })?;
        Ok(Box::<str>::from(body).into_string().into_bytes())
    }
}
