//! Turns a violation of the type `MessageCreateParams` into Anthropic's error, which is worded by
//! the Python library pydantic.

use jsonschema::JsonType;
use serde_json::Value;

use super::error::{invalid_request, missing_field};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::str_field;
use crate::types::{ANTHROPIC_MESSAGES, Accepts, Expected, Path, Problem, Segment, Violation};

/// Fields with a `type` whose value has a single type. In paths, the types of unions follow the
/// field.
const SINGLE_TYPES: &[&str] = &["cache_control", "format", "input_schema"];

/// Rejects a body whose values do not have the types of Anthropic's npm package.
pub(crate) fn validate(body: &Value, accepts: Accepts<'_>) -> Result<(), Rejection> {
    let result = ANTHROPIC_MESSAGES.check_without_nulls(body, accepts);
    result.map_err(|violation| reject(body, &violation))
}

/// Accepts a body without a model, as the APIs of Amazon Bedrock have it.
pub(crate) fn accepts_no_model(violation: &Violation) -> bool {
    let is_model = matches!(&violation.problem, Problem::MissingField(name) if name == "model");
    is_model && violation.path.is_empty()
}

/// Converts a violation to Anthropic's error.
pub(crate) fn reject(body: &Value, violation: &Violation) -> Rejection {
    let path = location(body, &violation.path, true);
    let field =
        |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match &violation.problem {
        Problem::UnknownField(name) => {
            invalid_request(&format!("{}: Extra inputs are not permitted", field(name)))
        }
        Problem::MissingField(name) if name == "type" => {
            missing_field(&format!("{}.type", location(body, &violation.path, false)))
        }
        Problem::MissingField(name) => missing_field(&field(name)),
        Problem::WrongType { expected, .. } => {
            let expected: Vec<&str> = expected.iter().filter_map(describe_type).collect();
            invalid_request(&format!("{path}: Input should be {}", expected.join(" or ")))
        }
        Problem::UnknownValue { supported, value: Value::String(tag), .. }
            if is_tag(&violation.path) =>
        {
            let parent = location(body, &violation.path.parent(), false);
            invalid_request(&format!(
                "{parent}: Input tag '{tag}' found using 'type' does not match any of the expected \
                 tags: {}",
                quote(supported).join(", ")
            ))
        }
        Problem::UnknownValue { supported, .. } => {
            let supported = quote(supported);
            let expected = match supported.split_last() {
                Some((last, others)) if !others.is_empty() => {
                    format!("{} or {last}", others.join(", "))
                }
                _ => supported.concat(),
            };
            invalid_request(&format!("{path}: Input should be {expected}"))
        }
        Problem::Limit { .. } | Problem::Other(_) => {
            invalid_request(&format!("{path}: Input is not valid"))
        }
    }
}

/// Whether a path is that of the `type` by which the types of a union differ. A schema of a tool
/// also has a `type`.
fn is_tag(path: &Path) -> bool {
    let names: Vec<&str> = path.names().collect();
    names.ends_with(&["type"]) && !names.ends_with(&["input_schema", "type"])
}

/// Returns the path of a value with the types of the unions on the way to it, for example
/// `messages.0.content.1.tool_use.input`, and that of the value itself, if it has one.
fn location(body: &Value, path: &Path, with_own_type: bool) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut value = Some(body);
    let mut own_type = None;
    let indexes: Vec<String> = path.segments().map(Segment::to_string).collect();
    for (segment, name) in path.segments().zip(&indexes) {
        value = match segment {
            Segment::Index(index) => value.and_then(|value| value.get(index)),
            Segment::Field(name) => value.and_then(|value| value.get(name)),
        };
        let is_tool = names == ["tools"];
        names.push(name);
        let tag = value.and_then(|value| str_field(value, "type"));
        let tag = tag.or(is_tool.then_some("custom"));
        let is_union = !SINGLE_TYPES.contains(&name.as_str());
        own_type = tag.filter(|_| is_union);
        names.extend(own_type);
    }
    if !with_own_type && own_type.is_some() {
        names.pop();
    }
    names.join(".")
}

fn quote(values: &[Value]) -> Vec<String> {
    values.iter().filter_map(Value::as_str).map(|value| format!("'{value}'")).collect()
}

fn describe_type(expected: &Expected) -> Option<&'static str> {
    Some(match expected.kind {
        JsonType::String => "a valid string",
        JsonType::Number => "a valid number",
        JsonType::Integer => "a valid integer",
        JsonType::Boolean => "a valid boolean",
        JsonType::Array => "a valid list",
        JsonType::Object if expected.name.is_some() => "an object",
        JsonType::Object => "a valid dictionary",
        JsonType::Null => return None,
    })
}
