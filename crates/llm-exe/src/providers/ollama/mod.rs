//! The dialect of Ollama's chat API, `POST {base}/api/chat`.
//!
//! Source: <https://docs.ollama.com/api/chat>, the type definitions of the npm package `ollama`
//! 0.6, and `api/types.go` of the server, since the package lacks the ids of tool calls.

pub(super) mod models;
mod reply;
mod request;
mod stream;
mod tools;

use serde_json::Value;

use self::stream::LineAssembler;
use self::tools::NAME;
use super::call_arguments::remove_arguments;
use super::capabilities::{ModelTable, Table};
use super::dialect::{
    BuiltRequest, Capabilities, Dialect, Endpoint, StreamDecoder, StructureSupport,
};
use super::streams::{Decoder, Framing};
use crate::chat::{Chat, Reply, Structure, ToolChoice};
use crate::error::Error;
use crate::schema::{Schema, to_draft_2020_12};
use crate::wire::{Auth, WireReply, WireRequest};

/// The dialect of Ollama's native API.
pub(crate) struct Ollama;

impl Dialect for Ollama {
    fn name(&self) -> &str {
        NAME
    }

    fn models(&self) -> ModelTable {
        ModelTable(Table::Ollama)
    }

    /// Every model supports a schema, because Ollama itself constrains the output to the schema.
    fn capabilities(&self, model: &str) -> Capabilities {
        Capabilities {
            images: true,
            tools: models::find_model(model).tools,
            structured_output: StructureSupport::JsonSchema,
        }
    }

    /// Ollama resolves only pointers, and does not read `$schema`.
    fn structure(&self, _: &str, name: &str, schema: &Schema) -> Structure {
        let schema = to_draft_2020_12(schema.written()).into_owned();
        Structure::Native { name: name.to_owned(), schema, strict: true }
    }

    fn weaker_structure(&self, _: &str, _: &str, _: &Schema, rejected: &Structure) -> Structure {
        match rejected {
            Structure::Native { .. } => Structure::JsonMode,
            _ => Structure::PromptOnly,
        }
    }

    fn allows_with_tools(&self, chat: &Chat) -> bool {
        // `format` is a grammar of the whole reply, so the model could not call a tool.
        let is_json = matches!(chat.structure, Structure::Native { .. } | Structure::JsonMode);
        chat.tools.is_empty() || !is_json
    }

    fn remove_call_arguments(&self, turn: &mut Value) {
        remove_arguments(turn, "tool_calls", &["function", "arguments"]);
    }

    fn supported_choice(&self, chat: &Chat) -> ToolChoice {
        match &chat.tool_choice {
            ToolChoice::None => ToolChoice::None,
            _ => ToolChoice::Auto,
        }
    }

    fn build_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
        let (body, warnings) = request::build_body(chat)?;
        Ok(BuiltRequest {
            request: WireRequest {
                url: format!("{}/api/chat", endpoint.base_url),
                headers: Vec::new(),
                body,
                auth: endpoint.key.clone().map_or(Auth::None, Auth::Bearer),
            },
            warnings,
        })
    }

    fn read_reply(&self, wire: &WireReply, chat: &Chat) -> Result<Reply, Error> {
        reply::read_reply(wire, chat)
    }

    fn stream_decoder(&self, _: &Chat) -> Option<Box<dyn StreamDecoder>> {
        Some(Decoder::boxed(Framing::Lines, Box::new(LineAssembler::default())))
    }
}
