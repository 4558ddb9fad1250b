//! Builds the request body of the Messages API, for both Anthropic and Bedrock.

use serde_json::{Map, Value, json};

use super::models::{ClaudeModel, Thinking, ThinkingOff};
use super::tools;
use crate::chat::{Chat, Media, Message, Part, Role, Structure};
use crate::error::Error;
use crate::json::object;
use crate::providers::call_ids::{CallIds, IdFormat};
use crate::providers::capabilities::FeatureSupport;
use crate::providers::data_url::{image_path, parse_image};
use crate::providers::dialect::{Capabilities, StructureSupport};
use crate::providers::options::{OptionWriter, Support};
use crate::schema::{Schema, closed, fits_grammar, tool_input};
use crate::wire::{Body, BodyItem};

/// The default value of `max_tokens`, which the API requires in every request.
const DEFAULT_MAX_TOKENS: u64 = 4096;
/// The minimum thinking budget that the API accepts, in tokens.
const MIN_THINKING_BUDGET: u64 = 1024;
/// The thinking budget for high efforts and for models that think by default, in tokens.
const MAX_THINKING_BUDGET: u64 = 32_768;

/// The image formats that the API accepts as base64 data.
pub(crate) const IMAGE_FORMATS: &[&str] = &["jpeg", "png", "gif", "webp"];

/// The image URLs that an endpoint accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImageSources {
    /// `data:` URLs, and also `https:` URLs, which the provider fetches.
    Any,
    /// Only `data:` URLs.
    DataUrls,
}

/// Returns what a model accepts and supports.
pub(crate) fn capabilities(model: ClaudeModel) -> Capabilities {
    Capabilities {
        images: model.images,
        tools: model.tools,
        structured_output: match (model.json_schema, model.forced_tool) {
            (true, _) => StructureSupport::JsonSchema,
            (false, true) => StructureSupport::ForcedTool,
            (false, false) => StructureSupport::Prompt,
        },
    }
}

/// Returns the most reliable method that a model supports to make its reply match a schema.
pub(crate) fn choose_structure(model: ClaudeModel, name: &str, schema: &Schema) -> Structure {
    let name = name.to_owned();
    if model.json_schema
        && let Some(schema) = closed(schema.written())
        && fits_grammar(&schema)
    {
        return Structure::Native { name, schema, strict: true };
    }
    if model.forced_tool
        && let Some(schema) = tool_input(schema.written())
    {
        return Structure::ForcedTool { name, schema };
    }
    Structure::PromptOnly
}

/// Returns the next method after one that the API rejected.
pub(crate) fn weaker_structure(
    model: ClaudeModel,
    name: &str,
    schema: &Schema,
    rejected: &Structure,
) -> Structure {
    match rejected {
        Structure::Native { .. } => {
            choose_structure(ClaudeModel { json_schema: false, ..model }, name, schema)
        }
        _ => Structure::PromptOnly,
    }
}

/// The name of the body field that contains the messages.
const MESSAGES: &str = "messages";

/// Returns the request body and the warnings. `dialect` marks the turns that are sent back as they
/// were received. `first` is the first field of the body, in which the endpoints differ.
///
/// # Errors
/// `InvalidRequest` if the endpoint does not accept an image, or if the conversation ends with an
/// assistant message that the model cannot continue.
pub(crate) fn build_body(
    dialect: &str,
    chat: &Chat,
    model: ClaudeModel,
    images: ImageSources,
    first: (&str, Value),
) -> Result<(Body, Vec<String>), Error> {
    let mut body = Map::new();
    body.insert(first.0.to_owned(), first.1);
    let first_system = chat.messages.iter().position(|message| message.role == Role::System);
    if let Some(system) = first_system.and_then(|index| chat.messages.get(index)) {
        body.insert("system".to_owned(), json!(system.joined_text()));
    }
    let messages = build_messages(dialect, chat, first_system, images)?;
    check_last_message(chat, model)?;
    body.insert(MESSAGES.to_owned(), Value::Null);
    let mut warnings = insert_options(&mut body, chat, model, dialect);
    insert_format(&mut body, &chat.structure);
    warnings.extend(tools::insert_tools(&mut body, chat, model));
    Ok((Body::with_list(body, MESSAGES, messages), warnings))
}

