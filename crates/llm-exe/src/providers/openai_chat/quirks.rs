//! The differences between the servers that implement the chat completions API.

use super::models::{self as lookup, OpenAiModel};
use crate::providers::call_ids::IdFormat;
use crate::providers::capabilities::{ModelRows, models};

/// The path below the base URL.
pub(super) const API_PATH: &str = "/chat/completions";
/// The name of the dialect.
pub(super) const NAME: &str = "openai";

/// How a provider implements the chat completions API. Enums instead of texts keep the presets free
/// of addresses, each of which costs time at the start of the program.
pub(crate) struct OpenAiChat {
    /// The dialect that raw turns name. A turn is sent back only to providers with the same name,
    /// because others reject its fields.
    pub(super) turns: &'static str,
    /// The capabilities of the provider's models.
    pub(super) models: &'static ModelRows<[OpenAiModel]>,
    /// The field for the maximum number of output tokens.
    pub(super) max_tokens: MaxTokensField,
    /// Whether system messages for reasoning models are sent with the role `developer`.
    pub(super) developer_role: bool,
    /// Whether the field `thinking` turns reasoning on and off.
    pub(super) thinking_switch: bool,
    /// Whether `completion_tokens` in responses excludes reasoning tokens.
    pub(super) completion_excludes_reasoning: bool,
    /// The field for the seed.
    pub(super) seed: SeedField,
    /// Whether the provider supports `top_k`.
    pub(super) top_k: bool,
    /// Whether system messages must come first, and neighbouring messages need different roles.
    pub(super) alternates: bool,
    /// What the provider does with a conversation that ends with an assistant message.
    pub(super) last_turn: LastTurn,
    /// The ids of tool calls that the provider accepts.
    pub(super) ids: IdFormat,
    /// Whether `tool_choice` can name a tool.
    pub(super) named_tool: bool,
    /// The maximum number of stop sequences, if it is known.
    pub(super) max_stop_sequences: Option<usize>,
    /// Whether a stream contains token counts only if `stream_options` asks for them. Servers that
    /// always send them may reject the field.
    pub(super) stream_options: bool,
    /// The service that offers the models.
    pub(super) service: Service,
}

/// The capabilities of a model that is not known.
const ANY_MODEL: &ModelRows<[OpenAiModel]> = models::ANY_WITH_JSON_SCHEMA;

impl OpenAiChat {
    /// Returns the capabilities of a model.
    pub(super) fn model(&self, name: &str) -> OpenAiModel {
        match self.service {
            Service::Vendor => lookup::find_model(self.models, self.models, name),
            Service::Azure => lookup::find_model(self.models, ANY_MODEL, name),
            Service::Bedrock => {
                lookup::find_model(self.models, ANY_MODEL, lookup::bedrock_name(name))
            }
        }
    }
}

/// The service that offers the models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// The provider itself.
    Vendor,
    /// Azure OpenAI. The names are those of deployments in a resource, so one that matches no model
    /// may be any model.
    Azure,
    /// Amazon Bedrock. Requests are signed. An application inference profile may be any model.
    Bedrock,
}

/// The field for the maximum number of output tokens.
#[derive(Debug, Clone, Copy)]
pub(super) enum MaxTokensField {
    MaxTokens,
    MaxCompletionTokens,
}

impl MaxTokensField {
    pub(super) fn name(self) -> &'static str {
        match self {
            MaxTokensField::MaxTokens => "max_tokens",
            MaxTokensField::MaxCompletionTokens => "max_completion_tokens",
        }
    }
}

/// What a provider does with a conversation that ends with an assistant message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastTurn {
    /// The provider accepts it.
    Accepted,
    /// The provider continues the message if it has the field `prefix`, and rejects it otherwise.
    Continued,
    /// The provider rejects it.
    Rejected,
}

/// The field for the seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SeedField {
    /// The provider does not support a seed.
    None,
    Seed,
    RandomSeed,
}

impl SeedField {
    pub(super) fn name(self) -> &'static str {
        match self {
            SeedField::None | SeedField::Seed => "seed",
            SeedField::RandomSeed => "random_seed",
        }
    }
}

/// OpenAI's own API.
pub(crate) const OPENAI: OpenAiChat = OpenAiChat {
    models: models::OPENAI,
    max_tokens: MaxTokensField::MaxCompletionTokens,
    developer_role: true,
    max_stop_sequences: Some(4),
    ..WITH_JSON_SCHEMA
};

