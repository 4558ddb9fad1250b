//! A message of a conversation and its parts.

use serde::{Deserialize, Serialize};

use super::named_enum::named_enum;
use super::raw_turn::RawTurn;
use super::tools::{ToolCall, ToolResult};

named_enum! {
    /// The author of a message.
    pub enum Role {
        /// The author of the prompt, who instructs the model.
        System = "system",
        /// The end user. Results of tools are in user messages.
        User = "user",
        /// The model.
        Assistant = "assistant",
    }
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Part {
    /// The text after template rendering.
    Text(String),
    /// An image.
    #[serde(rename = "image")]
    Media(Media),
    /// A tool call that the model requested. Only assistant messages contain tool calls.
    ToolCall(ToolCall),
    /// The result of a tool call. Only user messages contain results.
    ToolResult(ToolResult),
}

/// An image, given by an `https:` or `data:` URL. This crate never fetches the URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Media {
    /// The URL after template rendering.
    pub url: String,
}

impl Media {
    /// Creates an image from its `https:` or `data:` URL.
    pub fn new(url: impl Into<String>) -> Self {
        Media { url: url.into() }
    }
}

/// A message after template rendering.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Message {
    /// The author of the message.
    pub role: Role,
    /// The parts of the message, in order. Never empty in a rendered message.
    #[serde(rename = "content")]
    pub parts: Vec<Part>,
    /// The same turn as the provider sent it, if the message is an assistant message from a reply.
    /// It replaces `parts` in a request to the same model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<RawTurn>,
}

impl Message {
    /// Creates a message from its parts.
    pub fn new(role: Role, parts: Vec<Part>) -> Self {
        Message { role, parts, raw: None }
    }

    /// Creates a message with a single text part.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Message::new(role, vec![Part::Text(text.into())])
    }

    /// Creates the user message that contains the results of tool calls.
    pub fn tool_results(results: impl IntoIterator<Item = ToolResult>) -> Self {
        Message::new(Role::User, results.into_iter().map(Part::ToolResult).collect())
    }

    /// Sets the turn as the provider sent it.
    #[must_use]
    pub fn with_raw(self, raw: Option<RawTurn>) -> Self {
        Message { raw, ..self }
    }

    /// Returns the text parts, joined with newlines. Other parts are skipped.
    pub fn joined_text(&self) -> String {
        let texts: Vec<&str> = self
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::Text(text) => Some(text.as_str()),
                Part::Media(_) | Part::ToolCall(_) | Part::ToolResult(_) => None,
            })
            .collect();
        texts.join("\n")
    }

    /// Returns the size of the parts and of the turn as the provider sent it, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let parts = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.len(),
            Part::Media(media) => media.url.len(),
            Part::ToolCall(call) => call.arguments.len(),
            Part::ToolResult(result) => result.content.to_text().len(),
        });
        let raw = self.raw.as_ref().map_or(0, |raw| raw.json.get().len());
        raw + parts.sum::<usize>()
    }

    /// Returns the tool calls in order.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.parts.iter().filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Media, Message, Part, Role};

    #[test]
    fn serialized_form_does_not_depend_on_the_field_names() {
        let parts = vec![Part::Text("Hi".to_owned()), Part::Media(Media::new("https://a.b/c"))];
        let message = Message::new(Role::User, parts);
        let expected = json!({"role": "user", "content": [{"text": "Hi"}, {"image": {"url": "https://a.b/c"}}]});
        assert_eq!(serde_json::to_value(message).unwrap(), expected);
    }
}
