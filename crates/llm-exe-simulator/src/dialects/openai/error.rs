//! Builds OpenAI's error bodies.

use serde_json::{Value, json};

use crate::dialects::dialect::Rejection;
use crate::dialects::json::type_name;

/// Creates a rejection with an OpenAI error body.
pub(crate) fn rejection(
    status: u16,
    message: &str,
    param: Option<&str>,
    code: Option<&str>,
) -> Rejection {
    let kind = "invalid_request_error";
    let error = json!({"message": message, "type": kind, "param": param, "code": code});
    Rejection::new(status, json!({"error": error}))
}

/// Creates a 400 rejection for an invalid parameter.
pub(crate) fn invalid_parameter(message: &str, param: &str, code: &str) -> Rejection {
    rejection(400, message, Some(param), Some(code))
}

/// Creates a 400 rejection for a missing parameter.
pub(crate) fn missing_parameter(param: &str) -> Rejection {
    invalid_parameter(
        &format!("Missing required parameter: '{param}'."),
        param,
        "missing_required_parameter",
    )
}

/// Creates a 400 rejection for a parameter of the wrong type.
pub(crate) fn wrong_type(param: &str, expected: &str, got: &Value) -> Rejection {
    let got = type_name(got);
    let message =
        format!("Invalid type for '{param}': expected {expected}, but got {got} instead.");
    invalid_parameter(&message, param, "invalid_type")
}

/// Creates a 400 rejection for a value that is not one of the supported values.
pub(crate) fn unsupported_value(param: &str, got: &str, supported: &[&str]) -> Rejection {
    let supported: Vec<String> = supported.iter().map(|value| format!("'{value}'")).collect();
    let message =
        format!("Invalid value: '{got}'. Supported values are: {}.", supported.join(", "));
    invalid_parameter(&message, param, "invalid_value")
}

/// Creates a 400 rejection for an empty array.
pub(crate) fn empty_array(param: &str) -> Rejection {
    let message = format!(
        "Invalid '{param}': empty array. Expected an array with minimum length 1, but got an \
         empty array instead."
    );
    invalid_parameter(&message, param, "empty_array")
}
