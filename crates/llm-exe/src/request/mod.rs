//! The serde types for a request as callers write it.
//!
//! Every field is optional in these types; [`crate::plan`] checks which fields are required and
//! which values are valid. The JSON Schema that `llm-exe schema` prints is generated from the
//! types.

mod parse;
mod suggestion;
mod text_or;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(crate) use parse::is_field;
pub use parse::{ParsedRequest, field_names};
pub(crate) use suggestion::suggestion;
pub use text_or::TextOr;

/// A request: the prompt, the model to call, and how to parse the reply.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(title = "llm-exe request")]
pub struct Request {
    /// The provider, such as `openai`. The keys of the npm package llm-exe, such as
    /// `openai.chat.v1`, are accepted too.
    pub provider: Option<String>,
    /// Another spelling of `provider`, for compatibility with the original specification.
    pub providor: Option<String>,
    /// The model, as the provider spells it.
    pub model: Option<String>,
    /// The prompt, in Handlebars. A string is one system message. A list of strings alternates:
    /// system, user, assistant, user and so on.
    pub message: Option<TextOr<Vec<Option<TextOr<RequestMessage>>>>>,
    /// How the reply is parsed: `string` (the default), `json`, `list` or `listToArray`,
    /// `listToJson`, `listToKeyValue`, `boolean`, `number`, `stringExtract`, `markdownCodeBlock`,
    /// `markdownCodeBlocks` or `replaceStringTemplate`.
    pub output: Option<String>,
    /// The options of `output`: `match`, `enum`, `ignoreCase`, `keyTransform`, and for all outputs
    /// except `string` `repairs`: how often the model may correct an unusable reply, from 0 to 3.
    pub output_options: Option<Map<String, Value>>,
    /// The JSON Schema of the result. Required for `output: "json"`; `listToJson` checks it too.
    pub schema: Option<Map<String, Value>>,
    /// The variables of the templates in `message`.
    pub data: Option<Map<String, Value>>,
    /// Options of the model and of the call.
    pub options: Option<RequestOptions>,
    /// The targets to call, in order, if the first provider is unavailable.
    pub fallbacks: Option<Vec<Option<RequestFallback>>>,
    /// `result` (default) returns the bare result. `full` adds usage, model, attempts and warnings.
    #[serde(rename = "return")]
    pub returns: Option<String>,
    /// Whether to only validate and render the request. Returns the request that would be sent to
    /// the provider, without the key.
    pub dry_run: Option<bool>,
    /// Whether a variable that is missing in `data` is an error.
    pub strict_variables: Option<bool>,
    /// The key of a hosted config, an object in S3. The config provides the fields that the request
    /// does not have.
    pub key: Option<String>,
    /// The bucket of `key`. Default: the stack's prompt bucket.
    pub bucket: Option<String>,
    /// The version id of `key`. Default: the latest version.
    pub version: Option<String>,
    /// The URL of a hosted config, instead of `key`: `s3://bucket/key?versionId=…` or `https://…`.
    pub url: Option<String>,
    /// Where the result is sent, if the operator allows it: the URL of a queue, the ARN of an event
    /// bus, or `s3://bucket/prefix`.
    pub destination: Option<String>,
    /// Deduplicates direct and HTTP calls: a repeated call with the same key returns the stored
    /// result of the first one.
    pub idempotency_key: Option<String>,
}

/// A target to call if the ones before it are unavailable.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestFallback {
    /// The provider, as in the request.
    pub provider: Option<String>,
    /// Another spelling of `provider`.
    pub providor: Option<String>,
    /// The model, as in the request.
    pub model: Option<String>,
    /// Options that override those of the request.
    pub options: Option<RequestOptions>,
}

/// One message of a conversation.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestMessage {
    /// `system`, `user` or `assistant`.
    pub role: Option<String>,
    /// The text, or its parts.
    pub content: Option<TextOr<Vec<Option<RequestPart>>>>,
}

/// A part of a message's content.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RequestPart {
    /// `text` or `image_url`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The text of a `text` part.
    pub text: Option<String>,
    /// The image of an `image_url` part.
    pub image_url: Option<RequestImage>,
}

/// The location of an image.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RequestImage {
    /// An `https:` or `data:` URL.
    pub url: Option<String>,
}

/// Options of the model and of the call.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestOptions {
    /// Randomness, from 0 to 2.
    pub temperature: Option<f64>,
    /// Nucleus sampling, from 0 to 1.
    pub top_p: Option<f64>,
    /// Sample only from the k most likely tokens, from 1.
    pub top_k: Option<u64>,
    /// Maximum number of tokens in the reply, from 1.
    pub max_tokens: Option<u64>,
    /// Texts that end the reply.
    pub stop_sequences: Option<Vec<String>>,
    /// Penalty for frequent tokens, from -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// Penalty for tokens that have occurred, from -2 to 2.
    pub presence_penalty: Option<f64>,
    /// Seed for repeatable sampling, as far as the provider supports it.
    pub seed: Option<i64>,
    /// Reasoning effort: none, minimal, low, medium, high, xhigh, max.
    pub effort: Option<String>,
    /// Maximum duration of one call in milliseconds. Default: the remaining time.
    pub timeout: Option<u64>,
    /// Maximum number of attempts, from 1 to 10. Default: 3.
    pub num_of_attempts: Option<u32>,
    /// Maximum wait between two attempts in milliseconds. Default: 8000.
    pub max_delay: Option<u64>,
    /// `full` (default) randomizes the waits; `none` does not.
    pub jitter: Option<String>,
}

impl RequestOptions {
    /// Returns these options. Missing options are taken from `defaults`.
    pub(crate) fn with_defaults(self, defaults: RequestOptions) -> RequestOptions {
        RequestOptions {
            temperature: self.temperature.or(defaults.temperature),
            top_p: self.top_p.or(defaults.top_p),
            top_k: self.top_k.or(defaults.top_k),
            max_tokens: self.max_tokens.or(defaults.max_tokens),
            stop_sequences: self.stop_sequences.or(defaults.stop_sequences),
            frequency_penalty: self.frequency_penalty.or(defaults.frequency_penalty),
            presence_penalty: self.presence_penalty.or(defaults.presence_penalty),
            seed: self.seed.or(defaults.seed),
            effort: self.effort.or(defaults.effort),
            timeout: self.timeout.or(defaults.timeout),
            num_of_attempts: self.num_of_attempts.or(defaults.num_of_attempts),
            max_delay: self.max_delay.or(defaults.max_delay),
            jitter: self.jitter.or(defaults.jitter),
        }
    }
}

/// Returns the JSON Schema of a request.
pub fn request_schema() -> Value {
    schemars::schema_for!(Request).to_value()
}
