//! Validates that the `options` of an Ollama request are integers where the server expects them.
//! In the package, they are numbers.

use serde_json::Value;

use super::error::bad_request;
use crate::dialects::dialect::Rejection;
use crate::dialects::json::field;

const INTEGERS: &[&str] = &[
    "main_gpu",
    "num_batch",
    "num_ctx",
    "num_gpu",
    "num_keep",
    "num_predict",
    "num_thread",
    "repeat_last_n",
    "seed",
    "top_k",
];
const BOOLEANS: &[&str] = &["low_vram", "numa", "penalize_newline", "use_mlock", "use_mmap"];

/// Rejects `options` that the real service would reject.
pub(crate) fn validate(body: &Value) -> Result<(), Rejection> {
    let options = body.get("options").unwrap_or(&Value::Null);
    let is_decimal =
        |name: &&&str| field(options, name).is_some_and(|value| value.as_i64().is_none());
    match INTEGERS.iter().find(is_decimal) {
        Some(name) => Err(wrong_type(name)),
        None => Ok(()),
    }
}

/// Creates a 400 rejection for an option of the wrong type.
pub(super) fn wrong_type(name: &str) -> Rejection {
    let expected = match name {
        "stop" => "array of strings",
        name if INTEGERS.contains(&name) => "integer",
        name if BOOLEANS.contains(&name) => "boolean",
        _ => "float32",
    };
    bad_request(&format!("option \"{name}\" must be of type {expected}"))
}
