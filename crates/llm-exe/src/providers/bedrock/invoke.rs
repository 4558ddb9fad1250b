//! The dialect for Anthropic models on Bedrock, which uses InvokeModel (`POST
//! {base}/model/{id}/invoke`).
//!
//! Source:
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html>
//! and the npm package `@anthropic-ai/bedrock-sdk` 1.1.3.

use serde_json::{Value, json};

use super::failure::read_failure;
use super::models;
use super::operation::operation_request;
use super::stream::InvokeAssembler;
use crate::chat::{Chat, Reply, Structure, ToolChoice, Usage};
use crate::error::Error;
use crate::providers::anthropic::reply;
use crate::providers::anthropic::request::{self, ImageSources};
use crate::providers::anthropic::tools::{remove_arguments, supported_choice};
use crate::providers::capabilities::{ModelTable, Table};
use crate::providers::dialect::{BuiltRequest, Capabilities, Dialect, Endpoint, StreamDecoder};
use crate::providers::failure::Failure;
use crate::providers::options::known_maximum;
use crate::providers::streams::{Decoder, Framing};
use crate::schema::Schema;
use crate::wire::WireReply;

/// The value of the body field `anthropic_version`.
const VERSION: &str = "bedrock-2023-05-31";

/// The name of the dialect.
const NAME: &str = "bedrock-anthropic";

/// The dialect that sends requests in Anthropic's format through InvokeModel.
pub(crate) struct InvokeAnthropic;

impl Dialect for InvokeAnthropic {
    fn name(&self) -> &str {
        NAME
    }

    fn models(&self) -> ModelTable {
        ModelTable(Table::BedrockClaude)
    }

    fn capabilities(&self, model: &str) -> Capabilities {
        request::capabilities(models::find_claude(model))
    }

    fn structure(&self, model: &str, name: &str, schema: &Schema) -> Structure {
        request::choose_structure(models::find_claude(model), name, schema)
    }

    fn weaker_structure(
        &self,
        model: &str,
        name: &str,
        schema: &Schema,
        rejected: &Structure,
    ) -> Structure {
        request::weaker_structure(models::find_claude(model), name, schema, rejected)
    }

    fn max_output_tokens(&self, model: &str) -> Option<u64> {
        known_maximum(models::find_claude(model).max_output)
    }

    fn remove_call_arguments(&self, turn: &mut Value) {
        remove_arguments(turn);
    }

    fn supported_choice(&self, chat: &Chat) -> ToolChoice {
        supported_choice(chat, models::find_claude(&chat.model))
    }

    fn build_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
        let model = models::find_claude(&chat.model);
        let version = ("anthropic_version", json!(VERSION));
        let images = ImageSources::DataUrls;
        let (body, warnings) = request::build_body(NAME, chat, model, images, version)?;
        let operation = if chat.stream { "invoke-with-response-stream" } else { "invoke" };
        let request = operation_request(endpoint, &chat.model, operation, body)?;
        Ok(BuiltRequest { request, warnings })
    }

    fn read_reply(&self, wire: &WireReply, chat: &Chat) -> Result<Reply, Error> {
        let mut reply = reply::read_reply(NAME, wire, chat)?;
        if reply.usage == Usage::default() {
            reply.usage = usage_from_headers(wire);
        }
        Ok(reply)
    }

    fn read_failure(&self, wire: &WireReply) -> Failure {
        read_failure(wire)
    }

    fn stream_decoder(&self, chat: &Chat) -> Option<Box<dyn StreamDecoder>> {
        Some(Decoder::boxed(Framing::EventStream, Box::new(InvokeAssembler::new(chat))))
    }
}

fn usage_from_headers(wire: &WireReply) -> Usage {
    let count = |name| wire.header(name).and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    Usage {
        input_tokens: count("x-amzn-bedrock-input-token-count"),
        output_tokens: count("x-amzn-bedrock-output-token-count"),
        cached_input_tokens: count("x-amzn-bedrock-cache-read-input-token-count"),
        cache_write_tokens: count("x-amzn-bedrock-cache-write-input-token-count"),
        ..Usage::default()
    }
    .with_total()
}
