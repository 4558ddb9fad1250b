//! Builds the request body of the Gemini API.

use serde_json::{Map, Value, json};

use super::contents::{CONTENTS, build_contents};
use super::models::{self, GeminiModel, GeminiThinking};
use super::tools;
use crate::chat::{Chat, Structure};
use crate::error::Error;
use crate::providers::options::{
    OptionWriter, Support, check_stop_count, dropped_field, stop_list,
};
use crate::wire::Body;

const MAX_STOP_SEQUENCES: usize = 5;

/// Returns the request body and the warnings.
///
/// # Errors
/// `InvalidRequest` if there are too many stop sequences, or if an image is not a `data:` URL of a
/// supported format.
pub(super) fn build_body(chat: &Chat) -> Result<(Body, Vec<String>), Error> {
    let model = models::find_model(&chat.model);
    let (mut body, contents) = build_contents(chat, model)?;
    let mut warnings = tools::insert_tools(&mut body, chat, model);
    let sends_tools = body.contains_key(tools::TOOLS);
    let (config, config_warnings) = build_config(chat, model, sends_tools)?;
    warnings.extend(config_warnings);
    if !config.is_empty() {
        body.insert("generationConfig".to_owned(), Value::Object(config));
    }
    Ok((Body::with_list(body, CONTENTS, contents), warnings))
}

/// Returns the fields of `generationConfig`, and the warnings.
fn build_config(
    chat: &Chat,
    model: GeminiModel,
    sends_tools: bool,
) -> Result<(Map<String, Value>, Vec<String>), Error> {
    let sampling = &chat.sampling;
    check_stop_count(sampling, MAX_STOP_SEQUENCES)?;
    let tuning = Support::when(model.sampling, "this option has no effect on the model");
    let fits = sampling.seed.is_none_or(|seed| i32::try_from(seed).is_ok());
    let seed = Support::when(fits, "the provider accepts only 32-bit seeds");
    let penalties = Support::when(model.penalties, "the model does not accept this option");

    let mut config = Map::new();
    let mut options = OptionWriter::new(&mut config, &chat.model);
    options.insert("temperature", "temperature", sampling.temperature, tuning);
    options.insert("topP", "topP", sampling.top_p, tuning);
    options.insert("topK", "topK", sampling.top_k, tuning);
    let max_tokens = options.limit_max_tokens(sampling.max_tokens, model.max_output);
    options.insert("maxTokens", "maxOutputTokens", max_tokens, Support::Accepted);
    options.insert("stopSequences", "stopSequences", stop_list(sampling), Support::Accepted);
    options.insert("seed", "seed", sampling.seed, seed);
    options.insert("frequencyPenalty", "frequencyPenalty", sampling.frequency_penalty, penalties);
    options.insert("presencePenalty", "presencePenalty", sampling.presence_penalty, penalties);
    insert_effort(&mut options, chat, model.thinking, max_tokens);
    let mut warnings = options.warnings;
    let is_json = matches!(chat.structure, Structure::Native { .. } | Structure::JsonMode);
    if is_json && sends_tools && !model.json_with_tools {
        let reason = "the model does not support it together with tools";
        warnings.push(dropped_field("schema", &chat.model, reason));
        return Ok((config, warnings));
    }
    if is_json {
        config.insert("responseMimeType".to_owned(), json!("application/json"));
    }
    if let Structure::Native { schema, .. } = &chat.structure {
        config.insert("responseJsonSchema".to_owned(), schema.clone());
    }
    Ok((config, warnings))
}

/// Inserts `thinkingConfig` with the thinking level or token budget for the requested effort.
fn insert_effort(
    options: &mut OptionWriter<'_>,
    chat: &Chat,
    thinking: GeminiThinking,
    max_tokens: Option<u64>,
) {
    let Some(effort) = chat.sampling.effort.as_deref() else { return };
    let config = match thinking {
        GeminiThinking::No => {
            if effort != "none" {
                options.warn_dropped("effort", "the model does not reason");
            }
            return;
        }
        GeminiThinking::Levels(levels) => {
            // With `MINIMAL`, the model hardly reasons, so a warning is not needed if it replaces
            // `none`.
            let is_lowest = effort == "none" && levels.lowest() == Some("minimal");
            let effort = if is_lowest { "minimal" } else { effort };
            let Some(level) = options.choose_effort(effort, levels) else { return };
            json!({ "thinkingLevel": level.to_ascii_uppercase() })
        }
        GeminiThinking::Budget { can_be_off: true, .. } if effort == "none" => {
            json!({ "thinkingBudget": 0 })
        }
        GeminiThinking::Budget { min, .. }
            if effort != "none" && max_tokens.is_some_and(|limit| limit <= min) =>
        {
            return options.warn_dropped("effort", "maxTokens is too small for thinking");
        }
        GeminiThinking::Budget { min, max, .. } => {
            // These budgets are taken from Google's own mapping of effort levels.
            let budget = match effort {
                "none" => {
                    options.warn_minimum_effort();
                    min
                }
                "minimal" | "low" => 1024,
                "medium" => 8192,
                "high" => 24_576,
                _ => max,
            };
            // `maxTokens` also limits thinking tokens, so at most half of it is reserved for them
            // to leave room for the reply.
            let budget = max_tokens.map_or(budget, |limit| budget.min(limit / 2));
            json!({ "thinkingBudget": budget.max(min) })
        }
    };
    options.body.insert("thinkingConfig".to_owned(), config);
}
