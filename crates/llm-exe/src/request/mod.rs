//! The serde types of a request before validation.
//!
//! Every field is optional here, because [`crate::plan`] checks required fields and valid values.
//! The JSON Schema in `schema.json` is generated from these types.

mod parse;
mod steps;
mod suggestion;
mod text_or;
mod tools;

use serde::Deserialize;
use serde_json::{Map, Value, json};

pub use parse::{ParsedRequest, field_names};
pub(crate) use parse::{ignored_field_warning, is_field, problem_of_warning, too_many_items};
pub(crate) use steps::{RequestRepeat, RequestStep, STEP_FIELDS};
pub use suggestion::suggestion;
pub(crate) use suggestion::synonym_suggestion;
pub use text_or::TextOr;
pub(crate) use tools::{MAX_NESTED_REQUESTS, MAX_TOOLS};
pub use tools::{RequestTool, RequestToolChoice, RequestToolResult, RequestToolRun};

/// Maximum number of fallbacks of a request. The request to each of them is built before the first
/// call.
pub(crate) const MAX_FALLBACKS: usize = 20;
/// Maximum number of steps of a request, those of nested chains included.
pub(crate) const MAX_STEPS: usize = 50;

/// A request: the prompt, the model to call, and how to parse the reply.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
#[cfg_attr(feature = "schemars", schemars(title = "llm-exe request"))]
pub struct Request {
    /// The provider, such as `openai`. Provider keys of the npm package llm-exe, such as
    /// `openai.chat.v1`, are accepted too.
    pub provider: Option<String>,
    /// An alternative spelling of `provider`, for compatibility with the original specification.
    pub providor: Option<String>,
    /// The model name, as the provider spells it.
    pub model: Option<String>,
    /// The prompt, as Handlebars templates. A string is a single system message. A list of strings
    /// contains messages with alternating roles: system, user, assistant, user and so on.
    pub message: Option<TextOr<Vec<Option<TextOr<RequestMessage>>>>>,
    /// How the reply is parsed: `string` (the default), `json`, `list` or `listToArray`,
    /// `listToJson`, `listToKeyValue`, `boolean`, `number`, `stringExtract`, `markdownCodeBlock`,
    /// `markdownCodeBlocks` or `replaceStringTemplate`.
    pub output: Option<String>,
    /// The options of `output`: `match`, `enum`, `ignoreCase`, `keyTransform` and `repairs`.
    /// `repairs` is how often the model may correct an unusable reply, from 0 to 3; the output
    /// `string` does not support it.
    pub output_options: Option<Map<String, Value>>,
    /// The steps of a chain, at most 50, in place of `message`. Each step is a request with a name.
    /// It inherits `provider`, `model`, `options`, `fallbacks` and `tools` from the request.
    #[cfg_attr(feature = "schemars", schemars(with = "Option<Vec<RequestStep>>"))]
    pub steps: Option<Vec<Option<Map<String, Value>>>>,
    /// Maximum number of items of a step that run at the same time, from 1 to 50. Default: 5.
    pub concurrency: Option<u64>,
    /// The JSON Schema that the result must satisfy. The output `json` requires a schema, and for
    /// `listToJson` it is optional.
    pub schema: Option<Map<String, Value>>,
    /// The variables that the templates in `message` can use.
    pub data: Option<Map<String, Value>>,
    /// Sampling, timeout and retry options.
    pub options: Option<RequestOptions>,
    /// The providers and models to call, in order, if the first provider is unavailable.
    pub fallbacks: Option<Vec<Option<RequestFallback>>>,
    /// The tools that the model may call, at most 128.
    pub tools: Option<Vec<Option<RequestTool>>>,
    /// Whether the model calls tools in its first turn: `auto` (default), `none`, `required`, or
    /// `{"name": …}` for one tool. `none` applies to all turns.
    pub tool_choice: Option<TextOr<RequestToolChoice>>,
    /// Whether the model may call several tools in one turn. Default: true.
    pub parallel_tool_calls: Option<bool>,
    /// Maximum number of turns of the model in the whole conversation, from 1 to 50. Default: 8.
    pub max_turns: Option<u64>,
    /// What happens if a tool fails: `report` (default) gives the error to the model, and `fail`
    /// ends the request with `ToolFailed`.
    pub tool_errors: Option<String>,
    /// A conversation that was handed back, exactly as it was received.
    pub conversation: Option<Map<String, Value>>,
    /// The id of a stored conversation, from the field `continue` of the result that handed calls
    /// back.
    #[serde(rename = "continue")]
    pub continues: Option<String>,
    /// The results of the calls that were handed back, one for each call.
    pub tool_results: Option<Vec<Option<RequestToolResult>>>,
    /// What is returned: `result` (default) is the bare result, and `full` adds usage, model,
    /// attempts and warnings.
    #[serde(rename = "return")]
    pub returns: Option<String>,
    /// Whether the result is streamed, if the caller can receive a stream.
    pub stream: Option<bool>,
    /// The format of the stream: `sse` (default) for server-sent events, or `ndjson` for lines of
    /// JSON.
    pub stream_format: Option<String>,
    /// Whether to validate and render the request without calling the provider. The result is the
    /// HTTP request that would be sent, without the API key.
    pub dry_run: Option<bool>,
    /// Whether a template variable that is missing from `data` is an error instead of a warning.
    pub strict_variables: Option<bool>,
    /// Whether every warning about the request is an error before the call that it concerns.
    /// Includes `strictVariables`, and options that a provider rejects are errors.
    pub strict: Option<bool>,
    /// Labels for the log and the metrics, such as a team, at most 10. Names and values have 1 to
    /// 64 letters, digits, `_`, `.` and `-`.
    pub tags: Option<Map<String, Value>>,
    /// The span around the request, as in the header `traceparent` of W3C Trace Context.
    pub traceparent: Option<String>,
    /// The S3 key of a hosted config, which provides the fields that are missing from the request.
    pub key: Option<String>,
    /// The S3 bucket that contains `key`. Default: the stack's prompt bucket.
    pub bucket: Option<String>,
    /// The S3 version id of the hosted config at `key`. Default: the latest version.
    pub version: Option<String>,
    /// The URL of a hosted config, as an alternative to `key`: `s3://bucket/key?versionId=…` or
    /// `https://…`.
    pub url: Option<String>,
    /// Where to send the result, if the operator allows it: the URL of a queue, the ARN of an event
    /// bus, or `s3://bucket/prefix`.
    pub destination: Option<String>,
    /// A key that deduplicates direct and HTTP calls. Another call with the same key returns the
    /// stored result of the first call.
    pub idempotency_key: Option<String>,
}

