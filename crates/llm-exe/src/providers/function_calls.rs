//! Reads tool calls in the form of OpenAI's chat completions, which Ollama uses too.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lenient::{Lenient, list_items};
use crate::chat::ReplyBuilder;

#[derive(Deserialize)]
struct WireToolCall<'a> {
    #[serde(default)]
    id: Lenient<String>,
    #[serde(borrow)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(default)]
    name: Lenient<String>,
    /// A string with JSON from OpenAI, an object from Ollama. Some servers send the other form.
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

/// A tool call of a message. A part that is missing or unreadable is empty.
pub(super) struct FunctionCall<'a> {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: Option<&'a RawValue>,
}

/// Passes each readable call of a message to `push`, which adds it to the reply and returns whether
/// the API accepts it when it is sent back. Returns whether the API accepts all calls of the
/// message.
pub(super) fn read_calls(
    builder: &mut ReplyBuilder,
    calls: Option<&RawValue>,
    push: impl Fn(&mut ReplyBuilder, FunctionCall<'_>) -> bool,
) -> bool {
    let Some(calls) = list_items(calls) else {
        builder.warn_skipped("an unreadable list of tool calls");
        return false;
    };
    let mut can_replay = true;
    for call in calls {
        match serde_json::from_str::<WireToolCall<'_>>(call.get()) {
            Ok(WireToolCall { id, function: Some(Function { name, arguments }) }) => {
                let (id, name) = (id.ok().unwrap_or_default(), name.ok().unwrap_or_default());
                can_replay &= push(builder, FunctionCall { id, name, arguments });
            }
            Ok(WireToolCall { function: None, .. }) | Err(_) => {
                can_replay = false;
                builder.warn_skipped("an unreadable tool call");
            }
        }
    }
    can_replay
}
