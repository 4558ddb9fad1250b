//! Reads the events of InvokeModelWithResponseStream, each of which contains an event of the
//! model's own API.
//!
//! Source: the shape `ResponseStream` in the model of the PyPI package `botocore` 1.44.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use crate::chat::Chat;
use crate::error::{Error, ErrorKind};
use crate::providers::anthropic::stream::MessageAssembler;
use crate::providers::streams::{
    Assembler, EventOutcome, OnEvent, PairJoiner, StreamEvent, text_field,
};

/// The events so far.
pub(super) struct InvokeAssembler {
    message: MessageAssembler,
    /// Holds back an event whose text ends in the middle of a character.
    pairs: PairJoiner,
}

impl InvokeAssembler {
    pub(super) fn new(chat: &Chat) -> Self {
        InvokeAssembler { message: MessageAssembler::new(chat), pairs: PairJoiner::default() }
    }

    /// Adds to the message the events that `push` passes on. Returns the last outcome.
    fn join(
        &mut self,
        text: &mut String,
        push: impl FnOnce(&mut PairJoiner, &mut OnEvent<'_>) -> Result<(), Error>,
    ) -> Result<EventOutcome, Error> {
        let InvokeAssembler { message, pairs } = self;
        let mut outcome = EventOutcome::Open;
        push(pairs, &mut |event: &StreamEvent<'_>| {
            // Data that is not an object is skipped.
            let is_event = event.data.trim_start().starts_with('{');
            if is_event && matches!(outcome, EventOutcome::Open | EventOutcome::Ending) {
                outcome = message.add(event, text)?;
            }
            Ok(())
        })?;
        Ok(outcome)
    }
}

/// Returns the body of a response with an exception. In a stream, its name begins with a
/// lower-case letter.
pub(super) fn exception_body(event: &StreamEvent<'_>) -> Option<Box<RawValue>> {
    let fields = event.fields().ok();
    let message = fields.as_ref().and_then(|fields| {
        text_field(fields, "message").or_else(|| text_field(fields, "originalMessage"))
    });
    let mut name = event.name.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let message = message.unwrap_or_else(|| name.clone());
    to_raw_value(&json!({ "__type": name, "message": message })).ok()
}

impl Assembler for InvokeAssembler {
    fn add(&mut self, event: &StreamEvent<'_>, text: &mut String) -> Result<EventOutcome, Error> {
        if event.is_exception {
            return Ok(exception_body(event).map_or(EventOutcome::Complete, EventOutcome::Failed));
        }
        // Events without `bytes` keep the connection open.
        let Some(bytes) = text_field(&event.fields()?, "bytes") else {
            return Ok(EventOutcome::Open);
        };
        let unreadable = || {
            let text = "the stream contains a chunk that is not base64 of a text";
            Error::new(ErrorKind::ProviderUnavailable, text)
        };
        let bytes = STANDARD.decode(bytes).map_err(|_| unreadable())?;
        let data = str::from_utf8(&bytes).map_err(|_| unreadable())?;
        let event = StreamEvent { name: "", is_exception: false, data };
        self.join(text, |pairs, on_event| pairs.push(&event, on_event))
    }

    fn is_finished(&self) -> bool {
        self.message.is_finished()
    }

    fn has_content(&self) -> bool {
        self.message.has_content()
    }

    fn size(&self) -> usize {
        self.message.size() + self.pairs.held_bytes()
    }

    fn body(&mut self) -> Option<Box<RawValue>> {
        self.join(&mut String::new(), |pairs, on_event| pairs.flush(on_event)).ok()?;
        self.message.body()
    }
}
