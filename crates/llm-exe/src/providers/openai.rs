//! OpenAI chat completions: `POST {base}/chat/completions`.
//!
//! <https://platform.openai.com/docs/api-reference/chat/create>; types of npm `openai` 6.49.

use serde_json::{Map, Value, json};

use super::models::{self, OpenAiModel, Tuning};
use super::{BuiltRequest, Dialect, Endpoint, Options, Taken, openai_reply, stop_list};
use crate::chat::{Chat, Message, Part, Reply, Role, Structure};
use crate::error::Error;
use crate::schema::{Schema, strict, without_lookaround};
use crate::wire::{Auth, WireReply, WireRequest};

/// The dialect of OpenAI and of everybody who imitates it; what sets one apart is said here.
pub(crate) struct OpenAi {
    /// What its models refuse and offer.
    models: &'static [OpenAiModel],
    /// Its word for the most tokens of an answer.
    max_tokens: &'static str,
    /// A reasoning model's system messages are `developer` ones.
    developer: bool,
    /// Reasoning is turned on and off by `thinking`.
    thinking_switch: bool,
    /// `completion_tokens` leaves reasoning out.
    reasoning_beside: bool,
    /// Takes `seed`.
    seed: bool,
}

const IMITATED: OpenAi = OpenAi {
    models: models::ANY_SCHEMA,
    max_tokens: "max_tokens",
    developer: false,
    thinking_switch: false,
    reasoning_beside: false,
    seed: true,
};

/// OpenAI itself.
pub(crate) const OPENAI: OpenAi = OpenAi {
    models: models::OPENAI,
    max_tokens: "max_completion_tokens",
    developer: true,
    ..IMITATED
};

/// xAI.
pub(crate) const XAI: OpenAi = OpenAi {
    models: models::XAI,
    max_tokens: "max_completion_tokens",
    reasoning_beside: true,
    ..IMITATED
};

/// DeepSeek.
pub(crate) const DEEPSEEK: OpenAi =
    OpenAi { models: models::DEEPSEEK, thinking_switch: true, seed: false, ..IMITATED };

/// A server of the operator's that takes JSON Schemas.
pub(crate) const WITH_SCHEMA: OpenAi = IMITATED;

/// One that takes JSON mode.
pub(crate) const WITH_JSON: OpenAi = OpenAi { models: models::ANY_JSON, ..IMITATED };

/// One that takes neither.
pub(crate) const WITH_TEXT: OpenAi = OpenAi { models: models::ANY_TEXT, ..IMITATED };

impl Dialect for OpenAi {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn takes_lone_system(&self) -> bool {
        true
    }

    fn structure(&self, model: &str, name: &str, schema: &Schema) -> Structure {
        let model = models::openai(self.models, model);
        // The API refuses a schema whose root is no object, and JSON mode answers objects only.
        if !schema.is_object() {
            return Structure::PromptOnly;
        }
        if !model.json_schema {
            return if model.json_mode { Structure::JsonMode } else { Structure::PromptOnly };
        }
        let name = name.to_owned();
        match strict(schema.written()) {
            Some(schema) => Structure::Native { name, schema, strict: true },
            None => {
                let schema = without_lookaround(schema.written());
                Structure::Native { name, schema, strict: false }
            }
        }
    }

    fn wire_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
        let model = models::openai(self.models, &chat.model);
        let mut body = Map::new();
        body.insert("model".to_owned(), json!(chat.model));
        let mut messages = Vec::new();
        for (index, message) in chat.messages.iter().enumerate() {
            let role = match message.role {
                Role::System if self.developer && model.reasons => "developer",
                role => role.name(),
            };
            let content = content(message, model.images, index)?;
            messages.push(json!({ "role": role, "content": content }));
        }
        body.insert("messages".to_owned(), Value::Array(messages));
        if let Some(format) = response_format(&chat.structure) {
            body.insert("response_format".to_owned(), format);
        }
        let warnings = self.options(&mut body, chat, model);
        Ok(BuiltRequest {
            request: WireRequest {
                url: format!("{}/chat/completions", endpoint.base_url),
                headers: Vec::new(),
                body: Value::Object(body),
                auth: endpoint.key.clone().map_or(Auth::None, Auth::Bearer),
            },
            warnings,
        })
    }

    fn read_reply(&self, wire: &WireReply) -> Result<Reply, Error> {
        openai_reply::read(wire, self.reasoning_beside)
    }
}

