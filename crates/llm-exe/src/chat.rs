//! The conversation, whatever the provider: messages in, a reply out.
//!
//! A dialect turns a [`Chat`] into its wire request and its wire reply into a [`Reply`]; nobody
//! else knows how a provider spells things.

use serde::Serialize;
use serde_json::Value;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions of the prompt's author.
    System,
    /// The person who asks.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// The role of a name as payloads write it.
    pub fn from_name(name: &str) -> Option<Role> {
        match name {
            "system" => Some(Role::System),
            "user" => Some(Role::User),
            "assistant" => Some(Role::Assistant),
            _ => None,
        }
    }

    /// The name as payloads write it.
    pub fn name(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        }
    }
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// Rendered text.
    Text(String),
    /// An image by its `https:` or `data:` URL; it is passed on, never fetched.
    Image {
        /// The URL as the caller wrote it, rendered.
        url: String,
    },
}

/// One rendered message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order; never empty.
    pub content: Vec<Part>,
}

impl Message {
    /// A message of text alone.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Message { role, content: vec![Part::Text(text.into())] }
    }

    /// The text parts, joined by a line break.
    pub fn joined_text(&self) -> String {
        let texts: Vec<&str> = self
            .content
            .iter()
            .filter_map(|part| match part {
                Part::Text(text) => Some(text.as_str()),
                Part::Image { .. } => None,
            })
            .collect();
        texts.join("\n")
    }
}

/// What callers may tune. `None` leaves it to the provider.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sampling {
    /// Randomness; its range is the provider's.
    pub temperature: Option<f64>,
    /// Nucleus sampling, 0 to 1.
    pub top_p: Option<f64>,
    /// Only the `top_k` likeliest tokens.
    pub top_k: Option<u64>,
    /// The most tokens that may be answered, reasoning included.
    pub max_tokens: Option<u64>,
    /// Texts that end the answer.
    pub stop_sequences: Vec<String>,
    /// -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// -2 to 2.
    pub presence_penalty: Option<f64>,
    /// For repeatable sampling, as far as the provider keeps it.
    pub seed: Option<i64>,
    /// How much to reason: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`.
    pub effort: Option<String>,
}

/// How a schema reaches the model, best first.
#[derive(Debug, Clone, PartialEq)]
pub enum Structure {
    /// No schema, or none that the model gets.
    Free,
    /// The dialect's own JSON Schema feature, with the schema as the dialect takes it.
    Native {
        /// A name of `[A-Za-z0-9_-]{1,64}`.
        name: String,
        /// The adapted schema.
        schema: Value,
        /// Whether the provider guarantees the schema.
        strict: bool,
    },
    /// A tool that the model must call; its input is the answer.
    ForcedTool {
        /// The tool's name.
        name: String,
        /// The input's schema.
        schema: Value,
    },
    /// The provider guarantees JSON, the prompt tells the schema.
    JsonMode,
    /// The prompt alone tells the schema.
    PromptOnly,
}

/// All that a dialect needs to write its request.
#[derive(Debug, Clone)]
pub struct Chat {
    /// The model as the caller named it.
    pub model: String,
    /// The rendered messages, in order.
    pub messages: Vec<Message>,
    /// What the caller tuned.
    pub sampling: Sampling,
    /// How the answer is to be structured.
    pub structure: Structure,
}

/// Why the model stopped, in words that mean the same for every provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum StopReason {
    /// It was done.
    Stop,
    /// `maxTokens` or the context window cut it off.
    Length,
    /// It wants tools to be called.
    ToolCalls,
    /// It refused.
    Refusal,
    /// The provider's safety filter stopped it.
    ContentFilter,
    /// The provider paused a long turn.
    Pause,
    /// A word that we don't know; the provider's own stands beside it.
    Other,
}

impl StopReason {
    /// The word as `full` results have it.
    pub fn name(self) -> &'static str {
        match self {
            StopReason::Stop => "stop",
            StopReason::Length => "length",
            StopReason::ToolCalls => "toolCalls",
            StopReason::Refusal => "refusal",
            StopReason::ContentFilter => "contentFilter",
            StopReason::Pause => "pause",
            StopReason::Other => "other",
        }
    }
}

/// Tokens, in disjoint buckets: no token is counted in two, and `total_tokens` is their sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Prompt tokens that were neither read from nor written to a cache.
    pub input_tokens: u64,
    /// Answer tokens that were not reasoning, as far as the provider tells them apart.
    pub output_tokens: u64,
    /// Prompt tokens read from a cache.
    pub cached_input_tokens: u64,
    /// Prompt tokens written to a cache.
    pub cache_write_tokens: u64,
    /// Answer tokens spent on reasoning, where the provider tells them.
    pub reasoning_tokens: u64,
    /// The sum of all the above.
    pub total_tokens: u64,
}

impl Usage {
    /// Fills `total_tokens` from the buckets.
    #[must_use]
    pub fn summed(mut self) -> Self {
        self.total_tokens = self.input_tokens
            + self.output_tokens
            + self.cached_input_tokens
            + self.cache_write_tokens
            + self.reasoning_tokens;
        self
    }

    /// Adds another call's tokens.
    pub fn add(&mut self, other: Usage) {
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cached_input_tokens += other.cached_input_tokens;
        self.cache_write_tokens += other.cache_write_tokens;
        self.reasoning_tokens += other.reasoning_tokens;
        self.total_tokens += other.total_tokens;
    }
}

/// A piece of a reply.
#[derive(Debug, Clone, PartialEq)]
pub enum ReplyPart {
    /// Text for the caller.
    Text(String),
    /// A tool that the model wants called.
    ToolCall {
        /// The tool's name.
        name: String,
        /// The arguments as JSON text, as they came.
        arguments: String,
    },
    /// The model's own words for declining, where the dialect has a field for them.
    Refusal(String),
}

/// What the model answered, normalised.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The pieces, in order.
    pub content: Vec<ReplyPart>,
    /// Why it stopped.
    pub stop_reason: StopReason,
    /// The provider's own word for it.
    pub provider_stop_reason: Option<String>,
    /// The tokens of this call.
    pub usage: Usage,
    /// The model as the provider names it.
    pub model: Option<String>,
    /// The provider's id of this reply.
    pub id: Option<String>,
}

impl Reply {
    /// The text parts, joined without a separator.
    pub fn text(&self) -> String {
        self.content
            .iter()
            .filter_map(|part| match part {
                ReplyPart::Text(text) => Some(text.as_str()),
                ReplyPart::ToolCall { .. } | ReplyPart::Refusal(_) => None,
            })
            .collect()
    }

    /// The arguments of the first call of the tool with this name.
    pub fn tool_arguments(&self, tool: &str) -> Option<&str> {
        self.content.iter().find_map(|part| match part {
            ReplyPart::ToolCall { name, arguments } if name == tool => Some(arguments.as_str()),
            _ => None,
        })
    }

    /// The model's own words for declining.
    pub fn refusal(&self) -> Option<&str> {
        self.content.iter().find_map(|part| match part {
            ReplyPart::Refusal(text) => Some(text.as_str()),
            _ => None,
        })
    }
}
