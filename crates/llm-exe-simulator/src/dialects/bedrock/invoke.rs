//! The InvokeModel operation for Anthropic models: `POST /model/{id}/invoke`.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html>
//!
//! The body is an Anthropic Messages request without the model.

use http::HeaderMap;
use serde_json::{Value, json};

use super::models::BedrockModel;
use super::{
    BODY_LIMIT, error, error_headers, extraneous_key, missing_member, model_id, validation_error,
};
use crate::completion::{Completion, CompletionSpec};
use crate::dialects::anthropic::validate::PARAMETERS;
use crate::dialects::anthropic::{Anthropic, models, reply, validate as anthropic};
use crate::dialects::dialect::{Dialect, ProviderRequest, Rejection};
use crate::dialects::json::{array_field, field, str_field, unknown_key};

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
        super::serves(path, "invoke")
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
        validate_parameter_names(request.body)?;
        let model = models::model(model_id(request));
        let has_format = request.body.pointer("/output_config/format").is_some();
        let is_new = model.is_at_least(4, 7);
        if has_format && is_new && BedrockModel::from_id(model_id(request)).rejects_format() {
            return Err(validation_error("output_config.format: Extra inputs are not permitted"));
        }
        validate_images(request.body)?;
        anthropic::validate_parameters(request.body, model).map_err(|rejection| {
            let message = rejection.body.pointer("/error/message").and_then(Value::as_str);
            super::rejection(rejection.status, message.unwrap_or_default())
        })
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
}

fn validate_parameter_names(body: &Value) -> Result<(), Rejection> {
    match field(body, "anthropic_version") {
        Some(version) if version == VERSION => {}
        Some(_) => return Err(validation_error("anthropic_version: Invalid API version")),
        None => return Err(missing_member("anthropic_version")),
    }
    if let Some(key) = REJECTED.iter().find(|key| body.get(**key).is_some()) {
        return Err(extraneous_key("", key));
    }
    let known = [PARAMETERS, ADDITIONAL].concat();
    match unknown_key(body, &known) {
        Some(key) => Err(extraneous_key("", key)),
        None => Ok(()),
    }
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
