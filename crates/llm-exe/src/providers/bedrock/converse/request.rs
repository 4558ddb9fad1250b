//! Builds the request body of Converse.

use serde_json::{Map, Value, json};

use crate::chat::{Chat, Media, Message, Part, Role, Sampling, Structure};
use crate::error::Error;
use crate::providers::anthropic::models::ClaudeModel;
use crate::providers::anthropic::request::{self as claude, IMAGE_FORMATS};
use crate::providers::bedrock::models::{ConverseModel, Family, ToolChoice, TopK};
use crate::providers::data_url::parse_image;
use crate::providers::dialect::unsupported_tools;
use crate::providers::options::{OptionWriter, Support, stop_list};
use crate::wire::{Body, BodyItem};

/// The name of the body field that contains the messages.
const MESSAGES: &str = "messages";

/// Returns the request body and the warnings.
///
/// # Errors
/// `InvalidRequest` if an image is not a `data:` URL of a supported format, if the conversation
/// begins with an assistant message, or if it ends with one that the model cannot continue.
pub(super) fn build_body(chat: &Chat, model: Family) -> Result<(Body, Vec<String>), Error> {
    let (system, tool_choice) = match model {
        Family::Claude(model) => {
            claude::check_last_message(chat, model)?;
            (true, ToolChoice::Tool)
        }
        Family::Other(model) => (model.system, model.tool_choice),
    };
    let (mut body, messages) = build_messages(chat, system)?;
    let Options { inference, additional, warnings } = match model {
        Family::Claude(model) => claude_options(chat, model),
        Family::Other(model) => other_options(chat, model),
    };
    for (name, fields) in
        [("inferenceConfig", inference), ("additionalModelRequestFields", additional)]
    {
        if !fields.is_empty() {
            body.insert(name.to_owned(), Value::Object(fields));
        }
    }
    insert_structure(&mut body, &chat.structure, tool_choice);
    Ok((Body::with_list(body, MESSAGES, messages), warnings))
}

/// Returns a body with `system` and a place for the messages, and the messages. Because the API
/// requires alternating roles, consecutive messages with the same role are merged.
fn build_messages(chat: &Chat, system: bool) -> Result<(Map<String, Value>, Vec<BodyItem>), Error> {
    let mut body = Map::new();
    let first_system = chat.messages.iter().position(|message| message.role == Role::System);
    let first_system = first_system.filter(|_| system);
    if let Some(system) = first_system.and_then(|index| chat.messages.get(index)) {
        body.insert("system".to_owned(), json!([{ "text": system.joined_text() }]));
    }
    let mut turns: Vec<(Role, Vec<Value>)> = Vec::new();
    for (index, message) in chat.messages.iter().enumerate() {
        if Some(index) == first_system {
            continue;
        }
        // `messages` has no system role, so system messages that are not in `system` are sent as
        // user messages.
        let role = match message.role {
            Role::System => Role::User,
            role => role,
        };
        if turns.is_empty() && role == Role::Assistant {
            return Err(Error::invalid(
                format!("message[{index}]"),
                "this provider requires a conversation to begin with a user message",
            ));
        }
        let blocks = build_blocks(message, index)?;
        match turns.last_mut() {
            Some((last_role, content)) if *last_role == role => content.extend(blocks),
            _ => turns.push((role, blocks)),
        }
    }
    let messages = turns
        .into_iter()
        .map(|(role, content)| json!({ "role": role.name(), "content": content }))
        .map(BodyItem::Value)
        .collect();
    body.insert(MESSAGES.to_owned(), Value::Null);
    Ok((body, messages))
}

fn build_blocks(message: &Message, index: usize) -> Result<Vec<Value>, Error> {
    let mut blocks = Vec::new();
    for (part_index, part) in message.parts.iter().enumerate() {
        match part {
            Part::Text(text) => blocks.push(json!({ "text": text })),
            Part::Media(Media { url }) => {
                let path = || format!("message[{index}].content[{part_index}].image_url.url");
                let (media_type, bytes) = parse_image(url, IMAGE_FORMATS, path)?;
                let format = media_type.trim_start_matches("image/");
                let source = json!({ "bytes": bytes });
                blocks.push(json!({ "image": { "format": format, "source": source } }));
            }
            Part::ToolCall(_) | Part::ToolResult(_) => {
                return Err(unsupported_tools(index, part_index));
            }
        }
    }
    Ok(blocks)
}

/// The sampling options, divided between the two body fields that Converse has for them.
struct Options {
    /// The fields of `inferenceConfig`, which are the same for all models.
    inference: Map<String, Value>,
    /// The fields of `additionalModelRequestFields`, whose format depends on the model.
    additional: Map<String, Value>,
    warnings: Vec<String>,
}

