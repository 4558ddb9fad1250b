//! Parses the response bodies of Ollama's chat API.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::tools;
use crate::chat::{Chat, Reply, ReplyBuilder, ReplyEvent, StopReason, Usage};
use crate::error::Error;
use crate::providers::call_arguments::is_object;
use crate::providers::failure;
use crate::providers::function_calls::{FunctionCall, read_calls};
use crate::providers::lenient::{Lenient, count, incomplete, text};
use crate::wire::WireReply;

#[derive(Deserialize)]
struct ChatResponse<'a> {
    #[serde(default)]
    model: Lenient<String>,
    #[serde(borrow)]
    message: &'a RawValue,
    #[serde(default)]
    done_reason: Lenient<String>,
    #[serde(default, deserialize_with = "count")]
    prompt_eval_count: u64,
    #[serde(default, deserialize_with = "count")]
    eval_count: u64,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(default, deserialize_with = "text")]
    content: Lenient<String>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
}

/// The name of the response body in errors.
const EXPECTED: &str = "an Ollama chat response";

/// Parses a successful response to the request for `chat`.
///
/// # Errors
/// `ProviderUnavailable` if the body is not a chat response.
pub(super) fn read_reply(wire: &WireReply, chat: &Chat) -> Result<Reply, Error> {
    let response: ChatResponse<'_> = serde_json::from_slice(&wire.body)
        .map_err(|error| failure::unreadable(EXPECTED, &error))?;
    let message: Message<'_> = serde_json::from_str(response.message.get())
        .map_err(|_| incomplete(EXPECTED, "message"))?;
    let mut builder = ReplyBuilder::new(chat);
    builder.push_some(response.model.ok().map(ReplyEvent::Model))?;
    let mut can_replay = true;
    match message.content {
        Lenient::Value(text) => builder.push(ReplyEvent::Text(text))?,
        Lenient::Missing => {}
        Lenient::Unreadable => {
            can_replay = false;
            builder.warn_skipped("an unreadable text");
        }
    }
    can_replay &= read_calls(&mut builder, message.tool_calls, push_call);
    let provider = response.done_reason.ok();
    let reason = match provider.as_deref() {
        Some("stop") => StopReason::Stop,
        Some("length") => StopReason::Length,
        // Ollama sends `load` and `unload` if the request contains no messages.
        _ => StopReason::Other,
    };
    builder.push(ReplyEvent::Stop { reason, provider })?;
    let usage = Usage {
        input_tokens: response.prompt_eval_count,
        output_tokens: response.eval_count,
        ..Usage::default()
    };
    builder.push(ReplyEvent::Usage(usage.with_total()))?;
    let mut reply = builder.finish();
    // Only conversations with tools need the turn again, so others do not pay for it.
    if !chat.tools.is_empty() && can_replay {
        reply.raw = tools::raw_turn(response.message, chat, &reply);
    }
    Ok(reply)
}

/// Adds a tool call to the reply. Returns whether the API accepts it when it is sent back.
fn push_call(builder: &mut ReplyBuilder, call: FunctionCall<'_>) -> bool {
    let can_replay = !call.name.is_empty() && call.arguments.is_none_or(is_object);
    let arguments = call.arguments.map_or("{}", RawValue::get).to_owned();
    builder.push_call(call.id, call.name, arguments);
    can_replay
}
