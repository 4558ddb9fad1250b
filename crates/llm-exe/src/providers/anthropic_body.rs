//! What Anthropic's messages API is asked, whoever carries it: the body less the model, which
//! each carrier puts elsewhere.
//!
//! <https://docs.claude.com/en/api/messages>; types of npm `@anthropic-ai/sdk` 1.12.

use serde_json::{Map, Value, json};

use super::data_url::inline;
use super::models::{ClaudeModel, Thinking, Tuning};
use super::{Options, Taken, stop_list};
use crate::chat::{Chat, Message, Part, Role, Structure};
use crate::error::Error;
use crate::schema::{Schema, closed};

/// `max_tokens` where the caller says nothing; the API requires the field.
const DEFAULT_MAX_TOKENS: u64 = 4096;
/// The least that a thinking budget may be.
const LEAST_BUDGET: u64 = 1024;

/// The kinds of images that are taken as bytes.
pub(crate) const IMAGES: &[&str] = &["jpeg", "png", "gif", "webp"];

/// Which images a carrier takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Images {
    /// `data:` URLs, and `https:` ones that the provider fetches.
    Anywhere,
    /// `data:` URLs alone.
    Inline,
}

/// The best way in which a model can be held to a schema.
pub(crate) fn structured(model: ClaudeModel, name: &str, schema: &Schema) -> Structure {
    let name = name.to_owned();
    if model.json_schema
        && let Some(schema) = closed(schema.written())
    {
        return Structure::Native { name, schema, strict: true };
    }
    // A tool's input is always an object.
    if model.forced_tool && schema.is_object() {
        return Structure::ForcedTool { name, schema: schema.written().clone() };
    }
    Structure::PromptOnly
}

/// The body without `model`, and what had to be left out of it.
///
/// # Errors
/// `InvalidRequest` for an image that the carrier does not take, and for a conversation that the
/// model does not go on with.
pub(crate) fn body(
    chat: &Chat,
    model: ClaudeModel,
    images: Images,
) -> Result<(Map<String, Value>, Vec<String>), Error> {
    let mut body = Map::new();
    let first_system = chat.messages.iter().position(|message| message.role == Role::System);
    if let Some(system) = first_system.and_then(|at| chat.messages.get(at)) {
        body.insert("system".to_owned(), json!(system.joined_text()));
    }
    let mut messages = Vec::new();
    for (index, message) in chat.messages.iter().enumerate() {
        if Some(index) != first_system {
            messages.push(turn(message, index, images)?);
        }
    }
    refuse_prefill(chat, model)?;
    body.insert("messages".to_owned(), Value::Array(messages));
    let warnings = options(&mut body, chat, model);
    Ok((body, warnings))
}

/// Refuses a conversation that ends with an assistant message, where the model does not go on
/// with one.
///
/// # Errors
/// `InvalidRequest` with that message's path.
pub(crate) fn refuse_prefill(chat: &Chat, model: ClaudeModel) -> Result<(), Error> {
    let last = chat.messages.last().map(|message| message.role);
    if last == Some(Role::Assistant) && !model.prefill {
        return Err(Error::invalid(
            format!("message[{}]", chat.messages.len().saturating_sub(1)),
            format!(
                "{} does not continue an assistant message; end with a user message",
                chat.model
            ),
        ));
    }
    Ok(())
}

fn turn(message: &Message, index: usize, images: Images) -> Result<Value, Error> {
    // A system message after the first has no place of its own here.
    let role = match message.role {
        Role::System => Role::User,
        role => role,
    };
    if let [Part::Text(text)] = message.content.as_slice() {
        return Ok(json!({ "role": role.name(), "content": text }));
    }
    let mut blocks = Vec::new();
    for (at, part) in message.content.iter().enumerate() {
        blocks.push(match part {
            Part::Text(text) => json!({ "type": "text", "text": text }),
            Part::Image { url } => {
                let path = || format!("message[{index}].content[{at}].image_url.url");
                json!({ "type": "image", "source": image_source(url, images, path)? })
            }
        });
    }
    Ok(json!({ "role": role.name(), "content": blocks }))
}

fn image_source(url: &str, images: Images, path: impl Fn() -> String) -> Result<Value, Error> {
    if !url.starts_with("data:") && images == Images::Anywhere {
        return Ok(json!({ "type": "url", "url": url }));
    }
    let (media, data) = inline(url, IMAGES, path)?;
    Ok(json!({ "type": "base64", "media_type": media, "data": data }))
}

