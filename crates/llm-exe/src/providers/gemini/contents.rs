//! Builds the contents of a Gemini request from the messages.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::models::GeminiModel;
use super::raw_content::{MODEL_ROLE, NAME, RawContent};
use super::tools;
use crate::chat::{Chat, Media, Message, Part, Role};
use crate::error::{Error, ErrorKind};
use crate::providers::data_url::{image_path, parse_image};
use crate::providers::open_calls::OpenCalls;
use crate::wire::BodyItem;

const IMAGE_FORMATS: &[&str] = &["jpeg", "png", "webp", "heic", "heif"];

/// The name of the body field that contains the contents.
pub(super) const CONTENTS: &str = "contents";

/// Returns a body with `systemInstruction` and a place for the contents, and the contents.
/// Consecutive messages with the same role are merged.
///
/// # Errors
/// `InvalidRequest` if an image is not a `data:` URL of a supported format.
pub(super) fn build_contents(
    chat: &Chat,
    model: GeminiModel,
) -> Result<(Map<String, Value>, Vec<BodyItem>), Error> {
    let mut body = Map::new();
    let first_system = chat.messages.iter().position(|message| message.role == Role::System);
    let first_system = first_system.filter(|_| model.system);
    if let Some(system) = first_system.and_then(|index| chat.messages.get(index)) {
        let parts = json!([{ "text": system.joined_text() }]);
        body.insert("systemInstruction".to_owned(), json!({ "parts": parts }));
    }
    let mut contents = Contents::new(chat, model);
    for (index, message) in chat.messages.iter().enumerate() {
        if Some(index) != first_system {
            contents.add(message, index)?;
        }
    }
    body.insert(CONTENTS.to_owned(), Value::Null);
    Ok((body, contents.finish()))
}

/// The contents so far.
struct Contents<'a> {
    chat: &'a Chat,
    model: GeminiModel,
    turns: Vec<Turn>,
    /// The calls of the latest assistant message.
    calls: OpenCalls<'a>,
}

/// A content, to which messages with the same role can be added.
struct Turn {
    role: &'static str,
    /// The results, each with the position of its call. They are before the other parts.
    results: Vec<(usize, Value)>,
    body: TurnBody,
}

enum TurnBody {
    Parts(Vec<BodyItem>),
    /// The JSON of a content, of which at least one part must not change.
    Raw(Box<RawValue>),
}

impl<'a> Contents<'a> {
    fn new(chat: &'a Chat, model: GeminiModel) -> Self {
        let turns = Vec::with_capacity(chat.messages.len());
        Contents { chat, model, turns, calls: OpenCalls::default() }
    }

    fn add(&mut self, message: &'a Message, index: usize) -> Result<(), Error> {
        let role = match message.role {
            Role::Assistant => MODEL_ROLE,
            // `contents` has no system role, so system messages that are not in `systemInstruction`
            // are sent as user messages.
            Role::System | Role::User => "user",
        };
        let raw = message.raw.as_ref().filter(|raw| raw.fits(NAME, &self.chat.model));
        if message.role == Role::Assistant {
            self.calls = OpenCalls::new(message, raw.is_some_and(tools::raw_lacks_ids));
        }
        let mut turn = Turn { role, results: Vec::new(), body: TurnBody::Parts(Vec::new()) };
        match raw {
            Some(raw) => turn.body = TurnBody::Raw(raw.json.clone()),
            None => self.add_parts(&mut turn, message, index)?,
        }
        match self.turns.last_mut() {
            // The API rejects a content without parts, such as an empty reply.
            _ if turn.is_empty() => {}
            Some(last) if last.role == role => last.append(turn)?,
            _ => self.turns.push(turn),
        }
        Ok(())
    }

    fn add_parts(&self, turn: &mut Turn, message: &Message, index: usize) -> Result<(), Error> {
        let mut parts = Vec::new();
        let mut needs_signature = self.model.signed_calls;
        for (part_index, part) in message.parts.iter().enumerate() {
            match part {
                Part::Text(text) => parts.push(BodyItem::Value(json!({ "text": text }))),
                Part::Media(Media { url }) => {
                    let path = || image_path(index, part_index);
                    let (media_type, data) = parse_image(url, IMAGE_FORMATS, path)?;
                    let data = json!({ "mimeType": media_type, "data": data });
                    parts.push(BodyItem::Value(json!({ "inlineData": data })));
                }
                Part::ToolCall(call) => {
                    parts.push(tools::call_part(call, needs_signature));
                    needs_signature = false;
                }
                Part::ToolResult(result) => {
                    let part = tools::result_part(result, self.calls.result_id(result));
                    turn.results.push((self.calls.position(result), part));
                }
            }
        }
        turn.body = TurnBody::Parts(parts);
        Ok(())
    }

    fn finish(self) -> Vec<BodyItem> {
        self.turns.into_iter().map(Turn::into_item).collect()
    }
}

impl Turn {
    fn is_empty(&self) -> bool {
        let has_parts = !matches!(&self.body, TurnBody::Parts(parts) if parts.is_empty());
        !has_parts && self.results.is_empty()
    }

    fn append(&mut self, next: Turn) -> Result<(), Error> {
        self.results.extend(next.results);
        match (&mut self.body, next.body) {
            (TurnBody::Parts(parts), TurnBody::Parts(next)) => append_parts(parts, next),
            (last, next) => {
                let last = std::mem::replace(last, TurnBody::Parts(Vec::new()));
                let json = join(self.role, [last, next]).map_err(|error| {
                    let message = format!("a turn of the model is not a Gemini content: {error}");
                    Error::new(ErrorKind::InvalidRequest, message)
                })?;
                self.body = TurnBody::Raw(json);
            }
        }
        Ok(())
    }

    fn into_item(mut self) -> BodyItem {
        let mut parts = match self.body {
            TurnBody::Parts(parts) => parts,
            TurnBody::Raw(json) => return BodyItem::Raw(json),
        };
        if !self.results.is_empty() {
            self.results.sort_by_key(|(position, _)| *position);
            let results = self.results.into_iter().map(|(_, part)| BodyItem::Value(part));
            parts = results.chain(parts).collect();
        }
        BodyItem::object(json!({ "role": self.role }), "parts", BodyItem::List(parts))
    }
}

/// Joins two turns of the same role, and keeps the bytes of their parts. The API rejects a content
/// with calls directly after another content of the model.
fn join(role: &str, turns: [TurnBody; 2]) -> Result<Box<RawValue>, serde_json::Error> {
    let mut joined = RawContent { role: role.to_owned(), parts: Vec::new() };
    for turn in turns {
        match turn {
            TurnBody::Parts(parts) => {
                for part in &parts {
                    joined.parts.push(to_raw_value(part)?);
                }
            }
            TurnBody::Raw(json) => {
                let content: RawContent = serde_json::from_str(json.get())?;
                joined.parts.extend(content.parts);
            }
        }
    }
    to_raw_value(&joined)
}

/// Appends a message's parts to those of the previous message. Two texts at the boundary are joined
/// with a blank line, because the API is not documented to separate parts.
fn append_parts(content: &mut Vec<BodyItem>, parts: Vec<BodyItem>) {
    let mut parts = parts.into_iter().peekable();
    if let (Some(BodyItem::Value(last)), Some(BodyItem::Value(next))) =
        (content.last_mut(), parts.peek())
        && let Some(Value::String(last_text)) = last.get_mut("text")
        && let Some(text) = next.get("text").and_then(Value::as_str)
    {
        last_text.push_str("\n\n");
        last_text.push_str(text);
        parts.next();
    }
    content.extend(parts);
}
