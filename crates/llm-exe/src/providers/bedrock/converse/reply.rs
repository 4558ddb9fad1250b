//! Parses the response body of Converse.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::tools::NAME;
use crate::chat::{Chat, RawTurn, Reply, ReplyBuilder, ReplyEvent, StopReason, Usage};
use crate::error::Error;
use crate::providers::anthropic::tools::{self, BlockUse};
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

/// A content block of a reply. Other blocks, such as citations, are skipped.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    text: Option<String>,
    tool_use: Option<ToolUse>,
    reasoning_content: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolUse {
    /// `server_tool_use` for a call that the provider runs itself.
    r#type: Option<String>,
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
    // Plain conversations do not need the turn again, so they do not pay for it.
    let mut needs_raw = !chat.tools.is_empty();
    let mut keeps_ids = true;
    for block in response.output.message.content {
        builder.push_some(block.text.map(ReplyEvent::Text))?;
        needs_raw |= block.reasoning_content.is_some();
        if let Some(ToolUse { r#type, tool_use_id, name, input }) = block.tool_use {
            if r#type.as_deref() == Some("server_tool_use") {
                continue;
            }
            let arguments = input.map_or_else(String::new, |input| input.get().to_owned());
            keeps_ids &= builder.push_call(tool_use_id.unwrap_or_default(), name, arguments);
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
    if needs_raw && keeps_ids {
        builder.push_some(raw_turn(&wire.body, chat).map(ReplyEvent::RawTurn))?;
    }
    Ok(builder.finish())
}

fn raw_turn(body: &[u8], chat: &Chat) -> Option<RawTurn> {
    let response: RawResponse<'_> = serde_json::from_slice(body).ok()?;
    tools::raw_turn(
        NAME,
        chat,
        response.output.message.content,
        |block| match serde_json::from_str::<KnownFields>(block.get()) {
            Err(_) => BlockUse::Dropped,
            Ok(block) => block.block_use(),
        },
    )
}

#[derive(Deserialize)]
struct RawResponse<'a> {
    #[serde(borrow)]
    output: RawOutput<'a>,
}

#[derive(Deserialize)]
struct RawOutput<'a> {
    #[serde(borrow)]
    message: RawMessage<'a>,
}

#[derive(Deserialize)]
struct RawMessage<'a> {
    #[serde(borrow)]
    content: &'a RawValue,
}

/// The fields of a content block that decide whether the API accepts it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KnownFields {
    text: Option<String>,
    reasoning_content: Option<Reasoning>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reasoning {
    reasoning_text: Option<ReasoningText>,
}

#[derive(Deserialize)]
struct ReasoningText {
    signature: Option<String>,
}

impl KnownFields {
    fn block_use(&self) -> BlockUse {
        match self {
            KnownFields { text: Some(text), .. } if text.trim().is_empty() => BlockUse::Dropped,
            KnownFields { reasoning_content: Some(reasoning), .. } => {
                match &reasoning.reasoning_text {
                    // Models without signatures would repeat the reasoning in their reply.
                    Some(text) if text.signature.as_ref().is_none_or(String::is_empty) => {
                        BlockUse::Dropped
                    }
                    _ => BlockUse::KeptBeforeOthers,
                }
            }
            KnownFields { .. } => BlockUse::Kept,
        }
    }
}
