//! What Ollama refuses in `options`: values of the wrong type. Options that it doesn't know it
//! passes over.
//!
//! In: the request's body. Out: nothing, or the refusal.

use super::super::Refusal;
use super::super::check::field;
use super::refuse::invalid;
use serde_json::Value;

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

/// Refuses what the service would refuse in `options`.
pub(crate) fn refuse(body: &Value) -> Result<(), Refusal> {
    let options = match field(body, "options") {
        None => return Ok(()),
        Some(options) if options.is_object() => options,
        Some(_) => {
            return Err(invalid(
                "json: cannot unmarshal into Go struct field ChatRequest.options of \
                                type map[string]interface {}",
            ));
        }
    };
    let wrong =
        |name: &str, kind: &str| Err(invalid(&format!("option \"{name}\" must be of type {kind}")));
    for name in FLOATS {
        if field(options, name).is_some_and(|value| !value.is_number()) {
            return wrong(name, "float32");
        }
    }
    for name in INTEGERS {
        if field(options, name).is_some_and(|value| value.as_i64().is_none()) {
            return wrong(name, "integer");
        }
    }
    match field(options, "stop") {
        None => Ok(()),
        Some(Value::Array(stops)) if stops.iter().all(Value::is_string) => Ok(()),
        Some(_) => wrong("stop", "array of strings"),
    }
}