/// Checks that the model accepts the last message of the conversation.
///
/// # Errors
/// `InvalidRequest` if the last message is an assistant message and the model cannot continue it.
pub(crate) fn check_last_message(chat: &Chat, model: ClaudeModel) -> Result<(), Error> {
    let last = chat.messages.last().map(|message| message.role);
    if last == Some(Role::Assistant) && !model.prefill {
        return Err(Error::invalid(
            format!("message[{}]", chat.messages.len().saturating_sub(1)),
            format!(
                "{} can't continue an assistant message; end the conversation with a user message",
                chat.model
            ),
        ));
    }
    Ok(())
}

/// Returns the messages without the one at `skipped`.
fn build_messages(
    dialect: &str,
    chat: &Chat,
    skipped: Option<usize>,
    images: ImageSources,
) -> Result<Vec<BodyItem>, Error> {
    let mut turns = Vec::with_capacity(chat.messages.len());
    let mut ids = CallIds::new(IdFormat::Name);
    for (index, message) in chat.messages.iter().enumerate() {
        if Some(index) == skipped {
            continue;
        }
        if message.role == Role::Assistant {
            let raw = message.raw.as_ref().filter(|raw| raw.fits(dialect, &chat.model));
            ids.add_turn(message, raw.is_some());
            if let Some(raw) = raw {
                turns.push(Turn::Item(BodyItem::Raw(raw.json.clone())));
                continue;
            }
            // A model may reply without any text, but the API rejects empty messages.
            if message.parts.iter().all(|part| tools::is_skipped(part, message)) {
                continue;
            }
        }
        // `messages` has no system role, so system messages that are not in `system` are sent as
        // user messages.
        let role = match message.role {
            Role::System => Role::User,
            role => role,
        };
        if let [Part::Text(text)] = message.parts.as_slice() {
            let content = text_to_send(text, chat, index, 0);
            let wire = json!({ "role": role.name(), "content": content });
            turns.push(Turn::Item(BodyItem::Value(wire)));
            continue;
        }
        let blocks = build_blocks(chat, message, index, images, &ids)?;
        match turns.last_mut() {
            // All results of a turn must be in one message, and nothing else is between them.
            Some(Turn::Blocks(Role::User, last)) if tools::has_results(message) => {
                last.extend(blocks);
            }
            _ => turns.push(Turn::Blocks(role, blocks)),
        }
    }
    Ok(turns.into_iter().map(Turn::into_item).collect())
}

/// A message of a request.
enum Turn {
    /// A message to which blocks can be added.
    Blocks(Role, Vec<BodyItem>),
    /// Any other message.
    Item(BodyItem),
}

impl Turn {
    fn into_item(self) -> BodyItem {
        match self {
            Turn::Item(item) => item,
            Turn::Blocks(role, blocks) => {
                let fields = json!({ "role": role.name() });
                BodyItem::object(fields, "content", BodyItem::List(blocks))
            }
        }
    }
}

/// Returns the text to send. If the conversation ends with an assistant message, whitespace at the
/// end of its last text is removed, because the API rejects it.
pub(crate) fn text_to_send<'a>(text: &'a str, chat: &Chat, index: usize, part: usize) -> &'a str {
    match chat.messages.get(index) {
        Some(message) if message.role == Role::Assistant && index + 1 == chat.messages.len() => {
            let last = message.parts.iter().rposition(|part| !tools::is_skipped(part, message));
            if last == Some(part) { text.trim_end() } else { text }
        }
        _ => text,
    }
}

