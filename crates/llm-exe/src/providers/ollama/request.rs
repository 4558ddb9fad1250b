//! Builds the request body of Ollama's chat API.

use serde_json::{Map, Value, json};

use super::models::{self, Think};
use super::tools::{self, NAME, Results};
use crate::chat::{Chat, Media, Message, Part, Role, Structure};
use crate::error::Error;
use crate::providers::data_url::{image_path, parse_image};
use crate::providers::options::{OptionWriter, Support, dropped_field, stop_list};
use crate::wire::{Body, BodyItem};

const IMAGE_FORMATS: &[&str] = &["jpeg", "png", "webp"];

/// The name of the body field that contains the messages.
const MESSAGES: &str = "messages";

/// Returns the request body and the warnings.
///
/// # Errors
/// `InvalidRequest` if an image is not a `data:` URL of a supported format.
pub(super) fn build_body(chat: &Chat) -> Result<(Body, Vec<String>), Error> {
    let messages = build_messages(chat)?;
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(chat.model));
    body.insert(MESSAGES.to_owned(), Value::Null);
    let mut warnings = tools::insert_tools(&mut body, chat);
    body.insert("stream".to_owned(), json!(chat.stream));
    match &chat.structure {
        // Ollama limits the whole reply to the schema, so the model could not call a tool.
        Structure::Native { .. } | Structure::JsonMode if body.contains_key(tools::TOOLS) => {
            let reason = "it would keep the model from calling tools";
            warnings.push(dropped_field("schema", &chat.model, reason));
        }
        Structure::Native { schema, .. } => drop(body.insert("format".to_owned(), schema.clone())),
        Structure::JsonMode => drop(body.insert("format".to_owned(), json!("json"))),
        Structure::Free | Structure::ForcedTool { .. } | Structure::PromptOnly => {}
    }
    warnings.extend(insert_think(&mut body, chat));
    let (options, option_warnings) = build_options(chat);
    warnings.extend(option_warnings);
    if !options.is_empty() {
        body.insert("options".to_owned(), Value::Object(options));
    }
    Ok((Body::with_list(body, MESSAGES, messages), warnings))
}

fn build_messages(chat: &Chat) -> Result<Vec<BodyItem>, Error> {
    let mut messages = Vec::with_capacity(chat.messages.len());
    let mut results = Results::default();
    for (index, message) in chat.messages.iter().enumerate() {
        let has_results = message.parts.iter().any(|part| matches!(part, Part::ToolResult(_)));
        if has_results {
            results.add(message);
            if message.parts.iter().all(|part| matches!(part, Part::ToolResult(_))) {
                continue;
            }
        }
        results.move_to(&mut messages);
        let raw = message.raw.as_ref().filter(|raw| raw.fits(NAME, &chat.model));
        if message.role == Role::Assistant {
            results = Results::new(message, raw);
        }
        messages.push(match raw {
            Some(raw) => BodyItem::Raw(raw.json.clone()),
            None => build_message(message, index)?,
        });
    }
    results.move_to(&mut messages);
    Ok(messages)
}

/// Builds a message without its tool results.
fn build_message(message: &Message, index: usize) -> Result<BodyItem, Error> {
    let mut images = Vec::new();
    for (part_index, part) in message.parts.iter().enumerate() {
        match part {
            Part::Text(_) | Part::ToolCall(_) | Part::ToolResult(_) => {}
            Part::Media(Media { url }) => {
                let path = || image_path(index, part_index);
                let (_, data) = parse_image(url, IMAGE_FORMATS, path)?;
                images.push(data);
            }
        }
    }
    let mut wire = Map::new();
    wire.insert("role".to_owned(), json!(message.role.name()));
    wire.insert("content".to_owned(), json!(message.joined_text()));
    if !images.is_empty() {
        wire.insert("images".to_owned(), json!(images));
    }
    Ok(tools::with_calls(wire, message))
}

/// Inserts the supported value of `think` that is closest to the requested effort, and returns the
/// warnings.
fn insert_think(body: &mut Map<String, Value>, chat: &Chat) -> Vec<String> {
    let Some(effort) = chat.sampling.effort.as_deref() else {
        return Vec::new();
    };
    let mut options = OptionWriter::new(body, &chat.model);
    let think = match (models::find_model(&chat.model).think, effort) {
        (Think::No, "none") => return Vec::new(),
        (Think::No, _) => {
            options.warn_dropped("effort", "the model does not reason");
            return options.warnings;
        }
        (Think::Switch, effort) => json!(effort != "none"),
        (Think::Levels(levels), effort) => json!(options.choose_effort(effort, levels)),
    };
    options.body.insert("think".to_owned(), think);
    options.warnings
}

/// Returns the sampling options for the body field `options`, and the warnings.
fn build_options(chat: &Chat) -> (Map<String, Value>, Vec<String>) {
    let sampling = &chat.sampling;
    let mut body = Map::new();
    let mut options = OptionWriter::new(&mut body, &chat.model);
    for (option, field, value) in [
        ("temperature", "temperature", sampling.temperature.map(Value::from)),
        ("topP", "top_p", sampling.top_p.map(Value::from)),
        ("topK", "top_k", sampling.top_k.map(Value::from)),
        ("maxTokens", "num_predict", sampling.max_tokens.map(Value::from)),
        ("stopSequences", "stop", stop_list(sampling)),
        ("seed", "seed", sampling.seed.map(Value::from)),
        ("frequencyPenalty", "frequency_penalty", sampling.frequency_penalty.map(Value::from)),
        ("presencePenalty", "presence_penalty", sampling.presence_penalty.map(Value::from)),
    ] {
        options.insert(option, field, value, Support::Accepted);
    }
    let warnings = options.warnings;
    (body, warnings)
}
