//! Joins the events of ConverseStream.
//!
//! Source: the shapes of `ConverseStreamOutput` in the model of the PyPI package `botocore` 1.44.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use crate::chat::Chat;
use crate::error::Error;
use crate::providers::anthropic::stream::{forced_tool, input_json, is_normal_end};
use crate::providers::bedrock::stream::exception_body;
use crate::providers::raw_object::RawObject;
use crate::providers::streams::{
    Assembler, EventOutcome, JoinedObject, StreamEvent, index_field, non_blank_field, object_field,
    text_field,
};

/// The events so far.
pub(super) struct ConverseAssembler {
    root: JoinedObject,
    role: JoinedObject,
    blocks: Vec<BlockPieces>,
    /// The tool whose input is the reply.
    forced_tool: Option<String>,
    has_stop: bool,
    is_finished: bool,
}

/// The pieces of a content block. Its kind is that of its pieces.
#[derive(Default)]
struct BlockPieces {
    index: usize,
    text: JoinedObject,
    citations: JoinedObject,
    reasoning: JoinedObject,
    /// Reasoning that only the provider can read.
    redacted: Option<Vec<u8>>,
    tool_use: Option<JoinedObject>,
    /// The input of a tool, as JSON.
    input: String,
}

impl ConverseAssembler {
    pub(super) fn new(chat: &Chat) -> Self {
        ConverseAssembler {
            root: JoinedObject::default(),
            role: JoinedObject::default(),
            blocks: Vec::new(),
            forced_tool: forced_tool(chat),
            has_stop: false,
            is_finished: false,
        }
    }

    /// Returns the block with an index. Text blocks have no start event.
    fn block(&mut self, event: &RawObject<'_>) -> Option<&mut BlockPieces> {
        let index = index_field(event, "contentBlockIndex").unwrap_or_default();
        let known = self.blocks.iter().rposition(|block| block.index == index);
        let known = known.unwrap_or_else(|| {
            self.blocks.push(BlockPieces { index, ..BlockPieces::default() });
            self.blocks.len() - 1
        });
        self.blocks.get_mut(known)
    }

    fn start_block(&mut self, event: &RawObject<'_>) {
        let start = object_field(event, "start").and_then(|it| object_field(&it, "toolUse"));
        let id = start.as_ref().and_then(|start| non_blank_field(start, "toolUseId"));
        let Some(block) = self.block(event) else { return };
        let Some(start) = start else { return };
        let mut tool_use = JoinedObject::default();
        for (name, value) in start.values() {
            tool_use.add(name, value);
        }
        let known_id = block.tool_use.as_ref().map(|known| known.text("toolUseId"));
        let is_known = known_id.is_some_and(|known| known == id.as_deref());
        if block.is_empty() || is_known {
            block.tool_use = Some(tool_use);
            return;
        }
        // A server can use one index for all blocks. Another id begins another call.
        let index = block.index;
        let block = BlockPieces { index, tool_use: Some(tool_use), ..BlockPieces::default() };
        self.blocks.push(block);
    }

    fn add_delta(&mut self, event: &RawObject<'_>, text: &mut String) {
        let Some(delta) = object_field(event, "delta") else { return };
        let forced_tool = self.forced_tool.clone();
        let Some(block) = self.block(event) else { return };
        if let Some(piece) = text_field(&delta, "text") {
            block.text.add_text("text", &piece);
            if forced_tool.is_none() {
                text.push_str(&piece);
            }
        }
        if let Some(citation) = delta.value("citation") {
            block.citations.add_items("citations", vec![citation.to_owned()]);
        }
        if let Some(piece) = object_field(&delta, "toolUse").and_then(|it| text_field(&it, "input"))
        {
            block.input.push_str(&piece);
            let name = block.tool_use.as_ref().and_then(|tool_use| tool_use.text("name"));
            if name.is_some() && name == forced_tool.as_deref() {
                text.push_str(&piece);
            }
        }
        let reasoning = object_field(&delta, "reasoningContent");
        for (name, value) in reasoning.iter().flat_map(RawObject::values) {
            match name {
                "redactedContent" => {
                    let piece = text_field(reasoning.as_ref().unwrap_or(&delta), name);
                    let piece = STANDARD.decode(piece.unwrap_or_default()).unwrap_or_default();
                    block.redacted.get_or_insert_default().extend(piece);
                }
                _ => block.reasoning.add(name, value),
            }
        }
    }
}

