//! Gemini: `POST {base}/models/{model}:generateContent`.
//!
//! <https://ai.google.dev/api/generate-content>; types of npm `@google/genai` 2.32.

use serde_json::{Map, Value, json};

use super::data_url::inline;
use super::models::{self, GeminiJson, GeminiModel, GeminiThinking};
use super::segment::segment;
use super::{BuiltRequest, Dialect, Endpoint, Failure, Options, Taken, gemini_reply, stop_list};
use crate::chat::{Chat, Part, Reply, Role, Structure};
use crate::error::Error;
use crate::schema::{Schema, open};
use crate::wire::{Auth, WireReply, WireRequest};

const IMAGES: &[&str] = &["jpeg", "png", "webp", "heic", "heif"];
const MOST_STOP_SEQUENCES: usize = 5;

/// The dialect of Google's Gemini API.
pub(crate) struct Gemini;

impl Dialect for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn structure(&self, model: &str, name: &str, schema: &Schema) -> Structure {
        let adapted = || open(schema.written());
        match models::gemini(model).json {
            GeminiJson::Schema => match adapted() {
                Some(schema) => Structure::Native { name: name.to_owned(), schema, strict: true },
                None => Structure::JsonMode,
            },
            GeminiJson::Mode => Structure::JsonMode,
            GeminiJson::No => Structure::PromptOnly,
        }
    }

    fn wire_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
        let model = models::gemini(&chat.model);
        let mut body = contents(chat, model)?;
        let (config, warnings) = config(chat, model)?;
        if !config.is_empty() {
            body.insert("generationConfig".to_owned(), Value::Object(config));
        }
        let auth = |key| Auth::Header("x-goog-api-key", key);
        Ok(BuiltRequest {
            request: WireRequest {
                url: format!("{}/{}:generateContent", endpoint.base_url, resource(&chat.model)?),
                headers: Vec::new(),
                body: Value::Object(body),
                auth: endpoint.key.clone().map_or(Auth::None, auth),
            },
            warnings,
        })
    }

    fn read_reply(&self, wire: &WireReply) -> Result<Reply, Error> {
        gemini_reply::read(wire)
    }

    fn read_failure(&self, wire: &WireReply) -> Failure {
        gemini_reply::failure(wire)
    }
}

/// The model's place in the API: `models/x`, or a tuned model as it names itself.
fn resource(model: &str) -> Result<String, Error> {
    let (collection, name) = match model.split_once('/') {
        Some((known @ ("models" | "tunedModels"), name)) => (known, name),
        _ => ("models", model),
    };
    if name.is_empty() {
        return Err(Error::invalid("model", "names no model"));
    }
    Ok(format!("{collection}/{}", segment(name)))
}

/// `systemInstruction` and `contents`; neighbours of one role are one content.
fn contents(chat: &Chat, model: GeminiModel) -> Result<Map<String, Value>, Error> {
    let mut body = Map::new();
    let system = chat.messages.iter().position(|message| message.role == Role::System);
    let system = system.filter(|_| model.system);
    if let Some(message) = system.and_then(|at| chat.messages.get(at)) {
        let parts = json!([{ "text": message.joined_text() }]);
        body.insert("systemInstruction".to_owned(), json!({ "parts": parts }));
    }
    let mut turns: Vec<(&str, Vec<Value>)> = Vec::new();
    for (index, message) in chat.messages.iter().enumerate() {
        if Some(index) == system {
            continue;
        }
        let role = match message.role {
            Role::Assistant => "model",
            // A system message after the first has no place of its own here.
            Role::System | Role::User => "user",
        };
        let mut parts = Vec::new();
        for (at, part) in message.content.iter().enumerate() {
            parts.push(match part {
                Part::Text(text) => json!({ "text": text }),
                Part::Image { url } => {
                    let path = || format!("message[{index}].content[{at}].image_url.url");
                    let (media, data) = inline(url, IMAGES, path)?;
                    json!({ "inlineData": { "mimeType": media, "data": data } })
                }
            });
        }
        match turns.last_mut() {
            Some((last, before)) if *last == role => join(before, parts),
            _ => turns.push((role, parts)),
        }
    }
    let turns: Vec<Value> =
        turns.into_iter().map(|(role, parts)| json!({ "role": role, "parts": parts })).collect();
    body.insert("contents".to_owned(), Value::Array(turns));
    Ok(body)
}

