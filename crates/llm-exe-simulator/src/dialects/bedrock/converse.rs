//! The Converse operation: `POST /model/{id}/converse`, and `converse-stream` for streams.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>

use http::HeaderMap;
use serde_json::Value;

use super::models::BedrockModel;
use super::{
    BODY_LIMIT, converse_reply, error, error_headers, inference, messages, model_id, stream, tools,
    types,
};
use crate::completion::{Completion, CompletionSpec, OutputKind};
use crate::dialects::dialect::{Dialect, ProviderRequest, Rejection};
use crate::dialects::json::{array_field, str_field};
use crate::dialects::stream::{AWS_EVENT_STREAM, exception};

/// The operation for streams.
const STREAM: &str = "converse-stream";

/// The Converse operation of Amazon Bedrock.
pub(crate) struct Converse;

impl Dialect for Converse {
    fn name(&self) -> &'static str {
        "converse"
    }

    fn serves(&self, path: &str) -> bool {
        super::serves(path, "converse") || super::serves(path, STREAM)
    }

    fn recognizes(&self, headers: &HeaderMap) -> bool {
        super::recognizes(headers)
    }

    fn body_limit(&self) -> usize {
        BODY_LIMIT
    }

    fn request_id_header(&self) -> &'static str {
        "x-amzn-requestid"
    }

    fn model<'a>(&self, request: &ProviderRequest<'a>) -> Option<&'a str> {
        Some(model_id(request))
    }

    fn prompt(&self, request: &ProviderRequest<'_>) -> String {
        let messages = array_field(request.body, "messages").iter();
        let blocks = messages.flat_map(|message| array_field(message, "content"));
        let texts = array_field(request.body, "system").iter().chain(blocks);
        texts.filter_map(|block| str_field(block, "text")).collect::<Vec<_>>().join("\n")
    }

    fn validate(&self, request: &ProviderRequest<'_>) -> Result<(), Rejection> {
        super::validate(request)?;
        types::validate(request.body)?;
        let model = BedrockModel::from_id(model_id(request));
        if model.is_responses_only() {
            return Err(super::validation_error("The model isn't supported by this operation."));
        }
        messages::validate(request.body, model)?;
        tools::validate(request.body, model)?;
        inference::validate(request.body, model)
    }

    fn error(&self, _: u16, message: &str) -> Value {
        error(message)
    }

    fn headers(&self, status: u16, _: &Value) -> Vec<(&'static str, String)> {
        error_headers(status)
    }

    fn completion_spec(&self, request: &ProviderRequest<'_>) -> CompletionSpec {
        let config = request.body.get("inferenceConfig").unwrap_or(&Value::Null);
        let stop_sequences = array_field(config, "stopSequences").iter().filter_map(Value::as_str);
        let output = match tools::forced_tool(request.body) {
            Some((name, schema)) => {
                OutputKind::Tool { name: name.to_owned(), schema: schema.clone() }
            }
            None => {
                inference::output_schema(request.body).map_or(OutputKind::Text, OutputKind::Schema)
            }
        };
        CompletionSpec {
            model: model_id(request).to_owned(),
            last_message: messages::last_message(request.body),
            prompt: self.prompt(request),
            max_tokens: config.get("maxTokens").and_then(Value::as_u64),
            stop_sequences: stop_sequences.map(str::to_owned).collect(),
            output,
        }
    }

    fn reply(&self, request: &ProviderRequest<'_>, completion: &Completion, number: u64) -> Value {
        let model = BedrockModel::from_id(model_id(request));
        converse_reply::build(request.body, model, completion, number)
    }

    fn is_streamed(&self, request: &ProviderRequest<'_>) -> bool {
        super::serves(request.path, STREAM)
    }

    fn stream(&self, _: &ProviderRequest<'_>, reply: &Value) -> Vec<Vec<u8>> {
        stream::converse_events(reply)
    }

    fn stream_type(&self) -> &'static str {
        AWS_EVENT_STREAM
    }

    fn stream_error(&self, message: &str) -> Vec<u8> {
        exception("serviceUnavailableException", message)
    }
}
