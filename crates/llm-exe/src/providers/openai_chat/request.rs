//! Builds the request body of the chat completions API.

use serde_json::{Map, Value, json};

use super::models::OpenAiModel;
use super::quirks::{LastTurn, OpenAiChat, SeedField};
use super::stream::stream_fields;
use super::tools;
use crate::chat::{Chat, Media, Message, Part, Role, Structure, ToolChoice};
use crate::error::Error;
use crate::json::object;
use crate::providers::call_ids::CallIds;
use crate::providers::capabilities::FeatureSupport;
use crate::providers::dialect::Endpoint;
use crate::providers::options::{OptionWriter, Support, check_stop_count, stop_list};
use crate::wire::{Body, BodyItem};

/// Why an option is dropped for all models of a provider.
const NO_OPTION: &str = "the provider does not support this option";
/// What to do if only the Responses API accepts a request.
const USE_RESPONSES: &str = "set OPENAI_API_MODE to responses, or use another model";
/// The name of the body field that contains the messages.
const MESSAGES: &str = "messages";

/// Returns the request body and the warnings.
///
/// # Errors
/// `InvalidRequest` if another API serves the model, if there are too many stop sequences, or if
/// the provider rejects the last message.
pub(super) fn build_body(
    api: &OpenAiChat,
    endpoint: &Endpoint,
    chat: &Chat,
) -> Result<(Body, Vec<String>), Error> {
    let model = api.model(&chat.model);
    check_model(api, chat, model)?;
    let effort = requested_effort(chat, model);
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(chat.model));
    body.insert(MESSAGES.to_owned(), Value::Null);
    let mut warnings = tools::insert_tools(&mut body, api, chat, model, effort);
    if let Some(format) = response_format(&chat.structure) {
        body.insert("response_format".to_owned(), format);
    }
    if effort != chat.sampling.effort.as_deref() {
        warnings.push(format!(
            "options.effort is sent as \"none\" for {}: the model can call tools only without \
             reasoning",
            chat.model
        ));
    }
    warnings.extend(insert_options(&mut body, api, chat, model, effort));
    if chat.stream {
        let fields = stream_fields(api, &endpoint.base_url).into_iter();
        body.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    }
    Ok((Body::with_list(body, MESSAGES, build_messages(api, chat, model)), warnings))
}

/// Returns the tool choice that is sent for that of the chat.
pub(super) fn supported_choice(api: &OpenAiChat, chat: &Chat) -> ToolChoice {
    let model = api.model(&chat.model);
    tools::choose_tool(api, chat, model, requested_effort(chat, model)).0
}

/// Checks that this API serves the model with the tools of the chat, and accepts the number of stop
/// sequences and the last message.
///
/// # Errors
/// `InvalidRequest` if only another API serves the model or its tools, if there are too many stop
/// sequences, or if the provider rejects the last message.
fn check_model(api: &OpenAiChat, chat: &Chat, model: OpenAiModel) -> Result<(), Error> {
    if !model.chat {
        let message = format!(
            "expected a model that the chat completions API serves, got {:?}; only the Responses \
             API serves this model; {USE_RESPONSES}",
            chat.model
        );
        return Err(Error::invalid("model", message));
    }
    if model.tools == FeatureSupport::Never && !chat.tools.is_empty() {
        let message = format!(
            "the model {} can call tools only through the Responses API; {USE_RESPONSES}",
            chat.model
        );
        return Err(Error::invalid("tools", message));
    }
    check_last_message(api, chat)?;
    match api.max_stop_sequences {
        Some(maximum) if model.stop => check_stop_count(&chat.sampling, maximum),
        _ => Ok(()),
    }
}

/// Checks that the provider accepts the last message of the conversation.
///
/// # Errors
/// `InvalidRequest` if it is an assistant message that the provider rejects.
fn check_last_message(api: &OpenAiChat, chat: &Chat) -> Result<(), Error> {
    if api.last_turn != LastTurn::Rejected || !ends_with_assistant(chat) {
        return Ok(());
    }
    let path = format!("message[{}]", chat.messages.len().saturating_sub(1));
    let message = "the provider rejects a conversation that ends with an assistant message; end it \
                   with a user message";
    Err(Error::invalid(path, message))
}

fn ends_with_assistant(chat: &Chat) -> bool {
    chat.messages.last().is_some_and(|message| message.role == Role::Assistant)
}

