//! Validates the `inferenceConfig`, `outputConfig` and `additionalModelRequestFields` of a
//! Converse request. For Claude models, it also validates the equivalent Anthropic request.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html>

use serde_json::Value;

use super::claude_body;
use super::models::{BedrockModel, Maker};
use super::{extraneous_key, unsupported_field, validation_error};
use crate::dialects::anthropic::{schema, types, validate as anthropic};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, str_field, unknown_key};

/// Rejects options that the real service would reject.
pub(super) fn validate(body: &Value, model: BedrockModel<'_>) -> Result<(), Rejection> {
    if let Some(config) = field(body, "inferenceConfig") {
        validate_inference_config(config, model)?;
    }
    if let Some(config) = field(body, "outputConfig") {
        validate_output_config(config, model)?;
    }
    if let Some(fields) = field(body, "additionalModelRequestFields") {
        validate_additional_fields(fields, model)?;
        validate_reasoning(body, fields, model)?;
    }
    validate_anthropic_body(body, model)
}

fn validate_inference_config(config: &Value, model: BedrockModel<'_>) -> Result<(), Rejection> {
    if model.rejects_sampling()
        && let Some(name) =
            ["temperature", "topP"].iter().find(|name| field(config, name).is_some())
    {
        return Err(unsupported_field(name));
    }
    if model.rejects_stop() && !array_field(config, "stopSequences").is_empty() {
        Err(unsupported_field("stopSequences"))
    } else {
        Ok(())
    }
}

fn validate_output_config(config: &Value, model: BedrockModel<'_>) -> Result<(), Rejection> {
    let Some(format) = field(config, "textFormat") else {
        return Ok(());
    };
    let path = "outputConfig.textFormat";
    if model.rejects_format() {
        return Err(unsupported_field("outputConfig.textFormat"));
    }
    match parse_schema(format.get("structure").unwrap_or(&Value::Null)) {
        Some(schema) => schema::validate(&schema)
            .map_err(|reason| validation_error(&format!("{path}: {reason}"))),
        None => Err(validation_error(&format!(
            "{path}.structure.jsonSchema.schema: expected a string that contains a JSON object"
        ))),
    }
}

/// Parses the schema, which a request contains as a JSON string.
fn parse_schema(structure: &Value) -> Option<Value> {
    let schema = structure.pointer("/jsonSchema/schema")?.as_str()?;
    serde_json::from_str(schema).ok().filter(Value::is_object)
}

/// Returns the schema of the structured output that a request asks for.
pub(super) fn output_schema(body: &Value) -> Option<Value> {
    parse_schema(body.pointer("/outputConfig/textFormat/structure")?)
}

fn validate_additional_fields(fields: &Value, model: BedrockModel<'_>) -> Result<(), Rejection> {
    let known: &[&str] = match model.maker {
        Maker::Nova if model.is_nova_2() => &["inferenceConfig", "reasoningConfig"],
        Maker::Nova => &["inferenceConfig"],
        Maker::Gpt => match unknown_key(fields, &["reasoning"]) {
            Some(key) => return Err(validation_error(&format!("Unknown parameter: '{key}'."))),
            None => return Ok(()),
        },
        Maker::Llama | Maker::Titan | Maker::DeepSeek | Maker::Grok | Maker::Qwen => &[],
        Maker::GptOss => &["reasoning_effort"],
        Maker::Claude => &["top_k", "thinking", "output_config", "tool_choice", "anthropic_beta"],
        Maker::Cohere | Maker::Mistral | Maker::Ai21 | Maker::Unknown => return Ok(()),
    };
    if let Some(key) = unknown_key(fields, known) {
        return Err(extraneous_key("", key));
    }
    let nested = field(fields, "inferenceConfig");
    match nested.and_then(|nested| unknown_key(nested, &["topK"])) {
        Some(key) => Err(extraneous_key("/inferenceConfig", key)),
        None => Ok(()),
    }
}

/// Rejects the reasoning effort that a model does not support, and options that can't be combined
/// with it.
/// <https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html>
fn validate_reasoning(
    body: &Value,
    fields: &Value,
    model: BedrockModel<'_>,
) -> Result<(), Rejection> {
    let check = |path: &str, supported: &[&str]| match fields.pointer(path) {
        Some(Value::String(effort)) if supported.contains(&effort.as_str()) => Ok(()),
        Some(effort) => Err(validation_error(&format!(
            "Unsupported value: {effort}. Supported values are: {}.",
            supported.join(", ")
        ))),
        None => Ok(()),
    };
    match model.maker {
        Maker::Gpt => return check("/reasoning/effort", model.gpt_efforts()),
        Maker::GptOss => return check("/reasoning_effort", &["low", "medium", "high"]),
        _ => {}
    }
    let Some(config) = field(fields, "reasoningConfig") else {
        return Ok(());
    };
    if !matches!(str_field(config, "type"), Some("enabled" | "disabled")) {
        return Err(validation_error("reasoningConfig.type: expected enabled or disabled"));
    }
    check("/reasoningConfig/maxReasoningEffort", &["low", "medium", "high"])?;
    let inference = field(body, "inferenceConfig").unwrap_or(&Value::Null);
    let is_set = |name: &&&str| field(inference, name).is_some();
    match ["maxTokens", "temperature", "topP"].iter().find(is_set) {
        Some(name) if str_field(config, "maxReasoningEffort") == Some("high") => {
            Err(validation_error(&format!(
                "{name} can't be set if reasoningConfig.maxReasoningEffort is high"
            )))
        }
        _ => Ok(()),
    }
}

/// Validates the Anthropic request that Converse would send to a Claude model.
fn validate_anthropic_body(body: &Value, model: BedrockModel<'_>) -> Result<(), Rejection> {
    let Some(claude) = model.claude() else {
        return Ok(());
    };
    let anthropic_body = claude_body::convert(body);
    let result = types::validate(&anthropic_body, &types::accepts_no_model);
    let result = result.and_then(|()| anthropic::validate_parameters(&anthropic_body, claude));
    result.map_err(|rejection| {
        let message = rejection.body.pointer("/error/message").and_then(Value::as_str);
        let message = message.unwrap_or_default();
        validation_error(&format!("The model returned the following errors: {message}"))
    })
}
