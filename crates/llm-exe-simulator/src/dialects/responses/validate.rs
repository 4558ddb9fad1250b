//! Validates the parameters of a request to the Responses API.

use serde_json::Value;

use super::input;
use super::reasoning::{is_xai, model};
use crate::dialects::bedrock::check_signature;
use crate::dialects::dialect::{ProviderRequest, Rejection};
use crate::dialects::json::{array_field, content_text, field, is_name, str_field};
use crate::dialects::openai::error::{invalid_parameter, missing_parameter, rejection, wrong_type};
use crate::dialects::openai::models::{Model, Tools};
use crate::dialects::openai::{pattern, strict, types};
use crate::types::{OPENAI_RESPONSES, Problem, Violation};

/// The path of Azure, where the key is sent in another header.
pub(super) const AZURE_PATH: &str = "/azure/v1/responses";
/// The path of Amazon Bedrock, where requests are signed.
pub(super) const BEDROCK_PATH: &str = "/openai/v1/responses";
/// The parameters that only xAI has. Source: the npm package `@ai-sdk/xai` 5.0.12.
const XAI_PARAMETERS: &[&str] = &["min_p", "seed", "top_k"];
/// Parameters of chat completions, each with the parameter that replaces it. Source:
/// aaif-goose/goose#2564.
const MOVED: &[(&str, &str)] = &[
    ("max_completion_tokens", "max_output_tokens"),
    ("max_tokens", "max_output_tokens"),
    ("messages", "input"),
    ("reasoning_effort", "reasoning.effort"),
    ("response_format", "text.format"),
];
/// Minimum of `max_output_tokens` at OpenAI.
const MIN_OUTPUT: i64 = 16;

/// Rejects a request that the real service would reject.
pub(super) fn validate(request: &ProviderRequest<'_>) -> Result<(), Rejection> {
    validate_api_key(request)?;
    let body = request.body;
    if !request.is_json || !body.is_object() {
        let message = "We could not parse the JSON body of your request.";
        return Err(rejection(400, message, None, None));
    }
    let name = match str_field(body, "model") {
        Some(name) if !name.is_empty() => name,
        _ => return Err(missing_parameter("model")),
    };
    types::validate(&OPENAI_RESPONSES, body, &|it| accepts(it, name), unknown_parameter)?;
    if name.starts_with("missing-") {
        let message = format!("The requested model '{name}' does not exist.");
        return Err(rejection(400, &message, Some("model"), Some("model_not_found")));
    }
    let is_streamed = field(body, "stream").is_some_and(|stream| stream == true);
    if field(body, "stream_options").is_some() && !is_streamed {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(invalid_parameter(message, "stream_options", "invalid_value"));
    }
    let model = model(name);
    validate_numbers(body, name, model)?;
    validate_reasoning(body, name, model)?;
    validate_format(body, model)?;
    validate_tools(body)?;
    input::validate(body)
}

fn validate_api_key(request: &ProviderRequest<'_>) -> Result<(), Rejection> {
    if request.decoded == BEDROCK_PATH {
        return check_signature(request);
    }
    let key = if request.decoded == AZURE_PATH {
        request.header("api-key").unwrap_or_default()
    } else {
        let authorization = request.header("authorization").unwrap_or_default();
        authorization.strip_prefix("Bearer").map(str::trim).unwrap_or_default()
    };
    match key {
        "" => Err(rejection(401, "Missing bearer authentication in header", None, None)),
        "invalid" => {
            Err(rejection(401, "Incorrect API key provided.", None, Some("invalid_api_key")))
        }
        _ => Ok(()),
    }
}

/// Returns whether the service accepts a body with this violation of OpenAI's types. xAI ignores
/// unknown fields and has other parameters. An item that the types do not have may be one of a
/// later server.
fn accepts(violation: &Violation, model: &str) -> bool {
    match &violation.problem {
        Problem::UnknownField(name) if violation.path.is_empty() => {
            is_xai(model) && XAI_PARAMETERS.contains(&name.as_str())
        }
        Problem::UnknownField(_) => is_xai(model),
        // The types require what the server adds to its output items.
        Problem::MissingField(name) => {
            let is_item = violation.path.names().next() == Some("input");
            is_item && ["annotations", "id", "status"].contains(&name.as_str())
        }
        Problem::UnknownValue { supported, is_tag: true, .. } => {
            let is_item = violation.path.names().eq(["input", "type"]);
            is_item && supported.len() > 1
        }
        _ => false,
    }
}

