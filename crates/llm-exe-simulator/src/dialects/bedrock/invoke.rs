//! The InvokeModel operation for Anthropic models: `POST /model/{id}/invoke`.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html>
//!
//! The body is an Anthropic Messages request without the model.

use http::HeaderMap;
use serde_json::{Value, json};

use super::models::BedrockModel;
use super::{
    BODY_LIMIT, error, error_headers, extraneous_key, missing_member, model_id, stream,
    validation_error,
};
use crate::completion::{Completion, CompletionSpec};
use crate::dialects::anthropic::{Anthropic, models, reply, types, validate as anthropic};
use crate::dialects::dialect::{Dialect, ProviderRequest, Rejection};
use crate::dialects::json::{array_field, field, str_field};
use crate::dialects::stream::{AWS_EVENT_STREAM, exception};
use crate::types::{ANTHROPIC_MESSAGES, Problem, Violation};

/// The operation for streams.
const STREAM: &str = "invoke-with-response-stream";

const VERSION: &str = "bedrock-2023-05-31";
/// Anthropic parameters that InvokeModel rejects because the URL determines them or because only
/// Anthropic's own API supports them.
const REJECTED: &[&str] =
    &["model", "stream", "service_tier", "inference_geo", "container", "diagnostics", "speed"];
const ADDITIONAL: &[&str] = &["anthropic_version", "anthropic_beta"];

/// The InvokeModel operation of Amazon Bedrock for Anthropic models.
pub(crate) struct BedrockAnthropic;

impl Dialect for BedrockAnthropic {
    fn name(&self) -> &'static str {
        "bedrock-anthropic"
    }

    fn serves(&self, path: &str) -> bool {
        super::serves(path, "invoke") || super::serves(path, STREAM)
    }

    fn recognizes(&self, headers: &HeaderMap) -> bool {
        super::recognizes(headers)
    }

    fn body_limit(&self) -> usize {
        BODY_LIMIT
    }

    fn request_id_header(&self) -> &'static str {
        "x-amzn-requestid"
    }

    fn model<'a>(&self, request: &ProviderRequest<'a>) -> Option<&'a str> {
        Some(model_id(request))
    }

    fn prompt(&self, request: &ProviderRequest<'_>) -> String {
        Anthropic.prompt(request)
    }

    fn validate(&self, request: &ProviderRequest<'_>) -> Result<(), Rejection> {
        super::validate(request)?;
        validate_types(request.body)?;
        let model = models::model(model_id(request));
        let has_format = request.body.pointer("/output_config/format").is_some();
        let is_new = model.is_at_least(4, 7);
        if has_format && is_new && BedrockModel::from_id(model_id(request)).rejects_format() {
            return Err(validation_error("output_config.format: Extra inputs are not permitted"));
        }
        validate_images(request.body)?;
        anthropic::validate_parameters(request.body, model)
            .map_err(|rejection| to_bedrock(&rejection))
    }

    fn error(&self, _: u16, message: &str) -> Value {
        error(message)
    }

    fn headers(&self, status: u16, body: &Value) -> Vec<(&'static str, String)> {
        let mut headers = error_headers(status);
        for (name, count) in [
            ("x-amzn-bedrock-input-token-count", "/usage/input_tokens"),
            ("x-amzn-bedrock-output-token-count", "/usage/output_tokens"),
        ] {
            headers.extend(body.pointer(count).map(|count| (name, count.to_string())));
        }
        headers
    }

    fn completion_spec(&self, request: &ProviderRequest<'_>) -> CompletionSpec {
        CompletionSpec { model: model_id(request).to_owned(), ..Anthropic.completion_spec(request) }
    }

    fn reply(&self, request: &ProviderRequest<'_>, completion: &Completion, number: u64) -> Value {
        let id = model_id(request);
        let mut message = reply::build(request.body, models::model(id), completion, number);
        let name = id.split_once("anthropic.").map_or(id, |(_, name)| name);
        message["model"] = json!(name);
        message["id"] = json!(format!("msg_bdrk_sim{number:06}"));
        message
    }

    fn is_streamed(&self, request: &ProviderRequest<'_>) -> bool {
        super::serves(request.path, STREAM)
    }

    fn stream(&self, _: &ProviderRequest<'_>, reply: &Value) -> Vec<Vec<u8>> {
        stream::invoke_events(reply)
    }

    fn stream_type(&self) -> &'static str {
        AWS_EVENT_STREAM
    }

    fn stream_error(&self, message: &str) -> Vec<u8> {
        exception("serviceUnavailableException", message)
    }
}

fn validate_types(body: &Value) -> Result<(), Rejection> {
    match field(body, "anthropic_version") {
        Some(version) if version == VERSION => {}
        Some(_) => return Err(validation_error("anthropic_version: Invalid API version")),
        None => return Err(missing_member("anthropic_version")),
    }
    if let Some(key) = REJECTED.iter().find(|key| body.get(**key).is_some()) {
        return Err(extraneous_key("", key));
    }
    let result = ANTHROPIC_MESSAGES.check_without_nulls(body, &accepts);
    result.map_err(|violation| match &violation.problem {
        Problem::UnknownField(key) if violation.path.is_empty() => extraneous_key("", key),
        _ => to_bedrock(&types::reject(body, &violation)),
    })
}

/// Converts a rejection to the format of Amazon Bedrock.
fn to_bedrock(rejection: &Rejection) -> Rejection {
    let message = rejection.body.pointer("/error/message").and_then(Value::as_str);
    super::rejection(rejection.status, message.unwrap_or_default())
}

/// Accepts what the body has in addition to Anthropic's types, and that the model is in the path.
fn accepts(violation: &Violation) -> bool {
    let is_additional = matches!(
        &violation.problem,
        Problem::UnknownField(name) if ADDITIONAL.contains(&name.as_str())
    );
    types::accepts_no_model(violation) || is_additional && violation.path.is_empty()
}

/// Rejects images that are not inline base64 data, because Bedrock does not fetch them.
fn validate_images(body: &Value) -> Result<(), Rejection> {
    for (index, message) in array_field(body, "messages").iter().enumerate() {
        for (at, block) in array_field(message, "content").iter().enumerate() {
            let kind = block.pointer("/source").and_then(|source| str_field(source, "type"));
            if kind.is_some_and(|kind| kind != "base64") {
                let path = format!("messages.{index}.content.{at}.image.source");
                return Err(validation_error(&format!(
                    "{path}: expected an image source of type 'base64'"
                )));
            }
        }
    }
    Ok(())
}
