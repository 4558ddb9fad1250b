//! Joins the chunks of a streamed chat completion.
//!
//! Source: the type `ChatCompletionChunk` of the npm package `openai` 7.57.

use serde::de::IgnoredAny;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::bedrock;
use super::quirks::{OpenAiChat, Service};
use crate::chat::Chat;
use crate::error::Error;
use crate::providers::lenient::{list_items, read_text};
use crate::providers::raw_object::RawObject;
use crate::providers::streams::{
    Assembler, EventOutcome, JoinedObject, StreamEvent, error_body, index_field, non_blank_field,
    object_field, text_field,
};

/// Returns the fields that ask for a stream.
pub(super) fn stream_fields(api: &OpenAiChat, base_url: &str) -> Vec<(&'static str, Value)> {
    let mut fields = vec![("stream", json!(true))];
    if api.stream_options {
        let mut options = json!({ "include_usage": true });
        if is_openai_host(base_url) {
            options["include_obfuscation"] = json!(false);
        }
        fields.push(("stream_options", options));
    }
    fields
}

/// Returns whether a base URL is one of OpenAI, which pads the events of a stream unless a request
/// forbids it. Servers that imitate its API may reject that field.
pub(in crate::providers) fn is_openai_host(base_url: &str) -> bool {
    let host = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    host == "api.openai.com" || host.ends_with(".api.openai.com")
}

/// The chunks so far.
pub(super) struct ChunkAssembler {
    root: JoinedObject,
    choice: JoinedObject,
    message: JoinedObject,
    /// The parts of the content that are not texts, such as the reasoning of Mistral's models.
    parts: Vec<Box<RawValue>>,
    calls: Vec<CallPieces>,
    /// The text that may be reasoning, as long as that is not known.
    unclassified_text: Option<String>,
    /// Whether a chunk states why the reply ended.
    has_finish_reason: bool,
    is_finished: bool,
    is_done: bool,
}

/// The pieces of a tool call.
struct CallPieces {
    index: Option<usize>,
    fields: JoinedObject,
    function: JoinedObject,
}

impl ChunkAssembler {
    pub(super) fn new(api: &OpenAiChat, chat: &Chat) -> Self {
        let may_reason =
            api.service == Service::Bedrock && bedrock::may_be_open_weight(&chat.model);
        ChunkAssembler {
            root: JoinedObject::default(),
            choice: JoinedObject::default(),
            message: JoinedObject::default(),
            parts: Vec::new(),
            calls: Vec::new(),
            unclassified_text: may_reason.then(String::new),
            has_finish_reason: false,
            is_finished: false,
            is_done: false,
        }
    }

    fn add_choice(&mut self, choice: &RawObject<'_>, text: &mut String) {
        // A request asks for one choice.
        if index_field(choice, "index").unwrap_or(0) != 0 {
            return;
        }
        let reason = non_blank_field(choice, "finish_reason");
        let has_reason = reason.is_some();
        self.is_finished |=
            reason.is_some_and(|it| matches!(&*it, "stop" | "tool_calls" | "function_call"));
        for (name, value) in choice.values() {
            match name {
                "delta" | "message" | "logprobs" => {}
                // A later chunk can have an empty reason.
                "finish_reason" if !has_reason && self.has_finish_reason => {}
                _ => self.choice.set(name, value),
            }
        }
        self.has_finish_reason |= has_reason;
        let delta = object_field(choice, "delta").or_else(|| object_field(choice, "message"));
        for (name, value) in delta.iter().flat_map(RawObject::values) {
            match name {
                "content" => self.add_content(value, text),
                "tool_calls" => {
                    for call in list_items(Some(value)).unwrap_or_default() {
                        self.add_call(call);
                    }
                }
                // Some servers repeat the role in every chunk.
                "role" => self.message.set(name, value),
                _ => self.message.add(name, value),
            }
        }
    }

