//! Builds a reply from the events of a stream, or from the fields of a complete response.

use std::collections::HashSet;

use super::message::Part;
use super::raw_turn::RawTurn;
use super::reply::{Reply, StopReason};
use super::request::Chat;
use super::tools::ToolCall;
use super::usage::Usage;
use crate::error::{Error, ErrorKind};

/// A piece of a reply. A complete response consists of the same events as a stream.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ReplyEvent {
    /// The id that the provider assigned to the reply.
    Id(String),
    /// The name of the model that replies.
    Model(String),
    /// The next piece of the reply's text.
    Text(String),
    /// The next piece of a refusal, if the API has a separate field for refusals.
    Refusal(String),
    /// The begin of a tool call.
    ToolCall {
        /// The number with which the provider identifies the call in later events.
        index: usize,
        /// The call's id. If it is empty or the id of an earlier call, the builder creates one.
        id: String,
        /// The tool's name. A call with an empty name is skipped with a warning.
        name: String,
    },
    /// The next piece of a tool call's arguments.
    ToolArguments {
        /// The number of the call.
        index: usize,
        /// Serialized JSON, which may be cut anywhere.
        delta: String,
    },
    /// The turn as the provider sent it.
    RawTurn(RawTurn),
    /// Why the model stopped.
    Stop {
        /// The reason with the same meaning for all providers.
        reason: StopReason,
        /// The reason in the provider's own spelling, if the provider sent one.
        provider: Option<String>,
    },
    /// The provider's explanation of why the model stopped.
    StopDetails(String),
    /// The token counts so far. They replace earlier counts.
    Usage(Usage),
    /// A part of the response could not be read, but the rest is usable.
    Warning(String),
}

/// Builds a [`Reply`] from its events.
#[derive(Debug)]
pub struct ReplyBuilder {
    reply: Reply,
    /// The calls so far, each as its index in events and its position in `reply.parts`. A call
    /// that was skipped has no position.
    calls: Vec<(usize, Option<usize>)>,
    /// The ids of the calls. A reply can have too many calls to compare each with all others.
    ids: HashSet<String>,
    /// The number in the next id that the builder creates.
    next_id: usize,
}

impl ReplyBuilder {
    /// Creates a builder for the reply to a chat.
    pub fn new(chat: &Chat) -> Self {
        let reply = Reply {
            parts: Vec::new(),
            refusal: None,
            raw: None,
            stop_reason: StopReason::Other,
            provider_stop_reason: None,
            stop_details: None,
            usage: Usage::default(),
            model: None,
            id: None,
            warnings: Vec::new(),
        };
        let next_id = if chat.tools.is_empty() { 0 } else { first_unused_id(chat) };
        ReplyBuilder { reply, calls: Vec::new(), ids: HashSet::new(), next_id }
    }

    /// Adds the next event.
    ///
    /// # Errors
    /// `ProviderUnavailable` if the event continues a tool call that has not begun.
    pub fn push(&mut self, event: ReplyEvent) -> Result<(), Error> {
        let reply = &mut self.reply;
        match event {
            ReplyEvent::Id(id) => reply.id = non_blank(id),
            ReplyEvent::Model(model) => reply.model = non_blank(model),
            ReplyEvent::Text(text) => match reply.parts.last_mut() {
                _ if text.is_empty() => {}
                Some(Part::Text(last)) => last.push_str(&text),
                _ => reply.parts.push(Part::Text(text)),
            },
            ReplyEvent::Refusal(text) => match &mut reply.refusal {
                Some(refusal) => refusal.push_str(&text),
                None => reply.refusal = Some(text),
            },
            ReplyEvent::ToolCall { index, id, name } => {
                self.begin_call(index, ToolCall { id, name, arguments: String::new() });
            }
            ReplyEvent::ToolArguments { index, delta } => self.add_arguments(index, delta)?,
            ReplyEvent::RawTurn(raw) => reply.raw = Some(raw),
            ReplyEvent::Stop { reason, provider } => {
                reply.stop_reason = reason;
                reply.provider_stop_reason = provider.and_then(non_blank);
            }
            ReplyEvent::StopDetails(details) => reply.stop_details = non_blank(details),
            ReplyEvent::Usage(usage) => reply.usage = usage,
            ReplyEvent::Warning(warning) => self.warn(warning),
        }
        Ok(())
    }

    /// Adds the next event, if there is one.
    ///
    /// # Errors
    /// The same as of [`ReplyBuilder::push`].
    pub(crate) fn push_some(&mut self, event: Option<ReplyEvent>) -> Result<(), Error> {
        event.map_or(Ok(()), |event| self.push(event))
    }

    /// Adds a complete tool call. Returns whether the call has the id that the provider sent.
    pub(crate) fn push_call(&mut self, id: String, name: String, arguments: String) -> bool {
        self.begin_call(self.calls.len(), ToolCall { id, name, arguments })
    }

    /// Returns the tool call that was added last, with the id that it has in the reply.
    pub(crate) fn last_call(&self) -> Option<&ToolCall> {
        self.reply.tool_calls().last()
    }

