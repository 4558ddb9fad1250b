//! The dialect of Ollama's chat API, `POST {base}/api/chat`.
//!
//! Source: <https://docs.ollama.com/api/chat> and the type definitions of the npm package `ollama`
//! 0.6.

pub(super) mod models;
mod reply;
mod request;

use super::capabilities::{ModelTable, Table};
use super::dialect::{BuiltRequest, Dialect, Endpoint};
use super::failure::Failure;
use crate::chat::{Chat, Reply, Structure};
use crate::error::Error;
use crate::schema::Schema;
use crate::wire::{Auth, WireReply, WireRequest};

/// The dialect of Ollama's native API.
pub(crate) struct Ollama;

impl Dialect for Ollama {
    fn name(&self) -> &'static str {
        "ollama"
    }

    fn models(&self) -> ModelTable {
        ModelTable(Table::Ollama)
    }

    /// Every model supports a schema, because Ollama itself constrains the output to the schema.
    fn structure(&self, _: &str, name: &str, schema: &Schema) -> Structure {
        let schema = schema.written().clone();
        Structure::Native { name: name.to_owned(), schema, strict: true }
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

    fn read_reply(&self, wire: &WireReply) -> Result<Reply, Error> {
        reply::read_reply(wire)
    }

    fn read_failure(&self, wire: &WireReply) -> Failure {
        reply::read_failure(wire)
    }
}