fn content(message: &Message, images: bool, index: usize) -> Result<Value, Error> {
    if let [Part::Text(text)] = message.content.as_slice() {
        return Ok(json!(text));
    }
    let mut parts = Vec::new();
    for (at, part) in message.content.iter().enumerate() {
        parts.push(match part {
            Part::Text(text) => json!({ "type": "text", "text": text }),
            Part::Image { url } if images => {
                json!({ "type": "image_url", "image_url": { "url": url } })
            }
            Part::Image { .. } => {
                let path = format!("message[{index}].content[{at}]");
                return Err(Error::invalid(path, "this model takes no images"));
            }
        });
    }
    Ok(Value::Array(parts))
}

fn response_format(structure: &Structure) -> Option<Value> {
    match structure {
        Structure::Native { name, schema, strict } => Some(json!({
            "type": "json_schema",
            "json_schema": { "name": name, "schema": schema, "strict": strict }
        })),
        Structure::JsonMode => Some(json!({ "type": "json_object" })),
        Structure::Free | Structure::ForcedTool { .. } | Structure::PromptOnly => None,
    }
}

impl OpenAi {
    fn options(
        &self,
        body: &mut Map<String, Value>,
        chat: &Chat,
        model: OpenAiModel,
    ) -> Vec<String> {
        let sampling = &chat.sampling;
        let mut options = Options { body, warnings: Vec::new(), model: &chat.model };
        let effort = sampling.effort.as_deref();
        let no_reasoning = effort == Some("none") && model.efforts.contains(&"none");
        let taken = |tuning| match tuning {
            Tuning::WithoutEffort if no_reasoning => Taken::Yes,
            Tuning::WithoutEffort => Taken::No("it takes this only with effort \"none\""),
            Tuning::No => Taken::No("a reasoning model does not take it"),
            Tuning::Free | Tuning::OneOf => Taken::Yes,
        };
        let tuned = taken(model.tuning);
        options.put("temperature", "temperature", sampling.temperature.map(Value::from), tuned);
        options.put("topP", "top_p", sampling.top_p.map(Value::from), tuned);
        let tuned = taken(model.penalties);
        let penalty = sampling.frequency_penalty.map(Value::from);
        options.put("frequencyPenalty", "frequency_penalty", penalty, tuned);
        let penalty = sampling.presence_penalty.map(Value::from);
        options.put("presencePenalty", "presence_penalty", penalty, tuned);
        let no_word = Taken::No("this provider has no such option");
        options.put("topK", "top_k", sampling.top_k.map(Value::from), no_word);
        let most = sampling.max_tokens.map(Value::from);
        options.put("maxTokens", self.max_tokens, most, Taken::Yes);
        let stop = Taken::when(model.stop, "this model does not take it");
        options.put("stopSequences", "stop", stop_list(sampling), stop);
        let seed = Taken::when(self.seed, "this provider has no such option");
        options.put("seed", "seed", sampling.seed.map(Value::from), seed);
        if let Some(word) = effort {
            self.effort(&mut options, word, model);
        }
        options.warnings
    }

    fn effort(&self, options: &mut Options<'_>, asked: &str, model: OpenAiModel) {
        if model.efforts.is_empty() {
            match (model.reasons, asked) {
                (true, _) => options.leave_out("effort", "it can't be told how much to reason"),
                // Nothing was asked of it that it would not do.
                (false, "none") => {}
                (false, _) => options.leave_out("effort", "it does not reason"),
            }
            return;
        }
        let Some(word) = models::nearest_effort(asked, model.efforts) else {
            options.leave_out("effort", "this model always reasons");
            return;
        };
        if word != asked {
            let text = format!("options.effort became {word:?} for {}", options.model);
            options.warnings.push(format!("{text}: it has no {asked:?}"));
        }
        if !self.thinking_switch {
            options.body.insert("reasoning_effort".to_owned(), json!(word));
            return;
        }
        let kind = if word == "none" { "disabled" } else { "enabled" };
        options.body.insert("thinking".to_owned(), json!({ "type": kind }));
        if word != "none" {
            options.body.insert("reasoning_effort".to_owned(), json!(word));
        }
    }
}
