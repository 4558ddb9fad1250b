//! What Converse answers.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::failure;
use crate::chat::{Reply, ReplyPart, StopReason, Usage};
use crate::error::Error;
use crate::wire::WireReply;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    output: Output,
    stop_reason: Option<String>,
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct Output {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: Vec<Block>,
}

/// One of these is there; reasoning and kinds to come are the provider's own business.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    text: Option<String>,
    tool_use: Option<ToolUse>,
}

#[derive(Deserialize)]
struct ToolUse {
    name: String,
    input: Option<Box<RawValue>>,
}

/// The API's own numbers: `inputTokens` leaves out what was read from or written to a cache, and
/// `outputTokens` holds reasoning, which is not told apart.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct WireUsage {
    input_tokens: u64,
    output_tokens: u64,
    cache_read_input_tokens: Option<u64>,
    cache_write_input_tokens: Option<u64>,
}

impl WireUsage {
    fn buckets(self) -> Usage {
        Usage {
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cached_input_tokens: self.cache_read_input_tokens.unwrap_or(0),
            cache_write_tokens: self.cache_write_input_tokens.unwrap_or(0),
            ..Usage::default()
        }
        .summed()
    }
}

/// Reads a message.
///
/// # Errors
/// `ProviderUnavailable` for a body that is none.
pub(crate) fn read(wire: &WireReply) -> Result<Reply, Error> {
    let answer: Answer = serde_json::from_slice(&wire.body)
        .map_err(|error| failure::unreadable("no message of Converse", &error))?;
    let mut content = Vec::new();
    for block in answer.output.message.content {
        content.extend(block.text.map(ReplyPart::Text));
        if let Some(ToolUse { name, input }) = block.tool_use {
            let arguments = input.map_or_else(String::new, |input| input.get().to_owned());
            content.push(ReplyPart::ToolCall { name, arguments });
        }
    }
    Ok(Reply {
        content,
        stop_reason: match answer.stop_reason.as_deref() {
            Some("end_turn" | "stop_sequence") => StopReason::Stop,
            Some("max_tokens" | "model_context_window_exceeded") => StopReason::Length,
            Some("tool_use") => StopReason::ToolCalls,
            Some("guardrail_intervened" | "content_filtered") => StopReason::ContentFilter,
            Some("refusal") => StopReason::Refusal,
            _ => StopReason::Other,
        },
        provider_stop_reason: answer.stop_reason,
        usage: answer.usage.map_or_else(Usage::default, WireUsage::buckets),
        model: None,
        id: wire.header("x-amzn-requestid").map(str::to_owned),
    })
}