    fn add_content(&mut self, content: &RawValue, text: &mut String) {
        let Some(items) = list_items(Some(content)).filter(|_| content.get().starts_with('['))
        else {
            match read_text(content).ok() {
                Some(piece) => self.add_text(&piece, text),
                None => self.message.set("content", content),
            }
            return;
        };
        for item in items {
            let part = RawObject::parse(item);
            let is_text = part.as_ref().and_then(|it| it.get("type")) == Some("\"text\"");
            match part.as_ref().and_then(|part| text_field(part, "text")) {
                Some(piece) if is_text => self.add_text(&piece, text),
                _ => self.parts.push(item.to_owned()),
            }
        }
    }

    fn add_text(&mut self, piece: &str, text: &mut String) {
        self.message.add_text("content", piece);
        let Some(unclassified_text) = &mut self.unclassified_text else {
            text.push_str(piece);
            return;
        };
        unclassified_text.push_str(piece);
        if let Some(visible) = bedrock::text_after_reasoning(unclassified_text) {
            text.push_str(visible);
            self.unclassified_text = None;
        }
    }

    /// Returns the position of the call to which a piece belongs, or `None` if it begins one.
    fn find_call(&self, index: Option<usize>, id: &str, name: Option<&str>) -> Option<usize> {
        let Some(index) = index else {
            // Without an index, a new id or name begins a call.
            let last = self.calls.last()?;
            let is_same_id = id.is_empty() || last.fields.text("id") == Some(id);
            // Some servers repeat the name with each piece.
            let is_next = id.is_empty() && name.is_some() && last.has_all_arguments();
            return (is_same_id && !is_next).then(|| self.calls.len() - 1);
        };
        let with_index = |known: &CallPieces| known.index == Some(index);
        let position = self.calls.iter().rposition(with_index)?;
        let known = self.calls.get(position)?;
        let known_id = known.fields.text("id").unwrap_or_default();
        // Some servers send calls without ids and with one index.
        let has_ids = !id.is_empty() || !known_id.is_empty();
        if !has_ids && name.is_some() && name != known.function.text("name") {
            return (!known.has_all_arguments()).then_some(position);
        }
        if id.is_empty() || known_id.is_empty() || known_id == id {
            return Some(position);
        }
        let has_id = |known: &CallPieces| with_index(known) && known.fields.text("id") == Some(id);
        self.calls
            .iter()
            .rposition(has_id)
            .or_else(|| self.calls.get(position)?.continues_with_other_id(name).then_some(position))
    }

    fn add_call(&mut self, call: &RawValue) {
        let Some(call) = RawObject::parse(call) else { return };
        let index = index_field(&call, "index");
        let id = non_blank_field(&call, "id").unwrap_or_default();
        let function = object_field(&call, "function");
        let name = function.as_ref().and_then(|it| non_blank_field(it, "name"));
        let known = self.find_call(index, &id, name.as_deref()).unwrap_or_else(|| {
            let (fields, function) = (JoinedObject::default(), JoinedObject::default());
            self.calls.push(CallPieces { index, fields, function });
            self.calls.len() - 1
        });
        let Some(known) = self.calls.get_mut(known) else { return };
        for (name, value) in call.values() {
            match name {
                "index" | "function" => {}
                // Some servers repeat the id, or send another one with every piece.
                "id" => set_first_text(&mut known.fields, name, value),
                _ => known.fields.set(name, value),
            }
        }
        for (name, value) in function.iter().flat_map(RawObject::values) {
            match name {
                "name" => set_first_text(&mut known.function, name, value),
                _ => known.function.add(name, value),
            }
        }
    }
}

/// Sets a text, unless the field has one already.
fn set_first_text(object: &mut JoinedObject, name: &str, value: &RawValue) {
    if object.text(name).is_none_or(str::is_empty)
        && let Some(text) = read_text(value).ok()
    {
        object.set_text(name, &text);
    }
}

impl CallPieces {
    /// Returns whether a piece with the index of this call and another id belongs to it. Some
    /// servers use one index for all calls, and others send another id with every piece of a call.
    fn continues_with_other_id(&self, name: Option<&str>) -> bool {
        let is_begun = self.function.text("arguments").is_some_and(|json| !json.is_empty());
        let repeats_name = name == self.function.text("name");
        name.is_none() || repeats_name && is_begun && !self.has_all_arguments()
    }

