//! Converse: `POST /model/{id}/converse`.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>
//!
//! In: a Converse request, whose shapes are those of botocore's service model. Out: a message.

use super::super::check::{list, text, unknown_key};
use super::super::{Ask, Dialect, Refusal};
use super::models::served;
use super::{
    BODY_LIMIT, converse_reply, error, error_headers, inference, messages, model_id, tools,
};
use crate::answer::{Answer, Wanted, Wish};
use http::HeaderMap;
use serde_json::Value;

/// The members of `ConverseRequest` that go into the body.
const FIELDS: &[&str] = &[
    "messages",
    "system",
    "inferenceConfig",
    "toolConfig",
    "guardrailConfig",
    "additionalModelRequestFields",
    "promptVariables",
    "additionalModelResponseFieldPaths",
    "requestMetadata",
    "performanceConfig",
    "serviceTier",
    "outputConfig",
];

/// The dialect's row.
pub(crate) struct Converse;

impl Dialect for Converse {
    fn name(&self) -> &'static str {
        "converse"
    }

    fn serves(&self, path: &str) -> bool {
        super::serves(path, "converse")
    }

    fn speaks(&self, headers: &HeaderMap) -> bool {
        super::speaks(headers)
    }

    fn body_limit(&self) -> usize {
        BODY_LIMIT
    }

    fn request_id_header(&self) -> &'static str {
        "x-amzn-requestid"
    }

    fn model<'a>(&self, ask: &Ask<'a>) -> Option<&'a str> {
        Some(model_id(ask))
    }

    fn prompt(&self, ask: &Ask<'_>) -> String {
        let messages = list(ask.body, "messages").iter();
        let blocks = messages.flat_map(|message| list(message, "content"));
        let texts = list(ask.body, "system").iter().chain(blocks);
        texts.filter_map(|block| text(block, "text")).collect::<Vec<_>>().join("\n")
    }

    fn refuse(&self, ask: &Ask<'_>) -> Result<(), Refusal> {
        super::refuse(ask)?;
        if let Some(unknown) = unknown_key(ask.body, FIELDS) {
            return Err(messages::unknown_field("", unknown));
        }
        let model = served(model_id(ask));
        messages::refuse(ask.body, model)?;
        tools::refuse(ask.body, model)?;
        inference::refuse(ask.body, model)
    }

    fn error(&self, _: u16, message: &str) -> Value {
        error(message)
    }

    fn headers(&self, status: u16, body: &Value) -> Vec<(&'static str, String)> {
        error_headers(status, body)
    }

    fn wish(&self, ask: &Ask<'_>) -> Wish {
        let config = ask.body.get("inferenceConfig").unwrap_or(&Value::Null);
        let stops = list(config, "stopSequences").iter().filter_map(Value::as_str);
        let wanted = match tools::forced(ask.body) {
            Some((name, schema)) => Wanted::Tool { name: name.to_owned(), schema: schema.clone() },
            None => inference::schema_of(ask.body).map_or(Wanted::Text, Wanted::Schema),
        };
        Wish {
            model: model_id(ask).to_owned(),
            said: messages::said(ask.body),
            prompt: self.prompt(ask),
            limit: config.get("maxTokens").and_then(Value::as_u64),
            stops: stops.map(str::to_owned).collect(),
            wanted,
        }
    }

    fn reply(&self, ask: &Ask<'_>, answer: &Answer, number: u64) -> Value {
        converse_reply::message(ask.body, answer, number)
    }
}
