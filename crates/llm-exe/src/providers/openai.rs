//! OpenAI chat completions: `POST {base}/chat/completions`.
//!
//! <https://platform.openai.com/docs/api-reference/chat/create>; types of npm `openai` 6.49.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::models::{self, OpenAiModel, Tuning};
use super::{Asked, Dialect, Endpoint, Options, Taken, failure, stop_list};
use crate::chat::{Chat, Message, Part, Reply, ReplyPart, Role, StopReason, Structure, Usage};
use crate::error::{Error, ErrorKind};
use crate::schema::{Schema, strict};
use crate::wire::{Auth, WireReply, WireRequest};

/// The dialect of OpenAI and of everybody who imitates it.
pub(crate) struct OpenAi;

impl Dialect for OpenAi {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn takes_lone_system(&self) -> bool {
        true
    }

    fn structure(&self, model: &str, name: &str, schema: &Schema) -> Structure {
        let model = models::openai(model);
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
            None => Structure::Native { name, schema: schema.written().clone(), strict: false },
        }
    }

    fn wire_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<Asked, Error> {
        let model = models::openai(&chat.model);
        let mut body = Map::new();
        body.insert("model".to_owned(), json!(chat.model));
        let messages: Vec<Value> = chat.messages.iter().map(|one| message(one, model)).collect();
        body.insert("messages".to_owned(), Value::Array(messages));
        if let Some(format) = response_format(&chat.structure) {
            body.insert("response_format".to_owned(), format);
        }
        let warnings = options(&mut body, chat, model);
        Ok(Asked {
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
        let completion: Completion = serde_json::from_slice(&wire.body)
            .map_err(|error| failure::unreadable("no chat completion", &error))?;
        let Some(choice) = completion.choices.into_iter().next() else {
            let text = "the answer holds no choices";
            return Err(Error::new(ErrorKind::ProviderUnavailable, text));
        };
        let mut content = Vec::new();
        content.extend(choice.message.content.filter(|text| !text.is_empty()).map(ReplyPart::Text));
        content.extend(choice.message.refusal.map(ReplyPart::Refusal));
        for call in choice.message.tool_calls.unwrap_or_default() {
            let Function { name, arguments } = call.function;
            content.push(ReplyPart::ToolCall { name, arguments });
        }
        let refused = content.iter().any(|part| matches!(part, ReplyPart::Refusal(_)));
        Ok(Reply {
            stop_reason: match choice.finish_reason.as_deref() {
                _ if refused => StopReason::Refusal,
                Some("stop") => StopReason::Stop,
                Some("length") => StopReason::Length,
                Some("tool_calls" | "function_call") => StopReason::ToolCalls,
                Some("content_filter") => StopReason::ContentFilter,
                _ => StopReason::Other,
            },
            provider_stop_reason: choice.finish_reason,
            content,
            usage: completion.usage.map_or_else(Usage::default, WireUsage::buckets),
            model: completion.model,
            id: completion.id,
        })
    }
}

fn message(message: &Message, model: OpenAiModel) -> Value {
    let role = match message.role {
        Role::System if model.reasons => "developer",
        role => role.name(),
    };
    match message.content.as_slice() {
        [Part::Text(text)] => json!({ "role": role, "content": text }),
        parts => {
            let parts: Vec<Value> = parts
                .iter()
                .map(|part| match part {
                    Part::Text(text) => json!({ "type": "text", "text": text }),
                    Part::Image { url } => {
                        json!({ "type": "image_url", "image_url": { "url": url } })
                    }
                })
                .collect();
            json!({ "role": role, "content": parts })
        }
    }
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

fn options(body: &mut Map<String, Value>, chat: &Chat, model: OpenAiModel) -> Vec<String> {
    let sampling = &chat.sampling;
    let mut options = Options { body, warnings: Vec::new(), model: &chat.model };
    let no_reasoning = sampling.effort.as_deref() == Some("none");
    let tuned = match model.tuning {
        Tuning::WithoutEffort if no_reasoning => Taken::Yes,
        Tuning::WithoutEffort => Taken::No("it takes this only with effort \"none\""),
        Tuning::No => Taken::No("a reasoning model does not take it"),
        Tuning::Free | Tuning::OneOf => Taken::Yes,
    };
    options.put("temperature", "temperature", sampling.temperature.map(Value::from), tuned);
    options.put("topP", "top_p", sampling.top_p.map(Value::from), tuned);
    let penalty = sampling.frequency_penalty.map(Value::from);
    options.put("frequencyPenalty", "frequency_penalty", penalty, tuned);
    let penalty = sampling.presence_penalty.map(Value::from);
    options.put("presencePenalty", "presence_penalty", penalty, tuned);
    let no_word = Taken::No("this provider has no such option");
    options.put("topK", "top_k", sampling.top_k.map(Value::from), no_word);
    let most = sampling.max_tokens.map(Value::from);
    options.put("maxTokens", "max_completion_tokens", most, Taken::Yes);
    let stop = Taken::when(model.stop, "this model does not take it");
    options.put("stopSequences", "stop", stop_list(sampling), stop);
    options.put("seed", "seed", sampling.seed.map(Value::from), Taken::Yes);
    let effort = sampling.effort.as_deref().filter(|word| model.reasons || *word != "none");
    let reasons = Taken::when(model.reasons, "it does not reason");
    options.put("effort", "reasoning_effort", effort.map(Value::from), reasons);
    options.warnings
}

#[derive(Deserialize)]
struct Completion {
    id: Option<String>,
    model: Option<String>,
    choices: Vec<Choice>,
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct Choice {
    message: WireMessage,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct WireMessage {
    content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<WireToolCall>>,
}

#[derive(Deserialize)]
struct WireToolCall {
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    arguments: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

impl WireUsage {
    /// The API counts cached tokens in `prompt_tokens` and reasoning in `completion_tokens`.
    fn buckets(self) -> Usage {
        let prompt = self.prompt_tokens_details.unwrap_or_default();
        let cached = prompt.cached_tokens.unwrap_or(0);
        let written = prompt.cache_write_tokens.unwrap_or(0);
        let details = self.completion_tokens_details.unwrap_or_default();
        let reasoning = details.reasoning_tokens.unwrap_or(0);
        Usage {
            input_tokens: self.prompt_tokens.saturating_sub(cached + written),
            output_tokens: self.completion_tokens.saturating_sub(reasoning),
            cached_input_tokens: cached,
            cache_write_tokens: written,
            reasoning_tokens: reasoning,
            total_tokens: 0,
        }
        .summed()
    }
}
