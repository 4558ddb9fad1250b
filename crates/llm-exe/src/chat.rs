//! Provider-independent types for the messages sent to a model and for its reply.
//!
//! Each provider API has a dialect, which converts a [`Chat`] into an HTTP request and the HTTP
//! response into a [`Reply`].

use serde::{Serialize, Serializer};
use serde_json::Value;

/// Declares an enum with a JSON name for each variant, and implements `name`, `from_name` and
/// `Serialize` from that single list.
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
            /// Returns the JSON name of the variant.
            pub fn name(self) -> &'static str {
                match self {
                    $($enum::$variant => $name,)+
                }
            }

            /// Returns the variant with this JSON name, or `None` if the name is unknown.
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
        /// The author of the prompt, who instructs the model.
        System = "system",
        /// The end user.
        User = "user",
        /// The model.
        Assistant = "assistant",
    }
}

/// Text or an image in a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// The text after template rendering.
    Text(String),
    /// An image, given by an `https:` or `data:` URL. This crate never fetches the URL.
    Image {
        /// The URL after template rendering.
        url: String,
    },
}

/// A message after template rendering.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The author of the message.
    pub role: Role,
    /// The parts of the message, in order. Never empty.
    pub content: Vec<Part>,
}

impl Message {
    /// Creates a message with a single text part.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Message { role, content: vec![Part::Text(text.into())] }
    }

    /// Returns the text parts, joined with newlines. Images are skipped.
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

/// The sampling options of a request. The provider's default applies to an option that is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sampling {
    /// The sampling temperature, which controls randomness. Its range depends on the provider.
    pub temperature: Option<f64>,
    /// The cumulative probability for nucleus sampling, from 0 to 1.
    pub top_p: Option<f64>,
    /// The number of most likely tokens to sample from.
    pub top_k: Option<u64>,
    /// Maximum number of output tokens, including reasoning tokens.
    pub max_tokens: Option<u64>,
    /// Strings at which the model stops generating.
    pub stop_sequences: Vec<String>,
    /// Penalty for tokens by how often they have occurred, from -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// Penalty for tokens that have occurred at all, from -2 to 2.
    pub presence_penalty: Option<f64>,
    /// Seed for reproducible sampling, if the provider supports it.
    pub seed: Option<i64>,
    /// Reasoning effort: `none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`.
    pub effort: Option<String>,
}

/// How a request makes the model's reply match a JSON Schema. The variants after `Free` are ordered
/// from the strongest guarantee to the weakest.
#[derive(Debug, Clone, PartialEq)]
pub enum Structure {
    /// The reply may be any text, because there is no schema.
    Free,
    /// The schema is sent in the API's field for structured output.
    Native {
        /// The schema's name. It must match `[A-Za-z0-9_-]{1,64}`.
        name: String,
        /// The schema, adapted to the subset of JSON Schema that the API supports.
        schema: Value,
        /// Whether the provider guarantees that the reply matches the schema.
        strict: bool,
    },
    /// The model is forced to call a tool whose input must match the schema. The tool input is used
    /// as the reply.
    ForcedTool {
        /// The tool's name.
        name: String,
        /// The schema of the tool's input.
        schema: Value,
    },
    /// The provider guarantees valid JSON but does not enforce the schema, which is part of the
    /// prompt.
    JsonMode,
    /// The schema is part of the prompt, and the provider guarantees nothing.
    PromptOnly,
}

/// A chat request in provider-independent form.
#[derive(Debug, Clone)]
pub struct Chat {
    /// The model name, as in the caller's request.
    pub model: String,
    /// The messages after template rendering, in order.
    pub messages: Vec<Message>,
    /// The sampling options, such as the temperature.
    pub sampling: Sampling,
    /// How the reply is made to match a schema, if there is one.
    pub structure: Structure,
}

named_enum! {
    /// Why the model stopped generating, with the same meaning for all providers.
    pub enum StopReason {
        /// The model finished its reply.
        Stop = "stop",
        /// The reply reached `maxTokens` or the end of the context window.
        Length = "length",
        /// The model requested one or more tool calls.
        ToolCalls = "toolCalls",
        /// The model refused the request.
        Refusal = "refusal",
        /// The provider's safety filter stopped the reply.
        ContentFilter = "contentFilter",
        /// The provider paused a long reply, so the reply is incomplete.
        Pause = "pause",
        /// Any other reason; see [`Reply::provider_stop_reason`].
        Other = "other",
    }
}

/// Token counts that do not overlap. `total_tokens` is the sum of the other fields.
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
    /// Reasoning tokens, or zero if the provider does not report them separately.
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

    /// Adds the token counts of another call to these counts.
    pub fn add(&mut self, other: Usage) {
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cached_input_tokens += other.cached_input_tokens;
        self.cache_write_tokens += other.cache_write_tokens;
        self.reasoning_tokens += other.reasoning_tokens;
        self.total_tokens += other.total_tokens;
    }
}

/// Text, a tool call or a refusal in a reply.
#[derive(Debug, Clone, PartialEq)]
pub enum ReplyPart {
    /// Text that the model generated.
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

/// A model's reply in provider-independent form.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The parts of the reply, in order.
    pub content: Vec<ReplyPart>,
    /// Why the model stopped generating.
    pub stop_reason: StopReason,
    /// The stop reason in the provider's own spelling.
    pub provider_stop_reason: Option<String>,
    /// The token counts of this call.
    pub usage: Usage,
    /// The name of the model that replied, as reported by the provider.
    pub model: Option<String>,
    /// The id that the provider assigned to the reply.
    pub id: Option<String>,
}

impl Reply {
    /// Returns the concatenated text parts.
    pub fn text(&self) -> String {
        self.content
            .iter()
            .filter_map(|part| match part {
                ReplyPart::Text(text) => Some(text.as_str()),
                ReplyPart::ToolCall { .. } | ReplyPart::Refusal(_) => None,
            })
            .collect()
    }

    /// Returns the arguments of the first call to `tool`, if any.
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
