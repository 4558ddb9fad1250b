//! The differences between the servers that implement the chat completions API.

use super::models::OpenAiModel;
use crate::providers::capabilities::models;

/// The name of the dialect.
pub(super) const NAME: &str = "openai";

/// How a provider implements the chat completions API.
pub(crate) struct OpenAiChat {
    /// The capabilities of the provider's models.
    pub(super) models: &'static [OpenAiModel],
    /// The name of the field for the maximum number of output tokens.
    pub(super) max_tokens_field: &'static str,
    /// Whether system messages for reasoning models are sent with the role `developer`.
    pub(super) developer_role: bool,
    /// Whether the field `thinking` turns reasoning on and off.
    pub(super) thinking_switch: bool,
    /// Whether `completion_tokens` in responses excludes reasoning tokens.
    pub(super) completion_excludes_reasoning: bool,
    /// Whether the provider supports `seed`.
    pub(super) seed: bool,
    /// The maximum number of stop sequences, if it is known.
    pub(super) max_stop_sequences: Option<usize>,
}

/// OpenAI's own API.
pub(crate) const OPENAI: OpenAiChat = OpenAiChat {
    models: models::OPENAI,
    max_tokens_field: "max_completion_tokens",
    developer_role: true,
    max_stop_sequences: Some(4),
    ..WITH_JSON_SCHEMA
};

/// xAI's API.
pub(crate) const XAI: OpenAiChat = OpenAiChat {
    models: models::XAI,
    max_tokens_field: "max_completion_tokens",
    completion_excludes_reasoning: true,
    ..WITH_JSON_SCHEMA
};

/// DeepSeek's API.
pub(crate) const DEEPSEEK: OpenAiChat =
    OpenAiChat { models: models::DEEPSEEK, thinking_switch: true, seed: false, ..WITH_JSON_SCHEMA };

/// A server from `OPENAI_COMPATIBLE_PROVIDERS` that supports JSON Schema.
pub(crate) const WITH_JSON_SCHEMA: OpenAiChat = OpenAiChat {
    models: models::ANY_WITH_JSON_SCHEMA,
    max_tokens_field: "max_tokens",
    developer_role: false,
    thinking_switch: false,
    completion_excludes_reasoning: false,
    seed: true,
    max_stop_sequences: None,
};

/// A server from `OPENAI_COMPATIBLE_PROVIDERS` that supports JSON mode.
pub(crate) const WITH_JSON_MODE: OpenAiChat =
    OpenAiChat { models: models::ANY_WITH_JSON_MODE, ..WITH_JSON_SCHEMA };

/// A server from `OPENAI_COMPATIBLE_PROVIDERS` that supports neither JSON Schema nor JSON mode.
pub(crate) const WITH_PROMPT_ONLY: OpenAiChat =
    OpenAiChat { models: models::ANY_WITH_PROMPT_ONLY, ..WITH_JSON_SCHEMA };
