//! The provider-independent types for the messages that are sent to a model and for its reply.
//!
//! A dialect converts a [`Chat`] to a request in its own format, and a response to a [`Reply`].

use serde::{Serialize, Serializer};
use serde_json::Value;

/// Declares an enum and the JSON names of its variants, so that `name`, `from_name` and `Serialize`
/// share one list.
macro_rules! named_enum {
    (
        $(#[$attribute:meta])*
        pub enum $enum:ident { $($(#[$variant_attribute:meta])* $variant:ident = $name:literal,)+ }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $enum {
            $($(#[$variant_attribute])* $variant,)+
        }

        impl $enum {
            /// Returns the name of the variant in JSON.
            pub fn name(self) -> &'static str {
                match self {
                    $($enum::$variant => $name,)+
                }
            }

            /// Looks up a variant by its name in JSON.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some($enum::$variant),)+
                    _ => None,
                }
            }
        }

        impl Serialize for $enum {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
}

named_enum! {
    /// The author of a message.
    pub enum Role {
        /// The author of the prompt, who gives the model instructions.
        System = "system",
        /// The end user.
        User = "user",
        /// The model.
        Assistant = "assistant",
    }
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// Rendered text.
    Text(String),
    /// An image as an `https:` or `data:` URL. This crate passes the URL to the provider and does
    /// not fetch it.
    Image {
        /// The rendered URL.
        url: String,
    },
}

/// One rendered message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The author of the message.
    pub role: Role,
    /// The parts in order. There is at least one part.
    pub content: Vec<Part>,
}

impl Message {
    /// Creates a message with a single text part.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Message { role, content: vec![Part::Text(text.into())] }
    }

    /// Returns the text parts, joined by line breaks.
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

/// The sampling options of a request. The provider's default applies to options that are `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sampling {
    /// Randomness. The range depends on the provider.
    pub temperature: Option<f64>,
    /// Nucleus sampling, from 0 to 1.
    pub top_p: Option<f64>,
    /// Samples only from the `top_k` most likely tokens.
    pub top_k: Option<u64>,
    /// Maximum number of output tokens, including reasoning tokens.
    pub max_tokens: Option<u64>,
    /// Strings that end the reply.
    pub stop_sequences: Vec<String>,
    /// Frequency penalty, from -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// Presence penalty, from -2 to 2.
    pub presence_penalty: Option<f64>,
    /// Seed for repeatable sampling, as far as the provider supports it.
    pub seed: Option<i64>,
    /// Reasoning effort: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`.
    pub effort: Option<String>,
}

/// How a request makes the model's reply match a schema. After `Free`, the variants are ordered
/// from the strongest to the weakest method.
#[derive(Debug, Clone, PartialEq)]
pub enum Structure {
    /// The request contains no schema.
    Free,
    /// The API makes the reply match the schema with its own support for JSON Schema.
    Native {
        /// The schema's name, which matches `[A-Za-z0-9_-]{1,64}`.
        name: String,
        /// The schema, adapted to the subset of JSON Schema that the API supports.
        schema: Value,
        /// Whether the provider guarantees that the reply matches the schema.
        strict: bool,
    },
    /// The model must call a tool whose input matches the schema. The input of that call is the
    /// reply.
    ForcedTool {
        /// The tool's name.
        name: String,
        /// The schema of the tool's input.
        schema: Value,
    },
    /// The provider guarantees valid JSON, and the prompt contains the schema.
    JsonMode,
    /// Only the prompt contains the schema.
    PromptOnly,
}

/// The input from which a dialect builds its request.
#[derive(Debug, Clone)]
pub struct Chat {
    /// The model name as the caller wrote it.
    pub model: String,
    /// The rendered messages in order.
    pub messages: Vec<Message>,
    /// The sampling options.
    pub sampling: Sampling,
    /// How the request makes the reply match a schema.
    pub structure: Structure,
}

named_enum! {
    /// Why the model stopped. Each reason has the same meaning for all providers.
    pub enum StopReason {
        /// The model finished its reply.
        Stop = "stop",
        /// `maxTokens` or the context window ended the reply.
        Length = "length",
        /// The model stopped to request tool calls.
        ToolCalls = "toolCalls",
        /// The model refused to reply.
        Refusal = "refusal",
        /// The provider's safety filter ended the reply.
        ContentFilter = "contentFilter",
        /// The provider paused a long reply, which is therefore incomplete.
        Pause = "pause",
        /// Any other reason; see [`Reply::provider_stop_reason`].
        Other = "other",
    }
}

/// Token counts. Each token is counted in exactly one field, and `total_tokens` is the sum of these
/// fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Prompt tokens that were neither read from nor written to a cache.
    pub input_tokens: u64,
    /// Output tokens. Reasoning tokens are excluded if the provider reports them separately.
    pub output_tokens: u64,
    /// Prompt tokens read from a cache.
    pub cached_input_tokens: u64,
    /// Prompt tokens written to a cache.
    pub cache_write_tokens: u64,
    /// Reasoning tokens, if the provider reports them separately.
    pub reasoning_tokens: u64,
    /// The sum of the other fields.
    pub total_tokens: u64,
}

impl Usage {
    /// Sets `total_tokens` to the sum of the other fields.
    #[must_use]
    pub fn with_total(mut self) -> Self {
        self.total_tokens = self.input_tokens
            + self.output_tokens
            + self.cached_input_tokens
            + self.cache_write_tokens
            + self.reasoning_tokens;
        self
    }

    /// Adds the token counts of another call.
    pub fn add(&mut self, other: Usage) {
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cached_input_tokens += other.cached_input_tokens;
        self.cache_write_tokens += other.cache_write_tokens;
        self.reasoning_tokens += other.reasoning_tokens;
        self.total_tokens += other.total_tokens;
    }
}

/// A part of a reply.
#[derive(Debug, Clone, PartialEq)]
pub enum ReplyPart {
    /// Text for the caller.
    Text(String),
    /// A tool call that the model requests.
    ToolCall {
        /// The tool's name.
        name: String,
        /// The arguments as serialized JSON, exactly as the provider sent them.
        arguments: String,
    },
    /// The text of a refusal, if the API has a separate field for refusals.
    Refusal(String),
}

/// A model's reply in a provider-independent form.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The parts in order.
    pub content: Vec<ReplyPart>,
    /// The reason why the model stopped.
    pub stop_reason: StopReason,
    /// The stop reason as the provider spells it.
    pub provider_stop_reason: Option<String>,
    /// The token counts of this call.
    pub usage: Usage,
    /// The name of the model as the provider reports it.
    pub model: Option<String>,
    /// The provider's id for this reply.
    pub id: Option<String>,
}

impl Reply {
    /// Returns the text parts, joined without a separator.
    pub fn text(&self) -> String {
        self.content
            .iter()
            .filter_map(|part| match part {
                ReplyPart::Text(text) => Some(text.as_str()),
                ReplyPart::ToolCall { .. } | ReplyPart::Refusal(_) => None,
            })
            .collect()
    }

    /// Returns the arguments of the first call to the tool with this name.
    pub fn tool_arguments(&self, tool: &str) -> Option<&str> {
        self.content.iter().find_map(|part| match part {
            ReplyPart::ToolCall { name, arguments } if name == tool => Some(arguments.as_str()),
            _ => None,
        })
    }

    /// Returns the text of the first refusal part, if any.
    pub fn refusal(&self) -> Option<&str> {
        self.content.iter().find_map(|part| match part {
            ReplyPart::Refusal(text) => Some(text.as_str()),
            _ => None,
        })
    }
}
