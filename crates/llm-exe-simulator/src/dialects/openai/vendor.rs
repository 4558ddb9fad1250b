//! The other providers whose servers implement OpenAI's API, and what they reject.
//!
//! The base URL of a provider begins with its name, for example `/mistral/v1`. The parameters are
//! those of the provider's own package, which each entry names. The texts of the errors are the
//! providers', but their format is OpenAI's.

use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::error::{invalid_parameter, rejection};
use super::models::{self, Model};
use crate::completion::{Completion, Content, FinishReason, OutputKind};
use crate::dialects::dialect::Rejection;
use crate::dialects::json::{array_field, field, str_field};

/// The end of the path of every request.
const API_PATH: &str = "/chat/completions";
/// The length of the ids of tool calls at Mistral.
const SHORT_ID: usize = 9;
const THOUGHT: &str = "Simulated thinking.";

/// What a provider accepts, where it differs from OpenAI.
pub(crate) struct Vendor {
    /// The name of the provider. Its last part is the first segment of the path.
    name: &'static str,
    /// How requests are authenticated.
    access: Access,
    /// The parameters that the service accepts, separated by spaces, or an empty text if they are
    /// OpenAI's.
    parameters: &'static str,
    /// The status and the text of the error for another parameter. `NAME` is a placeholder.
    unknown_parameter: (u16, &'static str),
    /// The fields of assistant messages that the service rejects, separated by spaces.
    rejected_turn_fields: &'static str,
    /// The field of a reply that contains the reasoning of the model.
    reasoning_field: Option<&'static str>,
    /// Whether JSON that is not valid is an error.
    rejects_invalid_json: bool,
    /// Whether ids of tool calls must have exactly nine letters and digits.
    short_ids: bool,
    /// Whether a `response_format` of type `json_object` is accepted.
    json_object: bool,
    /// Whether `tool_choice` may name a function.
    named_tool: bool,
    /// The maximum number of stop sequences.
    max_stops: usize,
    /// Whether the service continues an assistant message at the end, which must have `prefix`.
    continues_prefix: bool,
    /// Checks the order of the messages.
    validate_roles: fn(&[&str]) -> Result<(), Rejection>,
    /// Name prefixes, each with the capabilities of the models. The first one that matches is used,
    /// and the last one is empty. Without any, the models are OpenAI's.
    models: &'static [(&'static str, Model)],
}

/// How requests to a provider are authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The header `authorization` contains the API key.
    Bearer,
    /// This header contains the API key.
    Header(&'static str),
    /// Requests are signed with AWS credentials.
    SigV4,
}

/// A provider that accepts what OpenAI accepts.
const LIKE_OPENAI: Vendor = Vendor {
    name: "",
    access: Access::Bearer,
    parameters: "",
    unknown_parameter: (400, "Unrecognized request argument supplied: NAME"),
    rejected_turn_fields: "",
    reasoning_field: None,
    rejects_invalid_json: false,
    short_ids: false,
    json_object: true,
    named_tool: true,
    max_stops: 4,
    continues_prefix: false,
    validate_roles: |_| Ok(()),
    models: &[],
};

