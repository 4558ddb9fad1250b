//! What OpenAI refuses: the order of the checks, and the shape of a refusal.
//!
//! In: a request. Out: nothing, or the refusal that the service would send. Each group of fields
//! has its checks in a file of its own.

use super::super::check::{field, text, unknown_key};
use super::super::{Ask, Refusal};
use super::{messages, models, parameters, response_format, tools};
use serde_json::{Value, json};

/// The parameters of `ChatCompletionCreateParams` in the npm package openai.
const PARAMETERS: &[&str] = &[
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "moderation",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
];

/// Refuses what the service would refuse.
pub(crate) fn refuse(ask: &Ask<'_>) -> Result<(), Refusal> {
    key(ask)?;
    let body = ask.body;
    if !ask.is_json || !body.is_object() {
        return Err(refusal(400, "We could not parse the JSON body of your request.", None, None));
    }
    let name = match text(body, "model") {
        Some(name) if !name.is_empty() => name,
        _ => {
            return Err(refusal(400, "you must provide a model parameter", None, None));
        }
    };
    if field(body, "messages").is_none() {
        return Err(missing("messages"));
    }
    // DeepSeek's own.
    let own = |unknown: &&str| !(*unknown == "thinking" && name.starts_with("deepseek-"));
    if let Some(unknown) = unknown_key(body, PARAMETERS).filter(own) {
        let message = format!("Unrecognized request argument supplied: {unknown}");
        return Err(refusal(400, &message, None, None));
    }
    if name.starts_with("missing-") {
        let message = format!("The model `{name}` does not exist or you do not have access to it.");
        return Err(refusal(404, &message, None, Some("model_not_found")));
    }
    if field(body, "stream").is_some_and(|stream| stream == true) {
        let message = "llm-exe-simulator does not imitate streaming: leave out 'stream'.";
        return Err(invalid(message, "stream", "unsupported_value"));
    }
    let model = models::model(name);
    messages::refuse(body)?;
    parameters::refuse(body, model)?;
    tools::refuse(body)?;
    response_format::refuse(body, model)
}

fn key(ask: &Ask<'_>) -> Result<(), Refusal> {
    let authorization = ask.header("authorization").unwrap_or_default();
    let key = authorization.strip_prefix("Bearer").map(str::trim).unwrap_or_default();
    let message = match key {
        "" => {
            "You didn't provide an API key. Provide it in an Authorization header, as a Bearer \
             token (Authorization: Bearer YOUR_KEY)."
        }
        "invalid" => "Incorrect API key provided.",
        _ => return Ok(()),
    };
    Err(refusal(401, message, None, Some("invalid_api_key")))
}

/// A refusal in OpenAI's shape.
pub(crate) fn refusal(
    status: u16,
    message: &str,
    param: Option<&str>,
    code: Option<&str>,
) -> Refusal {
    let kind = "invalid_request_error";
    let error = json!({"message": message, "type": kind, "param": param, "code": code});
    Refusal { status, body: json!({"error": error}) }
}

/// A 400 about a parameter.
pub(crate) fn invalid(message: &str, param: &str, code: &str) -> Refusal {
    refusal(400, message, Some(param), Some(code))
}

/// A 400 about a parameter that isn't there.
pub(crate) fn missing(param: &str) -> Refusal {
    invalid(&format!("Missing required parameter: '{param}'."), param, "missing_required_parameter")
}

/// A 400 about a parameter of the wrong type.
pub(crate) fn wrong_type(param: &str, expected: &str, got: &Value) -> Refusal {
    let got = super::super::check::kind(got);
    let message =
        format!("Invalid type for '{param}': expected {expected}, but got {got} instead.");
    invalid(&message, param, "invalid_type")
}

/// A 400 about a value that is none of those supported.
pub(crate) fn unsupported_value(param: &str, got: &str, supported: &[&str]) -> Refusal {
    let supported: Vec<String> = supported.iter().map(|value| format!("'{value}'")).collect();
    let message =
        format!("Invalid value: '{got}'. Supported values are: {}.", supported.join(", "));
    invalid(&message, param, "invalid_value")
}

/// A 400 about a list that has nothing in it.
pub(crate) fn empty_list(param: &str) -> Refusal {
    let message = format!(
        "Invalid '{param}': empty array. Expected an array with minimum length 1, but got an \
         empty array instead."
    );
    invalid(&message, param, "empty_array")
}
