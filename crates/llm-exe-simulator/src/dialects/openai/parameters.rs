//! Validates the generation parameters of an OpenAI request: whether they are in range, whether
//! those that count are integers, and whether the model supports them.

use serde_json::Value;

use super::error::{invalid_parameter, rejection, wrong_type};
use super::models::{Model, Tools};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, str_field};

/// Number parameters, each with its minimum and maximum.
const RANGES: &[(&str, f64, f64)] = &[
    ("temperature", 0.0, 2.0),
    ("top_p", 0.0, 1.0),
    ("frequency_penalty", -2.0, 2.0),
    ("presence_penalty", -2.0, 2.0),
];
/// Integer parameters, each with its minimum and maximum.
const COUNTS: &[(&str, i64, i64)] = &[
    ("max_tokens", 1, i64::MAX),
    ("max_completion_tokens", 1, i64::MAX),
    ("n", 1, 128),
    ("top_logprobs", 0, 20),
    ("seed", i64::MIN, i64::MAX),
];
/// Sampling parameters, each with the only value that reasoning models accept.
const FIXED: &[(&str, f64)] =
    &[("temperature", 1.0), ("top_p", 1.0), ("frequency_penalty", 0.0), ("presence_penalty", 0.0)];

/// Rejects parameters that the real service would reject.
pub(crate) fn validate(body: &Value, model: Model) -> Result<(), Rejection> {
    validate_ranges(body)?;
    validate_counts(body)?;
    validate_max_tokens(body, model)?;
    validate_stop(body, model)?;
    if field(body, "max_tokens").is_some() && field(body, "max_completion_tokens").is_some() {
        let message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not \
                       supported.";
        return Err(invalid_parameter(message, "max_tokens", "invalid_parameter_combination"));
    }
    validate_effort(body, model)?;
    validate_effort_with_tools(body, model)?;
    if !model.sampling {
        let is_set = |(name, _): &&(&str, f64)| field(body, name).is_some();
        if let Some((name, _)) = FIXED.iter().find(is_set) {
            let message = format!("Model incompatible request argument supplied: {name}");
            return Err(rejection(400, &message, None, None));
        }
    }
    if !model.penalties {
        let is_set = |name: &&&str| field(body, name).is_some();
        if let Some(name) = ["frequency_penalty", "presence_penalty"].iter().find(is_set) {
            return Err(unsupported(name, ""));
        }
    }
    if model.is_reasoning { validate_reasoning_parameters(body, model) } else { Ok(()) }
}

fn validate_ranges(body: &Value) -> Result<(), Rejection> {
    for (name, min, max) in RANGES {
        let Some(value) = field(body, name) else {
            continue;
        };
        let amount = value.as_f64().unwrap_or(f64::NAN);
        let (word, sign, bound) = match amount {
            amount if amount < *min => ("below minimum", ">=", min),
            amount if amount > *max => ("above maximum", "<=", max),
            _ => continue,
        };
        let message = format!(
            "Invalid '{name}': decimal {word} value. Expected a value {sign} {bound}, but got \
             {value} instead."
        );
        let code = format!("decimal_{}_value", word.replace(' ', "_"));
        return Err(invalid_parameter(
            &message,
            name,
            &code.replace("minimum", "min").replace("maximum", "max"),
        ));
    }
    Ok(())
}

fn validate_counts(body: &Value) -> Result<(), Rejection> {
    for (name, min, max) in COUNTS {
        let Some(value) = field(body, name) else {
            continue;
        };
        let Some(number) = value.as_i64() else {
            return Err(wrong_type(name, "an integer", value));
        };
        let (word, sign, bound, code) = match number {
            number if number < *min => ("below minimum", ">=", min, "integer_below_min_value"),
            number if number > *max => ("above maximum", "<=", max, "integer_above_max_value"),
            _ => continue,
        };
        let message = format!(
            "Invalid '{name}': integer {word} value. Expected a value {sign} {bound}, but got \
             {number} instead."
        );
        return Err(invalid_parameter(&message, name, code));
    }
    Ok(())
}

