//! Amazon Bedrock's Converse: `POST {base}/model/{id}/converse`.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>; types of npm
//! `@aws-sdk/client-bedrock-runtime` 3.1164.

use serde_json::{Map, Value, json};

use super::anthropic_body::{self, IMAGES};
use super::data_url::inline;
use super::models::{self, ConverseModel, Family, Force, TopK};
use super::{
    BuiltRequest, Dialect, Endpoint, Failure, Options, Taken, bedrock, converse_reply, stop_list,
};
use crate::chat::{Chat, Message, Part, Reply, Role, Sampling, Structure};
use crate::error::Error;
use crate::schema::{Schema, closed};
use crate::wire::{WireReply, WireRequest};

/// Any model that Converse serves.
pub(crate) struct Converse {
    /// What an id is taken for that names no model, like an application inference profile's.
    pub(crate) opaque: &'static str,
}

impl Dialect for Converse {
    fn name(&self) -> &'static str {
        "converse"
    }

    fn structure(&self, model: &str, name: &str, schema: &Schema) -> Structure {
        let model = match models::converse(model, self.opaque) {
            Family::Claude(model) => return anthropic_body::structured(model, name, schema),
            Family::Other(model) => model,
        };
        let name = name.to_owned();
        if model.json_schema
            && let Some(schema) = closed(schema.written())
        {
            return Structure::Native { name, schema, strict: true };
        }
        // A tool's input is always an object.
        let input = schema.is_object().then(|| schema.written());
        let input = match model.force {
            Force::Tool | Force::Any => input.cloned(),
            Force::PlainTool => input.and_then(plain),
            Force::No => None,
        };
        input.map_or(Structure::PromptOnly, |schema| Structure::ForcedTool { name, schema })
    }

    fn wire_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
        // What an operator allows by a row's name must not open other makers' models.
        if !models::may_be_of(&chat.model, self.opaque) {
            let text =
                format!("expected a model of {}…; ask others by the provider amazon", self.opaque);
            return Err(Error::invalid("model", text));
        }
        let family = models::converse(&chat.model, self.opaque);
        let (takes_system, force) = match family {
            Family::Claude(model) => {
                anthropic_body::refuse_prefill(chat, model)?;
                (true, Force::Tool)
            }
            Family::Other(model) => (model.system, model.force),
        };
        let mut body = turns(chat, takes_system)?;
        let Tuned { inference, additional, warnings } = match family {
            Family::Claude(model) => claude_options(chat, model),
            Family::Other(model) => options(chat, model),
        };
        for (name, fields) in
            [("inferenceConfig", inference), ("additionalModelRequestFields", additional)]
        {
            if !fields.is_empty() {
                body.insert(name.to_owned(), Value::Object(fields));
            }
        }
        structure(&mut body, &chat.structure, force);
        let body = Value::Object(body);
        let request: WireRequest = bedrock::request(endpoint, &chat.model, "converse", body)?;
        Ok(BuiltRequest { request, warnings })
    }

    fn read_reply(&self, wire: &WireReply) -> Result<Reply, Error> {
        converse_reply::read(wire)
    }

    fn read_failure(&self, wire: &WireReply) -> Failure {
        bedrock::failure(wire)
    }
}

/// The schema with nothing at its root but `type`, `properties` and `required`, unless it says
/// what these can't: references, and a choice or a map at the root. Answers are validated by all
/// of it.
fn plain(schema: &Value) -> Option<Value> {
    let properties = schema.get("properties")?;
    let other = ["anyOf", "oneOf", "allOf", "if", "patternProperties", "dependentSchemas"];
    if other.iter().any(|rule| schema.get(rule).is_some()) || refers(properties) {
        return None;
    }
    let mut plain = json!({ "type": "object", "properties": properties });
    if let Some(required) = schema.get("required") {
        plain["required"] = required.clone();
    }
    Some(plain)
}

fn refers(schema: &Value) -> bool {
    match schema {
        Value::Object(rules) => {
            rules.get("$ref").is_some_and(Value::is_string) || rules.values().any(refers)
        }
        Value::Array(items) => items.iter().any(refers),
        _ => false,
    }
}

/// `system` and `messages`: roles alternate, so neighbours of one role become one message.
fn turns(chat: &Chat, takes_system: bool) -> Result<Map<String, Value>, Error> {
    let mut body = Map::new();
    let first_system = chat.messages.iter().position(|message| message.role == Role::System);
    let first_system = first_system.filter(|_| takes_system);
    if let Some(system) = first_system.and_then(|at| chat.messages.get(at)) {
        body.insert("system".to_owned(), json!([{ "text": system.joined_text() }]));
    }
    let mut turns: Vec<(Role, Vec<Value>)> = Vec::new();
    for (index, message) in chat.messages.iter().enumerate() {
        if Some(index) == first_system {
            continue;
        }
        // Another system message has no place of its own here.
        let role = match message.role {
            Role::System => Role::User,
            role => role,
        };
        if turns.is_empty() && role == Role::Assistant {
            return Err(Error::invalid(
                format!("message[{index}]"),
                "for this provider a conversation begins with a user message",
            ));
        }
        let blocks = blocks(message, index)?;
        match turns.last_mut() {
            Some((last, before)) if *last == role => before.extend(blocks),
            _ => turns.push((role, blocks)),
        }
    }
    let messages: Vec<Value> = turns
        .into_iter()
        .map(|(role, content)| json!({ "role": role.name(), "content": content }))
        .collect();
    body.insert("messages".to_owned(), Value::Array(messages));
    Ok(body)
}

