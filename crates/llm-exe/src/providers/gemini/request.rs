//! Builds the request body of the Gemini API.

use serde_json::{Map, Value, json};

use super::models::{self, GeminiModel, GeminiThinking};
use crate::chat::{Chat, Media, Message, Part, Role, Structure};
use crate::error::Error;
use crate::providers::data_url::parse_image;
use crate::providers::dialect::unsupported_tools;
use crate::providers::options::{OptionWriter, Support, stop_list};
use crate::wire::{Body, BodyItem};

const IMAGE_FORMATS: &[&str] = &["jpeg", "png", "webp", "heic", "heif"];
const MAX_STOP_SEQUENCES: usize = 5;

/// The name of the body field that contains the messages.
const CONTENTS: &str = "contents";

/// Returns the request body and the warnings.
///
/// # Errors
/// `InvalidRequest` if there are too many stop sequences, or if an image is not a `data:` URL of a
/// supported format.
pub(super) fn build_body(chat: &Chat) -> Result<(Body, Vec<String>), Error> {
    let model = models::find_model(&chat.model);
    let (mut body, contents) = build_contents(chat, model)?;
    let (config, warnings) = build_config(chat, model)?;
    if !config.is_empty() {
        body.insert("generationConfig".to_owned(), Value::Object(config));
    }
    Ok((Body::with_list(body, CONTENTS, contents), warnings))
}

/// Returns a body with `systemInstruction` and a place for the contents, and the contents.
/// Consecutive messages with the same role are merged.
fn build_contents(
    chat: &Chat,
    model: GeminiModel,
) -> Result<(Map<String, Value>, Vec<BodyItem>), Error> {
    let mut body = Map::new();
    let first_system = chat.messages.iter().position(|message| message.role == Role::System);
    let first_system = first_system.filter(|_| model.system);
    if let Some(system) = first_system.and_then(|index| chat.messages.get(index)) {
        let parts = json!([{ "text": system.joined_text() }]);
        body.insert("systemInstruction".to_owned(), json!({ "parts": parts }));
    }
    let mut turns: Vec<(&str, Vec<Value>)> = Vec::new();
    for (index, message) in chat.messages.iter().enumerate() {
        if Some(index) == first_system {
            continue;
        }
        let role = match message.role {
            Role::Assistant => "model",
            // `contents` has no system role, so system messages that are not in `systemInstruction`
            // are sent as user messages.
            Role::System | Role::User => "user",
        };
        let parts = build_parts(message, index)?;
        match turns.last_mut() {
            Some((last_role, content)) if *last_role == role => append_parts(content, parts),
            _ => turns.push((role, parts)),
        }
    }
    let contents = turns
        .into_iter()
        .map(|(role, parts)| BodyItem::Value(json!({ "role": role, "parts": parts })))
        .collect();
    body.insert(CONTENTS.to_owned(), Value::Null);
    Ok((body, contents))
}

fn build_parts(message: &Message, index: usize) -> Result<Vec<Value>, Error> {
    let mut parts = Vec::new();
    for (part_index, part) in message.parts.iter().enumerate() {
        parts.push(match part {
            Part::Text(text) => json!({ "text": text }),
            Part::Media(Media { url }) => {
                let path = || format!("message[{index}].content[{part_index}].image_url.url");
                let (media_type, data) = parse_image(url, IMAGE_FORMATS, path)?;
                json!({ "inlineData": { "mimeType": media_type, "data": data } })
            }
            Part::ToolCall(_) | Part::ToolResult(_) => {
                return Err(unsupported_tools(index, part_index));
            }
        });
    }
    Ok(parts)
}

/// Appends a message's parts to those of the previous message. Two texts at the boundary are joined
/// with a blank line, because the API is not documented to separate parts.
fn append_parts(content: &mut Vec<Value>, parts: Vec<Value>) {
    let mut parts = parts.into_iter().peekable();
    let last_text = content.last_mut().and_then(|last| last.get_mut("text"));
    if let (Some(Value::String(last_text)), Some(next)) = (last_text, parts.peek())
        && let Some(text) = next.get("text").and_then(Value::as_str)
    {
        last_text.push_str("\n\n");
        last_text.push_str(text);
        parts.next();
    }
    content.extend(parts);
}

/// Returns the fields of `generationConfig`, and the warnings.
fn build_config(
    chat: &Chat,
    model: GeminiModel,
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
    let warnings = options.warnings;
    if matches!(chat.structure, Structure::Native { .. } | Structure::JsonMode) {
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