fn build_blocks(
    chat: &Chat,
    message: &Message,
    index: usize,
    images: ImageSources,
    ids: &CallIds,
) -> Result<Vec<BodyItem>, Error> {
    let mut blocks = Vec::with_capacity(message.parts.len());
    for (part_index, part) in tools::results_first(message) {
        if tools::is_skipped(part, message) {
            continue;
        }
        blocks.push(match part {
            Part::Text(text) => {
                let text = text_to_send(text, chat, index, part_index);
                BodyItem::Value(json!({ "type": "text", "text": text }))
            }
            Part::Media(Media { url }) => {
                let path = || image_path(index, part_index);
                let source = image_source(url, images, path)?;
                BodyItem::Value(json!({ "type": "image", "source": source }))
            }
            Part::ToolCall(call) => tools::call(call, ids),
            Part::ToolResult(result) => BodyItem::Value(tools::result(result, ids)),
        });
    }
    Ok(blocks)
}

fn image_source(
    url: &str,
    images: ImageSources,
    path: impl Fn() -> String,
) -> Result<Value, Error> {
    if !url.starts_with("data:") && images == ImageSources::Any {
        return Ok(json!({ "type": "url", "url": url }));
    }
    let (media_type, data) = parse_image(url, IMAGE_FORMATS, path)?;
    Ok(json!({ "type": "base64", "media_type": media_type, "data": data }))
}

/// Inserts the sampling options into the body, and returns the warnings. `dialect` marks the turns
/// that are sent back as they were received.
pub(crate) fn insert_options(
    body: &mut Map<String, Value>,
    chat: &Chat,
    model: ClaudeModel,
    dialect: &str,
) -> Vec<String> {
    let sampling = &chat.sampling;
    let mut options = OptionWriter::new(body, &chat.model);
    let max_tokens = options.limit_max_tokens(sampling.max_tokens, model.max_output);
    let budget = insert_effort(&mut options, chat, model, dialect, max_tokens);
    let max_tokens = max_tokens.unwrap_or_else(|| match u64::from(model.max_output) {
        0 => DEFAULT_MAX_TOKENS + budget,
        maximum => maximum.min(DEFAULT_MAX_TOKENS + budget),
    });
    options.insert("maxTokens", "max_tokens", Some(max_tokens), Support::Accepted);

    // Even models that accept these options reject them in combination with thinking.
    let support = match model.sampling {
        FeatureSupport::Never => Support::Dropped("the model does not accept this option"),
        _ if budget > 0 => Support::Dropped("this option can't be combined with thinking"),
        _ => Support::Accepted,
    };
    let both = sampling.temperature.is_some() && sampling.top_p.is_some();
    let (mut temperature, mut top_p) = (support, support);
    if matches!(support, Support::Accepted) {
        if both && model.sampling == FeatureSupport::OneOf {
            top_p = Support::Dropped("the model does not accept topP together with temperature");
        }
        if sampling.temperature.is_some_and(|temperature| temperature > 1.0) {
            temperature = Support::Dropped("the provider accepts only values from 0 to 1");
        }
    }
    options.insert("temperature", "temperature", sampling.temperature, temperature);
    options.insert("topP", "top_p", sampling.top_p, top_p);
    options.insert("topK", "top_k", sampling.top_k, support);
    insert_stop_sequences(&mut options, chat);
    for (option, is_set) in [
        ("frequencyPenalty", sampling.frequency_penalty.is_some()),
        ("presencePenalty", sampling.presence_penalty.is_some()),
        ("seed", sampling.seed.is_some()),
    ] {
        if is_set {
            options.warn_dropped(option, "the provider does not support this option");
        }
    }
    options.warnings
}

/// Inserts the stop sequences without blank ones, which the API rejects.
fn insert_stop_sequences(options: &mut OptionWriter<'_>, chat: &Chat) {
    let all = &chat.sampling.stop_sequences;
    let sent: Vec<&str> =
        all.iter().map(String::as_str).filter(|stop| !stop.trim().is_empty()).collect();
    if sent.len() < all.len() {
        options.warnings.push(format!(
            "blank strings in options.stopSequences are dropped for {}: each sequence must contain \
             a character other than whitespace",
            chat.model
        ));
    }
    let sent = (!sent.is_empty()).then(|| json!(sent));
    options.insert("stopSequences", "stop_sequences", sent, Support::Accepted);
}

