//! Reads the events of a streamed response. The last one contains the whole response.
//!
//! Source: the type `ResponseStreamEvent` of the npm package `openai` 7.57.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::error::Error;
use crate::providers::lenient::list_items;
use crate::providers::raw_object::RawObject;
use crate::providers::streams::{
    Assembler, EventOutcome, JoinedObject, StreamEvent, error_body, field, index_field,
    object_field, text_field,
};

/// Maximum number of comments whose texts are skipped.
const MAX_COMMENTS: usize = 1_000;

/// The events so far.
#[derive(Default)]
pub(super) struct ResponseAssembler {
    response: Option<Box<RawValue>>,
    /// The completed items, in case that the response at the end of the stream has none.
    items: JoinedObject,
    /// Whether an item has begun.
    has_items: bool,
    /// The indexes of messages that comment on the work. They are not part of the result.
    comments: Vec<usize>,
}

impl ResponseAssembler {
    /// Returns the response at the end of the stream. Some servers send no items in it.
    fn complete(&self, response: &RawValue) -> Option<Box<RawValue>> {
        let fields = RawObject::parse(response)?;
        let has_items = field(&fields, "output")
            .is_some_and(|items| list_items(Some(items)).is_none_or(|items| !items.is_empty()));
        if has_items || self.items.is_empty() {
            return Some(response.to_owned());
        }
        let mut completed = JoinedObject::default();
        for (name, value) in fields.values().filter(|(name, _)| *name != "output") {
            completed.set(name, value);
        }
        let items: Vec<Box<RawValue>> = self.items.items("output").to_vec();
        completed.set_items("output", items);
        completed.to_json()
    }
}

impl Assembler for ResponseAssembler {
    fn add(&mut self, event: &StreamEvent<'_>, text: &mut String) -> Result<EventOutcome, Error> {
        // Some servers end the stream like one of chat completions.
        if event.data.trim() == "[DONE]" {
            return Ok(EventOutcome::Open);
        }
        let fields = event.fields()?;
        let index = index_field(&fields, "output_index").unwrap_or_default();
        // Some servers state the type only in the name of the event.
        let kind = text_field(&fields, "type");
        let is_known = |name: &&str| name.starts_with("response.") || *name == "error";
        match kind.as_deref().or_else(|| Some(event.name).filter(is_known)) {
            Some("response.output_item.done") => {
                if let Some(item) = field(&fields, "item") {
                    self.items.add_items("output", vec![item.to_owned()]);
                }
            }
            Some("response.output_item.added") => {
                self.has_items = true;
                let item = object_field(&fields, "item");
                let phase = item.and_then(|item| text_field(&item, "phase"));
                if phase.as_deref() == Some("commentary") && self.comments.len() < MAX_COMMENTS {
                    self.comments.push(index);
                }
            }
            Some("response.output_text.delta") if !self.comments.contains(&index) => {
                self.has_items = true;
                text.push_str(&text_field(&fields, "delta").unwrap_or_default());
            }
            Some(
                "response.completed"
                | "response.incomplete"
                | "response.failed"
                | "response.cancelled",
            ) => {
                self.response = field(&fields, "response").and_then(|it| self.complete(it));
            }
            // The fields of the error are those of the event, or of its field `error`.
            Some("error") => {
                let fields: Value = serde_json::from_str(event.data).unwrap_or_default();
                let error = fields.get("error").filter(|error| error.is_object());
                let body = json!({ "status": "failed", "error": error.unwrap_or(&fields) });
                self.response = to_raw_value(&body).ok();
            }
            Some(_) => {}
            None => self.response = error_body(&fields, event),
        }
        Ok(if self.response.is_some() { EventOutcome::Complete } else { EventOutcome::Open })
    }

    fn has_content(&self) -> bool {
        self.has_items
    }

    fn size(&self) -> usize {
        let response = self.response.as_ref().map_or(0, |response| response.get().len());
        response + self.items.size()
    }

    fn body(&mut self) -> Option<Box<RawValue>> {
        self.response.take()
    }
}
