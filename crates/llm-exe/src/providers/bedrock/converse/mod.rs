//! The dialect of Bedrock's Converse operation, `POST {base}/model/{id}/converse`.
//!
//! Source: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html> and
//! the type definitions of the npm package `@aws-sdk/client-bedrock-runtime` 3.1164.

mod reply;
mod request;
mod stream;
mod tools;

use std::borrow::Cow;

use serde_json::Value;

use self::stream::ConverseAssembler;
use super::failure::read_failure;
use super::models::{self, ConverseModel, Family, ToolChoice};
use super::operation::operation_request;
use crate::chat::{Chat, Reply, Structure, ToolChoice as Choice};
use crate::error::Error;
use crate::providers::anthropic;
use crate::providers::call_arguments::remove_arguments;
use crate::providers::capabilities::{ModelTable, Table};
use crate::providers::dialect::{
    BuiltRequest, Capabilities, Dialect, Endpoint, StreamDecoder, StructureSupport,
};
use crate::providers::failure::Failure;
use crate::providers::options::known_maximum;
use crate::providers::streams::{Decoder, Framing};
use crate::schema::{Schema, closed, to_draft_2020_12};
use crate::wire::WireReply;

/// The Converse dialect, for one model family or for all models.
pub(crate) struct Converse {
    /// The prefix of the family's model ids, or an empty string for all models. An id without a
    /// model name, such as that of an application inference profile, is treated as a model of this
    /// family.
    pub(crate) default_family: &'static str,
}

/// Returns a tool that the model is forced to call, or `PromptOnly` if it can't be forced.
fn choose_tool(model: ConverseModel, name: &str, schema: &Schema) -> Structure {
    // A tool's input must be an object, so a tool cannot enforce any other type of schema.
    let input = schema.is_object().then(|| to_draft_2020_12(schema.written()));
    let input = match model.tool_choice {
        ToolChoice::Tool | ToolChoice::Any => input.map(Cow::into_owned),
        ToolChoice::ToolWithPlainRoot => input.as_deref().and_then(tools::with_plain_root),
        ToolChoice::Unsupported => None,
    };
    let name = name.to_owned();
    input.map_or(Structure::PromptOnly, |schema| Structure::ForcedTool { name, schema })
}

impl Dialect for Converse {
    fn name(&self) -> &str {
        tools::NAME
    }

    fn models(&self) -> ModelTable {
        let all = self.default_family.is_empty();
        ModelTable(if all { Table::Converse } else { Table::ConverseFamily })
    }

    fn capabilities(&self, model: &str) -> Capabilities {
        let model = match models::find_model(model, self.default_family) {
            Family::Claude(model) => return anthropic::request::capabilities(model),
            Family::Other(model) => model,
        };
        Capabilities {
            images: model.images,
            tools: model.tools,
            structured_output: match (model.json_schema, model.tool_choice) {
                (true, _) => StructureSupport::JsonSchema,
                (false, ToolChoice::Unsupported) => StructureSupport::Prompt,
                (false, _) => StructureSupport::ForcedTool,
            },
        }
    }

    fn structure(&self, model: &str, name: &str, schema: &Schema) -> Structure {
        let model = match models::find_model(model, self.default_family) {
            Family::Claude(model) => {
                return anthropic::request::choose_structure(model, name, schema);
            }
            Family::Other(model) => model,
        };
        if model.json_schema
            && let Some(schema) = closed(schema.written())
        {
            return Structure::Native { name: name.to_owned(), schema, strict: true };
        }
        choose_tool(model, name, schema)
    }

    fn weaker_structure(
        &self,
        model: &str,
        name: &str,
        schema: &Schema,
        rejected: &Structure,
    ) -> Structure {
        match (models::find_model(model, self.default_family), rejected) {
            (Family::Claude(model), rejected) => {
                anthropic::request::weaker_structure(model, name, schema, rejected)
            }
            (Family::Other(model), Structure::Native { .. }) => choose_tool(model, name, schema),
            _ => Structure::PromptOnly,
        }
    }

    fn max_output_tokens(&self, model: &str) -> Option<u64> {
        known_maximum(match models::find_model(model, self.default_family) {
            Family::Claude(model) => model.max_output,
            Family::Other(model) => model.max_output,
        })
    }

    fn remove_call_arguments(&self, turn: &mut Value) {
        remove_arguments(turn, "content", &["toolUse", "input"]);
    }

    fn supported_choice(&self, chat: &Chat) -> Choice {
        tools::supported_choice(chat, models::find_model(&chat.model, self.default_family))
    }

    fn build_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
        // `ALLOWED_MODELS` may allow all models of this provider, which must not give access to
        // other families.
        if !models::may_belong_to(&chat.model, self.default_family) {
            let message = format!(
                "expected a model id that begins with {}, got {:?}; use the provider amazon for \
                 other models",
                self.default_family, chat.model
            );
            return Err(Error::invalid("model", message));
        }
        let model = models::find_model(&chat.model, self.default_family);
        let (body, warnings) = request::build_body(chat, model)?;
        let operation = if chat.stream { "converse-stream" } else { "converse" };
        let request = operation_request(endpoint, &chat.model, operation, body)?;
        Ok(BuiltRequest { request, warnings })
    }

    fn read_reply(&self, wire: &WireReply, chat: &Chat) -> Result<Reply, Error> {
        let mut reply = reply::read_reply(wire, chat)?;
        // Models from Mistral reject the ids that Bedrock gives to their calls.
        if reply.raw.is_some() && models::has_short_ids(&chat.model, self.default_family) {
            reply.raw = None;
        }
        Ok(reply)
    }

    fn read_failure(&self, wire: &WireReply) -> Failure {
        read_failure(wire)
    }

    fn stream_decoder(&self, chat: &Chat) -> Option<Box<dyn StreamDecoder>> {
        Some(Decoder::boxed(Framing::EventStream, Box::new(ConverseAssembler::new(chat))))
    }
}