/// Inserts the fields for the requested effort, and returns the maximum number of thinking tokens
/// for which `max_tokens` needs room.
fn insert_effort(
    options: &mut OptionWriter<'_>,
    chat: &Chat,
    model: ClaudeModel,
    dialect: &str,
    max_tokens: Option<u64>,
) -> u64 {
    let default_budget = if model.thinks_by_default { MAX_THINKING_BUDGET } else { 0 };
    let effort = match chat.sampling.effort.as_deref() {
        None => return default_budget,
        Some("none") => return turn_thinking_off(options, chat, model),
        Some(effort) => effort,
    };
    if tools::is_forced(chat, model) {
        options.warn_dropped("effort", "thinking can't be combined with a forced tool");
        return default_budget;
    }
    match model.thinking {
        Thinking::No => {
            options.warn_dropped("effort", "the model does not reason");
            0
        }
        Thinking::Adaptive => {
            let effort = options.choose_effort(effort, model.efforts).unwrap_or_default();
            options.body.insert("thinking".to_owned(), json!({ "type": "adaptive" }));
            options.body.insert("output_config".to_owned(), json!({ "effort": effort }));
            thinking_budget(effort)
        }
        Thinking::Budget if !tools::can_think(chat, dialect) => {
            let reason = "the latest tool calls were made without thinking";
            options.warn_dropped("effort", reason);
            0
        }
        Thinking::Budget => {
            // `maxTokens` also limits thinking tokens, so at most half of it is reserved for them
            // to leave room for the reply.
            let largest = match max_tokens {
                Some(max_tokens) if max_tokens <= MIN_THINKING_BUDGET => {
                    options.warn_dropped("effort", "maxTokens is too small for thinking");
                    return 0;
                }
                Some(max_tokens) => (max_tokens / 2).max(MIN_THINKING_BUDGET),
                None if model.max_output == 0 => MAX_THINKING_BUDGET,
                None => u64::from(model.max_output).saturating_sub(DEFAULT_MAX_TOKENS),
            };
            let budget = thinking_budget(effort).min(largest);
            let thinking = json!({ "type": "enabled", "budget_tokens": budget });
            options.body.insert("thinking".to_owned(), thinking);
            budget
        }
    }
}

/// Returns the number of thinking tokens for an effort.
fn thinking_budget(effort: &str) -> u64 {
    match effort {
        "minimal" => MIN_THINKING_BUDGET,
        "low" => 4096,
        "medium" => 10_240,
        _ => MAX_THINKING_BUDGET,
    }
}

/// Inserts the fields that turn thinking off, and returns the maximum number of thinking tokens.
fn turn_thinking_off(options: &mut OptionWriter<'_>, chat: &Chat, model: ClaudeModel) -> u64 {
    let kind = match model.off {
        ThinkingOff::Omit => return 0,
        ThinkingOff::Disabled => "disabled",
        ThinkingOff::BetweenTools => "between_tools",
        ThinkingOff::Never => {
            let effort = options.choose_effort("none", model.efforts).unwrap_or_default();
            options.body.insert("output_config".to_owned(), json!({ "effort": effort }));
            return thinking_budget(effort);
        }
    };
    options.body.insert("thinking".to_owned(), json!({ "type": kind }));
    let may_think = model.off == ThinkingOff::BetweenTools && !chat.tools.is_empty();
    if may_think { MAX_THINKING_BUDGET } else { 0 }
}

fn insert_format(body: &mut Map<String, Value>, structure: &Structure) {
    if let Structure::Native { schema, .. } = structure {
        let config = body.entry("output_config").or_insert_with(|| json!({}));
        if let Some(config) = config.as_object_mut() {
            let format = object([("type", json!("json_schema")), ("schema", schema.clone())]);
            config.insert("format".to_owned(), format);
        }
    }
}