fn blocks(message: &Message, index: usize) -> Result<Vec<Value>, Error> {
    let mut blocks = Vec::new();
    for (at, part) in message.content.iter().enumerate() {
        match part {
            Part::Text(text) => blocks.push(json!({ "text": text })),
            Part::Image { url } => {
                let path = || format!("message[{index}].content[{at}].image_url.url");
                let (media, bytes) = inline(url, IMAGES, path)?;
                let format = media.trim_start_matches("image/");
                let source = json!({ "bytes": bytes });
                blocks.push(json!({ "image": { "format": format, "source": source } }));
            }
        }
    }
    Ok(blocks)
}

/// What the caller tuned, in Converse's words and in the model's own.
struct Tuned {
    inference: Map<String, Value>,
    additional: Map<String, Value>,
    warnings: Vec<String>,
}

/// Where Anthropic's options are in `inferenceConfig`; the others are the model's own.
const INFERENCE: &[(&str, &str)] = &[
    ("max_tokens", "maxTokens"),
    ("temperature", "temperature"),
    ("top_p", "topP"),
    ("stop_sequences", "stopSequences"),
];

fn claude_options(chat: &Chat, model: models::ClaudeModel) -> Tuned {
    let mut additional = Map::new();
    let warnings = anthropic_body::options(&mut additional, chat, model);
    // Converse has places of its own for these.
    for name in ["tools", "tool_choice"] {
        additional.shift_remove(name);
    }
    if let Some(config) = additional.get_mut("output_config").and_then(Value::as_object_mut) {
        config.shift_remove("format");
        if config.is_empty() {
            additional.shift_remove("output_config");
        }
    }
    // The model's own limit holds here, unless thinking has to stay under one.
    if chat.sampling.max_tokens.is_none() && !additional.contains_key("thinking") {
        additional.shift_remove("max_tokens");
    }
    let mut inference = Map::new();
    for (theirs, here) in INFERENCE {
        if let Some(value) = additional.shift_remove(*theirs) {
            inference.insert((*here).to_owned(), value);
        }
    }
    Tuned { inference, additional, warnings }
}

fn options(chat: &Chat, model: ConverseModel) -> Tuned {
    let sampling = &chat.sampling;
    let mut inference = Map::new();
    let mut options = Options { body: &mut inference, warnings: Vec::new(), model: &chat.model };
    let most = sampling.max_tokens.map(Value::from);
    options.put("maxTokens", "maxTokens", most, Taken::Yes);
    let in_range = sampling.temperature.is_none_or(|temperature| temperature <= 1.0);
    let tuned = Taken::when(in_range, "this provider takes 0 to 1");
    options.put("temperature", "temperature", sampling.temperature.map(Value::from), tuned);
    options.put("topP", "topP", sampling.top_p.map(Value::from), Taken::Yes);
    let stop = Taken::when(model.stop, "this model does not take it");
    options.put("stopSequences", "stopSequences", stop_list(sampling), stop);
    for (option, set) in [
        ("topK", sampling.top_k.is_some() && model.top_k == TopK::No),
        ("frequencyPenalty", sampling.frequency_penalty.is_some()),
        ("presencePenalty", sampling.presence_penalty.is_some()),
        ("seed", sampling.seed.is_some()),
        ("effort", asked_effort(sampling).is_some() && !model.effort),
    ] {
        if set {
            options.leave_out(option, "it has no such option through this provider");
        }
    }
    let warnings = options.warnings;
    let mut additional = Map::new();
    if let (Some(top_k), TopK::Nested) = (sampling.top_k, model.top_k) {
        additional.insert("inferenceConfig".to_owned(), json!({ "topK": top_k }));
    }
    if let (Some(word), true) = (asked_effort(sampling), model.effort) {
        let word = match word {
            "minimal" | "low" => "low",
            "medium" => "medium",
            _ => "high",
        };
        additional.insert("reasoning_effort".to_owned(), json!(word));
    }
    Tuned { inference, additional, warnings }
}

fn asked_effort(sampling: &Sampling) -> Option<&str> {
    sampling.effort.as_deref().filter(|word| *word != "none")
}

fn structure(body: &mut Map<String, Value>, structure: &Structure, force: Force) {
    match structure {
        Structure::Native { name, schema, .. } => {
            // The schema is text here.
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
            let choice = match force {
                Force::Any => json!({ "any": {} }),
                Force::Tool | Force::PlainTool | Force::No => json!({ "tool": { "name": name } }),
            };
            let tools = json!([{ "toolSpec": spec }]);
            body.insert("toolConfig".to_owned(), json!({ "tools": tools, "toolChoice": choice }));
        }
        Structure::Free | Structure::JsonMode | Structure::PromptOnly => {}
    }
}
