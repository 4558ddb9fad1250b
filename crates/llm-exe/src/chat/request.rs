//! A chat request: the model, the messages, the options and the tools.

use std::sync::Arc;

use serde_json::Value;

use super::message::Message;
use super::tools::{Tool, ToolChoice};

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

impl Sampling {
    /// Returns the names of the options that are set, as in the `options` of a request.
    pub fn names(&self) -> Vec<&'static str> {
        let options = [
            ("temperature", self.temperature.is_some()),
            ("topP", self.top_p.is_some()),
            ("topK", self.top_k.is_some()),
            ("maxTokens", self.max_tokens.is_some()),
            ("stopSequences", !self.stop_sequences.is_empty()),
            ("frequencyPenalty", self.frequency_penalty.is_some()),
            ("presencePenalty", self.presence_penalty.is_some()),
            ("seed", self.seed.is_some()),
            ("effort", self.effort.is_some()),
        ];
        options.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name).collect()
    }
}

/// How a request constrains the model's reply to a JSON Schema. The variants after `Free` are
/// ordered from the strongest guarantee to the weakest.
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
#[non_exhaustive]
pub struct Chat {
    /// The model name, as in the caller's request.
    pub model: String,
    /// The messages after template rendering, in order.
    pub messages: Vec<Message>,
    /// The sampling options, such as the temperature.
    pub sampling: Sampling,
    /// How the reply is made to match a schema, if there is one.
    pub structure: Structure,
    /// The tools that the model may call.
    pub tools: Vec<Tool>,
    /// Whether the model may, must or must not call a tool. Without tools it has no effect.
    pub tool_choice: ToolChoice,
    /// Whether the model may call several tools in one turn.
    pub parallel_tool_calls: bool,
    /// Whether the provider sends the reply in pieces. Only a dialect with a stream decoder
    /// receives such a chat.
    pub stream: bool,
    /// The labels of the request, for an API that has a field for them.
    pub tags: Option<Tags>,
}

/// The labels of a request, each with its name and its value.
pub type Tags = Arc<Vec<(String, String)>>;

impl Chat {
    /// Creates a chat without options, schema and tools.
    pub fn new(model: impl Into<String>, messages: Vec<Message>) -> Self {
        Chat {
            model: model.into(),
            messages,
            sampling: Sampling::default(),
            structure: Structure::Free,
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            parallel_tool_calls: true,
            stream: false,
            tags: None,
        }
    }

    /// Returns the texts of all messages, separated by blank lines, for an API that accepts only
    /// one text.
    pub fn joined_text(&self) -> String {
        let texts: Vec<String> = self.messages.iter().map(Message::joined_text).collect();
        texts.join("\n\n")
    }
}
