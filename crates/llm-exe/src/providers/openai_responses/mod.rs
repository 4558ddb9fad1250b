//! The dialect of OpenAI's Responses API, `POST {base}/responses`. Requests are stateless: the
//! server stores nothing, and each request contains the whole conversation.
//!
//! Source: the type definitions of the npm package `openai` 7.57, the npm packages `@ai-sdk/openai`
//! 4.0 and `@ai-sdk/xai` 5.0, and <https://platform.openai.com/docs/guides/reasoning>.

pub(super) mod apis;
mod reply;
mod request;
mod stream;
mod tools;

use super::bedrock::read_failure as read_bedrock_failure;
use super::capabilities::FeatureSupport;
use super::dialect::{BuiltRequest, Capabilities, Dialect, Endpoint, StreamDecoder};
use super::failure::{self, Failure};
use super::openai_chat::{
    azure, bedrock, next_weaker_structure, strongest_structure, structured_output,
};
use super::options::known_maximum;
use super::streams::{Decoder, Framing};
use crate::chat::{Chat, Reply, Structure, Usage};
use crate::error::Error;
use crate::schema::Schema;
use crate::wire::WireReply;

use self::apis::OpenAiResponses;
use self::stream::ResponseAssembler;

/// The path below the base URL.
const API_PATH: &str = "/responses";

impl Dialect for OpenAiResponses {
    fn name(&self) -> &str {
        "openai-responses"
    }

    fn capabilities(&self, model: &str) -> Capabilities {
        let model = self.model(model);
        Capabilities {
            images: model.images,
            // The restrictions of tools in the table are those of chat completions.
            tools: model.responses || model.tools != FeatureSupport::Never,
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

    fn build_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
        let (body, warnings) = request::build_body(*self, endpoint, chat);
        let request = match self {
            OpenAiResponses::Azure => azure::post(endpoint, API_PATH, body)?,
            OpenAiResponses::Bedrock => bedrock::post(endpoint, API_PATH, chat, body)?,
            OpenAiResponses::OpenAi | OpenAiResponses::Xai => endpoint.post(API_PATH, body),
        };
        Ok(BuiltRequest { request, warnings })
    }

    fn read_failure(&self, wire: &WireReply) -> Failure {
        match self {
            OpenAiResponses::Bedrock => read_bedrock_failure(wire),
            _ => failure::read_failure(wire),
        }
    }

    fn read_failure_usage(&self, wire: &WireReply) -> Usage {
        reply::read_usage(wire)
    }

    fn read_reply(&self, wire: &WireReply, chat: &Chat) -> Result<Reply, Error> {
        reply::read_reply(*self, wire, chat)
    }

    fn stream_decoder(&self, _: &Chat) -> Option<Box<dyn StreamDecoder>> {
        Some(Decoder::boxed(Framing::ServerSentEvents, Box::new(ResponseAssembler::default())))
    }
}