/// Adds a message's parts to those of its neighbour, with a blank line where text meets text:
/// nobody says that the API puts anything between two parts.
fn join(before: &mut Vec<Value>, parts: Vec<Value>) {
    let mut parts = parts.into_iter().peekable();
    let seam = before.last_mut().and_then(|last| last.get_mut("text"));
    if let (Some(Value::String(last)), Some(next)) = (seam, parts.peek())
        && let Some(text) = next.get("text").and_then(Value::as_str)
    {
        last.push_str("\n\n");
        last.push_str(text);
        parts.next();
    }
    before.extend(parts);
}

fn config(chat: &Chat, model: GeminiModel) -> Result<(Map<String, Value>, Vec<String>), Error> {
    let sampling = &chat.sampling;
    let stops = sampling.stop_sequences.len();
    if stops > MOST_STOP_SEQUENCES {
        let text = format!("this provider takes at most {MOST_STOP_SEQUENCES} texts, got {stops}");
        return Err(Error::invalid("options.stopSequences", text));
    }
    let mut config = Map::new();
    let mut options = Options { body: &mut config, warnings: Vec::new(), model: &chat.model };
    let taken = Taken::when(model.sampling, "it has no effect on this model");
    options.put("temperature", "temperature", sampling.temperature.map(Value::from), taken);
    options.put("topP", "topP", sampling.top_p.map(Value::from), taken);
    options.put("topK", "topK", sampling.top_k.map(Value::from), taken);
    let most = sampling.max_tokens.map(Value::from);
    options.put("maxTokens", "maxOutputTokens", most, Taken::Yes);
    options.put("stopSequences", "stopSequences", stop_list(sampling), Taken::Yes);
    let fits = sampling.seed.is_none_or(|seed| i32::try_from(seed).is_ok());
    let taken = Taken::when(fits, "this provider takes seeds of 32 bits");
    options.put("seed", "seed", sampling.seed.map(Value::from), taken);
    let taken = Taken::when(model.penalties, "this model does not take it");
    let penalty = sampling.frequency_penalty.map(Value::from);
    options.put("frequencyPenalty", "frequencyPenalty", penalty, taken);
    let penalty = sampling.presence_penalty.map(Value::from);
    options.put("presencePenalty", "presencePenalty", penalty, taken);
    effort(&mut options, chat, model.thinking);
    let warnings = options.warnings;
    if matches!(chat.structure, Structure::Native { .. } | Structure::JsonMode) {
        config.insert("responseMimeType".to_owned(), json!("application/json"));
    }
    if let Structure::Native { schema, .. } = &chat.structure {
        config.insert("responseJsonSchema".to_owned(), schema.clone());
    }
    Ok((config, warnings))
}

/// Asks for reasoning, by a level or a budget as the model has it.
fn effort(options: &mut Options<'_>, chat: &Chat, thinking: GeminiThinking) {
    let Some(word) = chat.sampling.effort.as_deref() else { return };
    let asked = match thinking {
        GeminiThinking::No => {
            if word != "none" {
                options.leave_out("effort", "this model does not reason");
            }
            return;
        }
        GeminiThinking::Levels(levels) => json!({ "thinkingLevel": level(word, levels) }),
        GeminiThinking::Budget { off: true, .. } if word == "none" => {
            json!({ "thinkingBudget": 0 })
        }
        GeminiThinking::Budget { least, most, .. } => {
            // What Google's own table of efforts says.
            let budget = match word {
                "none" => least,
                "minimal" | "low" => 1024,
                "medium" => 8192,
                "high" => 24_576,
                _ => most,
            };
            // The caller's maxTokens is a ceiling on cost, thoughts included: the budget gives way.
            let room = chat.sampling.max_tokens.map_or(budget, |ceiling| budget.min(ceiling / 2));
            json!({ "thinkingBudget": room.max(least) })
        }
    };
    let off = matches!(thinking, GeminiThinking::Budget { off: true, .. });
    if word == "none" && !off && asked.get("thinkingLevel") != Some(&json!("MINIMAL")) {
        options.least_effort();
    }
    options.body.insert("thinkingConfig".to_owned(), asked);
}

/// The level for a word, or the next one above that the model has.
fn level(word: &str, levels: &'static [&'static str]) -> &'static str {
    const ORDER: &[&str] = &["MINIMAL", "LOW", "MEDIUM", "HIGH"];
    let wanted = match word {
        "none" | "minimal" => 0,
        "low" => 1,
        "medium" => 2,
        _ => 3,
    };
    let above = ORDER.iter().skip(wanted).find(|level| levels.contains(level));
    above.copied().unwrap_or("HIGH")
}