fn unknown_parameter(name: &str) -> Rejection {
    if let Some((_, moved)) = MOVED.iter().find(|(old, _)| *old == name) {
        let message = format!(
            "Unsupported parameter: '{name}'. In the Responses API, this parameter has moved to \
             '{moved}'. Try again with the new parameter."
        );
        return invalid_parameter(&message, name, "unsupported_parameter");
    }
    invalid_parameter(&format!("Unknown parameter: '{name}'."), name, "unknown_parameter")
}

fn validate_numbers(body: &Value, name: &str, model: Model) -> Result<(), Rejection> {
    if let Some(value) = field(body, "max_output_tokens") {
        let Some(number) = value.as_i64() else {
            return Err(wrong_type("max_output_tokens", "an integer", value));
        };
        let minimum = if is_xai(name) { 1 } else { MIN_OUTPUT };
        if number < minimum {
            let message = format!(
                "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= \
                 {minimum}, but got {number} instead."
            );
            return Err(invalid_parameter(
                &message,
                "max_output_tokens",
                "integer_below_min_value",
            ));
        }
        if number > model.max_output {
            let message = format!(
                "max_output_tokens is too large: {number}. This model supports at most {} \
                 completion tokens, whereas you provided {number}.",
                model.max_output
            );
            return Err(invalid_parameter(&message, "max_output_tokens", "invalid_value"));
        }
    }
    for (param, max) in [("temperature", 2.0), ("top_p", 1.0)] {
        let Some(value) = field(body, param) else { continue };
        let amount = value.as_f64().unwrap_or(f64::NAN);
        if !(0.0..=max).contains(&amount) {
            let message = format!(
                "Invalid '{param}': decimal out of range. Expected a value from 0 to {max}, but \
                 got {value} instead."
            );
            return Err(invalid_parameter(&message, param, "decimal_above_max_value"));
        }
        let is_off = model.samples_with_effort_none
            && body.pointer("/reasoning/effort").is_some_and(|effort| effort == "none");
        if !model.sampling || model.is_reasoning && !is_off {
            let message =
                format!("Unsupported parameter: '{param}' is not supported with this model.");
            return Err(invalid_parameter(&message, param, "unsupported_parameter"));
        }
    }
    Ok(())
}

/// Rejects an effort that the model does not have, and encrypted reasoning of a model that does
/// not reason (pydantic/pydantic-ai#2865).
fn validate_reasoning(body: &Value, name: &str, model: Model) -> Result<(), Rejection> {
    let wants_encrypted =
        array_field(body, "include").iter().any(|item| item == "reasoning.encrypted_content");
    // A deployment can have any name, and an effort shows that its model reasons.
    let has_effort = body.pointer("/reasoning/effort").is_some();
    if wants_encrypted && !model.is_reasoning && !has_effort && !is_xai(name) {
        let message = "Encrypted content is not supported with this model.";
        return Err(rejection(400, message, Some("include"), None));
    }
    let Some(reasoning) = field(body, "reasoning") else { return Ok(()) };
    let Some(effort) = str_field(reasoning, "effort") else { return Ok(()) };
    let param = "reasoning.effort";
    let supported = efforts(model);
    if supported.is_empty() {
        let message = format!("Unsupported parameter: '{param}' is not supported with this model.");
        return Err(invalid_parameter(&message, param, "unsupported_parameter"));
    }
    if !supported.contains(&effort) {
        let list: Vec<String> = supported.iter().map(|effort| format!("'{effort}'")).collect();
        let message = format!(
            "Unsupported value: '{effort}' is not supported with the '{name}' model. Supported \
             values are: {}.",
            list.join(", ")
        );
        return Err(invalid_parameter(&message, param, "unsupported_value"));
    }
    Ok(())
}