/// Returns the effort to send. Some models call tools only without reasoning, which must be turned
/// off explicitly.
fn requested_effort(chat: &Chat, model: OpenAiModel) -> Option<&str> {
    let effort = chat.sampling.effort.as_deref();
    match model.tools {
        _ if chat.tools.is_empty() => effort,
        FeatureSupport::WithoutReasoning => Some("none"),
        FeatureSupport::WithoutEffort => effort.map(|_| "none"),
        FeatureSupport::Always | FeatureSupport::OneOf | FeatureSupport::Never => effort,
    }
}

fn build_messages(api: &OpenAiChat, chat: &Chat, model: OpenAiModel) -> Vec<BodyItem> {
    let mut messages = Vec::with_capacity(chat.messages.len());
    let mut ids = CallIds::new(api.ids);
    let alternating = if api.alternates { alternate(&chat.messages) } else { Vec::new() };
    let chat_messages = if api.alternates { &alternating } else { &chat.messages };
    for message in chat_messages {
        let raw = message.raw.as_ref().filter(|raw| raw.fits(api.turns, &chat.model));
        if message.role == Role::Assistant {
            ids.add_turn(message, raw.is_some());
        }
        if let Some(raw) = raw {
            messages.push(BodyItem::Raw(raw.json.clone()));
            continue;
        }
        let results = tools::result_messages(message, &ids);
        let has_results = !results.is_empty();
        messages.extend(results.into_iter().map(BodyItem::Value));
        let has_other_parts = message.parts.iter().any(|part| !matches!(part, Part::ToolResult(_)));
        if has_results && !has_other_parts {
            continue;
        }
        let role = match message.role {
            Role::System if api.developer_role && model.reasons => "developer",
            role => role.name(),
        };
        if let (Role::System | Role::User, [Part::Text(text)]) = (message.role, &*message.parts) {
            messages.push(BodyItem::TextMessage { role, content: text.clone() });
            continue;
        }
        let mut wire = Map::new();
        wire.insert("role".to_owned(), json!(role));
        wire.insert("content".to_owned(), content(message));
        if message.role == Role::Assistant {
            tools::insert_calls(&mut wire, message, &ids);
            if model.reasoning_turns && !chat.tools.is_empty() {
                wire.insert("reasoning_content".to_owned(), json!(""));
            }
        }
        messages.push(BodyItem::Value(Value::Object(wire)));
    }
    if api.last_turn == LastTurn::Continued
        && ends_with_assistant(chat)
        && let Some(BodyItem::Value(Value::Object(last))) = messages.last_mut()
    {
        last.insert("prefix".to_owned(), json!(true));
    }
    messages
}

/// Returns the messages in an order that all servers accept: system messages that do not come first
/// become user messages, and neighbouring texts of one role become one message.
fn alternate(messages: &[Message]) -> Vec<Message> {
    let mut merged: Vec<Message> = Vec::with_capacity(messages.len());
    for message in messages {
        let mut message = message.clone();
        if message.role == Role::System && merged.iter().any(|it| it.role != Role::System) {
            message.role = Role::User;
        }
        match merged.last_mut() {
            Some(last) if last.role == message.role && is_mergeable(last, &message) => {
                append_parts(&mut last.parts, message.parts);
            }
            _ => merged.push(message),
        }
    }
    merged
}

/// Returns whether two messages of one role can become one message: calls and results can't.
fn is_mergeable(first: &Message, second: &Message) -> bool {
    [first, second].iter().all(|message| {
        let has_other_parts =
            message.parts.iter().any(|part| !matches!(part, Part::Text(_) | Part::Media(_)));
        message.role != Role::System && message.raw.is_none() && !has_other_parts
    })
}

/// Appends the parts of a message, with a blank line between adjacent texts.
fn append_parts(parts: &mut Vec<Part>, added: Vec<Part>) {
    let mut added = added.into_iter();
    match (parts.last_mut(), added.next()) {
        (Some(Part::Text(text)), Some(Part::Text(next))) => {
            text.push_str("\n\n");
            text.push_str(&next);
        }
        (_, next) => parts.extend(next),
    }
    parts.extend(added);
}