    fn has_all_arguments(&self) -> bool {
        let arguments = self.function.text("arguments");
        arguments.is_none_or(|json| serde_json::from_str::<IgnoredAny>(json).is_ok())
    }

    fn take_json(&mut self) -> Option<Box<RawValue>> {
        self.fields.set("function", &self.function.to_json()?);
        self.fields.to_json()
    }
}

impl Assembler for ChunkAssembler {
    fn add(&mut self, event: &StreamEvent<'_>, text: &mut String) -> Result<EventOutcome, Error> {
        if event.data.trim() == "[DONE]" {
            self.is_done = true;
            return Ok(EventOutcome::Complete);
        }
        let chunk = event.fields()?;
        if let Some(body) = error_body(&chunk, event) {
            return Ok(EventOutcome::Failed(body));
        }
        for (name, value) in chunk.values() {
            match name {
                "choices" => {
                    let choices = list_items(Some(value)).unwrap_or_default();
                    for choice in choices.into_iter().filter_map(RawObject::parse) {
                        self.add_choice(&choice, text);
                    }
                }
                "object" => self.root.set_text(name, "chat.completion"),
                _ => self.root.set(name, value),
            }
        }
        // The token counts follow in a chunk of their own.
        Ok(if self.has_finish_reason { EventOutcome::Ending } else { EventOutcome::Open })
    }

    fn is_finished(&self) -> bool {
        self.is_finished
    }

    fn has_content(&self) -> bool {
        self.message.has_content() || !self.calls.is_empty() || !self.parts.is_empty()
    }

    fn size(&self) -> usize {
        let calls = self.calls.iter().map(|call| call.fields.size() + call.function.size() + 100);
        let parts = self.parts.iter().map(|part| part.get().len() + 50);
        let objects = self.root.size() + self.choice.size() + self.message.size();
        objects + calls.sum::<usize>() + parts.sum::<usize>()
    }

    fn body(&mut self) -> Option<Box<RawValue>> {
        // Some servers do not send `[DONE]`.
        if !self.is_done && !self.has_finish_reason {
            return None;
        }
        if !self.parts.is_empty() {
            let mut items = std::mem::take(&mut self.parts);
            let text = self.message.text("content").unwrap_or_default();
            items.push(to_raw_value(&json!({ "type": "text", "text": text })).ok()?);
            self.message.set_items("content", items);
        }
        if !self.calls.is_empty() {
            let calls = self.calls.iter_mut().filter_map(CallPieces::take_json).collect();
            self.message.set_items("tool_calls", calls);
        }
        let mut choices = Vec::new();
        let is_empty = [&self.choice, &self.message].into_iter().all(JoinedObject::is_empty);
        if !is_empty {
            self.choice.set("message", &self.message.to_json()?);
            choices.push(self.choice.to_json()?);
        }
        self.root.set_items("choices", choices);
        self.root.to_json()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::stream_fields;
    use crate::providers::openai_chat::quirks::{MISTRAL, OPENAI};

    #[test]
    fn only_servers_that_know_an_option_receive_it() {
        let usage = json!({"include_usage": true});
        let unpadded = json!({"include_usage": true, "include_obfuscation": false});
        for (api, base_url, expected) in [
            (&OPENAI, "https://api.openai.com/v1", Some(unpadded.clone())),
            (&OPENAI, "https://eu.api.openai.com/v1", Some(unpadded)),
            (&OPENAI, "http://localhost:8080/v1", Some(usage.clone())),
            (&OPENAI, "https://api.openai.com.example.com", Some(usage)),
            (&MISTRAL, "https://api.mistral.ai/v1", None),
        ] {
            let mut fields = stream_fields(api, base_url).into_iter();
            assert_eq!(fields.next(), Some(("stream", json!(true))));
            assert_eq!(fields.next().map(|(_, options)| options), expected, "{base_url}");
        }
    }
}
