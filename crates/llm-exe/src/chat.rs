//! The provider-independent conversation: messages in, a reply out.
//!
//! A dialect turns a [`Chat`] into its request format and its response into a [`Reply`].

use serde::{Serialize, Serializer};
use serde_json::Value;

/// Declares an enum together with its names in JSON, so that `name`, `from_name` and `Serialize`
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
            /// The name in JSON.
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
        /// Instructions from the author of the prompt.
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
    /// An image as an `https:` or `data:` URL. The URL is passed to the provider and never fetched.
    Image {
        /// The rendered URL.
        url: String,
    },
}

/// One rendered message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The author.
    pub role: Role,
    /// The parts in order; never empty.
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

/// The sampling options of a request. For `None` the provider's default applies.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sampling {
    /// Randomness. The range depends on the provider.
    pub temperature: Option<f64>,
    /// Nucleus sampling, 0 to 1.
    pub top_p: Option<f64>,
    /// Samples from the `top_k` most likely tokens only.
    pub top_k: Option<u64>,
    /// Maximum number of output tokens, reasoning tokens included.
    pub max_tokens: Option<u64>,
    /// Texts that end the reply.
    pub stop_sequences: Vec<String>,
    /// Frequency penalty, -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// Presence penalty, -2 to 2.
    pub presence_penalty: Option<f64>,
    /// Seed for repeatable sampling, as far as the provider supports it.
    pub seed: Option<i64>,
    /// Reasoning effort: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`.
    pub effort: Option<String>,
}

/// The way in which a request makes the model follow a schema, the strongest way first.
#[derive(Debug, Clone, PartialEq)]
pub enum Structure {
    /// No schema is sent.
    Free,
    /// The dialect's JSON Schema feature.
    Native {
        /// The schema's name, `[A-Za-z0-9_-]{1,64}`.
        name: String,
        /// The schema, adapted to the subset that the dialect supports.
        schema: Value,
        /// Whether the provider guarantees that the reply matches the schema.
        strict: bool,
    },
    /// A tool that the model must call. The input of the call is the reply.
    ForcedTool {
        /// The tool's name.
        name: String,
        /// The schema of the tool's input.
        schema: Value,
    },
    /// The provider guarantees JSON, and the prompt contains the schema.
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
    /// How the reply is constrained to a schema.
    pub structure: Structure,
}

named_enum! {
    /// The reason why the model stopped, with one meaning for all providers.
    pub enum StopReason {
        /// The model finished its reply.
        Stop = "stop",
        /// `maxTokens` or the context window ended the reply.
        Length = "length",
        /// The model requests tool calls.
        ToolCalls = "toolCalls",
        /// The model refused.
        Refusal = "refusal",
        /// The provider's safety filter ended the reply.
        ContentFilter = "contentFilter",
        /// The provider paused a long turn.
        Pause = "pause",
        /// A reason that is not known here; see [`Reply::provider_stop_reason`].
        Other = "other",
    }
}

/// Token counts. Each token is counted in exactly one field, and `total_tokens` is their sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Prompt tokens that were neither read from nor written to a cache.
    pub input_tokens: u64,
    /// Output tokens without reasoning tokens, where the provider reports these separately.
    pub output_tokens: u64,
    /// Prompt tokens read from a cache.
    pub cached_input_tokens: u64,
    /// Prompt tokens written to a cache.
    pub cache_write_tokens: u64,
    /// Reasoning tokens, where the provider reports them.
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

    /// Adds the tokens of another call.
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
        /// The arguments as JSON text, exactly as received.
        arguments: String,
    },
    /// The text of a refusal, where the dialect has a field for it.
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
    /// The model that the provider reports.
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

    /// Returns the text of the first refusal part.
    pub fn refusal(&self) -> Option<&str> {
        self.content.iter().find_map(|part| match part {
            ReplyPart::Refusal(text) => Some(text.as_str()),
            _ => None,
        })
    }
}