/// Returns the content of a message without its tool calls and results.
fn content(message: &Message) -> Value {
    if let [Part::Text(text)] = message.parts.as_slice() {
        return json!(text);
    }
    let mut has_calls = false;
    let mut parts = Vec::new();
    for part in &message.parts {
        match part {
            Part::Text(text) => parts.push(json!({ "type": "text", "text": text })),
            Part::Media(Media { url }) => {
                parts.push(json!({ "type": "image_url", "image_url": { "url": url } }));
            }
            Part::ToolCall(_) => has_calls = true,
            Part::ToolResult(_) => {}
        }
    }
    // Many compatible servers accept only a text or null in a message with tool calls.
    if has_calls {
        let text = message.joined_text();
        return if text.is_empty() { Value::Null } else { json!(text) };
    }
    if parts.is_empty() { json!("") } else { Value::Array(parts) }
}

fn response_format(structure: &Structure) -> Option<Value> {
    match structure {
        Structure::Native { name, schema, strict } => {
            let fields =
                [("name", json!(name)), ("schema", schema.clone()), ("strict", json!(strict))];
            Some(object([("type", json!("json_schema")), ("json_schema", object(fields))]))
        }
        Structure::JsonMode => Some(json!({ "type": "json_object" })),
        Structure::Free | Structure::ForcedTool { .. } | Structure::PromptOnly => None,
    }
}

/// Inserts the sampling options into the body and returns the warnings.
fn insert_options(
    body: &mut Map<String, Value>,
    api: &OpenAiChat,
    chat: &Chat,
    model: OpenAiModel,
    effort: Option<&str>,
) -> Vec<String> {
    let sampling = &chat.sampling;
    let tuning = sampling_support(model, effort);
    let penalties = Support::when(model.penalties, "the model does not accept this option");
    let stop = Support::when(model.stop, "the model does not accept this option");
    let seed = Support::when(api.seed != SeedField::None, NO_OPTION);

    let mut options = OptionWriter::new(body, &chat.model);
    options.insert("temperature", "temperature", sampling.temperature, tuning);
    options.insert("topP", "top_p", sampling.top_p, tuning);
    options.insert("frequencyPenalty", "frequency_penalty", sampling.frequency_penalty, penalties);
    options.insert("presencePenalty", "presence_penalty", sampling.presence_penalty, penalties);
    options.insert("topK", "top_k", sampling.top_k, Support::when(api.top_k, NO_OPTION));
    let max_tokens = options.limit_max_tokens(sampling.max_tokens, model.max_output);
    options.insert("maxTokens", api.max_tokens.name(), max_tokens, Support::Accepted);
    options.insert("stopSequences", "stop", stop_list(sampling), stop);
    options.insert("seed", api.seed.name(), sampling.seed, seed);
    if let Some(effort) = effort {
        insert_effort(&mut options, api, effort, model);
    }
    options.warnings
}

/// Returns whether a model accepts `temperature` and `top_p` with the effort that is sent.
pub(in crate::providers) fn sampling_support(model: OpenAiModel, effort: Option<&str>) -> Support {
    let no_reasoning = effort == Some("none") && model.efforts.lowest() == Some("none");
    match model.sampling {
        FeatureSupport::WithoutReasoning | FeatureSupport::WithoutEffort if !no_reasoning => {
            Support::Dropped("the model accepts this option only with effort \"none\"")
        }
        FeatureSupport::Never => Support::Dropped("the model does not accept this option"),
        _ => Support::Accepted,
    }
}

/// Returns the effort to send, and adds a warning if it is not the requested one.
pub(in crate::providers) fn choose_effort(
    options: &mut OptionWriter<'_>,
    requested: &str,
    model: OpenAiModel,
) -> Option<&'static str> {
    if model.efforts.is_empty() {
        match (model.reasons, requested) {
            (true, _) => options.warn_dropped("effort", "the model has no effort setting"),
            // Effort `none` needs no field, because the model does not reason anyway.
            (false, "none") => {}
            (false, _) => options.warn_dropped("effort", "the model does not reason"),
        }
        return None;
    }
    options.choose_effort(requested, model.efforts)
}

fn insert_effort(
    options: &mut OptionWriter<'_>,
    api: &OpenAiChat,
    requested: &str,
    model: OpenAiModel,
) {
    let Some(effort) = choose_effort(options, requested, model) else { return };
    if !api.thinking_switch {
        options.body.insert("reasoning_effort".to_owned(), json!(effort));
        return;
    }
    let kind = if effort == "none" { "disabled" } else { "enabled" };
    options.body.insert("thinking".to_owned(), json!({ "type": kind }));
    if effort != "none" {
        options.body.insert("reasoning_effort".to_owned(), json!(effort));
    }
}
