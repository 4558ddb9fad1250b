//! Builds Google's error bodies.

use serde_json::{Value, json};

use crate::dialects::dialect::Rejection;

const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";

/// Builds Google's error body for a status.
pub(crate) fn error(status: u16, message: &str) -> Value {
    let word = match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        501 => "UNIMPLEMENTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    };
    json!({"error": {"code": status, "message": message, "status": word}})
}

/// Creates a 400 rejection with this message and these details.
pub(crate) fn with_details(message: &str, details: Value) -> Rejection {
    let mut body = error(400, message);
    if let Some(error) = body.get_mut("error").and_then(Value::as_object_mut) {
        error.insert("details".to_owned(), details);
    }
    Rejection::new(400, body)
}

/// Creates a 400 rejection with this message.
pub(crate) fn invalid_request(message: &str) -> Rejection {
    Rejection::new(400, error(400, message))
}

/// Creates a 400 rejection for a field that violates a rule of `GenerateContentRequest`.
pub(crate) fn rule_violation(path: &str, rule: &str) -> Rejection {
    invalid_request(&format!("* GenerateContentRequest.{path}: {rule}\n"))
}

/// Creates a 400 rejection for a value of the wrong type.
pub(crate) fn wrong_type(path: &str, expected: &str, got: &Value) -> Rejection {
    invalid_field(path, &format!("Invalid value at '{path}' ({expected}), {got}"))
}

/// Creates a 400 rejection in the format of the service's JSON parser, which also puts the field
/// into `details`.
pub(crate) fn invalid_field(path: &str, message: &str) -> Rejection {
    let violation = json!({"field": path, "description": message});
    with_details(message, json!([{"@type": BAD_REQUEST, "fieldViolations": [violation]}]))
}

/// Creates a 400 rejection for a field that an object does not have.
pub(crate) fn unknown_field(path: &str, name: &str) -> Rejection {
    let at = if path.is_empty() { String::new() } else { format!(" at '{path}'") };
    let message =
        format!("Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field.");
    invalid_field(path, &message)
}
