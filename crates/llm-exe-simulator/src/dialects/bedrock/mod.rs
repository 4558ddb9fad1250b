//! Amazon Bedrock's runtime: `POST /model/{id}/invoke` for Anthropic's models, and
//! `POST /model/{id}/converse`.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html>
//!
//! In: a signed request. Out: a reply, or AWS's error: `{"message"}`, its name in the header
//! `x-amzn-errortype`.

mod converse;
mod converse_reply;
mod inference;
mod invoke;
mod messages;
mod models;
mod tools;

use super::{Ask, Refusal};
use crate::sigv4::{self, Kind, Signed};
use http::HeaderMap;
use serde_json::{Value, json};

pub(crate) use converse::Converse;
pub(crate) use invoke::BedrockAnthropic;

const BODY_LIMIT: usize = 25 * 1024 * 1024;

/// Whether a path is that of an operation on one model: an id that holds slashes is encoded.
fn serves(path: &str, operation: &str) -> bool {
    let segments: Vec<&str> = path.split('/').collect();
    matches!(segments.as_slice(), ["", "model", id, last] if !id.is_empty() && *last == operation)
}

/// The id in a path that is served.
fn model_id<'a>(ask: &Ask<'a>) -> &'a str {
    let rest = ask.decoded.strip_prefix("/model/").unwrap_or_default();
    rest.rsplit_once('/').map_or("", |(id, _)| id)
}

fn speaks(headers: &HeaderMap) -> bool {
    let value = headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.starts_with("AWS4-"))
}

/// Refuses what every operation refuses, in AWS's order: the signature, the body, the model.
fn refuse(ask: &Ask<'_>) -> Result<(), Refusal> {
    sigv4::check(&Signed {
        service: "bedrock",
        method: "POST",
        path: ask.path,
        query: "",
        headers: ask.headers,
        body: ask.raw,
    })
    .map_err(|fault| refusal(403, &fault.message))?;
    if !ask.is_json {
        return Err(invalid("The request body is not valid JSON."));
    }
    if !ask.body.is_object() {
        return Err(invalid("Malformed input request: #: expected type: JSONObject"));
    }
    if model_id(ask).contains("missing-") {
        return Err(refusal(404, NO_MODEL));
    }
    Ok(())
}

const NO_MODEL: &str = "Could not resolve the foundation model from the provided model identifier.";

fn error(message: &str) -> Value {
    json!({"message": message})
}

fn refusal(status: u16, message: &str) -> Refusal {
    Refusal { status, body: error(message) }
}

fn invalid(message: &str) -> Refusal {
    refusal(400, message)
}

/// A 400 about a member that is not there.
fn required(path: &str) -> Refusal {
    constraint("null", path, "Member must not be null")
}

/// A 400 in the words of AWS's models.
fn constraint(value: &str, path: &str, rule: &str) -> Refusal {
    invalid(&format!(
        "1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: \
         {rule}"
    ))
}

/// A 400 about a key that the model's own schema does not know.
fn extraneous(path: &str, key: &str) -> Refusal {
    invalid(&format!(
        "Malformed input request: #{path}: extraneous key [{key}] is not permitted, please \
         reformat your input and try again."
    ))
}

/// A 400 about a field that the model does not take.
fn unsupported(field: &str) -> Refusal {
    invalid(&format!("This model doesn't support the {field} field. Remove {field} and try again."))
}

/// AWS's name of an error, which goes into a header.
fn error_headers(status: u16, body: &Value) -> Vec<(&'static str, String)> {
    let message = body.get("message").and_then(Value::as_str).unwrap_or_default();
    let signature = Kind::told_by(message).filter(|_| status == 403).map(signature_fault);
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
    let name = signature.unwrap_or(name);
    vec![(
        "x-amzn-errortype",
        format!("{name}:http://internal.amazon.com/coral/com.amazon.bedrock/"),
    )]
}

fn signature_fault(kind: Kind) -> &'static str {
    match kind {
        Kind::Unknown => "UnrecognizedClientException",
        Kind::Missing => "MissingAuthenticationTokenException",
        Kind::Incomplete => "IncompleteSignatureException",
        Kind::Wrong | Kind::Late => "InvalidSignatureException",
    }
}
