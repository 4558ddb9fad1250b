//! Builds the request body of Converse.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::tools::{self, NAME};
use crate::chat::{Chat, Media, Message, Part, Role, Sampling, Structure};
use crate::error::Error;
use crate::providers::anthropic::models::ClaudeModel;
use crate::providers::anthropic::request::{self as claude, IMAGE_FORMATS};
use crate::providers::anthropic::tools as claude_tools;
use crate::providers::bedrock::models::{ConverseModel, EffortField, Family};
use crate::providers::call_ids::{CallIds, IdFormat};
use crate::providers::data_url::{image_path, parse_image};
use crate::providers::options::{OptionWriter, Support, stop_list};
use crate::wire::{Body, BodyItem};

/// The name of the body field that contains the messages.
const MESSAGES: &str = "messages";

/// Returns the request body and the warnings.
///
/// # Errors
/// `InvalidRequest` if another API serves the model, if an image is not a `data:` URL of a
/// supported format, if the conversation begins with an assistant message that the model does not
/// accept there, if it ends with one that the model cannot continue, or if the tools do not fit the
/// API or the model.
pub(super) fn build_body(chat: &Chat, model: Family) -> Result<(Body, Vec<String>), Error> {
    match model {
        Family::Claude(model) => claude::check_last_message(chat, model)?,
        Family::Other(model) if !model.converse => {
            let message = format!(
                "expected a model that Converse serves, got {:?}; only the Responses API serves \
                 this model; use the provider amazon:openai",
                chat.model
            );
            return Err(Error::invalid("model", message));
        }
        Family::Other(_) => {}
    }
    let (mut body, messages) = build_messages(chat, model)?;
    let tools = tools::build_tools(chat, model)?;
    let Options { inference, mut additional, mut warnings } = match model {
        Family::Claude(model) => claude_options(chat, model),
        Family::Other(model) => other_options(chat, model),
    };
    additional.extend(tools.claude_choice.map(|choice| ("tool_choice".to_owned(), choice)));
    warnings.extend(tools.warnings);
    for (name, fields) in
        [("inferenceConfig", inference), ("additionalModelRequestFields", additional)]
    {
        if !fields.is_empty() {
            body.insert(name.to_owned(), Value::Object(fields));
        }
    }
    insert_format(&mut body, &chat.structure);
    if let Some(tags) = &chat.tags {
        let tags = tags.iter().map(|(name, value)| (name.clone(), Value::from(&**value)));
        body.insert("requestMetadata".to_owned(), Value::Object(tags.collect()));
    }
    if !tools.config.is_empty() {
        body.insert("toolConfig".to_owned(), Value::Object(tools.config));
    }
    Ok((Body::with_list(body, MESSAGES, messages), warnings))
}

/// The messages of a request. Because the API requires alternating roles, consecutive messages with
/// the same role are merged.
struct Turns<'a> {
    chat: &'a Chat,
    ids: CallIds,
    /// Whether the model is one of Anthropic's. They accept an assistant message as the first
    /// message, but an assistant message at the end must not end with whitespace.
    is_claude: bool,
    /// Whether the model accepts the status of a tool result.
    has_status: bool,
    turns: Vec<Turn<'a>>,
}

enum Turn<'a> {
    Blocks(Role, Vec<BodyItem>),
    /// An assistant message, with its index, that is sent as it was received.
    Raw(usize, &'a Message, &'a RawValue),
}

/// Returns a body with `system` and a place for the messages, and the messages.
fn build_messages(
    chat: &Chat,
    model: Family,
) -> Result<(Map<String, Value>, Vec<BodyItem>), Error> {
    let mut body = Map::new();
    let has_system = match model {
        Family::Claude(_) => true,
        Family::Other(model) => model.system,
    };
    let first_system = chat.messages.iter().position(|message| message.role == Role::System);
    let first_system = first_system.filter(|_| has_system);
    if let Some(system) = first_system.and_then(|index| chat.messages.get(index)) {
        body.insert("system".to_owned(), json!([{ "text": system.joined_text() }]));
    }
    let (ids, has_status) = match model {
        Family::Claude(_) => (IdFormat::Name, true),
        Family::Other(model) if model.short_ids => (IdFormat::Short, model.result_status),
        Family::Other(model) => (IdFormat::Name, model.result_status),
    };
    let turns = Vec::with_capacity(chat.messages.len());
    let is_claude = matches!(model, Family::Claude(_));
    let mut turns = Turns { chat, ids: CallIds::new(ids), is_claude, has_status, turns };
    for (index, message) in chat.messages.iter().enumerate() {
        if Some(index) != first_system {
            turns.add(index, message)?;
        }
    }
    body.insert(MESSAGES.to_owned(), Value::Null);
    Ok((body, turns.into_items()))
}

