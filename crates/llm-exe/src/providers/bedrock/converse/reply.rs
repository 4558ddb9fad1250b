//! Parses the response body of Converse.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::{Chat, Reply, ReplyBuilder, ReplyEvent, StopReason, Usage};
use crate::error::Error;
use crate::providers::failure;
use crate::wire::WireReply;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConverseResponse {
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

/// A content block of a reply. Blocks with neither text nor a tool call, such as reasoning blocks,
/// are skipped.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    text: Option<String>,
    tool_use: Option<ToolUse>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolUse {
    tool_use_id: Option<String>,
    name: String,
    input: Option<Box<RawValue>>,
}

/// The token counts of a response. `inputTokens` excludes tokens that were read from or written to
/// a cache. `outputTokens` includes reasoning tokens, which are not reported separately.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct WireUsage {
    input_tokens: u64,
    output_tokens: u64,
    cache_read_input_tokens: Option<u64>,
    cache_write_input_tokens: Option<u64>,
}

impl WireUsage {
    fn into_usage(self) -> Usage {
        Usage {
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cached_input_tokens: self.cache_read_input_tokens.unwrap_or(0),
            cache_write_tokens: self.cache_write_input_tokens.unwrap_or(0),
            ..Usage::default()
        }
        .with_total()
    }
}

/// Parses a successful response to the request for `chat`.
///
/// # Errors
/// `ProviderUnavailable` if the body is not a Converse response.
pub(super) fn read_reply(wire: &WireReply, chat: &Chat) -> Result<Reply, Error> {
    let response: ConverseResponse = serde_json::from_slice(&wire.body)
        .map_err(|error| failure::unreadable("a Converse response", &error))?;
    let mut builder = ReplyBuilder::new(chat);
    let id = wire.header("x-amzn-requestid").map(str::to_owned);
    builder.push_some(id.map(ReplyEvent::Id))?;
    for block in response.output.message.content {
        builder.push_some(block.text.map(ReplyEvent::Text))?;
        if let Some(ToolUse { tool_use_id, name, input }) = block.tool_use {
            let arguments = input.map_or_else(String::new, |input| input.get().to_owned());
            builder.push_call(tool_use_id.unwrap_or_default(), name, arguments);
        }
    }
    let reason = match response.stop_reason.as_deref() {
        Some("end_turn" | "stop_sequence") => StopReason::Stop,
        Some("max_tokens" | "model_context_window_exceeded") => StopReason::Length,
        Some("tool_use") => StopReason::ToolCalls,
        Some("guardrail_intervened" | "content_filtered") => StopReason::ContentFilter,
        Some("refusal") => StopReason::Refusal,
        _ => StopReason::Other,
    };
    builder.push(ReplyEvent::Stop { reason, provider: response.stop_reason })?;
    let usage = response.usage.map(WireUsage::into_usage);
    builder.push_some(usage.map(ReplyEvent::Usage))?;
    Ok(builder.finish())
}