const VENDORS: &[Vendor] = &[
    // npm @ai-sdk/azure 3.0 (key, path), npm openai 7.57.
    Vendor { name: "azure", access: Access::Header("api-key"), ..LIKE_OPENAI },
    // BerriAI/litellm#40775 (models, response_format, reasoning), BerriAI/litellm#13959 (format of
    // errors), npm openai 7.57 (path, signature).
    Vendor { name: "amazon:openai", access: Access::SigV4, ..LIKE_OPENAI },
    // npm @mistralai/mistralai 2.7; charmbracelet/crush#1590 (turns), nearai/ironclaw#1241 (ids),
    // editor-code-assistant/eca#231 (parameters).
    Vendor {
        name: "mistral",
        parameters: "model temperature top_p max_tokens stream stop random_seed metadata messages \
            response_format tools tool_choice presence_penalty frequency_penalty n prediction \
            parallel_tool_calls reasoning_effort prompt_mode guardrails prompt_cache_key \
            service_tier safe_prompt",
        unknown_parameter: (422, "Extra inputs are not permitted: body.NAME"),
        rejected_turn_fields: "reasoning reasoning_content reasoning_details refusal annotations",
        short_ids: true,
        max_stops: usize::MAX,
        continues_prefix: true,
        validate_roles: validate_mistral_roles,
        models: &[
            ("codestral-mamba", models::WITHOUT_SCHEMA),
            ("mistral-large-4", models::NONE_OR_HIGH),
            ("mistral-medium", models::NONE_OR_HIGH),
            ("mistral-small", models::NONE_OR_HIGH),
            ("devstral", models::NONE_OR_HIGH),
            ("mistral-large", models::PLAIN),
            ("ministral", models::PLAIN),
            ("magistral", models::PLAIN),
            ("codestral", models::PLAIN),
            ("", models::OTHER),
        ],
        ..LIKE_OPENAI
    },
    // npm groq-sdk 1.6; janhq/jan#8136 (turns), ItzCrazyKns/Vane#980 (json_schema),
    // langchain-ai/langchain#31459 (invalid JSON).
    Vendor {
        name: "groq",
        parameters: "messages model citation_options compound_custom disable_tool_validation \
            documents frequency_penalty function_call functions include_reasoning \
            max_completion_tokens max_tokens n parallel_tool_calls presence_penalty \
            reasoning_effort reasoning_format response_format search_settings seed service_tier \
            stop stream stream_options temperature tool_choice tools top_p user",
        unknown_parameter: (400, "property 'NAME' is unsupported"),
        rejected_turn_fields: "reasoning_content reasoning_details",
        reasoning_field: Some("reasoning"),
        rejects_invalid_json: true,
        models: &[
            ("openai/gpt-oss", models::LOW_TO_HIGH),
            ("qwen/qwen3.8", models::NONE_TO_HIGH),
            ("llama-", models::WITHOUT_SCHEMA),
            ("", models::OTHER),
        ],
        ..LIKE_OPENAI
    },
    // npm @openrouter/sdk 1.3.
    Vendor {
        name: "openrouter",
        parameters: "cache_control debug frequency_penalty image_config logit_bias logprobs \
            max_completion_tokens max_tokens messages metadata min_p modalities model models \
            parallel_tool_calls plugins prediction presence_penalty prompt_cache_key \
            prompt_cache_options provider reasoning reasoning_effort repetition_penalty \
            response_format seed service_tier session_id stop stream stream_options temperature \
            tool_choice tools top_a top_k top_logprobs top_p trace user",
        reasoning_field: Some("reasoning"),
        models: &[("", models::OTHER)],
        ..LIKE_OPENAI
    },
    // npm together-ai 0.52.
    Vendor {
        name: "together",
        parameters: "messages model chat_template_kwargs compliance \
            context_length_exceeded_behavior echo frequency_penalty function_call logit_bias \
            logprobs max_tokens min_p n presence_penalty reasoning reasoning_effort \
            repetition_penalty response_format safety_model seed stop stream temperature \
            tool_choice tools top_k top_p",
        reasoning_field: Some("reasoning"),
        max_stops: usize::MAX,
        models: &[("", models::LOW_TO_HIGH)],
        ..LIKE_OPENAI
    },
    // PyPI fireworks-ai 1.2.
    Vendor {
        name: "fireworks",
        parameters: "messages model context_length_exceeded_behavior echo echo_last \
            frequency_penalty function_call functions ignore_eos logit_bias logprobs \
            max_completion_tokens max_tokens metadata min_p mirostat_lr mirostat_target n \
            parallel_tool_calls perf_metrics_in_response prediction presence_penalty \
            prompt_cache_isolation_key prompt_cache_key prompt_truncate_len raw_output \
            reasoning_effort reasoning_history repetition_penalty response_format \
            return_token_ids safe_tokenization seed service_tier speculation stop stream \
            temperature thinking tool_choice tools top_k top_logprobs top_p typical_p user",
        unknown_parameter: (400, "Extra inputs are not permitted, field: 'NAME'"),
        rejected_turn_fields: "reasoning reasoning_details refusal annotations",
        reasoning_field: Some("reasoning_content"),
        max_stops: usize::MAX,
        models: &[("", models::NONE_TO_HIGH)],
        ..LIKE_OPENAI
    },
    // npm @cerebras/cerebras_cloud_sdk 1.91; @ai-sdk/cerebras 2.0 (turns).
    Vendor {
        name: "cerebras",
        parameters: "messages model clear_thinking disable_reasoning frequency_penalty logit_bias \
            logprobs max_completion_tokens max_tokens min_completion_tokens min_tokens \
            model_parameters n parallel_tool_calls prediction presence_penalty prompt_cache_key \
            reasoning_effort reasoning_format response_format seed service_tier stop stream \
            stream_options temperature tool_choice tools top_logprobs top_p user",
        unknown_parameter: (400, "property 'NAME' is unsupported"),
        rejected_turn_fields: "reasoning_content reasoning_details refusal annotations",
        reasoning_field: Some("reasoning"),
        models: &[("llama", models::PLAIN), ("", models::NONE_TO_HIGH)],
        ..LIKE_OPENAI
    },
    // PyPI perplexityai 0.46; 567-labs/instructor#1005 (json_object),
    // perplexityai/api-discussion#265 (roles).
    Vendor {
        name: "perplexity",
        parameters: "messages model best_of country cum_logprobs disable_search \
            enable_search_classifier frequency_penalty image_domain_filter image_format_filter \
            language_preference last_updated_after_filter last_updated_before_filter latitude \
            logprobs longitude max_tokens n num_search_results parallel_tool_calls \
            presence_penalty reasoning_effort response_format return_images \
            return_related_questions safe_search search_after_date_filter \
            search_before_date_filter search_domain_filter search_language_filter search_mode \
            search_recency_filter stop stream stream_mode temperature tool_choice tools top_k \
            top_logprobs top_p web_search_options",
        unknown_parameter: (400, "Extra inputs are not permitted: body.NAME"),
        json_object: false,
        named_tool: false,
        max_stops: usize::MAX,
        validate_roles: validate_perplexity_roles,
        models: &[("sonar-pro", models::PLAIN), ("", models::MINIMAL_TO_HIGH)],
        ..LIKE_OPENAI
    },
];