impl<'a> Turns<'a> {
    fn add(&mut self, index: usize, message: &'a Message) -> Result<(), Error> {
        // `messages` has no system role, so system messages that are not in `system` are sent as
        // user messages.
        let role = match message.role {
            Role::System => Role::User,
            role => role,
        };
        if role == Role::User {
            return self.add_blocks(role, index, message);
        }
        if self.turns.is_empty() && !self.is_claude {
            return Err(Error::invalid(
                format!("message[{index}]"),
                "the model requires a conversation to begin with a user message",
            ));
        }
        // A raw turn is not merged with other messages. Its parts are sent instead; they contain no
        // call, because a result would follow.
        let (follows_user, replaced) = match self.turns.last() {
            Some(Turn::Raw(index, message, _)) => (false, Some((*index, *message))),
            Some(Turn::Blocks(role, _)) => (*role == Role::User, None),
            None => (false, None),
        };
        if let Some((index, message)) = replaced {
            self.turns.pop();
            self.add_blocks(role, index, message)?;
        }
        let raw = message.raw.as_ref().filter(|raw| raw.fits(NAME, &self.chat.model));
        let raw = raw.filter(|_| follows_user);
        self.ids.add_turn(message, raw.is_some());
        if let Some(raw) = raw {
            self.turns.push(Turn::Raw(index, message, &raw.json));
            return Ok(());
        }
        self.add_blocks(role, index, message)
    }

    fn add_blocks(&mut self, role: Role, index: usize, message: &Message) -> Result<(), Error> {
        let blocks = self.build_blocks(message, index)?;
        match self.turns.last_mut() {
            Some(Turn::Blocks(last_role, content)) if *last_role == role => content.extend(blocks),
            // A model may reply without any text, but the API rejects empty messages.
            _ if blocks.is_empty() && role == Role::Assistant => {}
            _ => self.turns.push(Turn::Blocks(role, blocks)),
        }
        Ok(())
    }

    fn build_blocks(&self, message: &Message, index: usize) -> Result<Vec<BodyItem>, Error> {
        let mut blocks = Vec::with_capacity(message.parts.len());
        for (part_index, part) in claude_tools::results_first(message) {
            if claude_tools::is_skipped(part, message) {
                continue;
            }
            blocks.push(match part {
                Part::Text(text) if self.is_claude => {
                    let text = claude::text_to_send(text, self.chat, index, part_index);
                    BodyItem::Value(json!({ "text": text }))
                }
                Part::Text(text) => BodyItem::Value(json!({ "text": text })),
                Part::Media(Media { url }) => {
                    let path = || image_path(index, part_index);
                    let (media_type, bytes) = parse_image(url, IMAGE_FORMATS, path)?;
                    let format = media_type.trim_start_matches("image/");
                    let source = json!({ "bytes": bytes });
                    BodyItem::Value(json!({ "image": { "format": format, "source": source } }))
                }
                Part::ToolCall(call) => tools::call(call, &self.ids),
                Part::ToolResult(result) => {
                    BodyItem::Value(tools::result(result, &self.ids, self.has_status))
                }
            });
        }
        Ok(blocks)
    }

