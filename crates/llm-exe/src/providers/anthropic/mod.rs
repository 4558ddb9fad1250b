//! The dialect of Anthropic's Messages API, `POST {base}/v1/messages`.
//!
//! Source: <https://docs.claude.com/en/api/messages> and the type definitions of the npm package
//! `@anthropic-ai/sdk` 1.14. Bedrock uses the same body format, so its dialects for Claude models
//! reuse this module.

pub(super) mod models;
pub(super) mod reply;
pub(super) mod request;
pub(super) mod stream;
pub(super) mod tools;

use serde_json::{Value, json};

use self::request::ImageSources;
use self::stream::MessageAssembler;
use super::capabilities::{ModelTable, Table};
use super::dialect::{BuiltRequest, Capabilities, Dialect, Endpoint, StreamDecoder};
use super::options::known_maximum;
use super::streams::{Decoder, Framing};
use crate::chat::{Chat, Reply, Structure, ToolChoice};
use crate::error::Error;
use crate::schema::Schema;
use crate::wire::{Auth, WireReply, WireRequest};

/// The value of the `anthropic-version` header.
const VERSION: &str = "2023-06-01";

/// The name of the dialect.
const NAME: &str = "anthropic";

/// The dialect of Anthropic's own API.
pub(crate) struct Anthropic;

impl Dialect for Anthropic {
    fn name(&self) -> &str {
        NAME
    }

    fn models(&self) -> ModelTable {
        ModelTable(Table::Claude)
    }

    fn capabilities(&self, model: &str) -> Capabilities {
        request::capabilities(models::find_model(model))
    }

    fn structure(&self, model: &str, name: &str, schema: &Schema) -> Structure {
        request::choose_structure(models::find_model(model), name, schema)
    }

    fn weaker_structure(
        &self,
        model: &str,
        name: &str,
        schema: &Schema,
        rejected: &Structure,
    ) -> Structure {
        request::weaker_structure(models::find_model(model), name, schema, rejected)
    }

    fn max_output_tokens(&self, model: &str) -> Option<u64> {
        known_maximum(models::find_model(model).max_output)
    }

    fn remove_call_arguments(&self, turn: &mut Value) {
        tools::remove_arguments(turn);
    }

    fn supported_choice(&self, chat: &Chat) -> ToolChoice {
        tools::supported_choice(chat, models::find_model(&chat.model))
    }

    fn build_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
        let model = models::find_model(&chat.model);
        let model_field = ("model", json!(chat.model));
        let images = ImageSources::Any;
        let key = endpoint.key.clone();
        let auth = key.map_or(Auth::None, |key| Auth::Header("x-api-key".into(), key));
        let (mut body, warnings) = request::build_body(NAME, chat, model, images, model_field)?;
        if chat.stream {
            body.push("stream", json!(true));
        }
        Ok(BuiltRequest {
            request: WireRequest {
                url: format!("{}/v1/messages", endpoint.base_url),
                headers: vec![("anthropic-version".into(), VERSION.into())],
                body,
                auth,
            },
            warnings,
        })
    }

    fn read_reply(&self, wire: &WireReply, chat: &Chat) -> Result<Reply, Error> {
        reply::read_reply(NAME, wire, chat)
    }

    fn stream_decoder(&self, chat: &Chat) -> Option<Box<dyn StreamDecoder>> {
        Some(Decoder::boxed(Framing::ServerSentEvents, Box::new(MessageAssembler::new(chat))))
    }
}
