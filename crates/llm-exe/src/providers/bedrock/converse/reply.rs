//! Parses the response body of Converse.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::tools::NAME;
use crate::chat::{Chat, Reply, ReplyBuilder, ReplyEvent, StopReason, Usage};
use crate::error::Error;
use crate::providers::anthropic::tools::{self, BlockUse};
use crate::providers::call_arguments::is_object;
use crate::providers::failure;
use crate::providers::lenient::{Lenient, count, incomplete, list_items, push_usage, text};
use crate::wire::WireReply;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConverseResponse<'a> {
    #[serde(borrow)]
    output: Output<'a>,
    #[serde(default)]
    stop_reason: Lenient<String>,
    #[serde(default)]
    usage: Lenient<WireUsage>,
}

#[derive(Deserialize)]
struct Output<'a> {
    #[serde(borrow)]
    message: Message<'a>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    content: &'a RawValue,
}

/// A content block of a reply. Other blocks are skipped.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block<'a> {
    #[serde(default, deserialize_with = "text")]
    text: Lenient<String>,
    #[serde(borrow)]
    tool_use: Option<ToolUse<'a>>,
    reasoning_content: Option<Reasoning>,
    /// Text with its sources.
    #[serde(borrow)]
    citations_content: Option<CitationsContent<'a>>,
}

#[derive(Deserialize)]
struct CitationsContent<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct CitedText {
    #[serde(default, deserialize_with = "text")]
    text: Lenient<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolUse<'a> {
    /// `server_tool_use` for a call that the provider runs itself.
    #[serde(default)]
    r#type: Lenient<String>,
    #[serde(default)]
    tool_use_id: Lenient<String>,
    #[serde(default)]
    name: Lenient<String>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reasoning {
    reasoning_text: Option<ReasoningText>,
}

#[derive(Deserialize)]
struct ReasoningText {
    #[serde(default)]
    signature: Lenient<String>,
}

/// The token counts of a response. `inputTokens` excludes tokens that were read from or written to
/// a cache. `outputTokens` includes reasoning tokens, which are not reported separately.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireUsage {
    #[serde(default, deserialize_with = "count")]
    input_tokens: u64,
    #[serde(default, deserialize_with = "count")]
    output_tokens: u64,
    #[serde(default, deserialize_with = "count")]
    cache_read_input_tokens: u64,
    #[serde(default, deserialize_with = "count")]
    cache_write_input_tokens: u64,
}

impl WireUsage {
    fn into_usage(self) -> Usage {
        Usage {
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cached_input_tokens: self.cache_read_input_tokens,
            cache_write_tokens: self.cache_write_input_tokens,
            ..Usage::default()
        }
        .with_total()
    }
}

/// The name of the response body in errors.
const EXPECTED: &str = "a Converse response";

/// Parses a successful response to the request for `chat`.
///
/// # Errors
/// `ProviderUnavailable` if the body is not a Converse response.
pub(super) fn read_reply(wire: &WireReply, chat: &Chat) -> Result<Reply, Error> {
    let response: ConverseResponse<'_> = serde_json::from_slice(&wire.body)
        .map_err(|error| failure::unreadable(EXPECTED, &error))?;
    let content = response.output.message.content;
    let blocks = list_items(Some(content)).ok_or_else(|| incomplete(EXPECTED, "content"))?;
    let mut builder = ReplyBuilder::new(chat);
    let id = wire.header("x-amzn-requestid").map(str::to_owned);
    builder.push_some(id.map(ReplyEvent::Id))?;
    // Plain conversations do not need the turn again, so they do not pay for it.
    let mut needs_raw = !chat.tools.is_empty();
    let mut can_replay = true;
    let mut uses = Vec::with_capacity(blocks.len());
    for block in blocks {
        let Ok(block) = serde_json::from_str::<Block<'_>>(block.get()) else {
            builder.warn_skipped("an unreadable content block");
            uses.push(BlockUse::Dropped);
            continue;
        };
        uses.push(block.block_use());
        needs_raw |= block.reasoning_content.is_some();
        match block.text {
            Lenient::Value(text) => builder.push(ReplyEvent::Text(text))?,
            Lenient::Unreadable => builder.warn_skipped("an unreadable text"),
            Lenient::Missing => {}
        }
        if let Some(citations) = block.citations_content {
            can_replay &= read_cited_text(&mut builder, citations.content)?;
        }
        if let Some(call) = block.tool_use
            && call.r#type.ok().as_deref() != Some("server_tool_use")
        {
            let id = call.tool_use_id.ok().unwrap_or_default();
            let name = call.name.ok().unwrap_or_default();
            let arguments = call.input.map_or_else(String::new, |input| input.get().to_owned());
            can_replay &= builder.push_call(id, name, arguments);
            can_replay &= call.input.is_some_and(is_object);
        }
    }
    let provider = response.stop_reason.ok();
    let reason = match provider.as_deref() {
        Some("end_turn" | "stop_sequence") => StopReason::Stop,
        Some("max_tokens" | "model_context_window_exceeded") => StopReason::Length,
        Some("tool_use") => StopReason::ToolCalls,
        Some("guardrail_intervened" | "content_filtered") => StopReason::ContentFilter,
        Some("refusal") => StopReason::Refusal,
        _ => StopReason::Other,
    };
    builder.push(ReplyEvent::Stop { reason, provider })?;
    push_usage(&mut builder, response.usage.map(WireUsage::into_usage))?;
    if needs_raw && can_replay {
        let raw = tools::raw_turn(NAME, chat, content, &uses);
        builder.push_some(raw.map(ReplyEvent::RawTurn))?;
    }
    Ok(builder.finish())
}

/// Adds the text of a block with citations to the reply. Returns whether all of it is readable,
/// because the API would reject the block otherwise.
fn read_cited_text(builder: &mut ReplyBuilder, content: Option<&RawValue>) -> Result<bool, Error> {
    let Some(parts) = list_items(content) else {
        builder.warn_skipped("an unreadable text");
        return Ok(false);
    };
    let mut is_readable = true;
    for part in parts {
        match serde_json::from_str::<CitedText>(part.get()) {
            Ok(CitedText { text: Lenient::Value(text) }) => builder.push(ReplyEvent::Text(text))?,
            Ok(_) | Err(_) => {
                is_readable = false;
                builder.warn_skipped("an unreadable text");
            }
        }
    }
    Ok(is_readable)
}

impl Block<'_> {
    /// Returns whether the API accepts the block when it is sent back.
    fn block_use(&self) -> BlockUse {
        match self {
            Block { text: Lenient::Value(text), .. } if text.trim().is_empty() => BlockUse::Dropped,
            Block { text: Lenient::Unreadable, .. } => BlockUse::Dropped,
            Block { reasoning_content: Some(reasoning), .. } => match &reasoning.reasoning_text {
                // Models without signatures would repeat the reasoning in their reply.
                Some(ReasoningText { signature: Lenient::Value(text) }) if !text.is_empty() => {
                    BlockUse::KeptBeforeOthers
                }
                Some(_) => BlockUse::Dropped,
                None => BlockUse::KeptBeforeOthers,
            },
            Block { .. } => BlockUse::Kept,
        }
    }
}
