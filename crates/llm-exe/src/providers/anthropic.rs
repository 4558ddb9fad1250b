//! Anthropic messages: `POST {base}/v1/messages`.
//!
//! <https://docs.claude.com/en/api/messages>; types of npm `@anthropic-ai/sdk` 1.12.

use serde_json::{Value, json};

use super::anthropic_body::{self, Images};
use super::{BuiltRequest, Dialect, Endpoint, anthropic_reply, models};
use crate::chat::{Chat, Reply, Structure};
use crate::error::Error;
use crate::schema::Schema;
use crate::wire::{Auth, WireReply, WireRequest};

/// The API's version header.
const VERSION: &str = "2023-06-01";

/// The dialect of Anthropic's own API.
pub(crate) struct Anthropic;

impl Dialect for Anthropic {
    fn name(&self) -> &'static str {
        "anthropic"
    }

    fn structure(&self, model: &str, name: &str, schema: &Schema) -> Structure {
        anthropic_body::structured(models::claude(model), name, schema)
    }

    fn wire_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
        let model = models::claude(&chat.model);
        let (mut body, warnings) = anthropic_body::body(chat, model, Images::Anywhere)?;
        body.shift_insert(0, "model".to_owned(), json!(chat.model));
        Ok(BuiltRequest {
            request: WireRequest {
                url: format!("{}/v1/messages", endpoint.base_url),
                headers: vec![("anthropic-version", VERSION)],
                body: Value::Object(body),
                auth: endpoint.key.clone().map_or(Auth::None, |key| Auth::Header("x-api-key", key)),
            },
            warnings,
        })
    }

    fn read_reply(&self, wire: &WireReply) -> Result<Reply, Error> {
        anthropic_reply::read(wire)
    }
}
