//! Anthropic's models through InvokeModel: `POST /model/{id}/invoke`.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html>
//!
//! In: an Anthropic messages body less the model. Out: a message.

use super::super::anthropic::refuse::PARAMETERS;
use super::super::anthropic::{Anthropic, models, refuse as anthropic, reply};
use super::super::check::{field, list, text, unknown_key};
use super::super::{Ask, Dialect, Refusal};
use super::{BODY_LIMIT, error, error_headers, extraneous, invalid, model_id, required};
use crate::answer::{Answer, Wish};
use http::HeaderMap;
use serde_json::{Value, json};

const VERSION: &str = "bedrock-2023-05-31";
/// What the path or the operation says already, and what only Anthropic's own service has.
const NOT_HERE: &[&str] =
    &["model", "stream", "service_tier", "inference_geo", "container", "diagnostics", "speed"];
const ONLY_HERE: &[&str] = &["anthropic_version", "anthropic_beta"];

/// The dialect's row.
pub(crate) struct BedrockAnthropic;

impl Dialect for BedrockAnthropic {
    fn name(&self) -> &'static str {
        "bedrock-anthropic"
    }

    fn serves(&self, path: &str) -> bool {
        super::serves(path, "invoke")
    }

    fn speaks(&self, headers: &HeaderMap) -> bool {
        super::speaks(headers)
    }

    fn body_limit(&self) -> usize {
        BODY_LIMIT
    }

    fn request_id_header(&self) -> &'static str {
        "x-amzn-requestid"
    }

    fn model<'a>(&self, ask: &Ask<'a>) -> Option<&'a str> {
        Some(model_id(ask))
    }

    fn prompt(&self, ask: &Ask<'_>) -> String {
        Anthropic.prompt(ask)
    }

    fn refuse(&self, ask: &Ask<'_>) -> Result<(), Refusal> {
        super::refuse(ask)?;
        keys(ask.body)?;
        let model = models::model(model_id(ask));
        if model.is_from(4, 7) && ask.body.pointer("/output_config/format").is_some() {
            return Err(invalid("output_config.format: Extra inputs are not permitted"));
        }
        images(ask.body)?;
        anthropic::carried(ask.body, model).map_err(|refusal| {
            let message = refusal.body.pointer("/error/message").and_then(Value::as_str);
            super::refusal(refusal.status, message.unwrap_or_default())
        })
    }

    fn error(&self, _: u16, message: &str) -> Value {
        error(message)
    }

    fn headers(&self, status: u16, body: &Value) -> Vec<(&'static str, String)> {
        let mut headers = error_headers(status, body);
        for (name, count) in [
            ("x-amzn-bedrock-input-token-count", "/usage/input_tokens"),
            ("x-amzn-bedrock-output-token-count", "/usage/output_tokens"),
        ] {
            headers.extend(body.pointer(count).map(|count| (name, count.to_string())));
        }
        headers
    }

    fn wish(&self, ask: &Ask<'_>) -> Wish {
        Wish { model: model_id(ask).to_owned(), ..Anthropic.wish(ask) }
    }

    fn reply(&self, ask: &Ask<'_>, answer: &Answer, number: u64) -> Value {
        let mut message = reply::message(ask.body, answer, number);
        let id = model_id(ask);
        let name = id.split_once("anthropic.").map_or(id, |(_, name)| name);
        message["model"] = json!(name);
        message["id"] = json!(format!("msg_bdrk_sim{number:06}"));
        message
    }
}

fn keys(body: &Value) -> Result<(), Refusal> {
    match field(body, "anthropic_version") {
        Some(version) if version == VERSION => {}
        Some(_) => return Err(invalid("anthropic_version: Invalid API version")),
        None => return Err(required("anthropic_version")),
    }
    if let Some(key) = NOT_HERE.iter().find(|key| body.get(**key).is_some()) {
        return Err(extraneous("", key));
    }
    let known = [PARAMETERS, ONLY_HERE].concat();
    match unknown_key(body, &known) {
        Some(key) => Err(extraneous("", key)),
        None => Ok(()),
    }
}

/// Nothing is fetched here.
fn images(body: &Value) -> Result<(), Refusal> {
    for (index, message) in list(body, "messages").iter().enumerate() {
        for (at, block) in list(message, "content").iter().enumerate() {
            let kind = block.pointer("/source").and_then(|source| text(source, "type"));
            if kind.is_some_and(|kind| kind != "base64") {
                let path = format!("messages.{index}.content.{at}.image.source");
                return Err(invalid(&format!("{path}: Input tag must be 'base64'")));
            }
        }
    }
    Ok(())
}
