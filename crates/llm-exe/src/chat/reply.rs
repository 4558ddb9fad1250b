//! The reply of a model.

use super::message::{Message, Part, Role};
use super::named_enum::named_enum;
use super::raw_turn::RawTurn;
use super::tools::ToolCall;
use super::usage::Usage;

named_enum! {
    /// Why the model stopped generating, with the same meaning for all providers.
    pub enum StopReason {
        /// The model finished its reply.
        Stop = "stop",
        /// The reply reached `maxTokens` or the end of the context window. The arguments of its
        /// last tool call may be incomplete, so the call must not be run.
        Length = "length",
        /// The model requested one or more tool calls.
        ToolCalls = "toolCalls",
        /// The model refused the request.
        Refusal = "refusal",
        /// The provider's safety filter stopped the reply.
        ContentFilter = "contentFilter",
        /// The provider paused a long reply, so the reply is incomplete.
        Pause = "pause",
        /// Any other reason; see [`Reply::provider_stop_reason`].
        Other = "other",
    }
}

/// A model's reply in provider-independent form, which a [`ReplyBuilder`](super::ReplyBuilder)
/// creates.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Reply {
    /// The texts and tool calls of the reply, in order.
    pub parts: Vec<Part>,
    /// The text of a refusal, if the API has a separate field for refusals.
    pub refusal: Option<String>,
    /// The turn as the provider sent it, if it may be needed in a later request.
    pub raw: Option<RawTurn>,
    /// Why the model stopped generating.
    pub stop_reason: StopReason,
    /// The stop reason in the provider's own spelling.
    pub provider_stop_reason: Option<String>,
    /// The provider's explanation of why the model stopped, such as the category of a refusal. It
    /// may quote the reply.
    pub stop_details: Option<String>,
    /// The token counts of this call.
    pub usage: Usage,
    /// The name of the model that replied, as reported by the provider.
    pub model: Option<String>,
    /// The id that the provider assigned to the reply.
    pub id: Option<String>,
    /// Warnings about parts of the response that were skipped, such as a tool call without a name.
    pub warnings: Vec<String>,
}

impl Reply {
    /// Creates a reply that consists of a text and ended normally. A dialect then sets the other
    /// fields that the response contains, such as `usage`, or the `stop_reason` if the text can be
    /// incomplete.
    pub fn from_text(text: impl Into<String>) -> Self {
        Reply {
            parts: vec![Part::Text(text.into())],
            refusal: None,
            raw: None,
            stop_reason: StopReason::Stop,
            provider_stop_reason: None,
            stop_details: None,
            usage: Usage::default(),
            model: None,
            id: None,
            warnings: Vec::new(),
        }
    }

    /// Returns the concatenated text parts.
    pub fn text(&self) -> String {
        self.parts
            .iter()
            .filter_map(|part| match part {
                Part::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// Returns the tool calls in order.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.parts.iter().filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        })
    }

    /// Returns the arguments of the first call to `tool`, if any.
    pub fn tool_arguments(&self, tool: &str) -> Option<&str> {
        self.tool_calls().find(|call| call.name == tool).map(|call| call.arguments.as_str())
    }

    /// Returns the reply as an assistant message for the next request of the conversation.
    pub fn to_message(&self) -> Message {
        let mut parts = self.parts.clone();
        if parts.is_empty() {
            parts.extend(self.refusal.clone().map(Part::Text));
        }
        Message::new(Role::Assistant, parts).with_raw(self.raw.clone())
    }
}
