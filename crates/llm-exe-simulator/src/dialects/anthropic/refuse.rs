//! What Anthropic refuses: the order of the checks, the shape of a refusal, and the checks of the
//! plain parameters.
//!
//! In: a request. Out: nothing, or the refusal that the service would send.

use super::super::check::{field, kind, text, unknown_key};
use super::super::{Ask, Refusal};
use super::{messages, models, output, thinking, tools};
use serde_json::{Value, json};

/// The parameters of `MessageCreateParams` in the npm package @anthropic-ai/sdk.
pub(crate) const PARAMETERS: &[&str] = &[
    "cache_control",
    "container",
    "diagnostics",
    "inference_geo",
    "max_tokens",
    "messages",
    "metadata",
    "model",
    "output_config",
    "service_tier",
    "speed",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];
const VERSIONS: &[&str] = &["2023-01-01", "2023-06-01"];
const SAMPLINGS: &[&str] = &["temperature", "top_p", "top_k"];

/// Refuses what the service would refuse.
pub(crate) fn refuse(ask: &Ask<'_>) -> Result<(), Refusal> {
    key(ask)?;
    version(ask)?;
    let body = ask.body;
    if !ask.is_json {
        return Err(invalid("The request body is not valid JSON."));
    }
    if !body.is_object() {
        return Err(invalid("Input should be a valid dictionary"));
    }
    if let Some(unknown) = unknown_key(body, PARAMETERS) {
        return Err(invalid(&format!("{unknown}: Extra inputs are not permitted")));
    }
    let name = model(body)?;
    if field(body, "stream").is_some_and(|stream| stream == true) {
        return Err(invalid("stream: llm-exe-simulator does not imitate streaming"));
    }
    carried(body, models::model(name))
}

/// Refuses what the service would refuse of a body's parameters, whoever carries it.
pub(crate) fn carried(body: &Value, model: models::Model) -> Result<(), Refusal> {
    max_tokens(body)?;
    messages::refuse(body, model)?;
    sampling(body, model)?;
    stop_sequences(body)?;
    thinking::refuse(body, model)?;
    output::refuse(body, model)?;
    tools::refuse(body, model)
}

fn key(ask: &Ask<'_>) -> Result<(), Refusal> {
    match ask.header("x-api-key").unwrap_or_default() {
        "" => Err(refusal(401, "x-api-key header is required")),
        "invalid" => Err(refusal(401, "invalid x-api-key")),
        _ => Ok(()),
    }
}

fn version(ask: &Ask<'_>) -> Result<(), Refusal> {
    match ask.header("anthropic-version") {
        None => Err(invalid("anthropic-version: header is required")),
        Some(version) if VERSIONS.contains(&version) => Ok(()),
        Some(version) => {
            let message = format!("anthropic-version: \"{version}\" is not a valid version");
            Err(invalid(&message))
        }
    }
}

fn model(body: &Value) -> Result<&str, Refusal> {
    match field(body, "model") {
        Some(Value::String(name)) if name.starts_with("missing-") => {
            Err(refusal(404, &format!("model: {name}")))
        }
        Some(Value::String(name)) if name.is_empty() => {
            Err(invalid("model: String should have at least 1 character"))
        }
        Some(Value::String(name)) => Ok(name),
        Some(_) => Err(invalid("model: Input should be a valid string")),
        None => Err(required("model")),
    }
}

fn max_tokens(body: &Value) -> Result<(), Refusal> {
    match field(body, "max_tokens").map(Value::as_i64) {
        None => Err(required("max_tokens")),
        Some(None) => Err(invalid("max_tokens: Input should be a valid integer")),
        Some(Some(number)) if number < 1 => {
            Err(invalid("max_tokens: Input should be greater than or equal to 1"))
        }
        Some(Some(_)) => Ok(()),
    }
}

fn sampling(body: &Value, model: models::Model) -> Result<(), Refusal> {
    for name in ["temperature", "top_p"] {
        let Some(value) = field(body, name) else {
            continue;
        };
        let Value::Number(number) = value else {
            return Err(invalid(&format!("{name}: Input should be a valid number")));
        };
        let amount = number.as_f64().unwrap_or(f64::NAN);
        if !(0.0..=1.0).contains(&amount) {
            return Err(invalid(&format!("{name}: range: 0..1, got {number}")));
        }
    }
    if let Some(top_k) = field(body, "top_k")
        && top_k.as_u64().is_none()
    {
        return Err(invalid("top_k: Input should be greater than or equal to 0"));
    }
    let given = |name: &&&str| field(body, name).is_some();
    if model.refuses_sampling()
        && let Some(name) = SAMPLINGS.iter().find(given)
    {
        return Err(invalid(&format!("`{name}` is not supported with this model.")));
    }
    let both = ["temperature", "top_p"].iter().all(|name| field(body, name).is_some());
    if both && model.refuses_both_samplings() {
        let message = "`temperature` and `top_p` cannot both be specified for this model. Use \
                       only one.";
        return Err(invalid(message));
    }
    Ok(())
}

fn stop_sequences(body: &Value) -> Result<(), Refusal> {
    let stops = match field(body, "stop_sequences") {
        None => return Ok(()),
        Some(Value::Array(stops)) => stops,
        Some(_) => return Err(invalid("stop_sequences: Input should be a valid list")),
    };
    for (index, stop) in stops.iter().enumerate() {
        match stop.as_str() {
            None => {
                let path = format!("stop_sequences.{index}");
                return Err(invalid(&format!("{path}: Input should be a valid string")));
            }
            Some(stop) if stop.trim().is_empty() => {
                let reason = "each stop sequence must contain non-whitespace";
                return Err(invalid(&format!("stop_sequences: {reason}")));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Anthropic's error body for a status.
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

/// A refusal in Anthropic's shape.
pub(crate) fn refusal(status: u16, message: &str) -> Refusal {
    Refusal { status, body: error(status, message) }
}

/// A 400.
pub(crate) fn invalid(message: &str) -> Refusal {
    refusal(400, message)
}

/// A 400 about a field that isn't there.
pub(crate) fn required(path: &str) -> Refusal {
    invalid(&format!("{path}: Field required"))
}

/// A 400 about a field that the service doesn't know.
pub(crate) fn extra(value: &Value, known: &[&str], path: &str) -> Result<(), Refusal> {
    match unknown_key(value, known) {
        Some(unknown) => Err(invalid(&format!("{path}.{unknown}: Extra inputs are not permitted"))),
        None => Ok(()),
    }
}

/// The `type` of a tagged object, if it is one of those known.
pub(crate) fn tag<'a>(value: &'a Value, known: &[&str], path: &str) -> Result<&'a str, Refusal> {
    if !value.is_object() {
        let message = format!("{path}: Input should be an object, got {}", kind(value));
        return Err(invalid(&message));
    }
    match text(value, "type") {
        Some(tag) if known.contains(&tag) => Ok(tag),
        Some(tag) => {
            let known: Vec<String> = known.iter().map(|name| format!("'{name}'")).collect();
            Err(invalid(&format!(
                "{path}: Input tag '{tag}' found using 'type' does not match any of the expected \
                 tags: {}",
                known.join(", ")
            )))
        }
        None => Err(required(&format!("{path}.type"))),
    }
}