    fn into_items(self) -> Vec<BodyItem> {
        let item = |turn| match turn {
            Turn::Blocks(role, blocks) => {
                let fields = json!({ "role": role.name() });
                BodyItem::object(fields, "content", BodyItem::List(blocks))
            }
            Turn::Raw(_, _, json) => BodyItem::Raw(json.to_owned()),
        };
        self.turns.into_iter().map(item).collect()
    }
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
    let warnings = claude::insert_options(&mut additional, chat, model, NAME);
    // Without `maxTokens`, the model's own limit applies. Only thinking requires an explicit limit.
    let is_thinking = ["adaptive", "enabled"]
        .iter()
        .any(|kind| additional.get("thinking").is_some_and(|thinking| thinking["type"] == *kind));
    if chat.sampling.max_tokens.is_none() && !is_thinking {
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
    let mut inference = Map::new();
    let mut options = OptionWriter::new(&mut inference, &chat.model);
    let effort = choose_effort(&mut options, sampling, model);
    // With this effort, Nova itself sets these options.
    let is_high_effort =
        model.effort_field == EffortField::ReasoningConfig && effort == Some("high");
    let in_range = sampling.temperature.is_none_or(|temperature| temperature <= 1.0);
    let tuning = match () {
        () if !model.sampling => Support::Dropped("the model does not accept this option"),
        () if is_high_effort => {
            Support::Dropped("this option can't be combined with effort \"high\"")
        }
        () => Support::Accepted,
    };
    let temperature = match tuning {
        Support::Accepted => {
            Support::when(in_range, "the provider accepts only values from 0 to 1")
        }
        dropped @ Support::Dropped(_) => dropped,
    };
    let stop = Support::when(model.stop, "the model does not accept this option");
    let max_tokens = options.limit_max_tokens(sampling.max_tokens, model.max_output);
    options.insert("maxTokens", "maxTokens", max_tokens, Support::Accepted);
    options.insert("temperature", "temperature", sampling.temperature, temperature);
    options.insert("topP", "topP", sampling.top_p, tuning);
    options.insert("stopSequences", "stopSequences", stop_list(sampling), stop);
    for (option, is_unsupported) in [
        ("topK", sampling.top_k.is_some() && !model.top_k),
        ("frequencyPenalty", sampling.frequency_penalty.is_some()),
        ("presencePenalty", sampling.presence_penalty.is_some()),
        ("seed", sampling.seed.is_some()),
    ] {
        if is_unsupported {
            options.warn_dropped(option, "the provider does not support this option for the model");
        }
    }
    let warnings = options.warnings;
    let mut additional = Map::new();
    if let (Some(top_k), true) = (sampling.top_k, model.top_k) {
        additional.insert("inferenceConfig".to_owned(), json!({ "topK": top_k }));
    }
    if let Some(effort) = effort {
        let (field, value) = match model.effort_field {
            EffortField::ReasoningConfig => {
                ("reasoningConfig", json!({ "type": "enabled", "maxReasoningEffort": effort }))
            }
            EffortField::Reasoning => ("reasoning", json!({ "effort": effort })),
            EffortField::ReasoningEffort | EffortField::None => ("reasoning_effort", json!(effort)),
        };
        additional.insert(field.to_owned(), value);
    }
    Options { inference, additional, warnings }
}

/// Returns the effort to send, if any.
fn choose_effort(
    options: &mut OptionWriter<'_>,
    sampling: &Sampling,
    model: ConverseModel,
) -> Option<&'static str> {
    let requested = sampling.effort.as_deref()?;
    match model.effort_field {
        // Without the field, the model does not reason, or reasons as it does by default.
        EffortField::None | EffortField::ReasoningConfig if requested == "none" => None,
        EffortField::None => {
            let reason = "the provider does not support this option for the model";
            options.warn_dropped("effort", reason);
            None
        }
        EffortField::ReasoningConfig if sampling.max_tokens.is_some() => {
            let effort = options.choose_effort(requested, model.efforts)?;
            if effort != "high" {
                return Some(effort);
            }
            // The API does not accept a limit together with this effort. The limit takes
            // precedence, because it can be the operator's.
            options.warnings.push(format!(
                "options.effort is sent as \"medium\" for {}: the model does not accept maxTokens \
                 together with \"high\"",
                options.model
            ));
            Some("medium")
        }
        EffortField::ReasoningConfig | EffortField::Reasoning | EffortField::ReasoningEffort => {
            options.choose_effort(requested, model.efforts)
        }
    }
}

fn insert_format(body: &mut Map<String, Value>, structure: &Structure) {
    if let Structure::Native { name, schema, .. } = structure {
        // The API expects the schema as a string.
        let schema = json!({ "schema": schema.to_string(), "name": name });
        let format = json!({ "type": "json_schema", "structure": { "jsonSchema": schema } });
        body.insert("outputConfig".to_owned(), json!({ "textFormat": format }));
    }
}
