//! Turns a violation of the types of `generateContent` into Google's error. The service parses
//! JSON as protocol buffers do: <https://protobuf.dev/programming-guides/json/>.

use jsonschema::JsonType;
use serde_json::Value;

use super::error::{invalid_field, rule_violation, unknown_field, wrong_type};
use crate::dialects::dialect::Rejection;
use crate::types::{Expected, GEMINI_GENERATE_CONTENT, Path, Problem, Segment, Violation};

/// Fields that are integers in the REST API. In the package, they are numbers.
const INTEGERS: &[&str] =
    &["candidateCount", "logprobs", "maxOutputTokens", "seed", "thinkingBudget", "topK"];
/// Fields that are bytes in the REST API. In the package, they are strings.
const BYTES: &[&str] = &["data", "thoughtSignature"];
/// Types of the package, each with its name in the REST API.
const NAMES: &[(&str, &str)] = &[
    ("FunctionCallingConfigMode", "google.ai.generativelanguage.v1beta.FunctionCallingConfig.Mode"),
    ("Record_string_unknown", "Struct"),
    ("RestGenerationConfig", "GenerationConfig"),
    ("ThinkingLevel", "ThinkingConfig.ThinkingLevel"),
];

/// Rejects a body whose values do not have the types of Google's npm package.
pub(crate) fn validate(body: &Value) -> Result<(), Rejection> {
    let result = GEMINI_GENERATE_CONTENT.check_without_nulls(body, &is_lower_case_type);
    result.map_err(|violation| reject(&violation))
}

/// Accepts the types of schemas in lower case, as the examples of the documentation have them.
/// <https://ai.google.dev/gemini-api/docs/function-calling>
fn is_lower_case_type(violation: &Violation) -> bool {
    match &violation.problem {
        Problem::UnknownValue { supported, value, name, .. } if name.as_deref() == Some("Type") => {
            let upper_case = value.as_str().map(str::to_ascii_uppercase);
            upper_case.is_some_and(|name| supported.iter().any(|known| *known == name))
        }
        _ => false,
    }
}

fn reject(violation: &Violation) -> Rejection {
    let path = snake_case(&violation.path);
    match &violation.problem {
        Problem::UnknownField(name) => unknown_field(&path, name),
        Problem::MissingField(name) => {
            let path = snake_case(&violation.path.field(name));
            rule_violation(&path, &format!("{name} is not specified"))
        }
        Problem::WrongType { expected, value } => {
            let name = violation.path.names().last().unwrap_or_default();
            let expected = expected.first().map(|expected| describe_type(expected, name));
            wrong_type(&path, &expected.unwrap_or_default(), value)
        }
        Problem::UnknownValue { name, value, .. } => {
            wrong_type(&path, &message_type(name.as_deref()), value)
        }
        Problem::Limit { value, .. } | Problem::Other(value) => {
            invalid_field(&path, &format!("Invalid value at '{path}', {value}"))
        }
    }
}

/// Returns the type of a field. That of a list is the type of its items.
fn describe_type(expected: &Expected, field: &str) -> String {
    let kind = match expected.items {
        Some(items) => items,
        None => expected.kind,
    };
    let name = match kind {
        JsonType::String if BYTES.contains(&field) => "TYPE_BYTES",
        JsonType::String => "TYPE_STRING",
        JsonType::Number | JsonType::Integer if INTEGERS.contains(&field) => "TYPE_INT32",
        JsonType::Number | JsonType::Integer => "TYPE_FLOAT",
        JsonType::Boolean => "TYPE_BOOL",
        _ => return message_type(expected.name.as_deref()),
    };
    name.to_owned()
}

fn message_type(name: Option<&str>) -> String {
    let name = name.unwrap_or("Value");
    let renamed = NAMES.iter().find(|(own, _)| *own == name);
    format!("type.googleapis.com/{}", renamed.map_or(name, |(_, name)| name))
}

/// Writes a path as the service does, for example `contents[0].parts[0].inline_data`.
fn snake_case(path: &Path) -> String {
    let mut text = String::new();
    for segment in path.segments() {
        match segment {
            Segment::Index(index) => text.push_str(&format!("[{index}]")),
            Segment::Field(name) => {
                if !text.is_empty() {
                    text.push('.');
                }
                for character in name.chars() {
                    if character.is_ascii_uppercase() {
                        text.push('_');
                    }
                    text.push(character.to_ascii_lowercase());
                }
            }
        }
    }
    text
}