/// Returns the efforts of a model. The newest models have one more than in chat completions.
fn efforts(model: Model) -> Vec<&'static str> {
    let mut efforts = model.efforts.to_vec();
    if model.only_responses && model.is_reasoning {
        efforts.extend(["low", "medium", "high", "xhigh"]);
    }
    if matches!(model.tools, Tools::OnlyWithoutReasoning | Tools::Rejected) {
        efforts.push("max");
    }
    efforts
}

fn validate_format(body: &Value, model: Model) -> Result<(), Rejection> {
    let format = body.pointer("/text/format").unwrap_or(&Value::Null);
    match str_field(format, "type") {
        Some("json_object") => validate_json_mention(body),
        Some("json_schema") if !model.json_schema => {
            let message = "Invalid parameter: 'text.format' of type 'json_schema' is not supported \
                           with this model.";
            Err(rejection(400, message, Some("text.format"), None))
        }
        Some("json_schema") => validate_json_schema(format),
        _ => Ok(()),
    }
}

fn validate_json_mention(body: &Value) -> Result<(), Rejection> {
    let mentions_json = |item: &Value| {
        let text = item.get("content").map(content_text).unwrap_or_default();
        text.to_lowercase().contains("json")
    };
    if array_field(body, "input").iter().any(mentions_json) {
        return Ok(());
    }
    let message = "Response input messages must contain the word 'json' in some form to use \
                   'text.format' of type 'json_object'.";
    Err(rejection(400, message, Some("input"), None))
}

fn validate_json_schema(format: &Value) -> Result<(), Rejection> {
    let name = str_field(format, "name").unwrap_or_default();
    if !is_name(name, 64) {
        let message = "Invalid 'text.format.name': string does not match pattern. Expected a \
                       string that matches the pattern '^[a-zA-Z0-9_-]+$'.";
        return Err(invalid_parameter(message, "text.format.name", "invalid_value"));
    }
    let schema = format.get("schema").unwrap_or(&Value::Null);
    if pattern::any_unsupported(schema) {
        return Err(rejection(400, pattern::ERROR, Some("text.format.schema"), None));
    }
    let is_strict = field(format, "strict").is_some_and(|strict| *strict == true);
    let reason = match str_field(schema, "type") {
        Some("object") if is_strict => strict::validate(schema).err(),
        Some("object") => None,
        _ => Some(strict::is_not_object(schema)),
    };
    let Some(reason) = reason else { return Ok(()) };
    let message = format!("Invalid schema for response_format '{name}': {reason}");
    Err(invalid_parameter(&message, "text.format.schema", "invalid_json_schema"))
}

fn validate_tools(body: &Value) -> Result<(), Rejection> {
    let tools = array_field(body, "tools");
    for (index, tool) in tools.iter().enumerate() {
        let path = format!("tools[{index}]");
        if str_field(tool, "type") != Some("function") {
            continue;
        }
        // In chat completions, the name is in another object.
        let Some(name) = str_field(tool, "name").filter(|name| is_name(name, 64)) else {
            return Err(missing_parameter(&format!("{path}.name")));
        };
        // Without the field, the API checks the schema as if it were true.
        let is_strict = tool.get("strict").is_none_or(|strict| *strict == true);
        let parameters = tool.get("parameters").unwrap_or(&Value::Null);
        let reason = match str_field(parameters, "type") {
            Some("object") if is_strict => strict::validate(parameters).err(),
            Some("object") => None,
            _ => Some(strict::is_not_object(parameters)),
        };
        if let Some(reason) = reason {
            let message = format!("Invalid schema for function '{name}': {reason}");
            let param = format!("{path}.parameters");
            return Err(invalid_parameter(&message, &param, "invalid_function_parameters"));
        }
    }
    let Some(name) = body.pointer("/tool_choice/name") else { return Ok(()) };
    if tools.iter().any(|tool| tool.get("name") == Some(name)) {
        return Ok(());
    }
    let message = format!("Tool choice {name} not found in 'tools' parameter.");
    Err(rejection(400, &message, Some("tool_choice"), None))
}