/// Returns the first segment of the path for a provider, if there are rules for it.
pub(crate) fn path_segment(provider: &str) -> Option<&'static str> {
    VENDORS.iter().find(|vendor| vendor.name == provider).map(Vendor::segment)
}

/// Returns whether the path is that of chat completions at OpenAI or at another provider.
pub(crate) fn serves(path: &str) -> bool {
    path == "/v1/chat/completions" || find(path).is_some()
}

/// Returns the provider whose name is the first segment of a path.
pub(crate) fn find(path: &str) -> Option<&'static Vendor> {
    let (name, _) = path.strip_suffix(API_PATH)?.strip_prefix('/')?.split_once('/')?;
    VENDORS.iter().find(|vendor| vendor.segment() == name)
}

impl Vendor {
    fn segment(&self) -> &'static str {
        self.name.rsplit(':').next().unwrap_or(self.name)
    }

    /// Returns whether the parameters are those of OpenAI's own API.
    pub(crate) fn has_openai_parameters(&self) -> bool {
        self.parameters.is_empty()
    }

    /// Returns how requests are authenticated.
    pub(crate) fn access(&self) -> Access {
        self.access
    }

    /// Returns whether the request is for an open-weight model on Bedrock, which ignores
    /// `response_format` and sends its reasoning in the content.
    pub(crate) fn is_open_weight(&self, body: &Value) -> bool {
        let model = str_field(body, "model").unwrap_or_default();
        self.access == Access::SigV4 && bedrock_name(model).starts_with("gpt-oss")
    }

    /// Rejects ids and fields that models on Bedrock do not support.
    pub(crate) fn validate_model(&self, body: &Value, model: Model) -> Result<(), Rejection> {
        if self.access != Access::SigV4 {
            return Ok(());
        }
        let id = str_field(body, "model").unwrap_or_default();
        if !id.contains("openai.") && !id.starts_with("arn:") {
            let message = "The provided model identifier is invalid.";
            return Err(invalid_parameter(message, "model", "validation_error"));
        }
        if !model.stop && field(body, "stop").is_some() {
            let message = "This model doesn't support the stopSequences field. Remove \
                           stopSequences and try again.";
            return Err(invalid_parameter(message, "stop", "validation_error"));
        }
        Ok(())
    }

    /// Returns the capabilities of the model with this name.
    pub(crate) fn model(&self, name: &str) -> Model {
        if self.access == Access::SigV4 {
            return match bedrock_name(name) {
                name if name.starts_with("gpt-oss") => models::LOW_TO_HIGH,
                // The runtime serves these models only through Responses (litellm 1.110.2).
                name if name.starts_with("gpt-5.4") || name.starts_with("gpt-5.5") => {
                    models::RESPONSES
                }
                name => models::model(name),
            };
        }
        if self.models.is_empty() {
            return models::model(name);
        }
        let row = self.models.iter().find(|(prefix, _)| name.starts_with(prefix));
        let model = row.map_or(models::OTHER, |(_, model)| *model);
        Model { max_stops: self.max_stops, ..model }
    }

    /// Changes the message of a reply to the fields and the ids that the service sends.
    pub(crate) fn adapt_message(&self, message: &mut Map<String, Value>, body: &Value) {
        if self.is_open_weight(body)
            && let Some(text) = message.get("content").and_then(Value::as_str)
        {
            let content = format!("<reasoning>{THOUGHT}</reasoning>{text}");
            message.insert("content".to_owned(), json!(content));
        }
        message
            .retain(|name, value| name != "annotations" && (name == "content" || !value.is_null()));
        if let Some(field) = self.reasoning_field {
            message.insert(field.to_owned(), json!(THOUGHT));
        }
        let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
        for call in calls.into_iter().flatten().filter(|_| self.short_ids) {
            let id = str_field(call, "id").unwrap_or_default();
            let characters: Vec<char> = id.chars().filter(char::is_ascii_alphanumeric).collect();
            let start = characters.len().saturating_sub(SHORT_ID);
            call["id"] = characters[start..].iter().collect::<String>().into();
        }
    }

    /// Returns the error for a reply that should be JSON but is not valid. With a scripted stop
    /// reason, the reply is sent as it is.
    pub(crate) fn reject_completion(
        &self,
        output: &OutputKind,
        completion: &Completion,
    ) -> Option<Rejection> {
        let (OutputKind::Json | OutputKind::Schema(_), Content::Text(text)) =
            (output, &completion.content)
        else {
            return None;
        };
        let is_valid = || serde_json::from_str::<IgnoredAny>(text).is_ok();
        if !self.rejects_invalid_json || completion.stop_reason.is_some() || is_valid() {
            return None;
        }
        let message = match completion.finish {
            FinishReason::TokenLimit => {
                "max completion tokens reached before generating a valid document"
            }
            _ => {
                "Failed to generate JSON. Please adjust your prompt. See 'failed_generation' for \
                 more details."
            }
        };
        let mut rejection = rejection(400, message, None, Some("json_validate_failed"));
        rejection.body["error"]["failed_generation"] = json!(text);
        Some(rejection)
    }

    /// Rejects parameters that the service does not have.
    pub(crate) fn validate_parameters(&self, body: &Value) -> Result<(), Rejection> {
        if self.parameters.is_empty() {
            return Ok(());
        }
        let is_known = |key: &str| self.parameters.split_whitespace().any(|known| known == key);
        let mut keys = body.as_object().into_iter().flatten().map(|(key, _)| key);
        let Some(unknown) = keys.find(|key| !is_known(key)) else { return Ok(()) };
        let (status, text) = self.unknown_parameter;
        Err(rejection(status, &text.replace("NAME", unknown), Some(unknown), None))
    }

    /// Whether streams contain token counts although the service has no field that asks for them.
    pub(crate) fn always_streams_usage(&self) -> bool {
        let mut parameters = self.parameters.split_whitespace();
        !self.parameters.is_empty() && parameters.all(|known| known != "stream_options")
    }

    /// Rejects what the service does not accept in the messages, in addition to OpenAI's rules.
    pub(crate) fn validate_messages(&self, body: &Value) -> Result<(), Rejection> {
        let messages = array_field(body, "messages");
        let roles: Vec<&str> =
            messages.iter().filter_map(|message| str_field(message, "role")).collect();
        (self.validate_roles)(&roles)?;
        self.validate_last_turn(messages.last())?;
        for (index, message) in messages.iter().enumerate() {
            self.validate_turn(message, index)?;
        }
        Ok(())
    }

    /// Rejects an assistant message at the end that is not the beginning of the reply.
    fn validate_last_turn(&self, last: Option<&Value>) -> Result<(), Rejection> {
        let Some(last) = last.filter(|last| str_field(last, "role") == Some("assistant")) else {
            return Ok(());
        };
        let is_prefix = last.get("prefix").is_some_and(|prefix| prefix == true);
        if !self.continues_prefix || is_prefix { Ok(()) } else { Err(last_role_error("assistant")) }
    }

    fn validate_turn(&self, message: &Value, index: usize) -> Result<(), Rejection> {
        let is_set = |name: &&str| message.get(name).is_some();
        if let Some(name) = self.rejected_turn_fields.split_whitespace().find(is_set) {
            let message = format!(
                "'messages.{index}' : for 'role:assistant' the following must be satisfied: \
                 property '{name}' is unsupported"
            );
            return Err(rejection(400, &message, None, None));
        }
        let is_short =
            |id: &str| id.len() == SHORT_ID && id.bytes().all(|b| b.is_ascii_alphanumeric());
        let ids = array_field(message, "tool_calls").iter().filter_map(|it| str_field(it, "id"));
        let mut ids = ids.chain(str_field(message, "tool_call_id"));
        match ids.find(|id| self.short_ids && !is_short(id)) {
            Some(id) => {
                let message =
                    format!("Tool call id was {id} but must be a-z, A-Z, 0-9, with a length of 9.");
                Err(rejection(400, &message, None, Some("3280")))
            }
            None => Ok(()),
        }
    }

    /// Rejects a `response_format` and a `tool_choice` that the service does not have.
    pub(crate) fn validate_output(&self, body: &Value) -> Result<(), Rejection> {
        let format = body.pointer("/response_format/type");
        if !self.json_object && format.is_some_and(|kind| kind == "json_object") {
            let message = "At body -> response_format -> ResponseFormatJSONSchema -> type: Input \
                           should be 'json_schema'";
            return Err(invalid_parameter(message, "response_format", "400"));
        }
        if !self.named_tool && field(body, "tool_choice").is_some_and(Value::is_object) {
            let message = "At body -> tool_choice: Input should be 'none', 'auto' or 'required'";
            return Err(invalid_parameter(message, "tool_choice", "400"));
        }
        Ok(())
    }
}