impl BlockPieces {
    /// Returns whether no piece of the block arrived.
    fn is_empty(&self) -> bool {
        let objects = [&self.text, &self.citations, &self.reasoning];
        let has_other = self.redacted.is_some() || self.tool_use.is_some();
        objects.into_iter().all(JoinedObject::is_empty) && !has_other && self.input.is_empty()
    }

    fn size(&self) -> usize {
        let objects = [&self.text, &self.citations, &self.reasoning].map(JoinedObject::size);
        let redacted = self.redacted.as_ref().map_or(0, Vec::len) * 2;
        objects.iter().sum::<usize>() + redacted + self.input.len() + 300
    }

    fn take_json(&mut self) -> Option<Box<RawValue>> {
        let mut block = JoinedObject::default();
        if let Some(tool_use) = &mut self.tool_use {
            let input = std::mem::take(&mut self.input);
            let input = if input.trim().is_empty() { "{}".to_owned() } else { input };
            tool_use.set("input", &input_json(input)?);
            block.set("toolUse", &tool_use.to_json()?);
        } else if let Some(redacted) = &self.redacted {
            let redacted = json!({ "redactedContent": STANDARD.encode(redacted) });
            block.set("reasoningContent", &to_raw_value(&redacted).ok()?);
        } else if !self.reasoning.is_empty() {
            let mut content = JoinedObject::default();
            content.set("reasoningText", &self.reasoning.to_json()?);
            block.set("reasoningContent", &content.to_json()?);
        } else if !self.citations.is_empty() {
            self.citations.set_items("content", vec![self.text.to_json()?]);
            block.set("citationsContent", &self.citations.to_json()?);
        } else {
            return self.text.to_json();
        }
        block.to_json()
    }
}

impl Assembler for ConverseAssembler {
    fn add(&mut self, event: &StreamEvent<'_>, text: &mut String) -> Result<EventOutcome, Error> {
        if event.is_exception {
            return Ok(exception_body(event).map_or(EventOutcome::Complete, EventOutcome::Failed));
        }
        let fields = event.fields()?;
        match event.name {
            "messageStart" => {
                if let Some(role) = fields.value("role") {
                    self.role.set("role", role);
                }
            }
            "contentBlockStart" => self.start_block(&fields),
            "contentBlockDelta" => self.add_delta(&fields, text),
            "messageStop" | "metadata" => {
                for (name, value) in fields.values().filter(|(name, _)| *name != "p") {
                    self.root.set(name, value);
                }
                self.has_stop |= event.name == "messageStop";
                self.is_finished |= non_blank_field(&fields, "stopReason")
                    .is_some_and(|reason| is_normal_end(&reason));
                if event.name == "metadata" && self.has_stop {
                    return Ok(EventOutcome::Complete);
                }
            }
            _ => {}
        }
        // The token counts follow in an event of their own.
        Ok(if self.has_stop { EventOutcome::Ending } else { EventOutcome::Open })
    }

    fn is_finished(&self) -> bool {
        self.is_finished
    }

    fn has_content(&self) -> bool {
        !self.blocks.is_empty()
    }

    fn size(&self) -> usize {
        self.root.size() + self.blocks.iter().map(BlockPieces::size).sum::<usize>()
    }

    fn body(&mut self) -> Option<Box<RawValue>> {
        if !self.has_stop {
            return None;
        }
        let blocks = self.blocks.iter_mut().filter_map(BlockPieces::take_json).collect();
        self.role.set_items("content", blocks);
        let mut output = JoinedObject::default();
        output.set("message", &self.role.to_json()?);
        self.root.set("output", &output.to_json()?);
        self.root.to_json()
    }
}
