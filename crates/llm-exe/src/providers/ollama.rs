//! Ollama: `POST {base}/api/chat`.
//!
//! <https://docs.ollama.com/api/chat>; types of npm `ollama` 0.6.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::data_url::inline;
use super::models::{self, Think};
use super::{BuiltRequest, Dialect, Endpoint, Failure, Options, Taken, failure, stop_list};
use crate::chat::{Chat, Message, Part, Reply, ReplyPart, StopReason, Structure, Usage};
use crate::error::Error;
use crate::schema::Schema;
use crate::wire::{Auth, WireReply, WireRequest};

const IMAGES: &[&str] = &["jpeg", "png", "webp"];

/// The dialect of Ollama's own API.
pub(crate) struct Ollama;

impl Dialect for Ollama {
    fn name(&self) -> &'static str {
        "ollama"
    }

    /// Every model is held to the schema's grammar while it writes.
    fn structure(&self, _: &str, name: &str, schema: &Schema) -> Structure {
        let schema = schema.written().clone();
        Structure::Native { name: name.to_owned(), schema, strict: true }
    }

    fn wire_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
        let mut messages = Vec::new();
        for (index, one) in chat.messages.iter().enumerate() {
            messages.push(message(one, index)?);
        }
        let mut body = Map::new();
        body.insert("model".to_owned(), json!(chat.model));
        body.insert("messages".to_owned(), Value::Array(messages));
        body.insert("stream".to_owned(), json!(false));
        match &chat.structure {
            Structure::Native { schema, .. } => {
                drop(body.insert("format".to_owned(), schema.clone()))
            }
            Structure::JsonMode => drop(body.insert("format".to_owned(), json!("json"))),
            Structure::Free | Structure::ForcedTool { .. } | Structure::PromptOnly => {}
        }
        let mut warnings = think(&mut body, chat);
        let (options, more) = options(chat);
        warnings.extend(more);
        if !options.is_empty() {
            body.insert("options".to_owned(), Value::Object(options));
        }
        Ok(BuiltRequest {
            request: WireRequest {
                url: format!("{}/api/chat", endpoint.base_url),
                headers: Vec::new(),
                body: Value::Object(body),
                auth: endpoint.key.clone().map_or(Auth::None, Auth::Bearer),
            },
            warnings,
        })
    }

    fn read_reply(&self, wire: &WireReply) -> Result<Reply, Error> {
        let answer: Answer = serde_json::from_slice(&wire.body)
            .map_err(|error| failure::unreadable("no chat message", &error))?;
        let mut content = Vec::new();
        content.extend(answer.message.content.filter(|text| !text.is_empty()).map(ReplyPart::Text));
        for call in answer.message.tool_calls.unwrap_or_default() {
            let Function { name, arguments } = call.function;
            content.push(ReplyPart::ToolCall { name, arguments: arguments.get().to_owned() });
        }
        let calls = content.iter().any(|part| matches!(part, ReplyPart::ToolCall { .. }));
        Ok(Reply {
            stop_reason: match answer.done_reason.as_deref() {
                Some("stop") if calls => StopReason::ToolCalls,
                Some("stop") => StopReason::Stop,
                Some("length") => StopReason::Length,
                // `load` and `unload` say that nothing was asked.
                _ => StopReason::Other,
            },
            provider_stop_reason: answer.done_reason,
            content,
            usage: Usage {
                input_tokens: answer.prompt_eval_count.unwrap_or(0),
                output_tokens: answer.eval_count.unwrap_or(0),
                ..Usage::default()
            }
            .summed(),
            model: answer.model,
            id: None,
        })
    }

    /// `{"error": "text"}`; a gateway in front may answer in the common shape.
    fn read_failure(&self, wire: &WireReply) -> Failure {
        let read = failure::read(wire);
        match serde_json::from_slice::<Refusal>(&wire.body) {
            Ok(Refusal { error }) => Failure { message: error, ..read },
            Err(_) => read,
        }
    }
}

fn message(message: &Message, index: usize) -> Result<Value, Error> {
    let mut images = Vec::new();
    for (at, part) in message.content.iter().enumerate() {
        if let Part::Image { url } = part {
            let path = || format!("message[{index}].content[{at}].image_url.url");
            let (_, data) = inline(url, IMAGES, path)?;
            images.push(data);
        }
    }
    let mut out = json!({ "role": message.role.name(), "content": message.joined_text() });
    if let (Value::Object(out), false) = (&mut out, images.is_empty()) {
        out.insert("images".to_owned(), json!(images));
    }
    Ok(out)
}

/// Asks for reasoning, as far as the model can be asked.
fn think(body: &mut Map<String, Value>, chat: &Chat) -> Vec<String> {
    let Some(word) = chat.sampling.effort.as_deref() else {
        return Vec::new();
    };
    let mut options = Options { body, warnings: Vec::new(), model: &chat.model };
    let think = match (models::ollama(&chat.model), word) {
        (Think::No, "none") => return Vec::new(),
        (Think::No, _) => {
            options.leave_out("effort", "this model does not reason");
            return options.warnings;
        }
        (Think::Switch, word) => json!(word != "none"),
        (Think::Levels, "none") => {
            options.least_effort();
            json!("low")
        }
        (Think::Levels, "minimal" | "low") => json!("low"),
        (Think::Levels, "medium") => json!("medium"),
        (Think::Levels, _) => json!("high"),
    };
    options.put("effort", "think", Some(think), Taken::Yes);
    options.warnings
}

fn options(chat: &Chat) -> (Map<String, Value>, Vec<String>) {
    let sampling = &chat.sampling;
    let mut body = Map::new();
    let mut options = Options { body: &mut body, warnings: Vec::new(), model: &chat.model };
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
        options.put(option, field, value, Taken::Yes);
    }
    let warnings = options.warnings;
    (body, warnings)
}

#[derive(Deserialize)]
struct Answer {
    model: Option<String>,
    message: WireMessage,
    done_reason: Option<String>,
    prompt_eval_count: Option<u64>,
    eval_count: Option<u64>,
}

#[derive(Deserialize)]
struct WireMessage {
    content: Option<String>,
    tool_calls: Option<Vec<ToolCall>>,
}

#[derive(Deserialize)]
struct ToolCall {
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    arguments: Box<RawValue>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}
