//! Validates an Anthropic request: first its types, then what they do not express. This module
//! checks the headers, the model, `max_tokens`, the sampling parameters and the stop sequences.
//! Other fields are checked by separate modules.

use serde_json::Value;

use super::error::{invalid_request, rejection};
use super::{messages, models, output, thinking, tools, types};
use crate::dialects::dialect::{ProviderRequest, Rejection};
use crate::dialects::json::{array_field, field, str_field};

const VERSIONS: &[&str] = &["2023-01-01", "2023-06-01"];
const SAMPLING_PARAMETERS: &[&str] = &["temperature", "top_p", "top_k"];

/// Rejects a request that the real service would reject.
pub(crate) fn validate(request: &ProviderRequest<'_>) -> Result<(), Rejection> {
    validate_api_key(request)?;
    validate_version(request)?;
    let body = request.body;
    if !request.is_json {
        return Err(invalid_request("The request body is not valid JSON."));
    }
    if !body.is_object() {
        return Err(invalid_request("Input should be a valid dictionary"));
    }
    types::validate(body, &|_| false)?;
    let name = parse_model(body)?;
    validate_parameters(body, models::model(name))
}

/// Rejects parameters that the model rejects in both Anthropic's own API and Amazon Bedrock. The
/// body must have the types of `types::validate`.
pub(crate) fn validate_parameters(body: &Value, model: models::Model) -> Result<(), Rejection> {
    validate_max_tokens(body, model)?;
    messages::validate(body, model)?;
    validate_sampling(body, model)?;
    validate_stop_sequences(body)?;
    thinking::validate(body, model)?;
    output::validate(body, model)?;
    tools::validate(body, model)
}

fn validate_api_key(request: &ProviderRequest<'_>) -> Result<(), Rejection> {
    match request.header("x-api-key").unwrap_or_default() {
        "" => Err(rejection(401, "x-api-key header is required")),
        "invalid" => Err(rejection(401, "invalid x-api-key")),
        _ => Ok(()),
    }
}

fn validate_version(request: &ProviderRequest<'_>) -> Result<(), Rejection> {
    match request.header("anthropic-version") {
        None => Err(invalid_request("anthropic-version: header is required")),
        Some(version) if VERSIONS.contains(&version) => Ok(()),
        Some(version) => {
            let message = format!("anthropic-version: \"{version}\" is not a valid version");
            Err(invalid_request(&message))
        }
    }
}

fn parse_model(body: &Value) -> Result<&str, Rejection> {
    match str_field(body, "model").unwrap_or_default() {
        "" => Err(invalid_request("model: String should have at least 1 character")),
        name if name.starts_with("missing-") => Err(rejection(404, &format!("model: {name}"))),
        name => Ok(name),
    }
}

fn validate_max_tokens(body: &Value, model: models::Model) -> Result<(), Rejection> {
    match field(body, "max_tokens").and_then(Value::as_i64) {
        None => Err(invalid_request("max_tokens: Input should be a valid integer")),
        Some(number) if number < 1 => {
            Err(invalid_request("max_tokens: Input should be greater than or equal to 1"))
        }
        Some(number) if number > model.max_output() => Err(invalid_request(&format!(
            "max_tokens: {number} > {}, which is the maximum allowed number of output tokens for \
             this model",
            model.max_output()
        ))),
        Some(_) => Ok(()),
    }
}

fn validate_sampling(body: &Value, model: models::Model) -> Result<(), Rejection> {
    for name in ["temperature", "top_p"] {
        let Some(value) = field(body, name) else {
            continue;
        };
        if !(0.0..=1.0).contains(&value.as_f64().unwrap_or(f64::NAN)) {
            return Err(invalid_request(&format!("{name}: range: 0..1, got {value}")));
        }
    }
    if let Some(top_k) = field(body, "top_k")
        && top_k.as_u64().is_none()
    {
        return Err(invalid_request("top_k: Input should be greater than or equal to 0"));
    }
    let is_set = |name: &&&str| field(body, name).is_some();
    if model.rejects_sampling()
        && let Some(name) = SAMPLING_PARAMETERS.iter().find(is_set)
    {
        return Err(invalid_request(&format!("`{name}` is not supported with this model.")));
    }
    let both = ["temperature", "top_p"].iter().all(|name| field(body, name).is_some());
    if both && model.rejects_temperature_with_top_p() {
        let message = "`temperature` and `top_p` cannot both be specified for this model. Use \
                       only one.";
        return Err(invalid_request(message));
    }
    Ok(())
}

fn validate_stop_sequences(body: &Value) -> Result<(), Rejection> {
    let is_blank = |stop: &Value| stop.as_str().is_some_and(|stop| stop.trim().is_empty());
    if array_field(body, "stop_sequences").iter().any(is_blank) {
        let reason = "each stop sequence must contain non-whitespace";
        return Err(invalid_request(&format!("stop_sequences: {reason}")));
    }
    Ok(())
}
