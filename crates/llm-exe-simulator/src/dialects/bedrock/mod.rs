//! The Amazon Bedrock runtime: `POST /model/{id}/invoke` for Anthropic models, and
//! `POST /model/{id}/converse`.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html>
//!
//! Requests must be signed. An error has the body `{"message"}`, and the header `x-amzn-errortype`
//! contains its name.

mod claude_body;
mod converse;
mod converse_reply;
mod inference;
mod invoke;
mod members;
mod messages;
mod models;
mod stream;
mod tool_turns;
mod tools;
mod types;

use http::HeaderMap;
use serde_json::{Value, json};

use crate::dialects::dialect::{ProviderRequest, Rejection};
use crate::sigv4::{self, SignatureErrorKind, SignedRequest};

pub(crate) use converse::Converse;
pub(crate) use invoke::BedrockAnthropic;

const BODY_LIMIT: usize = 25 * 1024 * 1024;

/// Whether a path is `/model/{id}/{operation}`. Slashes in the id are percent-encoded.
fn serves(path: &str, operation: &str) -> bool {
    let segments: Vec<&str> = path.split('/').collect();
    matches!(segments.as_slice(), ["", "model", id, last] if !id.is_empty() && *last == operation)
}

/// Returns the model id from the path.
fn model_id<'a>(request: &ProviderRequest<'a>) -> &'a str {
    let id_and_operation = request.decoded.strip_prefix("/model/").unwrap_or_default();
    id_and_operation.rsplit_once('/').map_or("", |(id, _)| id)
}

fn recognizes(headers: &HeaderMap) -> bool {
    let value = headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.starts_with("AWS4-"))
}

/// Runs the checks that all operations share, in AWS's order: the signature, the body, and the
/// model.
fn validate(request: &ProviderRequest<'_>) -> Result<(), Rejection> {
    check_signature(request)?;
    if !request.is_json {
        return Err(validation_error("The request body is not valid JSON."));
    }
    if !request.body.is_object() {
        return Err(validation_error("Malformed input request: #: expected type: JSONObject"));
    }
    if model_id(request).contains("missing-") {
        return Err(rejection(404, UNKNOWN_MODEL));
    }
    Ok(())
}

/// Checks the signature of a request.
pub(crate) fn check_signature(request: &ProviderRequest<'_>) -> Result<(), Rejection> {
    sigv4::check(&SignedRequest {
        service: "bedrock",
        method: "POST",
        path: request.path,
        query: "",
        headers: request.headers,
        body: request.raw,
    })
    .map_err(|error| Rejection {
        headers: vec![error_type(signature_error_name(error.kind))],
        ..rejection(403, &error.message)
    })
}

const UNKNOWN_MODEL: &str =
    "Could not resolve the foundation model from the provided model identifier.";

fn error(message: &str) -> Value {
    json!({"message": message})
}

fn rejection(status: u16, message: &str) -> Rejection {
    Rejection::new(status, error(message))
}

fn validation_error(message: &str) -> Rejection {
    rejection(400, message)
}

/// Creates a 400 rejection for a missing member.
fn missing_member(path: &str) -> Rejection {
    constraint_violation("null", path, "Member must not be null")
}

/// Creates a 400 rejection for a value that violates a constraint of AWS's service model.
fn constraint_violation(value: &str, path: &str, rule: &str) -> Rejection {
    validation_error(&format!(
        "1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: \
         {rule}"
    ))
}

/// Creates a 400 rejection for a key that the schema of the model's parameters does not allow.
fn extraneous_key(path: &str, key: &str) -> Rejection {
    validation_error(&format!(
        "Malformed input request: #{path}: extraneous key [{key}] is not permitted, please \
         reformat your input and try again."
    ))
}

/// Creates a 400 rejection for a field that the model does not support.
fn unsupported_field(field: &str) -> Rejection {
    validation_error(&format!(
        "This model doesn't support the {field} field. Remove {field} and try again."
    ))
}

/// Returns the response headers for a status. For an error, they contain the error name.
fn error_headers(status: u16) -> Vec<(&'static str, String)> {
    let name = match status {
        200..=399 => return Vec::new(),
        401 => "UnrecognizedClientException",
        403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        408 => "ModelTimeoutException",
        424 => "ModelErrorException",
        429 => "ThrottlingException",
        503 => "ServiceUnavailableException",
        500.. => "InternalServerException",
        _ => "ValidationException",
    };
    vec![error_type(name)]
}

fn error_type(name: &str) -> (&'static str, String) {
    let value = format!("{name}:http://internal.amazon.com/coral/com.amazon.bedrock/");
    ("x-amzn-errortype", value)
}

fn signature_error_name(kind: SignatureErrorKind) -> &'static str {
    match kind {
        SignatureErrorKind::UnknownKey => "UnrecognizedClientException",
        SignatureErrorKind::Missing => "MissingAuthenticationTokenException",
        SignatureErrorKind::Incomplete => "IncompleteSignatureException",
        SignatureErrorKind::Mismatch | SignatureErrorKind::Expired => "InvalidSignatureException",
    }
}
