//! The serde types of the fields about tools.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// Maximum number of tools of a request. OpenAI and xAI accept no more.
pub(crate) const MAX_TOOLS: usize = 128;
/// Maximum number of nested requests, the outermost one included.
pub(crate) const MAX_NESTED_REQUESTS: usize = 4;

/// A tool that the model may call.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct RequestTool {
    /// The name, which the model uses to call the tool: a letter or `_`, followed by letters,
    /// digits, `_` and `-`.
    pub name: Option<String>,
    /// What the tool does and when to call it, for the model.
    pub description: Option<String>,
    /// The JSON Schema of the arguments, whose root is an object. Default: no arguments.
    pub parameters: Option<Map<String, Value>>,
    /// How the tool runs. Without it, calls of the tool are handed back to the caller.
    pub run: Option<RequestToolRun>,
    /// Maximum duration of one run in milliseconds. Default: the remaining time, less the longest
    /// turn of the provider so far.
    pub timeout: Option<u64>,
}

/// How a tool runs.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct RequestToolRun {
    /// Another request, whose result is the result of the tool. The arguments that `parameters`
    /// declares become its `data`.
    pub request: Option<Map<String, Value>>,
    /// The name or the ARN of a Lambda function, which the setting `TOOL_FUNCTIONS` must list.
    pub lambda: Option<String>,
    /// The version or the alias of the Lambda function.
    pub qualifier: Option<String>,
    /// The S3 key of a hosted config with the request.
    pub key: Option<String>,
    /// The S3 bucket that contains `key`. Default: the stack's prompt bucket.
    pub bucket: Option<String>,
    /// The S3 version id of the hosted config at `key`. Default: the latest version.
    pub version: Option<String>,
    /// The URL of a hosted config with the request.
    pub url: Option<String>,
}

/// The choice of a tool that the model must call in its first turn.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct RequestToolChoice {
    /// The name of the tool.
    pub name: Option<String>,
}

/// The result of a tool call that was handed back. It has either a `result` or an `error`.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct RequestToolResult {
    /// The id of the call.
    pub id: Option<String>,
    /// The result: a text, or any other JSON value.
    #[serde(deserialize_with = "deserialize_present")]
    pub result: Option<Value>,
    /// Why the tool failed, for the model.
    pub error: Option<String>,
}

/// Deserializes a field that is present, even if its value is null.
fn deserialize_present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
