//! Parses the response bodies of Ollama's chat API.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::tools;
use crate::chat::{Chat, Reply, ReplyBuilder, ReplyEvent, StopReason, Usage};
use crate::error::Error;
use crate::providers::failure::{self, Failure};
use crate::wire::WireReply;

#[derive(Deserialize)]
struct ChatResponse {
    model: Option<String>,
    message: Message,
    done_reason: Option<String>,
    prompt_eval_count: Option<u64>,
    eval_count: Option<u64>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    tool_calls: Option<Vec<ToolCall>>,
}

#[derive(Deserialize)]
struct ToolCall {
    id: Option<String>,
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    arguments: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct ErrorResponse {
    error: String,
}

/// Parses a successful response to the request for `chat`.
///
/// # Errors
/// `ProviderUnavailable` if the body is not a chat response.
pub(super) fn read_reply(wire: &WireReply, chat: &Chat) -> Result<Reply, Error> {
    let response: ChatResponse = serde_json::from_slice(&wire.body)
        .map_err(|error| failure::unreadable("an Ollama chat response", &error))?;
    let mut builder = ReplyBuilder::new(chat);
    builder.push_some(response.model.map(ReplyEvent::Model))?;
    builder.push_some(response.message.content.map(ReplyEvent::Text))?;
    for call in response.message.tool_calls.unwrap_or_default() {
        let Function { name, arguments } = call.function;
        let arguments = arguments.map_or_else(|| "{}".to_owned(), |json| json.get().to_owned());
        builder.push_call(call.id.unwrap_or_default(), name, arguments);
    }
    let reason = match response.done_reason.as_deref() {
        Some("stop") => StopReason::Stop,
        Some("length") => StopReason::Length,
        // Ollama sends `load` and `unload` if the request contains no messages.
        _ => StopReason::Other,
    };
    builder.push(ReplyEvent::Stop { reason, provider: response.done_reason })?;
    let usage = Usage {
        input_tokens: response.prompt_eval_count.unwrap_or(0),
        output_tokens: response.eval_count.unwrap_or(0),
        ..Usage::default()
    };
    builder.push(ReplyEvent::Usage(usage.with_total()))?;
    let mut reply = builder.finish();
    // Only conversations with tools need the turn again, so others do not pay for it.
    if !chat.tools.is_empty() {
        reply.raw = tools::raw_turn(&wire.body, chat, &reply);
    }
    Ok(reply)
}

/// Parses an error response. Ollama itself sends `{"error": "text"}`, but a gateway in front of it
/// may send the format that most providers share.
pub(super) fn read_failure(wire: &WireReply) -> Failure {
    let failure = failure::read_failure(wire);
    match serde_json::from_slice::<ErrorResponse>(&wire.body) {
        Ok(ErrorResponse { error }) => Failure { message: error, ..failure },
        Err(_) => failure,
    }
}