/// The options that belong in `inferenceConfig`, each with its name in Anthropic's API and its name
/// in Converse.
const INFERENCE_FIELDS: &[(&str, &str)] = &[
    ("max_tokens", "maxTokens"),
    ("temperature", "temperature"),
    ("top_p", "topP"),
    ("stop_sequences", "stopSequences"),
];

fn claude_options(chat: &Chat, model: ClaudeModel) -> Options {
    let mut additional = Map::new();
    let warnings = claude::insert_options(&mut additional, chat, model);
    // Converse has separate fields for tools and schemas, which `insert_structure` adds.
    for name in ["tools", "tool_choice"] {
        additional.shift_remove(name);
    }
    if let Some(config) = additional.get_mut("output_config").and_then(Value::as_object_mut) {
        config.shift_remove("format");
        if config.is_empty() {
            additional.shift_remove("output_config");
        }
    }
    // Without `maxTokens`, the model's own limit applies. Only thinking requires an explicit limit.
    if chat.sampling.max_tokens.is_none() && !additional.contains_key("thinking") {
        additional.shift_remove("max_tokens");
    }
    let mut inference = Map::new();
    for (anthropic_name, name) in INFERENCE_FIELDS {
        if let Some(value) = additional.shift_remove(*anthropic_name) {
            inference.insert((*name).to_owned(), value);
        }
    }
    Options { inference, additional, warnings }
}

fn other_options(chat: &Chat, model: ConverseModel) -> Options {
    let sampling = &chat.sampling;
    let in_range = sampling.temperature.is_none_or(|temperature| temperature <= 1.0);
    let temperature = Support::when(in_range, "the provider accepts only values from 0 to 1");
    let stop = Support::when(model.stop, "the model does not accept this option");
    let mut inference = Map::new();
    let mut options = OptionWriter::new(&mut inference, &chat.model);
    options.insert("maxTokens", "maxTokens", sampling.max_tokens, Support::Accepted);
    options.insert("temperature", "temperature", sampling.temperature, temperature);
    options.insert("topP", "topP", sampling.top_p, Support::Accepted);
    options.insert("stopSequences", "stopSequences", stop_list(sampling), stop);
    for (option, is_unsupported) in [
        ("topK", sampling.top_k.is_some() && model.top_k == TopK::Unsupported),
        ("frequencyPenalty", sampling.frequency_penalty.is_some()),
        ("presencePenalty", sampling.presence_penalty.is_some()),
        ("seed", sampling.seed.is_some()),
        ("effort", requested_effort(sampling).is_some() && !model.effort),
    ] {
        if is_unsupported {
            options.warn_dropped(option, "the provider does not support this option for the model");
        }
    }
    let warnings = options.warnings;
    let mut additional = Map::new();
    if let (Some(top_k), TopK::Nested) = (sampling.top_k, model.top_k) {
        additional.insert("inferenceConfig".to_owned(), json!({ "topK": top_k }));
    }
    if let (Some(effort), true) = (requested_effort(sampling), model.effort) {
        let effort = match effort {
            "minimal" | "low" => "low",
            "medium" => "medium",
            _ => "high",
        };
        additional.insert("reasoning_effort".to_owned(), json!(effort));
    }
    Options { inference, additional, warnings }
}

/// Returns the requested effort, or `None` if the request does not ask for reasoning.
fn requested_effort(sampling: &Sampling) -> Option<&str> {
    sampling.effort.as_deref().filter(|effort| *effort != "none")
}

fn insert_structure(body: &mut Map<String, Value>, structure: &Structure, tool_choice: ToolChoice) {
    match structure {
        Structure::Native { name, schema, .. } => {
            // The API expects the schema as a string.
            let schema = json!({ "schema": schema.to_string(), "name": name });
            let format = json!({ "type": "json_schema", "structure": { "jsonSchema": schema } });
            body.insert("outputConfig".to_owned(), json!({ "textFormat": format }));
        }
        Structure::ForcedTool { name, schema } => {
            let spec = json!({
                "name": name,
                "description": "Gives the answer in its required form.",
                "inputSchema": { "json": schema }
            });
            let choice = match tool_choice {
                ToolChoice::Any => json!({ "any": {} }),
                ToolChoice::Tool | ToolChoice::ToolWithPlainRoot | ToolChoice::Unsupported => {
                    json!({ "tool": { "name": name } })
                }
            };
            let tools = json!([{ "toolSpec": spec }]);
            body.insert("toolConfig".to_owned(), json!({ "tools": tools, "toolChoice": choice }));
        }
        Structure::Free | Structure::JsonMode | Structure::PromptOnly => {}
    }
}