/// A provider and model to call if the previous ones are unavailable.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct RequestFallback {
    /// The provider, such as `anthropic`.
    pub provider: Option<String>,
    /// An alternative spelling of `provider`.
    pub providor: Option<String>,
    /// The model name, as the provider spells it.
    pub model: Option<String>,
    /// Options that override the `options` of the request.
    pub options: Option<RequestOptions>,
}

/// One message of a conversation.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct RequestMessage {
    /// The author of the message: `system`, `user` or `assistant`.
    pub role: Option<String>,
    /// The content of the message: a string or a list of parts.
    pub content: Option<TextOr<Vec<Option<RequestPart>>>>,
}

/// A part of a message's content.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RequestPart {
    /// The type of the part: `text` or `image_url`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The text of a `text` part.
    pub text: Option<String>,
    /// The image of an `image_url` part.
    pub image_url: Option<RequestImage>,
}

/// The location of an image.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RequestImage {
    /// An `https:` or `data:` URL.
    pub url: Option<String>,
}

/// Sampling, timeout and retry options.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct RequestOptions {
    /// Sampling temperature, from 0 to 2. Higher values are more random.
    pub temperature: Option<f64>,
    /// Cumulative probability for nucleus sampling, from 0 to 1.
    pub top_p: Option<f64>,
    /// Number of most likely tokens to sample from, at least 1.
    pub top_k: Option<u64>,
    /// Maximum number of tokens in the reply, at least 1.
    pub max_tokens: Option<u64>,
    /// Strings at which the model stops generating.
    pub stop_sequences: Option<Vec<String>>,
    /// Penalty for tokens by how often they have occurred, from -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// Penalty for tokens that have occurred at all, from -2 to 2.
    pub presence_penalty: Option<f64>,
    /// Seed for reproducible sampling, if the provider supports it.
    pub seed: Option<i64>,
    /// Reasoning effort: `none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`.
    pub effort: Option<String>,
    /// Maximum duration of one attempt in milliseconds. Default: the remaining time.
    pub timeout: Option<u64>,
    /// Maximum number of attempts, from 1 to 10. Default: 3.
    pub num_of_attempts: Option<u32>,
    /// Maximum wait between two attempts in milliseconds. Default: 8000.
    pub max_delay: Option<u64>,
    /// Whether the waits between attempts are randomized: `full` (default) or `none`.
    pub jitter: Option<String>,
    /// Maximum cost of the request in US dollars, above 0. Not valid in the options of a fallback.
    pub max_cost: Option<f64>,
}

