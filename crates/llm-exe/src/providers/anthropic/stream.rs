//! Joins the events of a streamed message, which both Anthropic and Bedrock send.
//!
//! Source: the type `RawMessageStreamEvent` of the npm package `@anthropic-ai/sdk` 1.14.

use serde_json::value::{RawValue, to_raw_value};

use crate::chat::{Chat, Structure};
use crate::error::{Error, ErrorKind};
use crate::providers::lenient::read_text;
use crate::providers::raw_object::RawObject;
use crate::providers::streams::{
    Assembler, EventOutcome, JoinedObject, StreamEvent, error_body, field, index_field,
    non_blank_field, object_field, text_field,
};

/// The events so far.
pub(crate) struct MessageAssembler {
    message: JoinedObject,
    usage: JoinedObject,
    blocks: Vec<BlockPieces>,
    /// The tool whose input is the reply.
    forced_tool: Option<String>,
    /// Whether the number of output tokens arrived at the end of the message. The one at its
    /// beginning counts only what was generated until then.
    has_output_tokens: bool,
    has_stop_reason: bool,
    is_finished: bool,
    is_done: bool,
}

/// The pieces of a content block.
struct BlockPieces {
    index: usize,
    fields: JoinedObject,
    /// The input of a tool, as JSON.
    input: String,
    is_forced_tool: bool,
}

impl MessageAssembler {
    pub(crate) fn new(chat: &Chat) -> Self {
        MessageAssembler {
            message: JoinedObject::default(),
            usage: JoinedObject::default(),
            blocks: Vec::new(),
            forced_tool: forced_tool(chat),
            has_output_tokens: false,
            has_stop_reason: false,
            is_finished: false,
            is_done: false,
        }
    }

    /// Adds a message, or what changed in it.
    fn add_fields(&mut self, fields: Option<RawObject<'_>>) {
        for (name, value) in fields.iter().flat_map(RawObject::values) {
            match name {
                // The blocks follow in events of their own; this sets the position of the field.
                "content" => self.message.set_items(name, Vec::new()),
                "usage" => {
                    self.message.set(name, value);
                    self.add_usage(RawObject::parse(value));
                }
                _ => self.message.set(name, value),
            }
        }
    }

    /// Adds token counts, which replace the earlier ones.
    fn add_usage(&mut self, usage: Option<RawObject<'_>>) {
        for (name, value) in usage.iter().flat_map(RawObject::values) {
            self.usage.set(name, value);
        }
    }

    fn start_block(&mut self, event: &RawObject<'_>, text: &mut String) {
        let Some(block) = object_field(event, "content_block") else { return };
        let index = index_field(event, "index").unwrap_or(self.blocks.len());
        let mut fields = JoinedObject::default();
        for (name, value) in block.values() {
            fields.add(name, value);
        }
        let name = fields.text("name");
        let is_forced_tool = name.is_some() && name == self.forced_tool.as_deref();
        if fields.text("type") == Some("text") && self.forced_tool.is_none() {
            text.push_str(fields.text("text").unwrap_or_default());
        }
        self.blocks.push(BlockPieces { index, fields, input: String::new(), is_forced_tool });
    }

    fn add_delta(&mut self, event: &RawObject<'_>, text: &mut String) -> Result<(), Error> {
        let index = index_field(event, "index").unwrap_or_default();
        let block = self.blocks.iter_mut().rev().find(|block| block.index == index);
        let Some(block) = block else {
            let text = "the stream continues a content block before its start";
            return Err(Error::new(ErrorKind::ProviderUnavailable, text));
        };
        let delta = object_field(event, "delta");
        for (name, value) in delta.iter().flat_map(RawObject::values) {
            match name {
                "type" => {}
                "partial_json" => {
                    let piece = read_text(value).ok().unwrap_or_default();
                    block.input.push_str(&piece);
                    if block.is_forced_tool {
                        text.push_str(&piece);
                    }
                }
                "citation" => block.fields.add_items("citations", vec![value.to_owned()]),
                _ => {
                    block.fields.add(name, value);
                    if name == "text" && self.forced_tool.is_none() {
                        text.push_str(&read_text(value).ok().unwrap_or_default());
                    }
                }
            }
        }
        Ok(())
    }
}

/// Returns the name of the tool whose input is the reply.
pub(crate) fn forced_tool(chat: &Chat) -> Option<String> {
    match &chat.structure {
        Structure::ForcedTool { name, .. } => Some(name.clone()),
        _ => None,
    }
}

/// Returns whether the model has ended its message by itself.
pub(crate) fn is_normal_end(stop_reason: &str) -> bool {
    matches!(stop_reason, "end_turn" | "tool_use" | "stop_sequence")
}

/// Returns the input of a tool as JSON. One that is not complete becomes a text.
pub(crate) fn input_json(input: String) -> Option<Box<RawValue>> {
    match serde_json::from_str::<&RawValue>(&input) {
        Ok(json) => Some(json.to_owned()),
        Err(_) => to_raw_value(&input).ok(),
    }
}

impl BlockPieces {
    fn take_json(&mut self) -> Option<Box<RawValue>> {
        let input = std::mem::take(&mut self.input);
        // A tool without arguments has the input of the block's start.
        if !input.is_empty() {
            self.fields.set("input", &input_json(input)?);
        }
        self.fields.to_json()
    }
}

impl Assembler for MessageAssembler {
    fn add(&mut self, event: &StreamEvent<'_>, text: &mut String) -> Result<EventOutcome, Error> {
        let fields = event.fields()?;
        // Some servers state the type only in the name of the event.
        let kind = text_field(&fields, "type");
        match kind.as_deref().or(Some(event.name)) {
            Some("message_start") => self.add_fields(object_field(&fields, "message")),
            Some("content_block_start") => self.start_block(&fields, text),
            Some("content_block_delta") => self.add_delta(&fields, text)?,
            Some("message_delta") => {
                let (delta, usage) =
                    (object_field(&fields, "delta"), object_field(&fields, "usage"));
                let reason = delta.as_ref().and_then(|it| non_blank_field(it, "stop_reason"));
                self.has_stop_reason |= reason.is_some();
                self.is_finished |= reason.is_some_and(|it| is_normal_end(&it));
                self.has_output_tokens |=
                    usage.as_ref().is_some_and(|it| field(it, "output_tokens").is_some());
                self.add_fields(delta);
                self.add_usage(usage);
            }
            Some("message_stop") => {
                self.is_done = true;
                return Ok(EventOutcome::Complete);
            }
            _ => {
                if let Some(error) = error_body(&fields, event) {
                    return Ok(EventOutcome::Failed(error));
                }
            }
        }
        Ok(if self.has_stop_reason { EventOutcome::Ending } else { EventOutcome::Open })
    }

    fn is_finished(&self) -> bool {
        self.is_finished
    }

    fn has_content(&self) -> bool {
        !self.blocks.is_empty()
    }

    fn size(&self) -> usize {
        let blocks = self.blocks.iter().map(|it| it.fields.size() + it.input.len() + 100);
        self.message.size() + self.usage.size() + blocks.sum::<usize>()
    }

    fn body(&mut self) -> Option<Box<RawValue>> {
        if !self.is_done && !self.has_stop_reason {
            return None;
        }
        let blocks = self.blocks.iter_mut().filter_map(BlockPieces::take_json).collect();
        self.message.set_items("content", blocks);
        // Without the number of output tokens, the counts would understate the cost.
        match self.has_output_tokens {
            true => self.message.set("usage", &self.usage.to_json()?),
            false => self.message.remove("usage"),
        }
        self.message.to_json()
    }
}
