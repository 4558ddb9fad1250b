//! Turns a violation of the type `ChatRequest` into an error of Go's JSON decoder, or of the
//! server. The names of Go's types are those in `api/types.go` of ollama/ollama.

use jsonschema::JsonType;
use serde_json::Value;

use super::error::{bad_request, wrong_type};
use super::options;
use crate::dialects::dialect::Rejection;
use crate::types::{Expected, OLLAMA_CHAT, Problem, Violation};

/// Fields of types that have a name in Go.
const NAMED: &[(&str, &str)] = &[
    ("keep_alive", "api.Duration"),
    ("messages", "[]api.Message"),
    ("messages.images", "[]api.ImageData"),
    ("messages.tool_calls", "[]api.ToolCall"),
    ("messages.tool_calls.function", "api.ToolCallFunction"),
    ("messages.tool_calls.function.arguments", "api.ToolCallFunctionArguments"),
    ("tools", "api.Tools"),
    ("tools.function", "api.ToolFunction"),
    ("tools.function.parameters", "api.ToolFunctionParameters"),
];

/// Rejects a body whose values do not have the types of Ollama's npm package. The decoder ignores
/// unknown fields, and no field is required.
pub(super) fn validate(body: &Value) -> Result<(), Rejection> {
    let is_ignored = |violation: &Violation| {
        matches!(violation.problem, Problem::UnknownField(_) | Problem::MissingField(_))
    };
    let result = OLLAMA_CHAT.check_without_nulls(body, &is_ignored);
    result.map_err(|violation| reject(&violation))
}

fn reject(violation: &Violation) -> Rejection {
    let names: Vec<&str> = violation.path.names().collect();
    let (expected, value) = match &violation.problem {
        Problem::WrongType { expected, value } => (expected.as_slice(), value),
        Problem::UnknownValue { value, .. }
        | Problem::Limit { value, .. }
        | Problem::Other(value) => (&[][..], value),
        Problem::UnknownField(_) | Problem::MissingField(_) => (&[][..], &Value::Null),
    };
    match (names.as_slice(), value) {
        (["format"], _) => invalid_format(value),
        (["think"], Value::String(level)) => bad_request(&format!(
            "invalid think value: \"{level}\" (must be \"high\", \"medium\", \"low\", true, or \
             false)"
        )),
        (["think"], _) => {
            bad_request("think must be a boolean or string (\"high\", \"medium\", \"low\")")
        }
        (["options"], _) => wrong_type("ChatRequest.options", "map[string]interface {}", value),
        (["options", name, ..], _) => options::wrong_type(name),
        _ => {
            let name = names.join(".");
            let is_item = violation.path.is_item();
            wrong_type(&format!("ChatRequest.{name}"), &go_type(&name, is_item, expected), value)
        }
    }
}

/// Creates a 400 rejection for a `format` that is neither "json" nor a schema.
pub(super) fn invalid_format(format: &Value) -> Rejection {
    bad_request(&format!(
        "invalid format: {format}; expected \"json\" or a valid JSON Schema object"
    ))
}

fn go_type(name: &str, is_item: bool, expected: &[Expected]) -> String {
    let named = NAMED.iter().find(|(path, _)| *path == name).map(|(_, name)| *name);
    match (named, is_item) {
        (Some("api.Tools"), true) => "api.Tool".to_owned(),
        (Some(name), true) => name.trim_start_matches("[]").to_owned(),
        (Some(name), false) => name.to_owned(),
        (None, _) => {
            let kind = expected.first().map(|expected| (expected.kind, expected.items));
            match kind {
                Some((JsonType::Array, Some(items))) => format!("[]{}", go_name(items)),
                Some((kind, _)) => go_name(kind).to_owned(),
                None => "string".to_owned(),
            }
        }
    }
}

fn go_name(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Boolean => "bool",
        JsonType::Integer | JsonType::Number => "int",
        JsonType::String => "string",
        JsonType::Array => "[]interface {}",
        JsonType::Object | JsonType::Null => "map[string]interface {}",
    }
}