/// The options in the API's words, the structure among them; what is left out is in the warnings.
pub(crate) fn options(
    body: &mut Map<String, Value>,
    chat: &Chat,
    model: ClaudeModel,
) -> Vec<String> {
    let sampling = &chat.sampling;
    let mut options = Options { body, warnings: Vec::new(), model: &chat.model };
    let budget = effort(&mut options, chat, model);
    let asked = sampling.max_tokens;
    let most = asked.unwrap_or(DEFAULT_MAX_TOKENS + budget);
    options.put("maxTokens", "max_tokens", Some(json!(most)), Taken::Yes);
    // Every model that accepts these options rejects them while thinking is on.
    let tuned = match model.tuning {
        Tuning::No => Taken::No("this model does not take it"),
        _ if budget > 0 => Taken::No("it does not go with thinking"),
        Tuning::Free | Tuning::OneOf | Tuning::WithoutEffort => Taken::Yes,
    };
    let both = sampling.temperature.is_some() && sampling.top_p.is_some();
    let top_p = match tuned {
        Taken::Yes if both && model.tuning == Tuning::OneOf => {
            Taken::No("it does not go with temperature on this model")
        }
        tuned => tuned,
    };
    let temperature = match sampling.temperature {
        Some(temperature) if temperature > 1.0 && matches!(tuned, Taken::Yes) => {
            Taken::No("this provider takes 0 to 1")
        }
        _ => tuned,
    };
    options.put("temperature", "temperature", sampling.temperature.map(Value::from), temperature);
    options.put("topP", "top_p", sampling.top_p.map(Value::from), top_p);
    options.put("topK", "top_k", sampling.top_k.map(Value::from), tuned);
    options.put("stopSequences", "stop_sequences", stop_list(sampling), Taken::Yes);
    for (option, set) in [
        ("frequencyPenalty", sampling.frequency_penalty.is_some()),
        ("presencePenalty", sampling.presence_penalty.is_some()),
        ("seed", sampling.seed.is_some()),
    ] {
        if set {
            options.leave_out(option, "this provider has no such option");
        }
    }
    structure(options.body, &chat.structure);
    options.warnings
}

/// Asks for reasoning; answers how many tokens `max_tokens` has to leave for it.
fn effort(options: &mut Options<'_>, chat: &Chat, model: ClaudeModel) -> u64 {
    let Some(word) = chat.sampling.effort.as_deref().filter(|word| *word != "none") else {
        return 0;
    };
    if matches!(chat.structure, Structure::ForcedTool { .. }) {
        options.leave_out("effort", "thinking does not go with a forced tool");
        return 0;
    }
    let budget = match word {
        "minimal" => LEAST_BUDGET,
        "low" => 4096,
        "medium" => 10_240,
        _ => 32_768,
    };
    match model.thinking {
        Thinking::No => {
            options.leave_out("effort", "this model does not reason");
            0
        }
        Thinking::Adaptive => {
            let word = if word == "minimal" { "low" } else { word };
            options.body.insert("thinking".to_owned(), json!({ "type": "adaptive" }));
            options.body.insert("output_config".to_owned(), json!({ "effort": word }));
            budget
        }
        Thinking::Budget => {
            // The caller's maxTokens is a ceiling on cost: the budget gives way, not the ceiling.
            let budget = match chat.sampling.max_tokens {
                Some(most) if most <= LEAST_BUDGET => {
                    options.leave_out("effort", "maxTokens leaves no room for thinking");
                    return 0;
                }
                Some(most) => budget.min((most / 2).max(LEAST_BUDGET)),
                None => budget,
            };
            let thinking = json!({ "type": "enabled", "budget_tokens": budget });
            options.body.insert("thinking".to_owned(), thinking);
            budget
        }
    }
}

fn structure(body: &mut Map<String, Value>, structure: &Structure) {
    match structure {
        Structure::Native { schema, .. } => {
            let config = body.entry("output_config").or_insert_with(|| json!({}));
            if let Some(config) = config.as_object_mut() {
                let format = json!({ "type": "json_schema", "schema": schema });
                config.insert("format".to_owned(), format);
            }
        }
        Structure::ForcedTool { name, schema } => {
            let tool = json!({
                "name": name,
                "description": "Gives the answer in its required form.",
                "input_schema": schema
            });
            body.insert("tools".to_owned(), json!([tool]));
            body.insert("tool_choice".to_owned(), json!({ "type": "tool", "name": name }));
        }
        Structure::Free | Structure::JsonMode | Structure::PromptOnly => {}
    }
}
