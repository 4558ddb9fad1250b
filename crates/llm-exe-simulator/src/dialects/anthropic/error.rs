//! Builds Anthropic's error bodies.

use serde_json::{Value, json};

use crate::dialects::dialect::Rejection;

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
