//! What Anthropic refuses in `thinking`.
//! <https://platform.claude.com/docs/en/build-with-claude/extended-thinking>
//!
//! In: the request's body and what its model takes. Out: nothing, or the refusal.

use super::super::Refusal;
use super::super::check::{field, text};
use super::models::Model;
use super::refuse::{extra, invalid, required, tag};
use serde_json::Value;

const LEAST_BUDGET: i64 = 1024;
/// The minimum `top_p` together with thinking.
const MIN_TOP_P: f64 = 0.95;

/// Refuses what the service would refuse in `thinking`.
pub(crate) fn refuse(body: &Value, model: Model) -> Result<(), Refusal> {
    let Some(thinking) = field(body, "thinking") else {
        return Ok(());
    };
    let kind = tag(thinking, &["adaptive", "between_tools", "disabled", "enabled"], "thinking")?;
    match kind {
        "enabled" => {
            extra(thinking, &["type", "budget_tokens", "display"], "thinking.enabled")?;
            budget(body, thinking, model)?;
        }
        "adaptive" => {
            extra(thinking, &["type", "display"], "thinking.adaptive")?;
            if model.refuses_adaptive() {
                return Err(invalid("adaptive thinking is not supported on this model"));
            }
        }
        _ => return Ok(()),
    }
    let choice = field(body, "tool_choice").and_then(|choice| text(choice, "type"));
    if matches!(choice, Some("any" | "tool")) {
        return Err(invalid("Thinking may not be enabled when tool_choice forces tool use."));
    }
    let temperature = field(body, "temperature").and_then(Value::as_f64);
    if temperature.is_some_and(|temperature| (temperature - 1.0).abs() > f64::EPSILON) {
        return Err(invalid(
            "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.",
        ));
    }
    let top_p = field(body, "top_p").and_then(Value::as_f64);
    if top_p.is_some_and(|top_p| top_p < MIN_TOP_P) {
        return Err(invalid(
            "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.",
        ));
    }
    if field(body, "top_k").is_some() {
        return Err(invalid("`top_k` must be unset when thinking is enabled."));
    }
    Ok(())
}

fn budget(body: &Value, thinking: &Value, model: Model) -> Result<(), Refusal> {
    if model.refuses_budget() {
        return Err(invalid(
            "\"thinking.type.enabled\" is not supported for this model. Newer models take \
             \"thinking.type.adaptive\" and \"output_config.effort\".",
        ));
    }
    let path = "thinking.enabled.budget_tokens";
    let budget = match field(thinking, "budget_tokens").map(Value::as_i64) {
        None => return Err(required(path)),
        Some(None) => return Err(invalid(&format!("{path}: Input should be a valid integer"))),
        Some(Some(budget)) => budget,
    };
    if budget < LEAST_BUDGET {
        return Err(invalid(&format!(
            "{path}: Input should be greater than or equal to {LEAST_BUDGET}"
        )));
    }
    match body.get("max_tokens").and_then(Value::as_i64) {
        Some(most) if budget >= most => {
            Err(invalid("`max_tokens` must be greater than `thinking.budget_tokens`."))
        }
        _ => Ok(()),
    }
}