impl RequestOptions {
    /// Returns these options, with missing options taken from `defaults`.
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
            max_cost: self.max_cost,
        }
    }
}

/// The JSON Schema of a request. It is a file, so that programs need no schemars to return it. A
/// test compares it with the types and with the validation.
const SCHEMA: &str = include_str!("schema.json");

/// Returns the JSON Schema of a request to the built-in providers.
pub fn request_schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap_or_default()
}

/// Returns the JSON Schema of a request to the built-in providers and others with these names.
pub(crate) fn request_schema_for(names: &[String]) -> Value {
    let mut schema = request_schema();
    if names.is_empty() {
        return schema;
    }
    let forms = schema.pointer_mut("/$defs/Provider/anyOf").and_then(Value::as_array_mut);
    if let Some(forms) = forms {
        // The names of providers contain no characters with a meaning in patterns.
        let with_model = format!("^(?:{})\\..+$", names.join("|"));
        forms.push(json!({ "enum": names }));
        forms.push(json!({ "type": "string", "pattern": with_model }));
    }
    schema
}

/// The fields that point to a hosted config.
pub(crate) const POINTER_FIELDS: &[&str] = &["key", "bucket", "version", "url"];

/// Converts the JSON Schema of a request to that of a hosted config. A config may omit any field,
/// can't point to another config, and can list the fields that callers may override.
pub(crate) fn into_config_schema(mut schema: Value) -> Value {
    let Some(keywords) = schema.as_object_mut() else { return schema };
    keywords.shift_remove("if");
    keywords.shift_remove("else");
    keywords.insert("title".to_owned(), json!("llm-exe hosted config"));
    let text = "A hosted config: the fields of a request, all of which are optional.";
    keywords.insert("description".to_owned(), json!(text));
    if let Some(Value::String(id)) = keywords.get_mut("$id") {
        *id = id.replace("request.schema", "config.schema");
    }
    let names = field_names::<Request>().iter().filter(|name| !POINTER_FIELDS.contains(name));
    let items = json!({ "enum": names.collect::<Vec<_>>() });
    let text = "The fields that callers may override. Without this list, they may override all.";
    let overridable = json!({ "type": ["array", "null"], "items": items, "description": text });
    if let Some(fields) = keywords.get_mut("properties").and_then(Value::as_object_mut) {
        for name in POINTER_FIELDS {
            let text = "A config can't point to another config.";
            fields.insert((*name).to_owned(), json!({ "type": "null", "description": text }));
        }
        fields.insert("overridable".to_owned(), overridable);
    }
    schema
}
