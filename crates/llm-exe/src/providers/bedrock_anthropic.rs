//! Anthropic's models on Amazon Bedrock: `POST {base}/model/{id}/invoke`.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html>;
//! `@anthropic-ai/bedrock-sdk` 1.1.3.

use serde_json::{Value, json};

use super::anthropic_body::{self, Images};
use super::{BuiltRequest, Dialect, Endpoint, Failure, anthropic_reply, bedrock, models};
use crate::chat::{Chat, Reply, Structure, Usage};
use crate::error::Error;
use crate::schema::Schema;
use crate::wire::WireReply;

/// The version of the body, which stands in it.
const VERSION: &str = "bedrock-2023-05-31";

/// Anthropic messages through InvokeModel.
pub(crate) struct BedrockAnthropic;

impl Dialect for BedrockAnthropic {
    fn name(&self) -> &'static str {
        "bedrock-anthropic"
    }

    fn structure(&self, model: &str, name: &str, schema: &Schema) -> Structure {
        anthropic_body::structured(models::claude_on_bedrock(model), name, schema)
    }

    fn wire_request(&self, endpoint: &Endpoint, chat: &Chat) -> Result<BuiltRequest, Error> {
        let model = models::claude_on_bedrock(&chat.model);
        let (mut body, warnings) = anthropic_body::body(chat, model, Images::Inline)?;
        body.shift_insert(0, "anthropic_version".to_owned(), json!(VERSION));
        let body = Value::Object(body);
        let request = bedrock::request(endpoint, &chat.model, "invoke", body)?;
        Ok(BuiltRequest { request, warnings })
    }

    fn read_reply(&self, wire: &WireReply) -> Result<Reply, Error> {
        let mut reply = anthropic_reply::read(wire)?;
        if reply.usage == Usage::default() {
            reply.usage = counted(wire);
        }
        Ok(reply)
    }

    fn read_failure(&self, wire: &WireReply) -> Failure {
        bedrock::failure(wire)
    }
}

/// The tokens as Bedrock's headers count them.
fn counted(wire: &WireReply) -> Usage {
    let count = |name| wire.header(name).and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    Usage {
        input_tokens: count("x-amzn-bedrock-input-token-count"),
        output_tokens: count("x-amzn-bedrock-output-token-count"),
        cached_input_tokens: count("x-amzn-bedrock-cache-read-input-token-count"),
        cache_write_tokens: count("x-amzn-bedrock-cache-write-input-token-count"),
        ..Usage::default()
    }
    .summed()
}
