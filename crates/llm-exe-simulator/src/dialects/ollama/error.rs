//! Builds Ollama's error bodies.

use serde_json::{Value, json};

use crate::dialects::dialect::Rejection;
use crate::dialects::json::type_name;

/// Creates a 400 rejection with this message.
pub(super) fn bad_request(message: &str) -> Rejection {
    Rejection::new(400, json!({"error": message}))
}

/// Creates a 400 rejection for a value of the wrong type, worded like an error of Go's JSON
/// decoder.
pub(super) fn wrong_type(path: &str, expected: &str, got: &Value) -> Rejection {
    let got = type_name(got);
    bad_request(&format!(
        "json: cannot unmarshal {got} into Go struct field {path} of type {expected}"
    ))
}
