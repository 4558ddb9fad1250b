//! Parses the response body of the Messages API, which both Anthropic and Bedrock send.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::tools::{self, BlockUse};
use crate::chat::{Chat, Reply, ReplyBuilder, ReplyEvent, StopReason, Usage};
use crate::error::Error;
use crate::providers::call_arguments::is_object;
use crate::providers::failure;
use crate::providers::lenient::{Lenient, count, incomplete, list_items, push_usage, text};
use crate::wire::WireReply;

#[derive(Deserialize)]
struct MessageResponse<'a> {
    #[serde(default)]
    id: Lenient<String>,
    #[serde(default)]
    model: Lenient<String>,
    #[serde(borrow)]
    content: &'a RawValue,
    #[serde(default)]
    stop_reason: Lenient<String>,
    #[serde(default)]
    stop_details: Lenient<StopDetails>,
    #[serde(default)]
    usage: Lenient<WireUsage>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "text")]
    text: Lenient<String>,
    #[serde(default)]
    id: Lenient<String>,
    #[serde(default)]
    name: Lenient<String>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(default)]
    signature: Lenient<String>,
}

/// The reason why the model refused to reply.
#[derive(Deserialize)]
struct StopDetails {
    /// The category of the refusal, such as `cyber`.
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    explanation: Option<String>,
}

impl StopDetails {
    fn into_text(self) -> Option<String> {
        match (self.category, self.explanation) {
            (Some(category), Some(explanation)) => Some(format!("{category}: {explanation}")),
            (category, explanation) => explanation.or(category),
        }
    }
}

/// The token counts of a response. `input_tokens` excludes tokens that were read from or written to
/// a cache.
#[derive(Deserialize)]
struct WireUsage {
    #[serde(default, deserialize_with = "count")]
    input_tokens: u64,
    #[serde(default, deserialize_with = "count")]
    output_tokens: u64,
    #[serde(default, deserialize_with = "count")]
    cache_read_input_tokens: u64,
    #[serde(default, deserialize_with = "count")]
    cache_creation_input_tokens: u64,
    #[serde(default)]
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize, Default, Clone, Copy)]
struct OutputDetails {
    #[serde(default, deserialize_with = "count")]
    thinking_tokens: u64,
}

impl WireUsage {
    fn into_usage(self) -> Usage {
        let thinking = self.output_tokens_details.unwrap_or_default().thinking_tokens;
        let thinking = thinking.min(self.output_tokens);
        Usage {
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens.saturating_sub(thinking),
            cached_input_tokens: self.cache_read_input_tokens,
            cache_write_tokens: self.cache_creation_input_tokens,
            reasoning_tokens: thinking,
            total_tokens: 0,
        }
        .with_total()
    }
}

/// Parses a successful response to the request for `chat`. `dialect` marks the turn for sending it
/// back.
///
/// # Errors
/// `ProviderUnavailable` if the body is not an Anthropic message.
pub(crate) fn read_reply(dialect: &str, wire: &WireReply, chat: &Chat) -> Result<Reply, Error> {
    let response: MessageResponse<'_> = serde_json::from_slice(&wire.body)
        .map_err(|error| failure::unreadable(EXPECTED, &error))?;
    let blocks =
        list_items(Some(response.content)).ok_or_else(|| incomplete(EXPECTED, "content"))?;
    let mut builder = ReplyBuilder::new(chat);
    builder.push_some(response.id.ok().map(ReplyEvent::Id))?;
    builder.push_some(response.model.ok().map(ReplyEvent::Model))?;
    // Plain conversations do not need the turn again, so they do not pay for it.
    let mut needs_raw = !chat.tools.is_empty();
    let mut can_replay = true;
    let mut uses = Vec::with_capacity(blocks.len());
    for block in blocks {
        let block: Option<Block<'_>> = serde_json::from_str(block.get()).ok();
        uses.push(block.as_ref().map_or(BlockUse::Dropped, Block::block_use));
        match block {
            Some(Block { kind, text: Lenient::Value(text), .. }) if kind == "text" => {
                builder.push(ReplyEvent::Text(text))?;
            }
            Some(Block { kind, id, name, input, .. }) if kind == "tool_use" => {
                let (id, name) = (id.ok().unwrap_or_default(), name.ok().unwrap_or_default());
                let arguments = input.map_or_else(String::new, |input| input.get().to_owned());
                can_replay &= builder.push_call(id, name, arguments);
                can_replay &= input.is_some_and(is_object);
            }
            Some(Block { kind, .. }) if kind == "text" => {
                builder.warn_skipped("an unreadable text")
            }
            None => builder.warn_skipped("an unreadable content block"),
            // Thinking blocks and unknown blocks are not part of the reply, but of the turn.
            Some(_) => needs_raw = true,
        }
    }
    let provider = response.stop_reason.ok();
    let reason = match provider.as_deref() {
        Some("end_turn" | "stop_sequence") => StopReason::Stop,
        Some("max_tokens" | "model_context_window_exceeded") => StopReason::Length,
        Some("tool_use") => StopReason::ToolCalls,
        Some("refusal") => StopReason::Refusal,
        Some("pause_turn") => StopReason::Pause,
        _ => StopReason::Other,
    };
    builder.push(ReplyEvent::Stop { reason, provider })?;
    let details = response.stop_details.ok().and_then(StopDetails::into_text);
    builder.push_some(details.map(ReplyEvent::StopDetails))?;
    push_usage(&mut builder, response.usage.map(WireUsage::into_usage))?;
    if needs_raw && can_replay {
        let raw = tools::raw_turn(dialect, chat, response.content, &uses);
        builder.push_some(raw.map(ReplyEvent::RawTurn))?;
    }
    Ok(builder.finish())
}

/// The name of the response body in errors.
const EXPECTED: &str = "an Anthropic message";

impl Block<'_> {
    /// Returns whether the API accepts the block when it is sent back.
    fn block_use(&self) -> BlockUse {
        let is_blank = |text: &Lenient<String>| match text {
            Lenient::Value(text) => text.trim().is_empty(),
            Lenient::Missing | Lenient::Unreadable => true,
        };
        match self.kind.as_str() {
            "text" if is_blank(&self.text) => BlockUse::Dropped,
            // The signature is missing if thinking reached `max_tokens`.
            "thinking" if is_blank(&self.signature) => BlockUse::Dropped,
            "thinking" | "redacted_thinking" => BlockUse::KeptBeforeOthers,
            _ => BlockUse::Kept,
        }
    }
}
