//! What Gemini refuses in `generationConfig.thinkingConfig`.
//!
//! In: the config and what its model offers. Out: nothing, or the refusal.

use super::super::Refusal;
use super::super::check::field;
use super::models::{Model, Thinking};
use super::refuse::{invalid, unknown, wrong_type};
use serde_json::Value;

const PATH: &str = "generation_config.thinking_config";
const LEVELS: &[&str] = &["MINIMAL", "LOW", "MEDIUM", "HIGH"];

/// Refuses what the service would refuse in `thinkingConfig`.
pub(crate) fn refuse(config: &Value, model: Model, name: &str) -> Result<(), Refusal> {
    let Some(thinking) = field(config, "thinkingConfig") else {
        return Ok(());
    };
    if !thinking.is_object() {
        return Err(wrong_type(PATH, "type.googleapis.com/ThinkingConfig", thinking));
    }
    unknown(thinking, &["includeThoughts", "thinkingBudget", "thinkingLevel"], PATH)?;
    if model.thinking == Thinking::No {
        return Err(invalid(&format!("Thinking is not enabled for models/{name}")));
    }
    let (level, given) = (level(thinking)?, budget(thinking)?);
    match (level, given) {
        (Some(_), Some(_)) => {
            Err(invalid("You can only set only one of thinking budget and thinking level."))
        }
        (Some(level), None) => match model.thinking {
            Thinking::Levels(levels, _) if !levels.contains(&level) => Err(invalid(&format!(
                "Thinking level {level} is not supported for this model. Please retry with other \
                 thinking level."
            ))),
            Thinking::Budget(..) => Err(invalid("Thinking level is not supported for this model.")),
            _ => Ok(()),
        },
        (None, Some(budget)) => in_range(budget, model.thinking),
        (None, None) => Ok(()),
    }
}

fn level(thinking: &Value) -> Result<Option<&str>, Refusal> {
    let path = format!("{PATH}.thinking_level");
    match field(thinking, "thinkingLevel") {
        None => Ok(None),
        Some(Value::String(level)) if LEVELS.contains(&level.as_str()) => Ok(Some(level)),
        Some(other) => {
            Err(wrong_type(&path, "type.googleapis.com/ThinkingConfig.ThinkingLevel", other))
        }
    }
}

fn budget(thinking: &Value) -> Result<Option<i64>, Refusal> {
    match field(thinking, "thinkingBudget") {
        None => Ok(None),
        Some(value) => match value.as_i64() {
            Some(budget) => Ok(Some(budget)),
            None => Err(wrong_type(&format!("{PATH}.thinking_budget"), "TYPE_INT32", value)),
        },
    }
}

/// A budget of -1 leaves it to the model, 0 turns thinking off.
fn in_range(budget: i64, thinking: Thinking) -> Result<(), Refusal> {
    match thinking {
        Thinking::Levels(_, false) => {
            Err(invalid("Thinking budget is not supported for this model."))
        }
        Thinking::Budget(_, _, false) if budget == 0 => {
            Err(invalid("Budget 0 is invalid. This model only works in thinking mode."))
        }
        Thinking::Budget(least, most, _)
            if budget > 0 && !(least..=most).contains(&budget) || budget < -1 =>
        {
            Err(invalid(&format!(
                "The thinking budget ({budget}) is invalid. Please choose a value between {least} \
                 and {most}."
            )))
        }
        _ => Ok(()),
    }
}
