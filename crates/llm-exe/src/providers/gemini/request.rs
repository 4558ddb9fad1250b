//! Builds the request body of the Gemini API.

use serde_json::{Map, Value, json};

use super::contents::{CONTENTS, build_contents};
use super::models::{self, GeminiModel, GeminiThinking};
use super::tools;
use crate::chat::{Chat, Structure};
use crate::error::Error;
use crate::providers::options::{OptionWriter, Support, dropped_field, stop_list};
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
    let stop_count = sampling.stop_sequences.len();
    if stop_count > MAX_STOP_SEQUENCES {
        let message = format!(
            "the provider accepts at most {MAX_STOP_SEQUENCES} stop sequences, got {stop_count}"
        );
        return Err(Error::invalid("options.stopSequences", message));
    }
    let tuning = Support::when(model.sampling, "this option has no effect on the model");
    let fits = sampling.seed.is_none_or(|seed| i32::try_from(seed).is_ok());
    let seed = Support::when(fits, "the provider accepts only 32-bit seeds");
    let penalties = Support::when(model.penalties, "the model does not accept this option");

    let mut config = Map::new();
    let mut options = OptionWriter::new(&mut config, &chat.model);
    options.insert("temperature", "temperature", sampling.temperature, tuning);
    options.insert("topP", "topP", sampling.top_p, tuning);
    options.insert("topK", "topK", sampling.top_k, tuning);
    options.insert("maxTokens", "maxOutputTokens", sampling.max_tokens, Support::Accepted);
    options.insert("stopSequences", "stopSequences", stop_list(sampling), Support::Accepted);
    options.insert("seed", "seed", sampling.seed, seed);
    options.insert("frequencyPenalty", "frequencyPenalty", sampling.frequency_penalty, penalties);
    options.insert("presencePenalty", "presencePenalty", sampling.presence_penalty, penalties);
    insert_effort(&mut options, chat, model.thinking);
    let mut warnings = options.warnings;
    let is_json = matches!(chat.structure, Structure::Native { .. } | Structure::JsonMode);
    if is_json && sends_tools && !model.is_third_generation() {
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
fn insert_effort(options: &mut OptionWriter<'_>, chat: &Chat, thinking: GeminiThinking) {
    let Some(effort) = chat.sampling.effort.as_deref() else { return };
    let (config, is_off) = match thinking {
        GeminiThinking::No => {
            if effort != "none" {
                options.warn_dropped("effort", "the model does not reason");
            }
            return;
        }
        GeminiThinking::Levels(levels) => {
            let level = nearest_level(effort, levels);
            (json!({ "thinkingLevel": level }), level == "MINIMAL")
        }
        GeminiThinking::Budget { can_be_off: true, .. } if effort == "none" => {
            (json!({ "thinkingBudget": 0 }), true)
        }
        GeminiThinking::Budget { min, max, .. } => {
            // These budgets are taken from Google's own mapping of effort levels.
            let budget = match effort {
                "none" => min,
                "minimal" | "low" => 1024,
                "medium" => 8192,
                "high" => 24_576,
                _ => max,
            };
            // `maxTokens` also limits thinking tokens, so at most half of it is reserved for them
            // to leave room for the reply.
            let budget = chat.sampling.max_tokens.map_or(budget, |limit| budget.min(limit / 2));
            (json!({ "thinkingBudget": budget.max(min) }), false)
        }
    };
    if effort == "none" && !is_off {
        options.warn_minimum_effort();
    }
    options.body.insert("thinkingConfig".to_owned(), config);
}

/// Returns the thinking level for an effort. If the model does not support that level, returns the
/// next higher level that it supports.
fn nearest_level(effort: &str, levels: &'static [&'static str]) -> &'static str {
    const ORDER: &[&str] = &["MINIMAL", "LOW", "MEDIUM", "HIGH"];
    let rank = match effort {
        "none" | "minimal" => 0,
        "low" => 1,
        "medium" => 2,
        _ => 3,
    };
    let level = ORDER.iter().skip(rank).find(|level| levels.contains(level));
    level.copied().unwrap_or("HIGH")
}
