//! Parses the response bodies of Ollama's chat API.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::{Reply, ReplyPart, StopReason, Usage};
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
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    arguments: Box<RawValue>,
}

#[derive(Deserialize)]
struct ErrorResponse {
    error: String,
}

/// Parses a chat response.
///
/// # Errors
/// `ProviderUnavailable` if the body is not a chat response.
pub(super) fn read_reply(wire: &WireReply) -> Result<Reply, Error> {
    let response: ChatResponse = serde_json::from_slice(&wire.body)
        .map_err(|error| failure::unreadable("an Ollama chat response", &error))?;
    let mut content = Vec::new();
    content.extend(response.message.content.filter(|text| !text.is_empty()).map(ReplyPart::Text));
    for call in response.message.tool_calls.unwrap_or_default() {
        let Function { name, arguments } = call.function;
        content.push(ReplyPart::ToolCall { name, arguments: arguments.get().to_owned() });
    }
    let has_calls = content.iter().any(|part| matches!(part, ReplyPart::ToolCall { .. }));
    Ok(Reply {
        stop_reason: match response.done_reason.as_deref() {
            Some("stop") if has_calls => StopReason::ToolCalls,
            Some("stop") => StopReason::Stop,
            Some("length") => StopReason::Length,
            // Ollama sends `load` and `unload` if the request contains no messages.
            _ => StopReason::Other,
        },
        provider_stop_reason: response.done_reason,
        content,
        usage: Usage {
            input_tokens: response.prompt_eval_count.unwrap_or(0),
            output_tokens: response.eval_count.unwrap_or(0),
            ..Usage::default()
        }
        .with_total(),
        model: response.model,
        id: None,
    })
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
