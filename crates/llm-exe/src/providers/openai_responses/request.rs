//! Builds the request body of the Responses API.

use serde_json::{Map, Value, json};

use super::apis::OpenAiResponses;
use super::tools;
use crate::chat::{Chat, Media, Message, Part, Role, Structure};
use crate::json::object;
use crate::providers::call_ids::{CallIds, IdFormat};
use crate::providers::capabilities::rows::OpenAiModel;
use crate::providers::dialect::Endpoint;
use crate::providers::openai_chat::is_openai_host;
use crate::providers::openai_chat::request::{choose_effort, sampling_support};
use crate::providers::options::{OptionWriter, Support, stop_list};
use crate::wire::{Body, BodyItem};

/// Why an option is dropped for all models.
const NO_OPTION: &str = "the Responses API does not have this option";
/// The name of the body field that contains the conversation.
const INPUT: &str = "input";

/// Returns the request body and the warnings.
pub(super) fn build_body(
    api: OpenAiResponses,
    endpoint: &Endpoint,
    chat: &Chat,
) -> (Body, Vec<String>) {
    let model = api.model(&chat.model);
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(chat.model));
    body.insert(INPUT.to_owned(), Value::Null);
    let mut warnings = tools::insert_tools(&mut body, chat, model);
    if let Some(format) = text_format(&chat.structure) {
        body.insert("text".to_owned(), object([("format", format)]));
    }
    warnings.extend(insert_options(&mut body, api, chat, model));
    // By default, the server stores the response.
    body.insert("store".to_owned(), json!(false));
    // Models that do not reason reject the field, and servers of other models may not know it. A
    // deployment or an inference profile can have any name; an effort shows that its model reasons.
    let is_known = api.is_known(&chat.model);
    let is_named_freely = matches!(api, OpenAiResponses::Azure | OpenAiResponses::Bedrock);
    let has_effort = chat.sampling.effort.as_deref().is_some_and(|effort| effort != "none");
    if model.reasons && is_known || is_named_freely && !is_known && has_effort {
        body.insert("include".to_owned(), json!(["reasoning.encrypted_content"]));
    }
    if chat.stream {
        body.insert("stream".to_owned(), json!(true));
        if is_openai_host(&endpoint.base_url) {
            body.insert("stream_options".to_owned(), json!({ "include_obfuscation": false }));
        }
    }
    (Body::with_list(body, INPUT, input_items(api, chat, is_known)), warnings)
}

fn text_format(structure: &Structure) -> Option<Value> {
    match structure {
        Structure::Native { name, schema, strict } => Some(object([
            ("type", json!("json_schema")),
            ("name", json!(name)),
            ("schema", schema.clone()),
            ("strict", json!(strict)),
        ])),
        Structure::JsonMode => Some(json!({ "type": "json_object" })),
        Structure::Free | Structure::ForcedTool { .. } | Structure::PromptOnly => None,
    }
}

/// Inserts the sampling options into the body and returns the warnings.
fn insert_options(
    body: &mut Map<String, Value>,
    api: OpenAiResponses,
    chat: &Chat,
    model: OpenAiModel,
) -> Vec<String> {
    let sampling = &chat.sampling;
    let mut options = OptionWriter::new(body, &chat.model);
    let effort = sampling.effort.as_deref();
    let tuning = sampling_support(model, effort);
    options.insert("temperature", "temperature", sampling.temperature, tuning);
    options.insert("topP", "top_p", sampling.top_p, tuning);
    let max_tokens = options.limit_max_tokens(sampling.max_tokens, model.max_output);
    options.insert("maxTokens", "max_output_tokens", max_tokens, Support::Accepted);
    // Only xAI's API has `top_k` and `seed`. No Responses API has the options below them.
    let xai = Support::when(api == OpenAiResponses::Xai, NO_OPTION);
    let dropped = Support::Dropped(NO_OPTION);
    options.insert("topK", "top_k", sampling.top_k, xai);
    options.insert("seed", "seed", sampling.seed, xai);
    options.insert("frequencyPenalty", "", sampling.frequency_penalty, dropped);
    options.insert("presencePenalty", "", sampling.presence_penalty, dropped);
    options.insert("stopSequences", "", stop_list(sampling), dropped);
    if let Some(effort) = effort.and_then(|effort| choose_effort(&mut options, effort, model)) {
        options.body.insert("reasoning".to_owned(), json!({ "effort": effort }));
    }
    options.warnings
}

/// Returns the items of the conversation. The turns of the assistant become several items.
fn input_items(api: OpenAiResponses, chat: &Chat, is_known: bool) -> Vec<BodyItem> {
    let mut items = Vec::with_capacity(chat.messages.len());
    let mut ids = CallIds::new(IdFormat::Name);
    for message in &chat.messages {
        let raw = message.raw.as_ref().filter(|raw| raw.fits(api.turns(), &chat.model));
        let raw_items = raw.and_then(tools::turn_items);
        if message.role == Role::Assistant {
            ids.add_turn(message, raw_items.is_some());
        }
        if let Some(raw_items) = raw_items {
            items.extend(raw_items.into_iter().map(BodyItem::Raw));
            continue;
        }
        if message.role == Role::Assistant {
            push_turn(&mut items, message, &ids);
            continue;
        }
        items.extend(tools::result_items(message, &ids).map(BodyItem::Value));
        let has_other_parts = message.parts.iter().any(|part| !matches!(part, Part::ToolResult(_)));
        if has_other_parts || message.parts.is_empty() {
            items.push(message_item(message, role(api, message, is_known)));
        }
    }
    items
}

/// Returns the role of a message. The field `instructions` is not used, because newer models read
/// it after the conversation.
fn role(api: OpenAiResponses, message: &Message, is_known: bool) -> &'static str {
    match message.role {
        // A server of other models may not know the role.
        Role::System if api != OpenAiResponses::Xai && is_known => "developer",
        role => role.name(),
    }
}

/// Returns the item of a system or user message, without its tool results.
fn message_item(message: &Message, role: &'static str) -> BodyItem {
    if let [Part::Text(text)] = &*message.parts {
        return BodyItem::TextMessage { role, content: text.clone() };
    }
    let parts = message.parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(json!({ "type": "input_text", "text": text })),
        Part::Media(Media { url }) => {
            Some(json!({ "type": "input_image", "image_url": url, "detail": "auto" }))
        }
        Part::ToolCall(_) | Part::ToolResult(_) => None,
    });
    let parts: Vec<Value> = parts.collect();
    BodyItem::Value(json!({ "role": role, "content": parts }))
}

/// Adds an item for each text and each call of an assistant message. A part of an assistant message
/// has another type than that of a user message, so its text is sent as a string. Some servers,
/// such as llama.cpp's, require `type`.
fn push_turn(items: &mut Vec<BodyItem>, message: &Message, ids: &CallIds) {
    let role = Role::Assistant.name();
    for part in &message.parts {
        match part {
            Part::Text(text) => {
                let item = json!({ "type": "message", "role": role, "content": text });
                items.push(BodyItem::Value(item));
            }
            Part::ToolCall(call) => {
                items.push(BodyItem::Value(tools::call_item(call, ids.get(&call.id))));
            }
            Part::Media(_) | Part::ToolResult(_) => {}
        }
    }
}
