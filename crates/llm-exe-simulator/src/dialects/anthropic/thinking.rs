//! Validates the `thinking` parameter of an Anthropic request.
//! <https://platform.claude.com/docs/en/build-with-claude/extended-thinking>

use serde_json::Value;

use super::error::invalid_request;
use super::models::Model;
use super::tool_turns;
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, str_field};

const MIN_BUDGET: i64 = 1024;
/// The minimum `top_p` when thinking is enabled.
const MIN_TOP_P: f64 = 0.95;

/// Rejects `thinking` settings that the real service would reject, on their own or in combination
/// with other parameters.
pub(crate) fn validate(body: &Value, model: Model) -> Result<(), Rejection> {
    let thinking = body.get("thinking").unwrap_or(&Value::Null);
    let Some(kind) = str_field(thinking, "type") else {
        return Ok(());
    };
    match kind {
        "enabled" => {
            validate_budget(body, thinking, model)?;
            tool_turns::validate_thinking(array_field(body, "messages"))?;
        }
        "adaptive" if model.rejects_adaptive() => {
            return Err(invalid_request("adaptive thinking is not supported on this model"));
        }
        "adaptive" => {}
        "between_tools" if model.rejects_between_tools() => {
            return Err(invalid_request(
                "\"thinking.type.between_tools\" is not supported for this model.",
            ));
        }
        "disabled" if model.rejects_disabled() => {
            return Err(invalid_request(
                "\"thinking.type.disabled\" is not supported for this model.",
            ));
        }
        _ => return validate_effort_without_thinking(body, model),
    }
    let choice = field(body, "tool_choice").and_then(|choice| str_field(choice, "type"));
    if matches!(choice, Some("any" | "tool")) {
        return Err(invalid_request(
            "Thinking may not be enabled when tool_choice forces tool use.",
        ));
    }
    let temperature = field(body, "temperature").and_then(Value::as_f64);
    if temperature.is_some_and(|temperature| (temperature - 1.0).abs() > f64::EPSILON) {
        return Err(invalid_request(
            "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.",
        ));
    }
    let top_p = field(body, "top_p").and_then(Value::as_f64);
    if top_p.is_some_and(|top_p| top_p < MIN_TOP_P) {
        return Err(invalid_request(
            "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.",
        ));
    }
    if field(body, "top_k").is_some() {
        return Err(invalid_request("`top_k` must be unset when thinking is enabled."));
    }
    Ok(())
}

/// Rejects the highest efforts of a model that thinks by default, if its thinking is turned off.
fn validate_effort_without_thinking(body: &Value, model: Model) -> Result<(), Rejection> {
    let effort = body.pointer("/output_config/effort").and_then(Value::as_str);
    if model.thinks_by_default() && matches!(effort, Some("xhigh" | "max")) {
        return Err(invalid_request(
            "Thinking may only be disabled with the effort levels low, medium and high.",
        ));
    }
    Ok(())
}

fn validate_budget(body: &Value, thinking: &Value, model: Model) -> Result<(), Rejection> {
    if model.rejects_budget() {
        return Err(invalid_request(
            "\"thinking.type.enabled\" is not supported for this model. Newer models take \
             \"thinking.type.adaptive\" and \"output_config.effort\".",
        ));
    }
    let path = "thinking.enabled.budget_tokens";
    let Some(budget) = thinking.get("budget_tokens").and_then(Value::as_i64) else {
        return Err(invalid_request(&format!("{path}: Input should be a valid integer")));
    };
    if budget < MIN_BUDGET {
        return Err(invalid_request(&format!(
            "{path}: Input should be greater than or equal to {MIN_BUDGET}"
        )));
    }
    match body.get("max_tokens").and_then(Value::as_i64) {
        Some(max_tokens) if budget >= max_tokens => {
            Err(invalid_request("`max_tokens` must be greater than `thinking.budget_tokens`."))
        }
        _ => Ok(()),
    }
}
