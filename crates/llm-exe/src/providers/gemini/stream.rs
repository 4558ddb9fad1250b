//! Joins the chunks of a streamed response, each of which is a response with new parts.
//!
//! Source: `GenerateContentResponse` of the npm package `@google/genai` 3.3.

use serde_json::value::{RawValue, to_raw_value};

use crate::error::Error;
use crate::providers::lenient::list_items;
use crate::providers::raw_object::RawObject;
use crate::providers::streams::{
    Assembler, EventOutcome, JoinedObject, StreamEvent, error_body, index_field, non_blank_field,
    object_field, text_field,
};

/// The chunks so far.
#[derive(Default)]
pub(super) struct ContentAssembler {
    root: JoinedObject,
    candidate: JoinedObject,
    content: JoinedObject,
    parts: Vec<PartPieces>,
    /// The size of the parts in bytes.
    parts_size: usize,
    /// Whether a chunk states why the reply or the prompt ended. More chunks can follow, for
    /// example with token counts.
    has_end: bool,
    is_finished: bool,
}

enum PartPieces {
    /// A part with nothing but a text, to which the next one is appended.
    Text(JoinedObject),
    Other(Box<RawValue>),
}

impl ContentAssembler {
    fn add_candidate(&mut self, candidate: &RawObject<'_>, text: &mut String) {
        // A request asks for one candidate.
        if index_field(candidate, "index").unwrap_or(0) != 0 {
            return;
        }
        let reason = non_blank_field(candidate, "finishReason")
            .filter(|reason| reason != "FINISH_REASON_UNSPECIFIED");
        let has_reason = reason.is_some();
        self.is_finished |= reason.is_some_and(|reason| reason == "STOP");
        for (name, value) in candidate.values() {
            match name {
                "content" => {}
                // A later chunk can have an empty reason.
                "finishReason" if !has_reason && self.has_end => {}
                _ => self.candidate.set(name, value),
            }
        }
        let content = object_field(candidate, "content");
        for (name, value) in content.iter().flat_map(RawObject::values) {
            match name {
                "parts" => {
                    for part in list_items(Some(value)).unwrap_or_default() {
                        self.add_part(part, text);
                    }
                }
                _ => self.content.set(name, value),
            }
        }
        self.has_end |= has_reason;
    }

    fn add_part(&mut self, part: &RawValue, text: &mut String) {
        self.parts_size += part.get().len() + 50;
        let Some(fields) = RawObject::parse(part) else {
            self.parts.push(PartPieces::Other(part.to_owned()));
            return;
        };
        let piece = text_field(&fields, "text");
        let is_thought = fields.get("thought") == Some("true");
        if !is_thought {
            text.push_str(piece.as_deref().unwrap_or_default());
        }
        let is_plain = fields.values().all(|(name, _)| matches!(name, "text" | "thought"));
        let Some(piece) = piece.filter(|_| is_plain) else {
            self.parts.push(PartPieces::Other(part.to_owned()));
            return;
        };
        match self.parts.last_mut() {
            Some(PartPieces::Text(last)) if last.has_value("thought") == is_thought => {
                last.add_text("text", &piece);
            }
            _ => {
                let mut text = JoinedObject::default();
                text.add_text("text", &piece);
                if let Some(thought) = fields.value("thought").filter(|_| is_thought) {
                    text.set("thought", thought);
                }
                self.parts.push(PartPieces::Text(text));
            }
        }
    }
}

impl ContentAssembler {
    /// Returns the body of a response with the parts of all responses so far, without the field of
    /// a candidate that belongs to only one of them.
    pub(super) fn join(&mut self, dropped: &str, usage: &RawValue) -> Option<Box<RawValue>> {
        self.candidate.remove(dropped);
        self.root.set("usageMetadata", usage);
        self.body()
    }
}

impl PartPieces {
    fn into_json(self) -> Option<Box<RawValue>> {
        match self {
            PartPieces::Text(text) => text.to_json(),
            PartPieces::Other(part) => Some(part),
        }
    }
}

impl Assembler for ContentAssembler {
    fn add(&mut self, event: &StreamEvent<'_>, text: &mut String) -> Result<EventOutcome, Error> {
        let chunk = event.fields()?;
        if let Some(error) = error_body(&chunk, event) {
            return Ok(EventOutcome::Failed(error));
        }
        for (name, value) in chunk.values() {
            match name {
                "candidates" => {
                    let candidates = list_items(Some(value)).unwrap_or_default();
                    for candidate in candidates.into_iter().filter_map(RawObject::parse) {
                        self.add_candidate(&candidate, text);
                    }
                }
                _ => self.root.set(name, value),
            }
        }
        let feedback = object_field(&chunk, "promptFeedback");
        self.has_end |= feedback.is_some_and(|it| non_blank_field(&it, "blockReason").is_some());
        // The token counts can follow in another chunk.
        Ok(if self.has_end { EventOutcome::Ending } else { EventOutcome::Open })
    }

    fn is_finished(&self) -> bool {
        self.is_finished
    }

    fn has_content(&self) -> bool {
        !self.parts.is_empty()
    }

    fn size(&self) -> usize {
        self.root.size() + self.candidate.size() + self.content.size() + self.parts_size
    }

    fn body(&mut self) -> Option<Box<RawValue>> {
        if !self.has_end {
            return None;
        }
        if !self.candidate.is_empty() {
            if !self.parts.is_empty() {
                let parts = std::mem::take(&mut self.parts).into_iter();
                self.content.set_items("parts", parts.filter_map(PartPieces::into_json).collect());
            }
            self.candidate.set("content", &to_raw_value(&self.content).ok()?);
            self.root.set_items("candidates", vec![self.candidate.to_json()?]);
        }
        self.root.to_json()
    }
}