fn validate_max_tokens(body: &Value, model: Model) -> Result<(), Rejection> {
    for name in ["max_tokens", "max_completion_tokens"] {
        let number = field(body, name).and_then(Value::as_i64).unwrap_or_default();
        if number > model.max_output {
            let message = format!(
                "{name} is too large: {number}. This model supports at most {} completion tokens, \
                 whereas you provided {number}.",
                model.max_output
            );
            return Err(invalid_parameter(&message, name, "invalid_value"));
        }
    }
    Ok(())
}

fn validate_stop(body: &Value, model: Model) -> Result<(), Rejection> {
    let Some(value) = field(body, "stop") else {
        return Ok(());
    };
    if !model.stop {
        return Err(unsupported("stop", ""));
    }
    match value {
        Value::Array(stops) if stops.len() > model.max_stops => {
            let message = format!(
                "Invalid 'stop': array too long. Expected an array with maximum length {}, \
                 but got an array with length {} instead.",
                model.max_stops,
                stops.len()
            );
            Err(invalid_parameter(&message, "stop", "array_above_max_length"))
        }
        _ => Ok(()),
    }
}

fn validate_effort(body: &Value, model: Model) -> Result<(), Rejection> {
    let Some(effort) = str_field(body, "reasoning_effort") else {
        return Ok(());
    };
    if model.efforts.is_empty() {
        let message = "Unrecognized request argument supplied: reasoning_effort";
        return Err(invalid_parameter(message, "reasoning_effort", "unsupported_parameter"));
    }
    if !model.efforts.contains(&effort) {
        let name = str_field(body, "model").unwrap_or_default();
        let supported: Vec<String> =
            model.efforts.iter().map(|effort| format!("'{effort}'")).collect();
        let message = format!(
            "Unsupported value: 'reasoning_effort' does not support '{effort}' with the '{name}' \
             model. Supported values are: {}.",
            supported.join(", ")
        );
        return Err(invalid_parameter(&message, "reasoning_effort", "unsupported_value"));
    }
    Ok(())
}

/// Rejects function tools for a model that accepts them only without reasoning, or not at all.
fn validate_effort_with_tools(body: &Value, model: Model) -> Result<(), Rejection> {
    if array_field(body, "tools").is_empty() {
        return Ok(());
    }
    let effort = str_field(body, "reasoning_effort");
    let is_rejected = match model.tools {
        Tools::Accepted => false,
        Tools::RejectedWithEffort => effort.is_some_and(|effort| effort != "none"),
        Tools::OnlyWithoutReasoning => effort != Some("none"),
        Tools::Rejected => true,
    };
    if !is_rejected {
        return Ok(());
    }
    let message = "Function tools with reasoning_effort are not supported for this model in \
                   /v1/chat/completions. Use /v1/responses, or reasoning_effort 'none'.";
    Err(invalid_parameter(message, "reasoning_effort", "unsupported_parameter"))
}

fn validate_reasoning_parameters(body: &Value, model: Model) -> Result<(), Rejection> {
    if field(body, "max_tokens").is_some() {
        return Err(unsupported("max_tokens", " Use 'max_completion_tokens' instead."));
    }
    if model.samples_with_effort_none && str_field(body, "reasoning_effort") == Some("none") {
        return Ok(());
    }
    for (name, only) in FIXED {
        let Some(value) = field(body, name) else {
            continue;
        };
        if value.as_f64() != Some(*only) {
            let message = format!(
                "Unsupported value: '{name}' does not support {value} with this model. Only the \
                 default ({only}) value is supported."
            );
            return Err(invalid_parameter(&message, name, "unsupported_value"));
        }
    }
    let is_set = |name: &&&str| field(body, name).is_some_and(|value| *value != false);
    match ["logit_bias", "logprobs", "top_logprobs"].iter().find(is_set) {
        Some(name) => Err(unsupported(name, "")),
        None => Ok(()),
    }
}

fn unsupported(name: &str, advice: &str) -> Rejection {
    let message = format!("Unsupported parameter: '{name}' is not supported with this model.");
    invalid_parameter(&format!("{message}{advice}"), name, "unsupported_parameter")
}
