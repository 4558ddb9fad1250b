//! Validates the `generationConfig` of a Gemini request: ranges, integers, and whether the model
//! supports the options.

use serde_json::Value;

use super::error::{invalid_request, rule_violation, wrong_type};
use super::models::Model;
use super::{schema, thinking};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, str_field};

/// Number fields, each with its name in error messages, its minimum and its maximum, in this
/// order.
const RANGES: &[(&str, &str, f64, f64)] = &[
    ("temperature", "temperature", 0.0, 2.0),
    ("topP", "top_p", 0.0, 1.0),
    ("frequencyPenalty", "frequency_penalty", -2.0, 2.0),
    ("presencePenalty", "presence_penalty", -2.0, 2.0),
];
/// Integer fields, each with its name in error messages and its minimum.
const COUNTS: &[(&str, &str, i32)] = &[
    ("maxOutputTokens", "max_output_tokens", 1),
    ("topK", "top_k", 1),
    ("candidateCount", "candidate_count", 1),
    ("seed", "seed", i32::MIN),
];
const MAX_STOP_SEQUENCES: usize = 5;
const MIME_TYPES: &[&str] = &["text/plain", "application/json", "text/x.enum"];

/// Rejects a `generationConfig` that the real service would reject.
pub(crate) fn validate(body: &Value, model: Model, name: &str) -> Result<(), Rejection> {
    let Some(config) = field(body, "generationConfig") else {
        return Ok(());
    };
    validate_ranges(config)?;
    validate_counts(config)?;
    validate_max_tokens(config, model)?;
    validate_stop_sequences(config)?;
    let penalties = ["frequencyPenalty", "presencePenalty"];
    if !model.penalties && penalties.iter().any(|name| field(config, name).is_some()) {
        return Err(invalid_request(&format!("Penalty is not enabled for models/{name}")));
    }
    thinking::validate(config, model, name)?;
    validate_response_schema(config, model, name)
}

fn validate_ranges(config: &Value) -> Result<(), Rejection> {
    for (name, field_name, min, max) in RANGES {
        let amount = field(config, name).and_then(Value::as_f64);
        if amount.is_some_and(|amount| !(*min..=*max).contains(&amount)) {
            let rule = format!("{field_name} must be in the range [{min:.1}, {max:.1}].");
            return Err(rule_violation(&format!("generation_config.{field_name}"), &rule));
        }
    }
    Ok(())
}

fn validate_counts(config: &Value) -> Result<(), Rejection> {
    for (name, field_name, min) in COUNTS {
        let Some(value) = field(config, name) else {
            continue;
        };
        let path = format!("generation_config.{field_name}");
        let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
        match number {
            None => return Err(wrong_type(&path, "TYPE_INT32", value)),
            Some(number) if number < *min => {
                return Err(rule_violation(&path, &format!("{field_name} must be positive.")));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn validate_max_tokens(config: &Value, model: Model) -> Result<(), Rejection> {
    let number = field(config, "maxOutputTokens").and_then(Value::as_i64).unwrap_or_default();
    if number > model.max_output {
        let path = "generation_config.max_output_tokens";
        let rule = format!("max_output_tokens must be in the range [1, {}].", model.max_output);
        return Err(rule_violation(path, &rule));
    }
    Ok(())
}

fn validate_stop_sequences(config: &Value) -> Result<(), Rejection> {
    let path = "generation_config.stop_sequences";
    let stops = array_field(config, "stopSequences");
    if stops.iter().any(|stop| stop.as_str() == Some("")) {
        return Err(rule_violation(path, "stop sequences must not be empty."));
    }
    if stops.len() > MAX_STOP_SEQUENCES {
        let rule = format!("at most {MAX_STOP_SEQUENCES} stop sequences are allowed.");
        return Err(rule_violation(path, &rule));
    }
    Ok(())
}

/// Checks `responseMimeType` and the response schemas. A schema requires a MIME type other than
/// plain text.
fn validate_response_schema(config: &Value, model: Model, name: &str) -> Result<(), Rejection> {
    let path = "generation_config.response_mime_type";
    let mime_type = str_field(config, "responseMimeType").unwrap_or("text/plain");
    if !MIME_TYPES.contains(&mime_type) {
        let known = MIME_TYPES.join("`, `");
        return Err(rule_violation(path, &format!("allowed mimetypes are `{known}`.")));
    }
    if mime_type != "text/plain" && !model.json {
        return Err(invalid_request(&format!("JSON mode is not enabled for models/{name}")));
    }
    let json_schema = field(config, "responseJsonSchema");
    let openapi_schema = field(config, "responseSchema");
    if json_schema.is_some() && openapi_schema.is_some() {
        let message = "Only one of response_schema and response_json_schema may be set.";
        return Err(invalid_request(message));
    }
    if json_schema.is_none() && openapi_schema.is_none() {
        return Ok(());
    }
    if str_field(config, "responseMimeType").is_none_or(|media| media == "text/plain") {
        let rule = "response_mime_type must be application/json when a schema is set.";
        return Err(rule_violation(path, rule));
    }
    let Some(json_schema) = json_schema else {
        return Ok(());
    };
    let path = "generation_config.response_json_schema";
    if !model.schema {
        return Err(rule_violation(path, "it is not supported for this model."));
    }
    schema::validate(json_schema).map_err(|reason| rule_violation(path, &reason))
}