/// The v1 API of Azure OpenAI.
pub(crate) const AZURE: OpenAiChat = OpenAiChat { service: Service::Azure, ..OPENAI };

/// OpenAI's models on Amazon Bedrock.
pub(crate) const BEDROCK: OpenAiChat = OpenAiChat { service: Service::Bedrock, ..OPENAI };

/// xAI's API.
pub(crate) const XAI: OpenAiChat = OpenAiChat {
    models: models::XAI,
    max_tokens: MaxTokensField::MaxCompletionTokens,
    completion_excludes_reasoning: true,
    ..WITH_JSON_SCHEMA
};

/// DeepSeek's API.
pub(crate) const DEEPSEEK: OpenAiChat = OpenAiChat {
    models: models::DEEPSEEK,
    thinking_switch: true,
    seed: SeedField::None,
    ..WITH_JSON_SCHEMA
};

/// Mistral's API.
pub(crate) const MISTRAL: OpenAiChat = OpenAiChat {
    turns: "mistral",
    models: models::MISTRAL,
    seed: SeedField::RandomSeed,
    alternates: true,
    last_turn: LastTurn::Continued,
    ids: IdFormat::Short,
    stream_options: false,
    ..WITH_JSON_SCHEMA
};

/// Groq's API.
pub(crate) const GROQ: OpenAiChat = OpenAiChat {
    turns: "groq",
    models: models::GROQ,
    max_tokens: MaxTokensField::MaxCompletionTokens,
    max_stop_sequences: Some(4),
    ..WITH_JSON_SCHEMA
};

/// OpenRouter's API.
pub(crate) const OPENROUTER: OpenAiChat = OpenAiChat {
    turns: "openrouter",
    top_k: true,
    max_stop_sequences: Some(4),
    ..WITH_JSON_SCHEMA
};

/// Together's API.
pub(crate) const TOGETHER: OpenAiChat = OpenAiChat {
    turns: "together",
    models: models::TOGETHER,
    top_k: true,
    stream_options: false,
    ..WITH_JSON_SCHEMA
};

/// Fireworks' API.
pub(crate) const FIREWORKS: OpenAiChat = OpenAiChat {
    turns: "fireworks",
    models: models::FIREWORKS,
    top_k: true,
    stream_options: false,
    ..WITH_JSON_SCHEMA
};

/// Cerebras' API.
pub(crate) const CEREBRAS: OpenAiChat = OpenAiChat {
    turns: "cerebras",
    models: models::CEREBRAS,
    max_tokens: MaxTokensField::MaxCompletionTokens,
    max_stop_sequences: Some(4),
    ..WITH_JSON_SCHEMA
};

/// Perplexity's API.
pub(crate) const PERPLEXITY: OpenAiChat = OpenAiChat {
    turns: "perplexity",
    models: models::PERPLEXITY,
    seed: SeedField::None,
    top_k: true,
    alternates: true,
    last_turn: LastTurn::Rejected,
    named_tool: false,
    stream_options: false,
    ..WITH_JSON_SCHEMA
};

/// A server from `OPENAI_COMPATIBLE_PROVIDERS` that supports JSON Schema.
pub(crate) const WITH_JSON_SCHEMA: OpenAiChat = OpenAiChat {
    turns: NAME,
    models: models::ANY_WITH_JSON_SCHEMA,
    max_tokens: MaxTokensField::MaxTokens,
    developer_role: false,
    thinking_switch: false,
    completion_excludes_reasoning: false,
    seed: SeedField::Seed,
    top_k: false,
    alternates: false,
    last_turn: LastTurn::Accepted,
    ids: IdFormat::Length40,
    named_tool: true,
    max_stop_sequences: None,
    stream_options: true,
    service: Service::Vendor,
};

/// A server from `OPENAI_COMPATIBLE_PROVIDERS` that supports JSON mode.
pub(crate) const WITH_JSON_MODE: OpenAiChat =
    OpenAiChat { models: models::ANY_WITH_JSON_MODE, ..WITH_JSON_SCHEMA };

/// A server from `OPENAI_COMPATIBLE_PROVIDERS` that supports neither JSON Schema nor JSON mode.
pub(crate) const WITH_PROMPT_ONLY: OpenAiChat =
    OpenAiChat { models: models::ANY_WITH_PROMPT_ONLY, ..WITH_JSON_SCHEMA };
