//! Turns a violation of OpenAI's types into OpenAI's error.

use jsonschema::JsonType;
use serde_json::Value;

use super::error::{invalid_parameter, missing_parameter, unsupported_value, wrong_type};
use crate::dialects::dialect::Rejection;
use crate::types::{Accepts, BodyType, Expected, Problem, Violation};

/// Rejects a body whose values do not have the types of OpenAI's npm package. `unknown_parameter`
/// creates the error for a parameter that the API does not have.
pub(crate) fn validate(
    body_type: &BodyType,
    body: &Value,
    accepts: Accepts<'_>,
    unknown_parameter: fn(&str) -> Rejection,
) -> Result<(), Rejection> {
    // A parameter that is null is not set.
    let accepts = |violation: &Violation| is_null_parameter(violation) || accepts(violation);
    body_type.check(body, &accepts).map_err(|violation| match &violation.problem {
        Problem::UnknownField(name) if violation.path.is_empty() => unknown_parameter(name),
        _ => reject(&violation),
    })
}

fn is_null_parameter(violation: &Violation) -> bool {
    let is_null = matches!(&violation.problem, Problem::WrongType { value: Value::Null, .. });
    is_null && violation.path.len() == 1
}

fn reject(violation: &Violation) -> Rejection {
    let param = violation.path.with_brackets();
    let field = |name: &str| violation.path.field(name).with_brackets();
    match &violation.problem {
        // songquanpeng/one-api#1319 and pydantic/pydantic-ai#3653 on GitHub.
        Problem::UnknownField(name) => {
            let param = field(name);
            let message = format!("Unknown parameter: '{param}'.");
            invalid_parameter(&message, &param, "unknown_parameter")
        }
        Problem::MissingField(name) => missing_parameter(&field(name)),
        Problem::WrongType { expected, value } => {
            wrong_type(&param, &describe_types(expected), value)
        }
        Problem::UnknownValue { supported, value, .. } => {
            let supported: Vec<&str> = supported.iter().filter_map(Value::as_str).collect();
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            unsupported_value(&param, &value, &supported)
        }
        Problem::Limit { value, .. } | Problem::Other(value) => {
            let message = format!("Invalid value for '{param}': {value}.");
            invalid_parameter(&message, &param, "invalid_value")
        }
    }
}

/// Lists types as OpenAI's errors do, for example "one of a string or array of objects".
fn describe_types(expected: &[Expected]) -> String {
    let is_single = expected.iter().all(|expected| expected.kind == JsonType::Null);
    let expected = expected.iter().filter(|it| is_single || it.kind != JsonType::Null);
    let names: Vec<String> = expected.map(describe_type).collect();
    match names.as_slice() {
        [] => "another value".to_owned(),
        [name] => format!("{} {name}", article(name)),
        [first, others @ ..] => {
            format!("one of {} {first} or {}", article(first), others.join(" or "))
        }
    }
}

fn describe_type(expected: &Expected) -> String {
    let name = match expected.kind {
        JsonType::Number => "decimal",
        kind => kind.as_str(),
    };
    match expected.items {
        Some(items) => format!("{name} of {}s", items.as_str()),
        None => name.to_owned(),
    }
}

fn article(name: &str) -> &'static str {
    if name.starts_with(['a', 'i', 'o']) { "an" } else { "a" }
}
