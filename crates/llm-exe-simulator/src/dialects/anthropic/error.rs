//! Builds Anthropic's error bodies.

use serde_json::{Value, json};

use crate::dialects::dialect::Rejection;
use crate::dialects::json::{str_field, type_name, unknown_key};

/// Builds Anthropic's error body for a status.
pub(crate) fn error(status: u16, message: &str) -> Value {
    let kind = match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    let error = json!({"type": kind, "message": message});
    json!({"type": "error", "error": error, "request_id": "req_simulated"})
}

/// Creates a rejection with an Anthropic error body.
pub(crate) fn rejection(status: u16, message: &str) -> Rejection {
    Rejection::new(status, error(status, message))
}

/// Creates a 400 rejection with this message.
pub(crate) fn invalid_request(message: &str) -> Rejection {
    rejection(400, message)
}

/// Creates a 400 rejection for a missing field.
pub(crate) fn missing_field(path: &str) -> Rejection {
    invalid_request(&format!("{path}: Field required"))
}

/// Rejects an object with a field that is not in `known`.
pub(crate) fn reject_unknown_fields(
    value: &Value,
    known: &[&str],
    path: &str,
) -> Result<(), Rejection> {
    match unknown_key(value, known) {
        Some(unknown) => {
            Err(invalid_request(&format!("{path}.{unknown}: Extra inputs are not permitted")))
        }
        None => Ok(()),
    }
}

/// Returns the `type` of a tagged object. Rejects a type that is not in `known`.
pub(crate) fn type_tag<'a>(
    value: &'a Value,
    known: &[&str],
    path: &str,
) -> Result<&'a str, Rejection> {
    if !value.is_object() {
        let message = format!("{path}: Input should be an object, got {}", type_name(value));
        return Err(invalid_request(&message));
    }
    match str_field(value, "type") {
        Some(tag) if known.contains(&tag) => Ok(tag),
        Some(tag) => {
            let known: Vec<String> = known.iter().map(|name| format!("'{name}'")).collect();
            Err(invalid_request(&format!(
                "{path}: Input tag '{tag}' found using 'type' does not match any of the expected \
                 tags: {}",
                known.join(", ")
            )))
        }
        None => Err(missing_field(&format!("{path}.type"))),
    }
}
