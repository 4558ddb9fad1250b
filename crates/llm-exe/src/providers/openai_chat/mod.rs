//! The dialect of OpenAI's chat completions API, `POST {base}/chat/completions`.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat/create> and the type definitions of
//! the npm package `openai` 7.57.

pub(super) mod azure;
pub(super) mod bedrock;
mod failed_reply;
pub(super) mod models;
pub(super) mod quirks;
mod reply;
pub(super) mod request;
mod stream;
pub(super) mod tools;

use super::bedrock::read_failure as read_bedrock_failure;
use super::capabilities::{FeatureSupport, ModelTable, Table};
use super::dialect::{
    BuiltRequest, Capabilities, Dialect, Endpoint, StreamDecoder, StructureSupport,
};
use super::failure::{self, Failure};
use super::options::known_maximum;
use super::streams::{Decoder, Framing};
use crate::chat::{Chat, Reply, Structure, ToolChoice, Usage};
use crate::error::Error;
use crate::schema::{Schema, strict, without_lookaround};
use crate::wire::WireReply;

use self::models::OpenAiModel;
use self::quirks::{API_PATH, OpenAiChat, Service};
use self::stream::ChunkAssembler;

impl Dialect for OpenAiChat {
    fn name(&self) -> &str {
        quirks::NAME
    }

    fn models(&self) -> ModelTable {
        ModelTable(match self.service {
            Service::Vendor => Table::OpenAi(self.models),
            Service::Azure => Table::OpenAiDeployments(self.models),
            Service::Bedrock => Table::BedrockOpenAi,
        })
    }

    fn capabilities(&self, model: &str) -> Capabilities {
        let model = self.model(model);
        Capabilities {
            images: model.images,
            // The error for a model that calls tools only through the other API names that API.
            tools: model.tools != FeatureSupport::Never || model.responses,
            structured_output: structured_output(model),
        }
    }

    fn structure(&self, model: &str, name: &str, schema: &Schema) -> Structure {
        strongest_structure(self.model(model), name, schema)
    }

    fn weaker_structure(
        &self,
        model: &str,
        name: &str,
        schema: &Schema,
        rejected: &Structure,
    ) -> Structure {
        next_weaker_structure(self.model(model), name, schema, rejected)
    }

    fn max_output_tokens(&self, model: &str) -> Option<u64> {
        known_maximum(self.model(model).max_output)
    }

    fn supported_choice(&self, chat: &Chat) -> ToolChoice {
        request::supported_choice(self, chat)
    }

    fn build_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
        let (body, warnings) = request::build_body(self, endpoint, chat)?;
        let request = match self.service {
            Service::Vendor => endpoint.post(API_PATH, body),
            Service::Azure => azure::post(endpoint, API_PATH, body)?,
            Service::Bedrock => bedrock::post(endpoint, API_PATH, chat, body)?,
        };
        Ok(BuiltRequest { request, warnings })
    }

    fn read_failed_reply(&self, wire: &WireReply, chat: &Chat) -> Option<Reply> {
        failed_reply::read_failed_reply(wire, chat)
    }

    fn read_failure(&self, wire: &WireReply) -> Failure {
        match self.service {
            Service::Vendor | Service::Azure => failure::read_failure(wire),
            Service::Bedrock => read_bedrock_failure(wire),
        }
    }

    fn read_failure_usage(&self, wire: &WireReply) -> Usage {
        reply::read_usage(self, wire)
    }

    fn read_reply(&self, wire: &WireReply, chat: &Chat) -> Result<Reply, Error> {
        reply::read_reply(self, wire, chat)
    }

    fn stream_decoder(&self, chat: &Chat) -> Option<Box<dyn StreamDecoder>> {
        Some(Decoder::boxed(Framing::ServerSentEvents, Box::new(ChunkAssembler::new(self, chat))))
    }
}

pub(super) use self::stream::is_openai_host;

/// Returns the strongest method that a model supports for making its reply match a schema.
pub(super) fn structured_output(model: OpenAiModel) -> StructureSupport {
    match (model.json_schema, model.json_mode) {
        (true, _) => StructureSupport::JsonSchema,
        (false, true) => StructureSupport::JsonMode,
        (false, false) => StructureSupport::Prompt,
    }
}

/// Returns the strongest method for a schema.
pub(super) fn strongest_structure(model: OpenAiModel, name: &str, schema: &Schema) -> Structure {
    // The API rejects a schema whose root is not an object, and JSON mode returns only objects.
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

/// Returns the next weaker method for a schema, after the provider rejected `rejected`.
pub(super) fn next_weaker_structure(
    model: OpenAiModel,
    name: &str,
    schema: &Schema,
    rejected: &Structure,
) -> Structure {
    match rejected {
        Structure::Native { strict: true, .. } => {
            let schema = without_lookaround(schema.written());
            Structure::Native { name: name.to_owned(), schema, strict: false }
        }
        Structure::Native { .. } if model.json_mode => Structure::JsonMode,
        _ => Structure::PromptOnly,
    }
}
