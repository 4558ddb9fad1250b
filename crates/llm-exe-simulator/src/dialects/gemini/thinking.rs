//! Validates the `generationConfig.thinkingConfig` of a Gemini request.

use serde_json::Value;

use super::error::{invalid_request, wrong_type};
use super::models::{Model, Thinking};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{field, str_field};

const PATH: &str = "generation_config.thinking_config";

/// Rejects a `thinkingConfig` that the real service would reject.
pub(crate) fn validate(config: &Value, model: Model, name: &str) -> Result<(), Rejection> {
    let Some(thinking) = field(config, "thinkingConfig") else {
        return Ok(());
    };
    if model.thinking == Thinking::No {
        return Err(invalid_request(&format!("Thinking is not enabled for models/{name}")));
    }
    match (str_field(thinking, "thinkingLevel"), parse_budget(thinking)?) {
        (Some(_), Some(_)) => {
            Err(invalid_request("You can only set only one of thinking budget and thinking level."))
        }
        (Some(level), None) => match model.thinking {
            Thinking::Levels { levels, .. } if !levels.contains(&level) => {
                let message = format!(
                    "Thinking level {level} is not supported for this model. Please retry with \
                     other thinking level."
                );
                Err(invalid_request(&message))
            }
            Thinking::Budget { .. } => {
                Err(invalid_request("Thinking level is not supported for this model."))
            }
            _ => Ok(()),
        },
        (None, Some(budget)) => validate_budget(budget, model.thinking),
        (None, None) => Ok(()),
    }
}

fn parse_budget(thinking: &Value) -> Result<Option<i64>, Rejection> {
    match field(thinking, "thinkingBudget") {
        None => Ok(None),
        Some(value) => match value.as_i64() {
            Some(budget) => Ok(Some(budget)),
            None => Err(wrong_type(&format!("{PATH}.thinking_budget"), "TYPE_INT32", value)),
        },
    }
}

/// Checks a thinking budget. A budget of -1 lets the model choose, and 0 turns thinking off.
fn validate_budget(budget: i64, thinking: Thinking) -> Result<(), Rejection> {
    match thinking {
        Thinking::Levels { accepts_budget: false, .. } => {
            Err(invalid_request("Thinking budget is not supported for this model."))
        }
        Thinking::Budget { can_be_off: false, .. } if budget == 0 => {
            Err(invalid_request("Budget 0 is invalid. This model only works in thinking mode."))
        }
        Thinking::Budget { min, max, .. }
            if budget > 0 && !(min..=max).contains(&budget) || budget < -1 =>
        {
            Err(invalid_request(&format!(
                "The thinking budget ({budget}) is invalid. Please choose a value between {min} \
                 and {max}."
            )))
        }
        _ => Ok(()),
    }
}
