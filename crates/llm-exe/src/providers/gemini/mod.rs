//! The dialect of Google's Gemini API, `POST {base}/models/{model}:generateContent`.
//!
//! Source: <https://ai.google.dev/api/generate-content> and the type definitions of the npm package
//! `@google/genai` 3.3.

mod contents;
mod continuation;
pub(super) mod models;
mod raw_content;
mod reply;
mod request;
mod stream;
mod tools;

use bytes::Bytes;
use serde_json::Value;

use self::models::GeminiJson;
use self::raw_content::NAME;
use self::stream::ContentAssembler;
use super::call_arguments::remove_arguments;
use super::capabilities::{ModelTable, Table};
use super::dialect::{
    BuiltRequest, Capabilities, Dialect, Endpoint, StreamDecoder, StructureSupport,
};
use super::options::known_maximum;
use super::streams::{Decoder, Framing};
use crate::chat::{Chat, Reply, Structure};
use crate::error::Error;
use crate::schema::{Schema, open};
use crate::wire::{Auth, WireReply, WireRequest, path_segment};

/// The dialect of Google's Gemini API.
pub(crate) struct Gemini;

impl Dialect for Gemini {
    fn name(&self) -> &str {
        NAME
    }

    fn models(&self) -> ModelTable {
        ModelTable(Table::Gemini)
    }

    fn capabilities(&self, model: &str) -> Capabilities {
        let model = models::find_model(model);
        Capabilities {
            images: true,
            tools: model.tools,
            structured_output: match model.json {
                GeminiJson::Schema => StructureSupport::JsonSchema,
                GeminiJson::Mode => StructureSupport::JsonMode,
                GeminiJson::No => StructureSupport::Prompt,
            },
        }
    }

    fn structure(&self, model: &str, name: &str, schema: &Schema) -> Structure {
        match models::find_model(model).json {
            GeminiJson::Schema => match open(schema.written()) {
                Some(schema) => Structure::Native { name: name.to_owned(), schema, strict: true },
                None => Structure::JsonMode,
            },
            GeminiJson::Mode => Structure::JsonMode,
            GeminiJson::No => Structure::PromptOnly,
        }
    }

    fn weaker_structure(&self, _: &str, _: &str, _: &Schema, rejected: &Structure) -> Structure {
        match rejected {
            Structure::Native { .. } => Structure::JsonMode,
            _ => Structure::PromptOnly,
        }
    }

    fn max_output_tokens(&self, model: &str) -> Option<u64> {
        known_maximum(models::find_model(model).max_output)
    }

    fn remove_call_arguments(&self, turn: &mut Value) {
        remove_arguments(turn, "parts", &["functionCall", "args"]);
    }

    fn allows_with_tools(&self, chat: &Chat) -> bool {
        let is_json = matches!(chat.structure, Structure::Native { .. } | Structure::JsonMode);
        chat.tools.is_empty() || !is_json || models::find_model(&chat.model).json_with_tools
    }

    fn build_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
        let (body, warnings) = request::build_body(chat)?;
        let auth = |key| Auth::Header("x-goog-api-key".into(), key);
        let model = resource_name(&chat.model)?;
        let method = if chat.stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
        Ok(BuiltRequest {
            request: WireRequest {
                url: format!("{}/{model}:{method}", endpoint.base_url),
                headers: Vec::new(),
                body,
                auth: endpoint.key.clone().map_or(Auth::None, auth),
            },
            warnings,
        })
    }

    fn read_reply(&self, wire: &WireReply, chat: &Chat) -> Result<Reply, Error> {
        reply::read_reply(wire, chat)
    }

    fn continue_request(&self, request: &WireRequest, wire: &WireReply) -> Option<WireRequest> {
        continuation::continue_request(request, wire)
    }

    fn join_bodies(&self, bodies: &[Bytes]) -> Result<Vec<u8>, Error> {
        continuation::join_bodies(bodies)
    }

    fn stream_decoder(&self, _: &Chat) -> Option<Box<dyn StreamDecoder>> {
        Some(Decoder::boxed(Framing::ServerSentEvents, Box::new(ContentAssembler::default())))
    }
}

/// Returns the model's resource name for the URL: `tunedModels/NAME` if the caller wrote that
/// prefix, and `models/NAME` otherwise.
fn resource_name(model: &str) -> Result<String, Error> {
    let (collection, name) = match model.split_once('/') {
        Some((collection @ ("models" | "tunedModels"), name)) => (collection, name),
        _ => ("models", model),
    };
    if name.is_empty() {
        return Err(Error::invalid("model", format!("expected a model name, got {model:?}")));
    }
    Ok(format!("{collection}/{}", path_segment(name)))
}
