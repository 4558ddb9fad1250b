//! Parses the response body of the Messages API, which both Anthropic and Bedrock send.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::tools::{self, BlockUse};
use crate::chat::{Chat, RawTurn, Reply, ReplyBuilder, ReplyEvent, StopReason, Usage};
use crate::error::Error;
use crate::providers::failure;
use crate::wire::WireReply;

#[derive(Deserialize)]
struct MessageResponse {
    id: Option<String>,
    model: Option<String>,
    content: Vec<Block>,
    stop_reason: Option<String>,
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    id: Option<String>,
    name: Option<String>,
    input: Option<Box<RawValue>>,
}

/// The token counts of a response. `input_tokens` excludes tokens that were read from or written to
/// a cache.
#[derive(Deserialize, Default)]
#[serde(default)]
struct WireUsage {
    input_tokens: u64,
    output_tokens: u64,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
struct OutputDetails {
    thinking_tokens: u64,
}

impl WireUsage {
    fn into_usage(self) -> Usage {
        let thinking = self.output_tokens_details.unwrap_or_default().thinking_tokens;
        Usage {
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens.saturating_sub(thinking),
            cached_input_tokens: self.cache_read_input_tokens.unwrap_or(0),
            cache_write_tokens: self.cache_creation_input_tokens.unwrap_or(0),
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
    let response: MessageResponse = serde_json::from_slice(&wire.body)
        .map_err(|error| failure::unreadable("an Anthropic message", &error))?;
    let mut builder = ReplyBuilder::new(chat);
    builder.push_some(response.id.map(ReplyEvent::Id))?;
    builder.push_some(response.model.map(ReplyEvent::Model))?;
    // Plain conversations do not need the turn again, so they do not pay for it.
    let mut needs_raw = !chat.tools.is_empty();
    let mut keeps_ids = true;
    for block in response.content {
        match (block.kind.as_str(), block.text, block.name) {
            ("text", Some(text), _) => builder.push(ReplyEvent::Text(text))?,
            ("tool_use", _, Some(name)) => {
                let arguments =
                    block.input.map_or_else(String::new, |input| input.get().to_owned());
                keeps_ids &= builder.push_call(block.id.unwrap_or_default(), name, arguments);
            }
            // Thinking blocks and unknown blocks are not part of the reply, but of the turn.
            _ => needs_raw = true,
        }
    }
    let reason = match response.stop_reason.as_deref() {
        Some("end_turn" | "stop_sequence") => StopReason::Stop,
        Some("max_tokens" | "model_context_window_exceeded") => StopReason::Length,
        Some("tool_use") => StopReason::ToolCalls,
        Some("refusal") => StopReason::Refusal,
        Some("pause_turn") => StopReason::Pause,
        _ => StopReason::Other,
    };
    builder.push(ReplyEvent::Stop { reason, provider: response.stop_reason })?;
    let usage = response.usage.map(WireUsage::into_usage);
    builder.push_some(usage.map(ReplyEvent::Usage))?;
    if needs_raw && keeps_ids {
        builder.push_some(raw_turn(dialect, &wire.body, chat).map(ReplyEvent::RawTurn))?;
    }
    Ok(builder.finish())
}

fn raw_turn(dialect: &str, body: &[u8], chat: &Chat) -> Option<RawTurn> {
    let response: RawResponse<'_> = serde_json::from_slice(body).ok()?;
    tools::raw_turn(dialect, chat, response.content, |block| {
        match serde_json::from_str::<KnownFields>(block.get()) {
            Err(_) => BlockUse::Dropped,
            Ok(block) => block.block_use(),
        }
    })
}

#[derive(Deserialize)]
struct RawResponse<'a> {
    #[serde(borrow)]
    content: &'a RawValue,
}

/// The fields of a content block that decide whether the API accepts it.
#[derive(Deserialize)]
struct KnownFields {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    signature: Option<String>,
}

impl KnownFields {
    fn block_use(&self) -> BlockUse {
        let is_blank =
            |text: &Option<String>| text.as_ref().is_none_or(|text| text.trim().is_empty());
        match self.kind.as_str() {
            "text" if is_blank(&self.text) => BlockUse::Dropped,
            // The signature is missing if thinking reached `max_tokens`.
            "thinking" if is_blank(&self.signature) => BlockUse::Dropped,
            "thinking" | "redacted_thinking" => BlockUse::KeptBeforeOthers,
            _ => BlockUse::Kept,
        }
    }
}
