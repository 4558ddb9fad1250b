//! The request as callers write it: serde types and nothing else.
//!
//! Every field is optional here; [`crate::plan`] says what must be there and what fits together.
//! The JSON Schema that `llm-exe schema` prints is made from these types.

mod reading;
mod text_or;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub use reading::{ParsedRequest, field_names};
pub(crate) use reading::{is_field, near_field, nearest};
pub use text_or::TextOr;

/// What to ask, whom, and how to read the answer.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(title = "llm-exe request")]
pub struct Request {
    /// Who is asked: a row of the provider table, or llm-exe's keys such as `openai.chat.v1`.
    pub provider: Option<String>,
    /// The same as `provider`, as the original document spells it.
    pub providor: Option<String>,
    /// The provider's name of the model, passed on as written.
    pub model: Option<String>,
    /// The prompt, in Handlebars. A string is one system message; a list of strings is system,
    /// user, assistant, user and so on in turn.
    pub message: Option<TextOr<Vec<Option<TextOr<RequestMessage>>>>>,
    /// How the reply is read: `string` (the default), `json`, `list` or `listToArray`,
    /// `listToJson`, `listToKeyValue`, `boolean`, `number`, `stringExtract`, `markdownCodeBlock`,
    /// `markdownCodeBlocks` or `replaceStringTemplate`.
    pub output: Option<String>,
    /// That output's options: `match`, `enum`, `ignoreCase`, `keyTransform`; and for all but
    /// `string` `repairs`, how often an answer that does not fit is asked for again, from 0 to 3.
    pub output_options: Option<Map<String, Value>>,
    /// The JSON Schema that the result must satisfy; required with `output: "json"`, and checked
    /// by `listToJson`.
    pub schema: Option<Map<String, Value>>,
    /// What the templates in `message` are filled with.
    pub data: Option<Map<String, Value>>,
    /// What the model and the call may be tuned with.
    pub options: Option<RequestOptions>,
    /// Whom to ask when the first can't answer, in order.
    pub fallbacks: Option<Vec<Option<RequestFallback>>>,
    /// `result`, the default, answers the bare result; `full` adds usage, model, attempts and
    /// warnings.
    #[serde(rename = "return")]
    pub returns: Option<String>,
    /// Render and validate, call nobody; answers the wire request without its key.
    pub dry_run: Option<bool>,
    /// A variable that `data` lacks is an error.
    pub strict_variables: Option<bool>,
    /// The key of a hosted config, an object in S3: what it states and the request does not, it
    /// adds.
    pub key: Option<String>,
    /// The bucket of `key`; default the stack's prompt bucket.
    pub bucket: Option<String>,
    /// The id of one version of `key`.
    pub version: Option<String>,
    /// Where a hosted config is, instead of `key`: `s3://bucket/key?versionId=…`, or `https://…`.
    pub url: Option<String>,
    /// Who is told of the result, where the operator allows it: a queue's URL, an event bus's
    /// ARN, or `s3://bucket/prefix`.
    pub destination: Option<String>,
    /// A repeated call under the same key is answered with the first one's answer; of direct and
    /// HTTP calls.
    pub idempotency_key: Option<String>,
}

/// Whom to ask when the ones before can't answer.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestFallback {
    /// As the request's `provider`.
    pub provider: Option<String>,
    /// The same as `provider`.
    pub providor: Option<String>,
    /// As the request's `model`.
    pub model: Option<String>,
    /// Options that differ from the request's.
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

/// Where an image is.
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
    /// Only the k likeliest tokens, from 1.
    pub top_k: Option<u64>,
    /// The most tokens that may be answered, from 1.
    pub max_tokens: Option<u64>,
    /// Texts that end the answer.
    pub stop_sequences: Option<Vec<String>>,
    /// From -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// From -2 to 2.
    pub presence_penalty: Option<f64>,
    /// For repeatable sampling, as far as the provider keeps it.
    pub seed: Option<i64>,
    /// How much to reason: none, minimal, low, medium, high, xhigh, max.
    pub effort: Option<String>,
    /// The most milliseconds a call may take; default the time that is left.
    pub timeout: Option<u64>,
    /// How often a call is tried at most, from 1 to 10; default 3.
    pub num_of_attempts: Option<u32>,
    /// The longest wait between two tries, in milliseconds; default 8000.
    pub max_delay: Option<u64>,
    /// `full`, the default, spreads the waits; `none` does not.
    pub jitter: Option<String>,
}

impl RequestOptions {
    /// These, and what `base` says where they say nothing.
    pub(crate) fn over(self, base: RequestOptions) -> RequestOptions {
        RequestOptions {
            temperature: self.temperature.or(base.temperature),
            top_p: self.top_p.or(base.top_p),
            top_k: self.top_k.or(base.top_k),
            max_tokens: self.max_tokens.or(base.max_tokens),
            stop_sequences: self.stop_sequences.or(base.stop_sequences),
            frequency_penalty: self.frequency_penalty.or(base.frequency_penalty),
            presence_penalty: self.presence_penalty.or(base.presence_penalty),
            seed: self.seed.or(base.seed),
            effort: self.effort.or(base.effort),
            timeout: self.timeout.or(base.timeout),
            num_of_attempts: self.num_of_attempts.or(base.num_of_attempts),
            max_delay: self.max_delay.or(base.max_delay),
            jitter: self.jitter.or(base.jitter),
        }
    }
}

/// The JSON Schema of a request.
pub fn request_schema() -> Value {
    schemars::schema_for!(Request).to_value()
}
