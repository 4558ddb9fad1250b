//! Joins the lines of a streamed chat response.
//!
//! Source: the type `ChatResponse` of the npm package `ollama` 0.6.

use serde_json::value::RawValue;

use crate::error::Error;
use crate::providers::raw_object::RawObject;
use crate::providers::streams::{
    Assembler, EventOutcome, JoinedObject, StreamEvent, error_body, object_field, text_field,
};

/// The lines so far.
#[derive(Default)]
pub(super) struct LineAssembler {
    root: JoinedObject,
    message: JoinedObject,
    is_done: bool,
}

impl Assembler for LineAssembler {
    fn add(&mut self, event: &StreamEvent<'_>, text: &mut String) -> Result<EventOutcome, Error> {
        let line = event.fields()?;
        if let Some(error) = error_body(&line, event) {
            return Ok(EventOutcome::Failed(error));
        }
        for (name, value) in line.values().filter(|(name, _)| *name != "message") {
            self.root.set(name, value);
        }
        let message = object_field(&line, "message");
        for (name, value) in message.iter().flat_map(RawObject::values) {
            match name {
                "role" => self.message.set(name, value),
                _ => self.message.add(name, value),
            }
        }
        let piece = message.as_ref().and_then(|message| text_field(message, "content"));
        text.push_str(&piece.unwrap_or_default());
        self.is_done = line.get("done") == Some("true");
        Ok(if self.is_done { EventOutcome::Complete } else { EventOutcome::Open })
    }

    fn has_content(&self) -> bool {
        self.message.has_content()
    }

    fn size(&self) -> usize {
        self.root.size() + self.message.size()
    }

    fn body(&mut self) -> Option<Box<RawValue>> {
        if !self.is_done {
            return None;
        }
        self.root.set("message", &self.message.to_json()?);
        self.root.to_json()
    }
}