/// Returns OpenAI's own name for a model on Bedrock.
fn bedrock_name(id: &str) -> &str {
    id.rsplit_once("openai.").map_or(id, |(_, name)| name)
}

/// Requires that system messages come first, and that none comes last.
fn validate_mistral_roles(roles: &[&str]) -> Result<(), Rejection> {
    let code = Some("invalid_request_message_order");
    if let Some(pair) = roles.windows(2).find(|pair| pair[0] != "system" && pair[1] == "system") {
        let message = format!("Unexpected role 'system' after role '{}'", pair[0]);
        return Err(rejection(400, &message, None, code));
    }
    match roles.last() {
        Some(role @ &"system") => Err(last_role_error(role)),
        _ => Ok(()),
    }
}

fn last_role_error(role: &str) -> Rejection {
    let message = format!(
        "Expected last role User or Tool (or Assistant with prefix True) for serving but got {role}"
    );
    rejection(400, &message, None, Some("invalid_request_message_order"))
}

/// Requires that messages of the user and of the assistant alternate after the system messages, and
/// that the conversation does not end with the assistant.
fn validate_perplexity_roles(roles: &[&str]) -> Result<(), Rejection> {
    let mut turns = roles.iter().skip_while(|role| **role == "system").peekable();
    let mut expects_user = true;
    while let Some(role) = turns.next() {
        let is_user = matches!(*role, "user" | "tool");
        let follows_tool = *role == "tool" && turns.peek() == Some(&&"tool");
        if is_user != expects_user || !is_user && *role != "assistant" {
            let message = "After the (optional) system message(s), user or tool message(s) should \
                           alternate with assistant message(s).";
            return Err(rejection(400, message, None, Some("400")));
        }
        expects_user = !is_user || follows_tool;
    }
    if expects_user {
        let message = "Last message must have role `user` or `tool`.";
        return Err(rejection(400, message, None, Some("400")));
    }
    Ok(())
}