    /// Returns the reply.
    pub fn finish(self) -> Reply {
        let mut reply = self.reply;
        reply.refusal = reply.refusal.and_then(non_blank);
        let has_calls = reply.tool_calls().next().is_some();
        reply.stop_reason = match reply.stop_reason {
            // Some providers report a normal end for a refusal or a tool call.
            _ if reply.refusal.is_some() => StopReason::Refusal,
            StopReason::Stop if has_calls => StopReason::ToolCalls,
            // Some servers report no reason for a complete reply.
            StopReason::Other if has_calls && reply.provider_stop_reason.is_none() => {
                StopReason::ToolCalls
            }
            // All calls were skipped.
            StopReason::ToolCalls if !has_calls => StopReason::Stop,
            reason => reason,
        };
        reply
    }

    /// Adds a warning that a part of the reply was skipped.
    pub(crate) fn warn_skipped(&mut self, part: &str) {
        self.warn(format!("the reply contains {part}, which was skipped"));
    }

    /// Adds a warning once. A warning can be much longer than the part that causes it, so their
    /// number is limited.
    fn warn(&mut self, warning: String) {
        let warnings = &mut self.reply.warnings;
        if warnings.len() < MAX_WARNINGS && !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    fn begin_call(&mut self, index: usize, mut call: ToolCall) -> bool {
        // No provider accepts such a call when it is sent back.
        if call.name.is_empty() {
            self.warn_skipped("a tool call without a name");
            self.calls.push((index, None));
            return false;
        }
        let mut keeps_id = true;
        while call.id.is_empty() || !self.ids.insert(call.id.clone()) {
            keeps_id = false;
            call.id = format!("{ID_PREFIX}{}", self.next_id);
            self.next_id += 1;
        }
        self.calls.push((index, Some(self.reply.parts.len())));
        self.reply.parts.push(Part::ToolCall(call));
        keeps_id
    }

    fn add_arguments(&mut self, index: usize, delta: String) -> Result<(), Error> {
        let Some((_, position)) = self.calls.iter().rev().find(|(known, _)| *known == index) else {
            let message = format!("the reply continues the tool call {index} before its begin");
            return Err(Error::new(ErrorKind::ProviderUnavailable, message));
        };
        let part = position.and_then(|position| self.reply.parts.get_mut(position));
        if let Some(Part::ToolCall(call)) = part {
            call.arguments.push_str(&delta);
        }
        Ok(())
    }
}

/// Returns the text, or `None` if it is blank. Gateways written in Go and Java send an empty string
/// for a field that the provider omitted.
fn non_blank(text: String) -> Option<String> {
    (!text.trim().is_empty()).then_some(text)
}

/// Maximum number of warnings about a reply.
const MAX_WARNINGS: usize = 100;

/// The beginning of the ids that this crate creates for calls without an id.
const ID_PREFIX: &str = "call_";

/// Returns the first number whose id, and all ids after it, no call in the chat has.
fn first_unused_id(chat: &Chat) -> usize {
    let calls = chat.messages.iter().flat_map(|message| message.tool_calls());
    let numbers = calls.filter_map(|call| call.id.strip_prefix(ID_PREFIX)?.parse().ok());
    numbers.max().map_or(0, |number: usize| number.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ReplyBuilder, ReplyEvent};
    use crate::chat::{Chat, Message, Part, Role, StopReason, Tool, ToolCall};

    fn chat_with_tools(messages: Vec<Message>) -> Chat {
        let tools = vec![Tool::new("get_rate", json!({"type": "object"}))];
        Chat { tools, ..Chat::new("m", messages) }
    }

    fn stop() -> ReplyEvent {
        ReplyEvent::Stop { reason: StopReason::Stop, provider: Some("stop".to_owned()) }
    }

    fn call(index: usize, id: &str) -> ReplyEvent {
        ReplyEvent::ToolCall { index, id: id.to_owned(), name: "get_rate".to_owned() }
    }

    fn arguments(index: usize, delta: &str) -> ReplyEvent {
        ReplyEvent::ToolArguments { index, delta: delta.to_owned() }
    }

    #[test]
    fn pieces_of_texts_and_calls_are_joined_in_order() {
        let mut builder = ReplyBuilder::new(&Chat::new("m", Vec::new()));
        for event in [
            ReplyEvent::Id("r1".to_owned()),
            ReplyEvent::Text("I'll ".to_owned()),
            ReplyEvent::Text("look.".to_owned()),
            call(1, "a"),
            call(2, "b"),
            arguments(1, r#"{"cur":"#),
            arguments(2, "{}"),
            arguments(1, r#""EUR"}"#),
            ReplyEvent::Text("Done".to_owned()),
            stop(),
        ] {
            builder.push(event).unwrap();
        }
        let reply = builder.finish();
        let expected = [
            Part::Text("I'll look.".to_owned()),
            Part::ToolCall(ToolCall::new("a", "get_rate", r#"{"cur":"EUR"}"#)),
            Part::ToolCall(ToolCall::new("b", "get_rate", "{}")),
            Part::Text("Done".to_owned()),
        ];
        assert_eq!(reply.parts, expected);
        assert_eq!(reply.text(), "I'll look.Done");
        assert_eq!(reply.stop_reason, StopReason::ToolCalls);
        assert_eq!(reply.provider_stop_reason.as_deref(), Some("stop"));
        let message = reply.to_message();
        assert_eq!((message.role, message.parts), (Role::Assistant, expected.to_vec()));
    }

    #[test]
    fn refusal_is_the_stop_reason_and_the_message() {
        let mut builder = ReplyBuilder::new(&Chat::new("m", Vec::new()));
        for text in ["I ", "can't."] {
            builder.push(ReplyEvent::Refusal(text.to_owned())).unwrap();
        }
        builder.push(stop()).unwrap();
        let reply = builder.finish();
        assert_eq!(reply.refusal.as_deref(), Some("I can't."));
        assert_eq!((reply.stop_reason, reply.text()), (StopReason::Refusal, String::new()));
        assert_eq!(reply.to_message(), Message::text(Role::Assistant, "I can't."));
    }

    #[test]
    fn blank_fields_are_missing() {
        let mut builder = ReplyBuilder::new(&Chat::new("m", Vec::new()));
        let blank = || " ".to_owned();
        for event in [
            ReplyEvent::Id(blank()),
            ReplyEvent::Model(blank()),
            ReplyEvent::Text("Hi".to_owned()),
            ReplyEvent::Refusal(String::new()),
            ReplyEvent::Stop { reason: StopReason::Other, provider: Some(blank()) },
            ReplyEvent::StopDetails(blank()),
        ] {
            builder.push(event).unwrap();
        }
        let reply = builder.finish();
        assert_eq!((reply.id, reply.model, reply.refusal), (None, None, None));
        assert_eq!((reply.provider_stop_reason, reply.stop_details), (None, None));
        assert_eq!(reply.stop_reason, StopReason::Other);
    }

    #[test]
    fn repeated_ids_are_replaced() {
        let mut builder = ReplyBuilder::new(&Chat::new("m", Vec::new()));
        let sent = ["a", "a", "call_0", ""];
        let kept: Vec<bool> = sent
            .into_iter()
            .map(|id| builder.push_call(id.to_owned(), "f".to_owned(), String::new()))
            .collect();
        assert_eq!(kept, [true, false, false, false]);
        let reply = builder.finish();
        let ids: Vec<&str> = reply.tool_calls().map(|call| call.id.as_str()).collect();
        assert_eq!(ids, ["a", "call_0", "call_1", "call_2"]);
    }

    #[test]
    fn calls_without_an_id_get_one_that_is_unused() {
        let history = ["call_1", "call_7", "call_abc", "toolu_9"]
            .map(|id| Part::ToolCall(ToolCall::new(id, "get_rate", "{}")));
        let chat = chat_with_tools(vec![Message::new(Role::Assistant, history.to_vec())]);
        for (chat, expected) in
            [(chat, ["call_8", "call_9"]), (chat_with_tools(Vec::new()), ["call_0", "call_1"])]
        {
            let mut builder = ReplyBuilder::new(&chat);
            builder.push(call(0, "")).unwrap();
            builder.push(call(1, "")).unwrap();
            let reply = builder.finish();
            let ids: Vec<&str> = reply.tool_calls().map(|call| call.id.as_str()).collect();
            assert_eq!(ids, expected);
        }
    }

    #[test]
    fn calls_without_a_name_are_skipped_with_a_warning() {
        let mut builder = ReplyBuilder::new(&Chat::new("m", Vec::new()));
        let nameless = ReplyEvent::ToolCall { index: 0, id: "a".to_owned(), name: String::new() };
        let reason = ReplyEvent::Stop { reason: StopReason::ToolCalls, provider: None };
        for event in [ReplyEvent::Text("Hi".to_owned()), nameless, arguments(0, "{}"), reason] {
            builder.push(event).unwrap();
        }
        let reply = builder.finish();
        assert_eq!(reply.parts, [Part::Text("Hi".to_owned())]);
        assert_eq!(reply.stop_reason, StopReason::Stop);
        assert_eq!(
            reply.warnings,
            ["the reply contains a tool call without a name, which was skipped"]
        );
    }

    #[test]
    fn many_calls_and_warnings_take_little_time_and_memory() {
        let mut builder = ReplyBuilder::new(&Chat::new("m", Vec::new()));
        for index in 0..200_000 {
            builder.push(call(index, "a")).unwrap();
            builder.warn_skipped("an unreadable part");
            builder.push(ReplyEvent::Warning(index.to_string())).unwrap();
        }
        let reply = builder.finish();
        assert_eq!((reply.parts.len(), reply.warnings.len()), (200_000, 100));
        assert_eq!(reply.tool_calls().last().unwrap().id, "call_199998");
    }

    #[test]
    fn arguments_before_their_call_are_an_error() {
        let mut builder = ReplyBuilder::new(&Chat::new("m", Vec::new()));
        builder.push(call(0, "a")).unwrap();
        let error = builder.push(arguments(1, "{}")).unwrap_err();
        assert_eq!(error.message(), "the reply continues the tool call 1 before its begin");
    }
}
