//! Validates the types of the `options` of an Ollama request. Ollama ignores unknown options.

use serde_json::Value;

use super::error::bad_request;
use crate::dialects::dialect::Rejection;
use crate::dialects::json::field;

const FLOATS: &[&str] = &[
    "frequency_penalty",
    "min_p",
    "mirostat_eta",
    "mirostat_tau",
    "presence_penalty",
    "repeat_penalty",
    "temperature",
    "top_p",
    "typical_p",
];
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

/// Rejects `options` that the real service would reject.
pub(crate) fn validate(body: &Value) -> Result<(), Rejection> {
    let options = match field(body, "options") {
        None => return Ok(()),
        Some(options) if options.is_object() => options,
        Some(_) => {
            return Err(bad_request(
                "json: cannot unmarshal into Go struct field ChatRequest.options of type \
                 map[string]interface {}",
            ));
        }
    };
    let wrong_type = |name: &str, expected: &str| {
        Err(bad_request(&format!("option \"{name}\" must be of type {expected}")))
    };
    for name in FLOATS {
        if field(options, name).is_some_and(|value| !value.is_number()) {
            return wrong_type(name, "float32");
        }
    }
    for name in INTEGERS {
        if field(options, name).is_some_and(|value| value.as_i64().is_none()) {
            return wrong_type(name, "integer");
        }
    }
    match field(options, "stop") {
        None => Ok(()),
        Some(Value::Array(stops)) if stops.iter().all(Value::is_string) => Ok(()),
        Some(_) => wrong_type("stop", "array of strings"),
    }
}
