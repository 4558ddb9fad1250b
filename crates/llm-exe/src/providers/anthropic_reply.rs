//! What Anthropic's messages API answers, whoever carries it.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::{Reply, ReplyPart, StopReason, Usage};
use crate::error::Error;
use crate::wire::WireReply;

#[derive(Deserialize)]
struct Answer {
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
    name: Option<String>,
    input: Option<Box<RawValue>>,
}

/// The API's own numbers: `input_tokens` leaves out what was read from or written to a cache.
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
    fn buckets(self) -> Usage {
        let thinking = self.output_tokens_details.unwrap_or_default().thinking_tokens;
        Usage {
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens.saturating_sub(thinking),
            cached_input_tokens: self.cache_read_input_tokens.unwrap_or(0),
            cache_write_tokens: self.cache_creation_input_tokens.unwrap_or(0),
            reasoning_tokens: thinking,
            total_tokens: 0,
        }
        .summed()
    }
}

/// Reads a message.
///
/// # Errors
/// `ProviderUnavailable` for a body that is no message.
pub(crate) fn read(wire: &WireReply) -> Result<Reply, Error> {
    let answer: Answer = serde_json::from_slice(&wire.body)
        .map_err(|error| super::failure::unreadable("no message", &error))?;
    let mut content = Vec::new();
    for block in answer.content {
        match (block.kind.as_str(), block.text, block.name) {
            ("text", Some(text), _) => content.push(ReplyPart::Text(text)),
            ("tool_use", _, Some(name)) => {
                let arguments =
                    block.input.map_or_else(String::new, |input| input.get().to_owned());
                content.push(ReplyPart::ToolCall { name, arguments });
            }
            // Thinking and kinds to come are the provider's own business.
            _ => {}
        }
    }
    Ok(Reply {
        content,
        stop_reason: match answer.stop_reason.as_deref() {
            Some("end_turn" | "stop_sequence") => StopReason::Stop,
            Some("max_tokens" | "model_context_window_exceeded") => StopReason::Length,
            Some("tool_use") => StopReason::ToolCalls,
            Some("refusal") => StopReason::Refusal,
            Some("pause_turn") => StopReason::Pause,
            _ => StopReason::Other,
        },
        provider_stop_reason: answer.stop_reason,
        usage: answer.usage.map_or_else(Usage::default, WireUsage::buckets),
        model: answer.model,
        id: answer.id,
    })
}
