//! Turns a violation of the members of `ConverseRequest` into the error of Amazon Bedrock.

use jsonschema::JsonType;
use serde_json::Value;

use super::{constraint_violation, missing_member, validation_error};
use crate::dialects::dialect::Rejection;
use crate::types::{BEDROCK_CONVERSE, Expected, Limit, Problem, Violation};

/// Rejects a body that does not fit AWS's service model.
pub(super) fn validate(body: &Value) -> Result<(), Rejection> {
    let result = BEDROCK_CONVERSE.check_without_nulls(body, &|_| false);
    result.map_err(|violation| reject(&violation))
}

fn reject(violation: &Violation) -> Rejection {
    let path = violation.path.with_dots();
    let field = |name: &str| violation.path.field(name).with_dots();
    match &violation.problem {
        Problem::UnknownField(name) => {
            validation_error(&format!("Unexpected field type: {} is not known", field(name)))
        }
        Problem::MissingField(name) => missing_member(&field(name)),
        Problem::WrongType { expected, .. } => {
            let expected = expected.first().map_or("another value", describe_type);
            validation_error(&format!("{path}: expected {expected}"))
        }
        Problem::UnknownValue { supported, value, .. } => {
            let supported: Vec<&str> = supported.iter().filter_map(Value::as_str).collect();
            let rule = format!("Member must satisfy enum value set: [{}]", supported.join(", "));
            constraint_violation(&describe_value(value), &path, &rule)
        }
        Problem::Limit { limit: Limit::OneField, .. } => {
            validation_error(&format!("{path}: expected a union with exactly one member"))
        }
        Problem::Limit { limit, value } => {
            constraint_violation(&describe_value(value), &path, &describe_limit(limit))
        }
        Problem::Other(_) => validation_error(&format!("{path}: the value is not valid")),
    }
}

fn describe_type(expected: &Expected) -> &'static str {
    match expected.kind {
        JsonType::Array => "a list",
        JsonType::Boolean => "a boolean",
        JsonType::Integer => "an integer",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "an object",
        JsonType::String => "a string",
    }
}

fn describe_limit(limit: &Limit) -> String {
    let limit = match limit {
        Limit::MinLength(min) => format!("have length greater than or equal to {min}"),
        Limit::MaxLength(max) => format!("have length less than or equal to {max}"),
        Limit::Minimum(min) => format!("have value greater than or equal to {min}"),
        Limit::Maximum(max) => format!("have value less than or equal to {max}"),
        Limit::Pattern(pattern) => {
            let own = pattern.strip_prefix("^(?:").and_then(|own| own.strip_suffix(")$"));
            format!("satisfy regular expression pattern: {}", own.unwrap_or(pattern))
        }
        Limit::OneField => "have exactly one member".to_owned(),
    };
    format!("Member must {limit}")
}

fn describe_value(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
